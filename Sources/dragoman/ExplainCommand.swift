// SPDX-License-Identifier: Apache-2.0
import HTTP
import JSON

/// `dragoman explain`
enum ExplainCommand: Command {
    static let page = HelpPage.control(
        ["explain"], operands: ["[TASK|EXCHANGE]"], options: [.json],
        summary: "Shows on one screen why a task or a user's request went as it did.",
        details: [
            """
            Who asked with which certificate, each grant and what it lost against the one above, \
            the offer, the user's answer, the act and its receipt, what was held and posted on \
            each link of this gateway, and the rule that refused. Signatures are verified again.
            """,
            "Without an id it lists the newest tasks.",
        ],
        examples: [
            "dragoman explain 01a1fb67-1800-722b-8b86-8955b796804d",
            "dragoman explain 01M7XPE600EP09YQMBQZ5S78X3 --json",
        ])

    static func run(
        _ arguments: Arguments, _ shell: any Shell
    ) async throws(Failure) -> ExitCode {
        let socket = try ControlSocket(arguments)
        guard let id = arguments.operands.first else { return try list(socket, arguments, shell) }
        let format = arguments.has("--json") ? "json" : "text"
        let response = try socket.get("/v1/explain/\(HTTPPath.encode(id))?format=\(format)")
        shell.write(response.body)
        if format == "json" { shell.say("") }
        return .success
    }

    /// Tasks that fit on one screen.
    private static let listed = 20

    private static func list(
        _ socket: ControlSocket, _ arguments: Arguments, _ shell: any Shell
    ) throws(Failure) -> ExitCode {
        let response = try socket.get("/v1/tasks?limit=\(listed)")
        if arguments.has("--json") {
            shell.write(response.body)
            shell.say("")
            return .success
        }
        var table = TextTable(["task", "state", "agent", "asked by", "updated"])
        for task in try ControlSocket.json(response)["tasks"]?.elements.map({ $0 }) ?? [] {
            let state = task["state"]?.string ?? ""
            table.add([
                task["id"]?.string ?? "",
                state.hasPrefix("TASK_STATE_") ? String(state.dropFirst(11)) : state,
                task["agent"]?.string ?? "", task["party"]?.string ?? "",
                task["updated"]?.string ?? "",
            ])
        }
        shell.say(table.isEmpty ? "there is no task yet" : table.text)
        return .success
    }
}
