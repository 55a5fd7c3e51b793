// SPDX-License-Identifier: Apache-2.0
import HTTP
import JSON

/// `dragoman status`
enum StatusCommand: Command {
    static let page = HelpPage.control(
        ["status"], options: [.json],
        summary: "Shows how a running gateway is doing: listeners, peers, what waits.",
        details: ["Ends with 1 when the gateway is not ready, so that scripts can ask."],
        examples: ["dragoman status", "dragoman status --control /run/dragoman/control.sock"])

    static func run(
        _ arguments: Arguments, _ shell: any Shell
    ) async throws(Failure) -> ExitCode {
        let response = try ControlSocket(arguments).get("/v1/status")
        let status = try ControlSocket.json(response)
        if arguments.has("--json") {
            shell.write(response.body)
            shell.say("")
        } else {
            shell.say(text(status))
        }
        return status["ready"]?.bool ?? false ? .success : .no
    }

    private static func text(_ status: JSONValue) -> String {
        func text(_ name: String) -> String { status[name]?.string ?? "" }
        var lines = [
            "\(text("entity")) (\(text("name"))), version \(text("version")): "
                + (status["obstacle"]?.string.map { "not ready, \($0)" } ?? "ready"),
            "started \(text("started")), certificate until \(text("certificate_ends"))",
            "agents: "
                + (status["agents"]?.elements.compactMap(\.string) ?? [])
                .joined(separator: ", "),
        ]
        if let backlog = status["backlog"] {
            func count(_ name: String) -> Int64 { backlog[name]?.int ?? 0 }
            let since = backlog["outbox_since"]?.string.map { ", oldest since \($0)" } ?? ""
            lines.append(
                "waiting: \(count("open_asks")) question(s) to users, "
                    + "\(count("pending_holds")) hold(s), \(count("outbox")) message(s) to peers"
                    + since)
        }
        for file in status["files"]?["refused"]?.elements.map({ $0 }) ?? [] {
            func text(_ name: String) -> String { file[name]?.string ?? "" }
            lines.append(
                "NOT TAKEN since \(text("since")): \(text("path")) (\(text("member"))) "
                    + "\(text("reason")); the last good one stays in force")
        }
        var places = TextTable(["listener", "kind", "address"])
        for place in status["listeners"]?.elements.map({ $0 }) ?? [] {
            places.add(["name", "kind", "address"].map { place[$0]?.string ?? "" })
        }
        var peers = TextTable(["peer", "name", "owes us", "tariff", ""], numbers: [2])
        for peer in status["peers"]?.elements.map({ $0 }) ?? [] {
            let since = peer["suspended_since"]?.string
            peers.add([
                peer["entity"]?.string ?? "", peer["name"]?.string ?? "",
                peer["owes_us"]?.string ?? "–", peer["tariff"]?.string ?? "none",
                since.map { "SUSPENDED since \($0)" } ?? "",
            ])
        }
        for table in [places, peers] where !table.isEmpty { lines += ["", table.text] }
        return lines.joined(separator: "\n")
    }
}

/// `dragoman reload`
enum ReloadCommand: Command {
    static let page = HelpPage.control(
        ["reload"],
        summary: "Has a running gateway read its configuration and certificates again.",
        details: [
            """
            A configuration with a fault is named, with the line, and the old one stays in force; \
            the command then ends with 1. Requests under way end as they began.
            """
        ],
        examples: ["dragoman reload"])

    static func run(
        _ arguments: Arguments, _ shell: any Shell
    ) async throws(Failure) -> ExitCode {
        let response = try ControlSocket(arguments).post("/v1/reload")
        let answer = try ControlSocket.json(response)
        if answer["reloaded"]?.bool ?? false {
            shell.say("reloaded")
            return .success
        }
        for fault in answer["faults"]?.elements.compactMap(\.string) ?? [] {
            shell.complain(fault)
        }
        shell.complain("not reloaded: the old configuration stays in force")
        return .no
    }
}

/// `dragoman drain`
enum DrainCommand: Command {
    static let page = HelpPage.control(
        ["drain"],
        summary: "Has a running gateway end: requests under way are answered, no new ones taken.",
        details: ["The same as SIGTERM. It returns at once; the gateway ends by itself."],
        examples: ["dragoman drain"])

    static func run(
        _ arguments: Arguments, _ shell: any Shell
    ) async throws(Failure) -> ExitCode {
        _ = try ControlSocket(arguments).post("/v1/drain")
        shell.say("draining")
        return .success
    }
}

/// `dragoman peer suspend`
enum PeerSuspend: Command {
    static let page = HelpPage.control(
        ["peer", "suspend"], operands: ["ENTITY"],
        summary: "Refuses a peer's new requests from now on, also after a restart.",
        details: [
            """
            Its agents are not called for new requests either. What began before is still \
            settled, so that the books of both sides come out equal. The peer sees status 403.
            """
        ],
        examples: ["dragoman peer suspend https://agentos.example"])

    static func run(
        _ arguments: Arguments, _ shell: any Shell
    ) async throws(Failure) -> ExitCode {
        try stand(arguments, "suspend")
        shell.say("\(arguments.operands[0]) is suspended")
        return .success
    }

    fileprivate static func stand(_ arguments: Arguments, _ verb: String) throws(Failure) {
        let peer = HTTPPath.encode(arguments.operands[0])
        _ = try ControlSocket(arguments).post("/v1/peers/\(peer)/\(verb)")
    }
}

/// `dragoman peer resume`
enum PeerResume: Command {
    static let page = HelpPage.control(
        ["peer", "resume"], operands: ["ENTITY"],
        summary: "Takes the requests of a suspended peer again.",
        examples: ["dragoman peer resume https://agentos.example"])

    static func run(
        _ arguments: Arguments, _ shell: any Shell
    ) async throws(Failure) -> ExitCode {
        try PeerSuspend.stand(arguments, "resume")
        shell.say("\(arguments.operands[0]) is served again")
        return .success
    }
}
