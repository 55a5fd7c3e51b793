// SPDX-License-Identifier: Apache-2.0

/// Every command, in the order of the first help page.
enum Commands {
    static let groups: [CommandGroup] = [
        CommandGroup(
            line: "demo [--yes] [--keep DIR]",
            summary: "three organisations on this machine make a booking",
            commands: [DemoCommand.self]),
        CommandGroup(
            line: "init entrance|orchestrator|sidecar",
            summary: "a commented configuration, own CA and certificate",
            commands: [InitCommand.self]),
        CommandGroup(
            line: "serve --config FILE",
            summary: "the gateway; SIGHUP reloads, SIGTERM drains",
            commands: [ServeCommand.self]),
        CommandGroup(
            line: "call URL TEXT",
            summary: "says something to an agent, or through a gateway",
            commands: [CallCommand.self]),
        CommandGroup(
            line: "peer invite|add",
            summary: "two companies meet: descriptors, fingerprints, a tariff",
            commands: [PeerInvite.self, PeerAdd.self]),
        CommandGroup(
            line: "peer suspend|resume",
            summary: "refuse a peer's new requests, and take them again",
            commands: [PeerSuspend.self, PeerResume.self]),
        CommandGroup(
            line: "check FILE",
            summary: "the configuration: line and mend of each fault",
            commands: [CheckCommand.self]),
        CommandGroup(
            line: "ledger tariff propose|accept|show",
            summary: "what a link costs, in words, signed by both sides",
            commands: [TariffPropose.self, TariffAccept.self, TariffShow.self]),
        CommandGroup(
            line: "ledger accounts|statement|verify",
            summary: "the books: accounts, a month, all re-added",
            commands: [LedgerAccounts.self, LedgerStatement.self, LedgerVerify.self]),
        CommandGroup(
            line: "status|reload|drain",
            summary: "a running gateway: its health, files, end",
            commands: [StatusCommand.self, ReloadCommand.self, DrainCommand.self]),
        CommandGroup(
            line: "explain TASK|EXCHANGE",
            summary: "who asked, granted, held, posted; what refused",
            commands: [ExplainCommand.self]),
        CommandGroup(
            line: "tool json check|canonical",
            summary: "for test suites: JSON as it is read and signed here",
            commands: [ToolJSONCheck.self, ToolJSONCanonical.self]),
        CommandGroup(
            line: "tool jws verify",
            summary: "a signature under a given key",
            commands: [ToolJWSVerify.self]),
        CommandGroup(
            line: "tool pki make|verify",
            summary: "certificates, and whether a gateway takes them",
            commands: [ToolPKIMake.self, ToolPKIVerify.self]),
        CommandGroup(
            line: "tool load URL",
            summary: "loads a server of your own: p50, p90, p99, max",
            commands: [ToolLoad.self]),
    ]
}
