// SPDX-License-Identifier: Apache-2.0
import A2A
import Accounting
import Bytes
import Consent

extension Explanation {
    /// The explanation for people: one screen of at most ``ExplanationPage/width`` columns.
    package var text: String {
        var page = ExplanationPage()
        page.line("exchange \(exchange ?? "unknown"), as \(gateway.text) knows it")
        for task in tasks { write(task, to: &page) }
        writeBooks(to: &page)
        writeTotals(to: &page)
        writeRecords(to: &page)
        writeRefusals(to: &page)
        return page.text
    }

    /// A company by its id and the name that is configured for it.
    private func company(_ entity: EntityID) -> String {
        names[entity].map { "\(entity.text) (\($0))" } ?? entity.text
    }

    private func write(_ task: TaskTrail, to page: inout ExplanationPage) {
        let record = task.record
        page.line("")
        page.line(
            "task \(record.id) at agent \(record.agent): "
                + record.state.rawValue.dropPrefix("TASK_STATE_"))
        page.item("time", "\(record.created.rfc3339) to \(record.updated.rfc3339)")
        var asker = task.asker.map(company) ?? record.owner.party
        if let certificate = record.certificate { asker += ", certificate \(certificate)" }
        if !record.owner.user.isEmpty { asker += ", user \(record.owner.user)" }
        page.item("asked by", asker)
        page.item(
            "route",
            (task.next.map(company) ?? "our own agent") + ", there task \(record.upstreamTaskID)")
        if let consent = task.consent { write(consent, to: &page) }
    }

    // MARK: Consent

    private func write(_ trail: ConsentTrail, to page: inout ExplanationPage) {
        page.item("grant", trail.check.words)
        for (index, link) in trail.links.enumerated() {
            let grant = link.grant
            page.item(
                "",
                "\(index). \(grant.issuer.text) lets \(grant.holder.text), until "
                    + Instant(seconds: grant.expires).rfc3339)
            if index == 0 {
                for entry in grant.entries { page.item("", "   \(entry.words)") }
            } else {
                let lost = link.lost.isEmpty ? "nothing" : link.lost.joined(separator: "; ")
                page.item("", "   lost: \(lost)")
            }
        }
        if let offer = trail.offer {
            let times = offer.asked == 1 ? "once" : "\(offer.asked) times"
            page.item(
                "offer",
                "\(offer.check.words), by \(company(offer.executor)); asked \(times), "
                    + "confirm \(offer.level)")
            for row in offer.rows { page.item("", "   \(row.label): \(row.text)") }
        }
        if let answer = trail.answer {
            page.item(
                "answer",
                [
                    answer.check.words, answer.decision, answer.amount, answer.at?.rfc3339,
                    answer.methods.isEmpty ? nil : "by \(answer.methods.joined(separator: " "))",
                ].joinedWords)
        }
        if let act = trail.act {
            page.item(
                "act",
                [
                    act.check.words, act.action, act.amount, act.holder.map { "by \($0)" },
                    act.id.map { "id \($0)" },
                ].joinedWords)
        }
        for reserved in trail.reservations {
            page.item(
                "reserved",
                [
                    reserved.check.words, reserved.amount, reserved.state,
                    reserved.keeper.map { "at \($0)" },
                ].joinedWords)
        }
        if let receipt = trail.receipt {
            page.item(
                "receipt",
                [
                    receipt.check.words, receipt.result, receipt.captured, receipt.error,
                    receipt.reference.map { "their number \($0)" },
                ].joinedWords)
        }
    }

    // MARK: Books

    private func writeBooks(to page: inout ExplanationPage) {
        if holds.isEmpty, draws.isEmpty { return }
        page.line("")
        var links: [(peer: EntityID, side: LinkSide)] = []
        for link in holds.map({ ($0.peer, $0.side) }) + draws.map({ ($0.record.peer, $0.side) })
        where !links.contains(where: { $0.peer == link.0 && $0.side == link.1 }) {
            links.append(link)
        }
        for (peer, side) in links {
            let calls = side == .callee ? "calls us" : "is called by us"
            page.item("books", "with \(company(peer)), which \(calls)")
            for hold in holds where hold.peer == peer && hold.side == side {
                page.item("", "   \(Self.words(hold))")
            }
            for draw in draws where draw.record.peer == peer && draw.side == side {
                page.item("", "   \(Self.words(draw))")
            }
        }
        if let result {
            let proceeds = proceeds.map { "; with the sale \($0)" } ?? ""
            page.item("result", "\(result) in fees and commissions\(proceeds)")
        }
    }

    private func writeTotals(to page: inout ExplanationPage) {
        for total in totals {
            let links = total.links.map { "→ \($0.prefix(10))…" }.joined(separator: " ")
            page.item(
                "user pays",
                [
                    total.check.words,
                    "\(total.total.paid), confirmed \(total.total.consented)",
                    "record \(total.total.name.text.prefix(10))…", links.isEmpty ? nil : links,
                ].joinedWords)
        }
    }

    private static func words(_ draw: Drawn) -> String {
        let state =
            switch draw.record.state {
            case .open: "its task has not ended"
            case .billed: "billed"
            case .free: "given back"
            }
        return "drawn \(draw.fee), number \(draw.record.number) on block "
            + "\(draw.record.block.text); \(state)"
    }

    private static func words(_ hold: HoldRecord) -> String {
        func amounts(_ charge: Money, _ commission: Money, _ sale: Money) -> String {
            "fee \(charge.text), commission \(commission.text)"
                + (sale.micros == 0 ? "" : " of \(sale.text)")
        }
        let held =
            "held \(hold.charge.currency.code) "
            + amounts(hold.charge, hold.commission, hold.sale)
        guard let end = hold.resolution else {
            return "\(held); pending until \(hold.postBy.rfc3339)"
        }
        switch hold.state {
        case .posted:
            let isAsHeld =
                end.charge == hold.charge && end.commission == hold.commission
                && end.sale == hold.sale
            return "\(held); posted "
                + (isAsHeld ? "as held" : amounts(end.charge, end.commission, end.sale))
        case .voided: return "\(held); released"
        case .expired: return "\(held); expired"
        case .extended: return "\(held); replaced"
        case .pending: return held
        }
    }

    private func writeRecords(to page: inout ExplanationPage) {
        for record in records {
            let links = record.links.map { "→ \($0.prefix(10))…" }.joined(separator: " ")
            page.item(
                "record",
                [
                    record.check.words, "\(record.name.prefix(10))…",
                    "by \(record.issuer.text)", record.level.words,
                    links.isEmpty ? nil : links,
                ].joinedWords)
        }
    }

    private func writeRefusals(to page: inout ExplanationPage) {
        if refusals.isEmpty { return }
        page.line("")
        for refusal in refusals {
            page.item(
                "refused",
                [
                    refusal.at.rfc3339, "\(refusal.reason) to \(refusal.party)", refusal.method,
                    refusal.rule.map { "rule \($0)" }, refusal.by.map { "said by \($0)" },
                ].joinedWords)
        }
    }
}

extension Explanation.Check {
    /// `verified`, or why not.
    var words: String {
        switch self {
        case .verified: "verified"
        case .failed(let rule): "NOT VERIFIED (\(rule))"
        }
    }
}

extension Evidence {
    fileprivate var words: String {
        switch self {
        case .unilateral: "E0, our books only"
        case .recorded: "E1, signed by one side"
        case .countersigned: "E2, signed by both"
        }
    }
}

extension [String?] {
    fileprivate var joinedWords: String { compactMap { $0 }.joined(separator: ", ") }
}

extension String {
    fileprivate func dropPrefix(_ prefix: String) -> String {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : self
    }
}

/// Lines of at most ``width`` columns, each item behind its label.
package struct ExplanationPage {
    /// Columns of the page: two windows fit side by side on a wide screen.
    package static let width = 100
    private static let labelWidth = 10

    private(set) var text = ""
    private var last = ""

    /// A line of its own.
    mutating func line(_ content: String) {
        text += Self.clean(content) + "\n"
        last = ""
    }

    /// One item; its label stands once where several follow each other.
    mutating func item(_ label: String, _ content: String) {
        let shown = label == last ? "" : label
        if !label.isEmpty { last = label }
        let head = shown + String(repeating: " ", count: max(1, Self.labelWidth - shown.count))
        let cleaned = Self.clean(content)
        let deep = cleaned.prefix { $0 == " " }.count
        let indent = String(repeating: " ", count: Self.labelWidth + deep)
        var line = head + String(repeating: " ", count: deep)
        var columns = Self.labelWidth + deep
        var isFirst = true
        for word in cleaned.split(separator: " ") {
            let size = Self.columns(word)
            if !isFirst, columns + 1 + size > Self.width {
                text += line + "\n"
                line = indent
                columns = Self.labelWidth + deep
                isFirst = true
            }
            line += (isFirst ? "" : " ") + word
            columns += size + (isFirst ? 0 : 1)
            isFirst = false
        }
        text += line + "\n"
    }

    /// Ids and titles are strangers' text: what would move the cursor or turn the line around is
    /// shown as one mark.
    private static func clean(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    switch scalar.value {
                    case 0..<0x20, 0x7F..<0xA0, 0x200B...0x200F, 0x2028...0x202E, 0x2066...0x2069:
                        "\u{FFFD}"
                    default: scalar
                    }
                }))
    }

    /// Columns of a terminal; East Asian wide characters take two.
    private static func columns(_ word: some StringProtocol) -> Int {
        word.unicodeScalars.reduce(0) { sum, scalar in
            switch scalar.value {
            case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF,
                0xFE30...0xFE4F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x20000...0x3FFFD:
                sum + 2
            default: sum + 1
            }
        }
    }
}
