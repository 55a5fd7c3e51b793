// SPDX-License-Identifier: Apache-2.0
import A2A
import Accounting
import Bytes
import Consent
import Crypto
import Gateway
import IO
import JSON
import Node

/// The booking: a client dinner tomorrow night, deposit CNY 328.00.
///
/// Whatever it prints was read back from the companies' journals or logs, and a claim that does not
/// hold ends the demo.
final class DemoStory {
    private let network: DemoNetwork
    private let shell: any Shell
    private let saysYes: Bool
    /// The exchange of the booking, the same at every hop.
    private(set) var exchange = ""

    init(_ network: DemoNetwork, _ shell: any Shell, saysYes: Bool) {
        self.network = network
        self.shell = shell
        self.saysYes = saysYes
    }

    // MARK: The booking

    /// - Returns: Whether the user said yes and the table is booked.
    func book() async throws(Failure) -> Bool {
        introduce()
        try await question()
        let wish = "A table for a client dinner tomorrow night, please"
        shell.say("   and then: \"\(wish)\"")
        let task = try answered(network.say(wish, to: "dining"))["task"]
        guard let id = task?["id"]?.string, let state = task?["status"]?["state"]?.string else {
            throw .no("the phone gave no task")
        }
        try claim(state == "TASK_STATE_AUTH_REQUIRED", "the user is asked, but it is \(state)")
        try claim(network.agent.orderCount == 0, "nothing is ordered by asking")
        try await showRoute()
        try await showGrants(task: id)
        try await showHolds("held before anything was forwarded")

        let question = try ask()
        let answer = try decision()
        let done = try network.decide(question, approves: answer)
        let end = done.root["state"]?.string ?? ""
        guard answer else {
            try claim(end == "TASK_STATE_REJECTED", "a no is final, but it is \(end)")
            try claim(network.agent.orderCount == 0, "a no books nothing")
            shell.say("   No. Nothing is booked and nothing is owed.")
            try await settle()
            return false
        }
        try claim(end == "TASK_STATE_COMPLETED", "the table is booked, but it is \(end)")
        try claim(network.agent.orderCount == 1, "one table is booked")
        try await settle()
        try await showAct()
        try await showHolds("posted after the booking")
        try await showShares()
        return true
    }

    /// A question that binds nobody costs a fee that is too small for a hold of its own.
    private func question() async throws(Failure) {
        let words = "Which places near the office have a private room?"
        shell.say("1  The user says to the phone: \"\(words)\"")
        let answer = try answered(network.say(words, to: "places"))["message"]
        try claim(answer?["parts"]?.count == 1, "the question is answered")
        for (caller, callee) in [(network.phone, network.app), (network.app, network.inn)] {
            let draws = [
                try await draw(at: caller, with: callee), try await draw(at: callee, with: caller),
            ]
            guard let draw = draws[0] else { throw .no("\(caller.letter) drew nothing") }
            try claim(
                draws[1] == draw && draw.calls == 1,
                "both sides of \(caller.letter)–\(callee.letter) count the same")
            shell.say(
                "   \(caller.letter)–\(callee.letter)  fee \(draw.amount.text), drawn as number "
                    + "\(draw.highest) on a block of \(draw.limit.text), posted with the others")
        }
    }

    /// What was drawn on a block.
    private struct Drawn: Equatable {
        let limit: Money
        let amount: Money
        let calls: Int64
        let highest: Int64
    }

    /// The one block on the link between `company` and `other`, once its count is on disk.
    private func draw(
        at company: DemoCompany, with other: DemoCompany
    ) async throws(Failure) -> Drawn? {
        let peer = other.entity
        for _ in 0..<100 {
            let found = try await company.read { tx -> Drawn? in
                for hold in try tx.pendingBlocks() where hold.peer == peer {
                    let block = try tx.blockCheckpoint(peer, hold.op)
                    guard let block, block.calls > 0 else { continue }
                    return Drawn(
                        limit: hold.charge, amount: block.amount, calls: block.calls,
                        highest: block.highest)
                }
                return nil
            }
            if let found { return found }
            try? await Task.sleep(for: .milliseconds(50))
        }
        return nil
    }

    private func introduce() {
        shell.say("Three organisations on this machine, each with its own keys, books and gateway:")
        let roles = ["entrance, the phone maker", "orchestrator", "sidecar before its own agent"]
        for (company, role) in zip(network.companies, roles) {
            shell.say(
                "   \(company.letter)  \(padded(company.entity.text, 24)) "
                    + "\(padded(role, 30)) \(company.link)")
        }
        shell.say("")
    }

    private func showRoute() async throws(Failure) {
        for (from, to) in [(network.phone, network.app), (network.app, network.inn)] {
            let lines = to.log.all.compactMap { try? JSONDocument(parsing: Array($0.utf8)) }
            let isThere = lines.contains { line in
                line.root["method"]?.string == "SendMessage"
                    && line.root["protocol"]?.string == "HTTP/2"
                    && line.root["peer"]?.string == from.entity.text
            }
            try claim(isThere, "\(to.letter) was asked by \(from.letter) over HTTP/2")
            shell.say(
                "   \(from.letter) asked \(to.letter): SendMessage, A2A 1.0, HTTP/2, mutual TLS")
        }
        shell.say("   V asked its agent, in plain A2A, and the agent answered with a draft")
        shell.say("")
    }

    private func showGrants(task: String) async throws(Failure) {
        let record = try await network.phone.read { try $0.task(id: task) }
        guard let record else { throw .no("the phone does not know the task") }
        exchange = record.exchange
        let explained = try await explanation(at: network.inn)
        guard let trail = explained.tasks.first?.consent else {
            throw .no("V knows of no grant")
        }
        try claim(trail.check == .verified, "V verifies the grants again")
        shell.say("2  Granted, and only ever narrowed (V verified every link):")
        for (index, link) in trail.links.enumerated() {
            let grant = link.grant
            let seconds = grant.expires - grant.issuedAt
            shell.say(
                "   \(index). \(grant.issuer.text) lets \(grant.holder.text) act, for "
                    + "\(seconds) s")
            for entry in grant.entries where index == 0 { shell.say("      \(words(entry))") }
            for lost in link.lost { shell.say("      lost: \(lost)") }
        }
        try claim(trail.links.count == 2, "the chain has a root and one narrower link")
        try claim(trail.links.last?.lost.isEmpty == false, "the second link lost something")
        shell.say("")
    }

    private func words(_ entry: Entry) -> String {
        var text = entry.actions.joined(separator: ", ")
        switch entry.locations {
        case .anywhere: text += " anywhere"
        case .named(let entities):
            text += " at " + entities.map(\.text).joined(separator: ", ")
        }
        if let limits = entry.limits {
            if let most = limits.perAct {
                text += ", at most \(Money.minor(most, limits.currency.code)) each"
            }
            if let count = limits.count { text += ", \(count) time(s)" }
        }
        if let types = entry.data?.types, !types.isEmpty {
            text += ", may tell " + types.joined(separator: ", ")
        }
        return text
    }

    // MARK: The question

    /// Shows the open question and returns its nonce.
    private func ask() throws(Failure) -> String {
        let asks = try network.questions().root["asks"]
        guard let ask = asks?.elements.first(where: { _ in true }),
            let nonce = ask["nonce"]?.string
        else { throw .no("the phone has no question") }
        shell.say("3  The phone asks its user, in rows made from what V signed:")
        var texts: [String] = []
        for row in ask["rows"]?.elements.map({ $0 }) ?? [] {
            let label = row["label"]?.string ?? ""
            let text = row["text"]?.string ?? ""
            texts.append(text)
            shell.say("   \(padded(label, 14)) \(text)")
        }
        try claim(texts.contains("CNY 328.00"), "the price is shown")
        return nonce
    }

    private func decision() throws(Failure) -> Bool {
        if saysYes {
            shell.say("   Agree? yes (--yes)")
            return true
        }
        guard let answer = shell.answer(to: "   Agree? [y/N] ") else {
            shell.say("   Agree? There is no terminal and no --yes, so: no")
            return false
        }
        return ["y", "yes"].contains(answer.lowercased())
    }

    private func showAct() async throws(Failure) {
        let trail = try await explanation(at: network.inn).tasks.first?.consent
        guard let answer = trail?.answer, let act = trail?.act, let receipt = trail?.receipt else {
            throw .no("V has no answer, act or receipt")
        }
        try claim(answer.check == .verified && act.check == .verified, "V verifies them again")
        try claim(receipt.check == .verified, "the receipt verifies")
        shell.say("")
        shell.say("4  Confirmed by the user, performed once:")
        shell.say("   \(padded("confirmation", 14)) \(answer.amount ?? ""), signed by H")
        shell.say(
            "   \(padded("act", 14)) \(act.action ?? ""), signed by S under the grant, "
                + "\(act.amount ?? "")")
        shell.say(
            "   \(padded("receipt", 14)) \(receipt.captured ?? ""), order "
                + "\(receipt.reference ?? ""), signed by V")
        try await showDisclosure()
    }

    /// The restaurant knows whom to call, and nobody between.
    private func showDisclosure() async throws(Failure) {
        let telephone = DemoNetwork.telephone
        try claim(
            network.agent.telephones == [telephone], "V's agent was told the telephone number")
        for company in network.companies {
            let (exchange, digits) = (exchange, Array(telephone.utf8))
            let isKept = try await company.read { tx in
                try tx.tasks(exchange: exchange).contains { task in
                    (task.snapshot ?? []).contains(digits)
                        || (task.undertaking?.node.bytes ?? []).contains(digits)
                }
            }
            try claim(!isKept, "\(company.letter) keeps no telephone number")
            try claim(
                company.log.all.allSatisfy { !$0.contains(telephone) },
                "\(company.letter)'s log has no telephone number")
        }
        shell.say(
            "   \(padded("told", 14)) phone.number \(telephone), to V's agent alone; sealed on "
                + "its way through S, in no log")
    }

    // MARK: Books

    private func showHolds(_ words: String) async throws(Failure) {
        shell.say("   Books, \(words):")
        for (caller, callee) in [(network.phone, network.app), (network.app, network.inn)] {
            let holds = try await explanation(at: callee).holds.filter {
                $0.peer == caller.entity && $0.side == .callee
            }
            guard let hold = holds.last else { throw .no("\(callee.letter) holds nothing") }
            let (fee, commission) = (
                hold.resolution?.charge ?? hold.charge,
                hold.resolution?.commission ?? hold.commission
            )
            shell.say(
                "   \(caller.letter)–\(callee.letter)  fee \(fee.text)  commission "
                    + "\(commission.text)  \(hold.state.rawValue)")
            let mirrored = try await explanation(at: caller).holds.last {
                $0.peer == callee.entity && $0.side == .caller
            }
            try claim(
                mirrored?.state == hold.state && mirrored?.charge == hold.charge
                    && mirrored?.commission == hold.commission,
                "both sides of \(caller.letter)–\(callee.letter) hold the same")
        }
        shell.say("")
    }

    private func showShares() async throws(Failure) {
        let sale = Money(micros: 328_000_000, .cny)
        let (h, s, v) = (network.phone, network.app, network.inn)
        do {
            let inn = try sale.adding(await v.owed(by: s))
            let app = try await s.owed(by: v).adding(s.owed(by: h))
            let phone = try await h.owed(by: s)
            shell.say("5  Of CNY 328.00 each has, by its own books:")
            shell.say("   V  \(inn.text)   S  \(app.text)   H  \(phone.text)")
            try claim(inn.text == "313.20", "V has 313.20")
            try claim(app.text == "13.10", "S has 13.10")
            try claim(phone.text == "1.70", "H has 1.70")
            try claim(try inn.adding(app).adding(phone) == sale, "they add up to the sale")
        } catch let failure as Failure {
            throw failure
        } catch {
            throw .no("the shares cannot be added: \(error)")
        }
        shell.say("")
    }

    /// The trial balance of every company, at the end of everything.
    func balance(isBooked: Bool) async throws(Failure) {
        shell.say(isBooked ? "7  Trial balance:" : "Trial balance:")
        for company in network.companies {
            let (debits, credits) = try await company.trialBalance()
            shell.say(
                "   \(company.letter)  debits \(debits.text)  credits \(credits.text)")
            try claim(debits == credits, "\(company.letter)'s debits equal its credits")
            let findings = try await company.findings()
            try claim(findings.isEmpty, "\(company.letter)'s books: \(findings)")
        }
        shell.say("   Debits equal credits in all three.")
    }

    func pendingHolds() async throws(Failure) -> Int {
        var count = 0
        for company in network.companies { count += try await company.pendingHolds() }
        return count
    }

    /// Leaves a statement beside the books.
    func leave(in folder: String) async throws(Failure) {
        let (app, inn) = (network.app, network.inn)
        let (own, other) = (app.entity, inn.entity)
        guard
            let tariff = app.server?.gateway.settings.parties[other]?.tariffs?.versions.last?.tariff
        else { throw .no("S has no tariff with V") }
        let now = SystemTime().now()
        let settlement = tariff.settlement
        let html = try await app.read { tx in
            try Ledger(tx, of: own).statement(
                with: other, .cny,
                over: StatementPeriod(
                    monthOf: now, offsetMinutes: settlement.offsetMinutes),
                settlement: settlement
            ).html(issuerName: "Super-app", peerName: "The Inn")
        }
        try LocalFile.createAll([
            (path: "\(folder)/statement.html", text: html, readers: .everyone)
        ])
        shell.say("")
        shell.say("Left in \(folder): statement.html, and for each company its configuration,")
        shell.say("keys, tariffs and books. Go on with, for instance:")
        shell.say("   dragoman check \(network.inn.configurationFile)")
        shell.say("   dragoman serve --config \(network.inn.configurationFile)")
    }

    // MARK: Claims

    /// Ends the demo where something that it says is not so.
    func claim(_ holds: Bool, _ words: String) throws(Failure) {
        if !holds { throw .no("the demo is wrong: \(words)") }
    }

    /// Waits until no task's hold is open: books are posted a moment after the answer.
    func settle() async throws(Failure) {
        for _ in 0..<200 {
            if try await pendingHolds() == 0 { return }
            try? await Task.sleep(for: .milliseconds(50))
        }
        throw .no("the demo is wrong: the books did not settle within ten seconds")
    }

    private func explanation(at company: DemoCompany) async throws(Failure) -> Explanation {
        guard let gateway = company.server?.gateway else { throw .no("it does not run") }
        let found: Explanation?
        do { found = try await Explanation.of(exchange, at: gateway) } catch {
            throw .no("\(company.letter) cannot explain: \(error.message)")
        }
        guard let found else { throw .no("\(company.letter) knows nothing of \(exchange)") }
        return found
    }

    private func answered(
        _ result: Result<JSONDocument, A2AError>
    ) throws(Failure) -> JSONValue {
        switch result {
        case .success(let document): return document.root
        case .failure(let error): throw .no("the phone refused: \(error.reason) \(error.message)")
        }
    }

    private func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}

extension Money {
    /// An amount of minor units, as the books would write it.
    static func minor(_ units: Int64, _ code: String) -> String {
        guard let currency = Accounting.Currency(code),
            let money = try? Money(minorUnits: units, currency)
        else { return "\(units) \(code)" }
        return money.description
    }
}
