// SPDX-License-Identifier: Apache-2.0
import Accounting
import Bytes
import Crypto
import JSON
import Node

/// `dragoman peer add`
enum PeerAdd: Command {
    static let page = HelpPage(
        words: ["peer", "add"], operands: ["FILE"],
        options: [
            OwnOrganisation.option,
            .init("--fingerprint", "TEXT", "what your partner read to you; without it, only shows"),
            .init("--connect", "HOST:PORT", "where to dial; default: the descriptor's address"),
            .init("--name", "TEXT", "what people here call it; default: its own name"),
            .init("--tariff", "FILE", "the tariff that both have signed"),
            .init(
                "--caller", "URI", "a peer that may call its agents through this gateway",
                mayRepeat: true),
            .init("--grants", "CLASS", "take grants of its users, up to this class of action"),
            .init(
                "--per-act", "CCY=AMOUNT", "the most that one act of theirs may cost",
                mayRepeat: true),
            .init("--known-only", nil, "know it, two hops away, but keep no link with it"), .json,
        ],
        summary:
            "Adds a company to the configuration: who vouches for it, where it is, its agents.",
        details: [
            """
            Without --fingerprint it shows what the descriptor says and changes nothing: ask your \
            partner, over the telephone, to read theirs. Its agents are offered to this \
            organisation's own programs, and to no peer that --caller does not name. Comments in \
            the configuration stay.
            """
        ],
        examples: [
            "dragoman peer add inn.example.peer",
            "dragoman peer add inn.example.peer --fingerprint \"7G2K …\" --connect "
                + "gw.inn.example:8443",
        ])

    static func run(
        _ arguments: Arguments, _ shell: any Shell
    ) async throws(Failure) -> ExitCode {
        let own = try OwnOrganisation(arguments, shell)
        let file = arguments.operands[0]
        let received = try receive(file, shell)
        let descriptor = received.descriptor
        if own.configuration.entities.contains(where: { $0.entity == descriptor.entity }) {
            throw .no("\(descriptor.entity) is in \(own.path) already: change it there by hand")
        }
        let addition = try PeerAddition(own, descriptor, arguments, shell)
        let isJSON = arguments.has("--json")
        if !isJSON { show(received, addition, shell) }
        guard let heard = arguments["--fingerprint"] else {
            if isJSON { shell.say(answer(received, added: false).text) }
            shell.complain(
                "Nothing was changed. If your partner reads you the same fingerprint, say it again "
                    + "with --fingerprint \"…\"")
            return .no
        }
        guard normal(heard) == normal(received.fingerprint) else {
            throw .no("the fingerprint is not that of \(file): do not trust this file")
        }
        guard let edited = addition.edited(own) else {
            shell.complain("\(own.path) has no place for it that is safe to write. Add by hand:")
            shell.say(addition.members)
            return .no
        }
        try LocalFile.folder(own.besides("peers"))
        try LocalFile.createAll(addition.files)
        do { try LocalFile.replace(own.path, edited) } catch {
            throw .misuse("cannot write \(error)")
        }
        if isJSON {
            shell.say(answer(received, added: true).text)
        } else {
            shell.say("")
            shell.say("Added to \(own.path). A running gateway takes it up on SIGHUP.")
        }
        return .success
    }

    /// The descriptor in a file, with its signature checked.
    static func receive(_ file: String, _ shell: any Shell) throws(Failure) -> ReceivedDescriptor {
        var token = try Input.text(file)
        while token.last?.isWhitespace == true { token.removeLast() }
        do { return try PeerDescriptor.receive(token, now: shell.time.now()) } catch {
            throw .no("\(file): \(error.rule)")
        }
    }

    /// Only the digits count, as people may write them.
    private static func normal(_ fingerprint: String) -> String {
        String(fingerprint.uppercased().filter { $0.isLetter || $0.isNumber })
    }

    private static func show(
        _ received: ReceivedDescriptor, _ addition: PeerAddition, _ shell: any Shell
    ) {
        let descriptor = received.descriptor
        shell.say("\(descriptor.entity)  \"\(descriptor.name)\"")
        shell.say("  fingerprint  \(received.fingerprint)")
        shell.say("  good until   \(descriptor.expires.rfc3339)")
        shell.say("  address      \(descriptor.address ?? "none given")")
        let agents = descriptor.agents.isEmpty ? "none" : descriptor.agents.joined(separator: ", ")
        shell.say("  agents       \(agents)")
        for authority in descriptor.authorities {
            shell.say(
                "  authority    \(authority.subject), until \(authority.notAfter.rfc3339)")
        }
        guard let tariff = addition.tariff else { return }
        shell.say("")
        shell.say("Tariff \(tariff.name):")
        for sentence in tariff.tariff.words(.english) { shell.say("  \(sentence)") }
    }

    private static func answer(_ received: ReceivedDescriptor, added: Bool) -> JSONNode {
        [
            "entity": .string(received.descriptor.entity.text),
            "fingerprint": .string(received.fingerprint), "added": .bool(added),
        ]
    }
}
