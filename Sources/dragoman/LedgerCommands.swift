// SPDX-License-Identifier: Apache-2.0
import HTTP
import JSON
import Node

/// `dragoman ledger accounts`
enum LedgerAccounts: Command {
    static let page = HelpPage.control(
        ["ledger", "accounts"], options: [.json],
        summary: "Shows every account of a running gateway's books with its columns.",
        details: ["Ends with 1 when debits are not credits, which must never be."],
        examples: ["dragoman ledger accounts"])

    static func run(
        _ arguments: Arguments, _ shell: any Shell
    ) async throws(Failure) -> ExitCode {
        let response = try ControlSocket(arguments).get("/v1/accounts")
        let books = try ControlSocket.json(response)
        let trial = books["trial"]?.elements.map { $0 } ?? []
        let isBalanced = trial.allSatisfy { $0["balanced"]?.bool ?? false }
        if arguments.has("--json") {
            shell.write(response.body)
            shell.say("")
            return isBalanced ? .success : .no
        }
        let columns = [
            "debits", "debits_pending", "credits", "credits_pending", "balance", "limit",
        ]
        var table = TextTable(
            ["account", "peer", "ccy", "debits", "held", "credits", "held", "balance", "limit"],
            numbers: Set(3...8))
        for account in books["accounts"]?.elements.map({ $0 }) ?? [] {
            table.add(
                [
                    account["code"]?.string ?? "", account["peer"]?.string ?? "–",
                    account["ccy"]?.string ?? "",
                ] + columns.map { account[$0]?.string ?? "–" })
        }
        shell.say(table.isEmpty ? "there is no account yet" : table.text)
        for sum in trial {
            let words = sum["balanced"]?.bool ?? false ? "debits equal credits" : "DOES NOT BALANCE"
            shell.say("\(sum["ccy"]?.string ?? ""): \(words)")
        }
        return isBalanced ? .success : .no
    }
}

/// `dragoman ledger verify`
enum LedgerVerify: Command {
    static let page = HelpPage.control(
        ["ledger", "verify"], options: [.json],
        summary: "Adds a running gateway's books up again from their postings, and compares.",
        details: [
            """
            It reads everything, so it is for a quiet hour. Ends with 1 and each finding when the \
            books are not what their postings make.
            """
        ],
        examples: ["dragoman ledger verify"])

    static func run(
        _ arguments: Arguments, _ shell: any Shell
    ) async throws(Failure) -> ExitCode {
        var socket = try ControlSocket(arguments)
        socket.client.patience = Self.patience
        let response = try socket.get("/v1/audit")
        let audit = try ControlSocket.json(response)
        let isGood = audit["good"]?.bool ?? false
        if arguments.has("--json") {
            shell.write(response.body)
            shell.say("")
            return isGood ? .success : .no
        }
        for finding in audit["findings"]?.elements.map({ $0 }) ?? [] {
            shell.say("\(finding["rule"]?.string ?? ""): \(finding["place"]?.string ?? "")")
        }
        if isGood { shell.say("the books are what their postings make") }
        return isGood ? .success : .no
    }

    /// Seconds for the whole books of years.
    private static let patience = 3600
}

/// `dragoman ledger statement`
enum LedgerStatement: Command {
    static let page = HelpPage.control(
        ["ledger", "statement"],
        options: [
            .init("--peer", "ENTITY", "with whom", isRequired: true),
            .init("--period", "MONTH", "as 2026-11; default: the month that runs"),
            .init("--html", "FILE", "the page for people; - for standard output"),
            .json,
        ],
        summary: "Shows what we and a peer owe each other over a month, line by line.",
        details: [
            """
            Months begin by the clock that the tariff names. The month that runs may be asked for \
            too, and closes at the last line so far.
            """
        ],
        examples: [
            "dragoman ledger statement --peer https://agentos.example --period 2026-11",
            "dragoman ledger statement --peer agentos.example --html statement.html",
        ])

    static func run(
        _ arguments: Arguments, _ shell: any Shell
    ) async throws(Failure) -> ExitCode {
        let socket = try ControlSocket(arguments)
        let peer = HTTPPath.encode(try arguments.required("--peer"))
        var path = "/v1/statement?peer=\(peer)"
        if let period = arguments["--period"] { path += "&period=\(HTTPPath.encode(period))" }
        if let file = arguments["--html"] {
            let response = try socket.get(path + "&format=html")
            if file == "-" {
                shell.write(response.body)
                return .success
            }
            try write(response.body, to: file)
            shell.say("written to \(file)")
            return .success
        }
        let response = try socket.get(path)
        if arguments.has("--json") {
            shell.write(response.body)
            shell.say("")
        } else {
            shell.say(text(try ControlSocket.json(response)))
        }
        return .success
    }

    /// A statement is for the two companies: a new file is its owner's alone.
    private static func write(_ page: [UInt8], to file: String) throws(Failure) {
        do throws(LocalFile.Fault) {
            if LocalFile.exists(file) {
                try LocalFile.replace(file, page)
            } else {
                try LocalFile.create(file, page, for: .owner)
            }
        } catch {
            throw .misuse("cannot write \(error)")
        }
    }

    /// The line's name, and for a block how many tasks it is for.
    private static func name(of line: JSONValue) -> String {
        let name = line["line"]?.string ?? ""
        return line["calls"]?.int.map { "\(name) × \($0)" } ?? name
    }

    private static func text(_ statement: JSONValue) -> String {
        func text(_ name: String) -> String { statement[name]?.string ?? "" }
        func balance(_ name: String) -> String {
            let value = statement[name]
            let debtor = value?["owed_by"]?.string.map { ", owed by \($0)" } ?? ""
            return (value?["amt"]?.string ?? "") + debtor
        }
        var table = TextTable(
            ["booked", "line", "sale", "amount", "owed by", "balance", "evidence"],
            numbers: [2, 3, 5])
        for line in statement["lines"]?.elements.map({ $0 }) ?? [] {
            table.add([
                line["booked"]?.string ?? "", name(of: line),
                line["tx"]?.string ?? "–", line["amt"]?.string ?? "",
                line["owed_by"]?.string ?? "", line["balance"]?["amt"]?.string ?? "",
                line["evidence"]?.string ?? "",
            ])
        }
        let due = statement["due"]?.string.map { ", due by \($0)" } ?? ""
        let lines = [
            "\(text("iss")) with \(text("aud")), \(text("ccy"))",
            "\(text("from")) to \(text("to"))", "", "opening  \(balance("opening"))",
            "closing  \(balance("closing"))", "payable  \(balance("payable"))\(due)",
            "carried  \(balance("residue"))", "",
            table.isEmpty ? "no lines in this period" : table.text,
        ]
        return lines.joined(separator: "\n")
    }
}
