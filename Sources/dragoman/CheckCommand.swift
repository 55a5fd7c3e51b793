// SPDX-License-Identifier: Apache-2.0
import Bytes
import Gateway
import JSON
import Node

/// `dragoman check`
enum CheckCommand: Command {
    static let page = HelpPage(
        words: ["check"], operands: ["FILE"], options: [.json],
        summary: "Reads a configuration and the files that it names, and says every fault.",
        details: [
            """
            A fault is a line FILE:LINE:COLUMN: member: rule, and what mends it. Status 0 without \
            faults, 1 with. Ports are not tried.
            """
        ],
        examples: ["dragoman check dragoman.json"])

    static func run(
        _ arguments: Arguments, _ shell: any Shell
    ) async throws(Failure) -> ExitCode {
        let path = arguments.operands[0]
        let text = try Input.bytes(path, limit: Configuration.bytesMax)
        do {
            let assembly = try Assembly(parsing: text, from: path, now: shell.time.now())
            shell.say(arguments.has("--json") ? #"{"valid":true}"# : summary(path, assembly))
            return .success
        } catch {
            if arguments.has("--json") {
                let answer: JSONNode = [
                    "valid": false, "faults": .array(error.faults.map(Self.node)),
                ]
                shell.say(answer.text)
            } else {
                for fault in error.faults { shell.say("\(path):\(fault)") }
            }
            return .no
        }
    }

    private static func summary(_ path: String, _ assembly: Assembly) -> String {
        func count(_ number: Int, _ one: String, _ many: String) -> String {
            "\(number) \(number == 1 ? one : many)"
        }
        let configuration = assembly.configuration
        return "\(path): good. \(configuration.entity) with "
            + count(configuration.listeners.count, "listener", "listeners") + ", "
            + count(configuration.peers.count, "peer", "peers") + ", "
            + count(assembly.settings.agents.count, "agent", "agents") + "."
    }

    private static func node(_ fault: ConfigurationFault) -> JSONNode {
        [
            "line": .int(fault.line), "column": .int(fault.column), "path": .string(fault.path),
            "pointer": .string(fault.pointer), "rule": .string(fault.rule),
            "mend": .string(fault.mend),
        ]
    }
}
