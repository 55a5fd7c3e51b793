// SPDX-License-Identifier: Apache-2.0

/// Every command, in the order of the first help page.
enum Commands {
    static let groups: [CommandGroup] = [
        CommandGroup(
            line: "init entrance|orchestrator|sidecar",
            summary: "a commented configuration, own CA and certificate, ready to serve",
            commands: [InitCommand.self]),
        CommandGroup(
            line: "tool json check|canonical",
            summary: "JSON as this program reads and signs it (for test suites)",
            commands: [ToolJSONCheck.self, ToolJSONCanonical.self]),
        CommandGroup(
            line: "tool jws verify",
            summary: "a signature under a given key",
            commands: [ToolJWSVerify.self]),
        CommandGroup(
            line: "tool pki make|verify",
            summary: "certificates for tests, and whether a gateway would take them",
            commands: [ToolPKIMake.self, ToolPKIVerify.self]),
    ]
}
