// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto
import Gateway
import JSON
import Node

/// `dragoman peer invite`
enum PeerInvite: Command {
    static let page = HelpPage(
        words: ["peer", "invite"],
        options: [
            OwnOrganisation.option,
            .init("--address", "HOST:PORT", "where partners reach this gateway"),
            .init(
                "--agent", "NAME", "an agent to offer; default: all of this organisation's",
                mayRepeat: true),
            .init("--ca", "FILE", "own authorities, where the configuration does not name them"),
            .init("--days", "N", "how long the descriptor is good; default: 7"),
            .init("--out", "FILE", "what to write; default: HOST.peer"), .json,
        ],
        summary: "Writes a signed descriptor of this organisation for another to add.",
        details: [
            """
            It holds nothing secret: the entity, its authorities, its signing key, an address and \
            the names of agents. Send it by any way; then read the fingerprint to your partner \
            over the telephone, so that both know that it is yours.
            """
        ],
        examples: ["dragoman peer invite --address gw.inn.example:8443"])

    static func run(
        _ arguments: Arguments, _ shell: any Shell
    ) async throws(Failure) -> ExitCode {
        let own = try OwnOrganisation(arguments, shell)
        let descriptor = try descriptor(of: own, arguments, shell)
        let token: String
        let received: ReceivedDescriptor
        do {
            token = try descriptor.signed(with: own.key)
            received = try PeerDescriptor.receive(token, now: shell.time.now())
        } catch {
            throw .no("this descriptor would be refused: \(error.rule)")
        }
        let file = arguments["--out"] ?? "\(own.entity.host).peer"
        try LocalFile.createAll([(path: file, text: token + "\n", readers: .everyone)])
        if arguments.has("--json") {
            let answer: JSONNode = [
                "file": .string(file), "entity": .string(own.entity.text),
                "fingerprint": .string(received.fingerprint),
                "expires": .string(descriptor.expires.rfc3339),
            ]
            shell.say(answer.text)
            return .success
        }
        shell.say("\(file) describes \(own.entity), good until \(descriptor.expires.rfc3339).")
        if !descriptor.agents.isEmpty {
            shell.say("It offers: " + descriptor.agents.joined(separator: ", "))
        }
        shell.say("")
        shell.say("Send it to your partner and read this over the telephone:")
        shell.say("  \(received.fingerprint)")
        return .success
    }

    private static func descriptor(
        of own: OwnOrganisation, _ arguments: Arguments, _ shell: any Shell
    ) throws(Failure) -> PeerDescriptor {
        let offered = own.assembly.settings.agents
        let named = arguments.all("--agent")
        if let stranger = named.first(where: { offered[$0] == nil }) {
            let near = NearestName.find(stranger, among: offered.keys.sorted())
            throw .misuse(
                "there is no agent \"\(stranger)\" here"
                    + (near.map { "; did you mean \"\($0)\"?" } ?? ""))
        }
        let days = try arguments.value("--days", "a number of days from 1 to 90") {
            Int64($0).flatMap { (1...90).contains($0) ? $0 : nil }
        }
        let address = try arguments.value("--address", "host:port") {
            PeerDescriptor.isAddress($0) ? $0 : nil
        }
        let now = Instant(seconds: shell.time.now().seconds)
        return PeerDescriptor(
            entity: own.entity, name: own.configuration.name,
            authorities: try own.authorities(arguments["--ca"], now: now),
            key: own.key.verifying.jwk,
            isKeySeparate: own.assembly.settings.certificates[0].publicKey != own.key.verifying,
            address: address,
            agents: named.isEmpty ? own.configuration.agents.map(\.name) : named, issued: now,
            expires: now.adding(seconds: (days ?? 7) * 86_400))
    }
}
