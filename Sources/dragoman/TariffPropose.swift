// SPDX-License-Identifier: Apache-2.0
import Accounting
import Bytes
import Crypto
import JSON
import Node

/// `dragoman ledger tariff propose`
enum TariffPropose: Command {
    static let page = HelpPage(
        words: ["ledger", "tariff", "propose"],
        options: [
            OwnOrganisation.option,
            .init("--with", "URI", "the other party"),
            .init("--direction", "WAY", "out: we send them tasks; in: they send us tasks"),
            .init("--currency", "CCY", "ISO 4217, as CNY"),
            .init("--fee", "AMOUNT", "what the sender of a task pays for each"),
            .init("--commission", "RATE", "the sender's share of each sale, as \"5 %\""),
            .init("--cap", "AMOUNT", "the most that one commission may be"),
            .init("--credit", "AMOUNT", "the most that either may owe the other"),
            .init("--block", "AMOUNT", "set aside at a time for many small fees"),
            .init("--from", "RFC3339", "when it begins; default: now"),
            .init("--offset", "±HH:MM", "whose midnight ends a month; default: +00:00"),
            .init("--after", "FILE", "the versions before, which this one follows"),
            .init("--terms", "FILE", "the whole tariff as JSON, instead of the options above"),
            .init("--out", "FILE", "what to write; default: tariff.json"), .json,
        ],
        summary: "Writes a tariff for one link, signed by this side, for the other to accept.",
        details: [
            """
            Says it in words first to last, so that both can read it on the telephone. Rounding is \
            half up to the smallest coin; a failed or cancelled task costs nothing.
            """
        ],
        examples: [
            "dragoman ledger tariff propose --with https://inn.example --direction out \\\n      "
                + "--currency CNY --fee 0.20 --commission \"5 %\" --cap 15.00 --credit 50000.00"
        ])

    static func run(
        _ arguments: Arguments, _ shell: any Shell
    ) async throws(Failure) -> ExitCode {
        let own = try OwnOrganisation(arguments, shell)
        let before = try arguments["--after"].map { path throws(Failure) in try TariffPaper(path) }
        let node =
            if let terms = arguments["--terms"] {
                try Self.node(terms)
            } else {
                try Self.node(own, before, arguments, shell)
            }
        let tariff = try Self.tariff(node)
        guard let side = tariff.side(of: own.entity) else {
            throw .misuse("the tariff is not between \(own.entity) and another")
        }
        let token = TokenSigner.sign(tariff.node, type: TariffFile.type, key: own.key)
        let signature = TariffFile.Signature(
            token: token, certificates: own.certificateTexts)
        let file = TariffFile(
            versions: (before?.file.versions ?? []) + [.init([side: signature])])
        let path = arguments["--out"] ?? "tariff.json"
        let text = String(decoding: file.bytes, as: UTF8.self)
        try LocalFile.createAll([(path: path, text: text, readers: .everyone)])
        if arguments.has("--json") {
            let answer: JSONNode = ["file": .string(path), "version": .int(tariff.version)]
            shell.say(answer.text)
        } else {
            for sentence in tariff.words(.english) { shell.say(sentence) }
            shell.say("")
            shell.say("Signed by \(own.entity) in \(path). Send it to your partner, who signs with")
            shell.say("  dragoman ledger tariff accept \(path)")
        }
        return .success
    }

    private static func node(_ terms: String) throws(Failure) -> JSONNode {
        do { return .raw(try JSONDocument(parsing: Input.bytes(terms)).bytes) } catch {
            throw .misuse("\(terms): \(error)")
        }
    }

    private static func tariff(_ node: JSONNode) throws(Failure) -> Tariff {
        do {
            return try Tariff(JSONDocument(parsing: node.bytes, limits: .token).root)
        } catch {
            throw .misuse("the tariff breaks a rule: \(error)")
        }
    }

    /// The tariff that the options describe.
    private static func node(
        _ own: OwnOrganisation, _ before: TariffPaper?, _ arguments: Arguments, _ shell: any Shell
    ) throws(Failure) -> JSONNode {
        let last = try before?.last()
        let other = try edge(own, arguments)
        guard
            let currency = try arguments.value("--currency", "a code of ISO 4217", { Currency($0) })
        else { throw .misuse("--currency CCY is missing") }
        func amount(_ name: String) throws(Failure) -> Money? {
            try arguments.value(name, "an exact amount, as \(Money.zero(currency).text)") {
                try? Money(text: $0, currency)
            }
        }
        guard let credit = try amount("--credit") else {
            throw .misuse("--credit AMOUNT is missing")
        }
        let from = try arguments.value("--from", "an instant, as 2026-12-01T00:00:00+08:00") {
            Instant(rfc3339: $0)
        }
        let agreement =
            last?.tariff.agreement
            ?? OperationID(at: shell.time.now(), random: shell.random)
        var node: JSONNode = [
            "v": "tariff/1", "agr": .string(agreement.text),
            "ver": .int((last?.tariff.version ?? 0) + 1),
        ]
        node["prev"] = last.map { .string($0.name.text) }
        node["ccy"] = .string(currency.code)
        node["edge"] = ["up": .string(other.caller.text), "down": .string(other.callee.text)]
        node["from"] = .string((from ?? shell.time.now()).rfc3339)
        node["charges"] = try fee(amount("--fee"))
        node["commissions"] = try commission(currency, amount("--cap"), arguments)
        node["bill_on"] = ["completed": ["*"], "failed": [], "canceled": [], "rejected": []]
        node["hold"] = ["max_s": 1800, "delta_s": 30, "skew_s": 5]
        if let block = try amount("--block") {
            node["block"] = ["amt": .string(block.text), "max_s": 3600, "renew_ppm": 500_000]
        }
        node["credit"] = [
            "up_owes": .string(credit.text), "down_owes": .string(credit.text),
            "warn_ppm": 800_000,
        ]
        node["settle"] = [
            "period": "P1M", "tz": .string(arguments["--offset"] ?? "+00:00"),
            "min": .string(Money(micros: 1_000_000, currency).text), "due_d": 15,
        ]
        node["dispute_d"] = 30
        return node
    }

    private static func edge(
        _ own: OwnOrganisation, _ arguments: Arguments
    ) throws(Failure) -> (caller: EntityID, callee: EntityID) {
        guard let other = try arguments.entity("--with") else {
            throw .misuse("--with URI is missing")
        }
        let isOut = try arguments.value("--direction", "out or in") {
            ["out": true, "in": false][$0]
        }
        guard let isOut else { throw .misuse("--direction out|in is missing") }
        return isOut ? (own.entity, other) : (other, own.entity)
    }

    private static func fee(_ amount: Money?) -> JSONNode {
        guard let amount else { return [] }
        return [["id": "call", "basis": "call", "fixed": .string(amount.text)]]
    }

    private static func commission(
        _ currency: Currency, _ cap: Money?, _ arguments: Arguments
    ) throws(Failure) -> JSONNode {
        let rate = try arguments.value("--commission", "a rate, as \"5 %\" or \"5488 ppm\"") {
            PartsPerMillion(text: $0)
        }
        guard let rate else {
            if cap == nil { return [] }
            throw .misuse("--cap belongs to --commission RATE")
        }
        var line: JSONNode = ["id": "take", "basis": "tx.net", "ppm": .int(rate.value)]
        line["cap"] = cap.map { .string($0.text) }
        line["floor"] = .string(Money.zero(currency).text)
        line["scope"] = "tx"
        line["quantum"] = "minor"
        line["round"] = "half-up"
        return [line]
    }
}
