// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto
import Glibc
import JSON
import Node

/// `dragoman init`
enum InitCommand: Command {
    static let page = HelpPage(
        words: ["init"], operands: ["entrance|orchestrator|sidecar"],
        options: [
            .init("--entity", "URI", "who this gateway is; default: https:// and this host's name"),
            .init("--name", "TEXT", "the organisation's name for people; default: the host"),
            .init("--dir", "DIR", "the folder to write into; default: here"),
            .init("--listen", "HOST:PORT", "where peers reach it; default: 0.0.0.0:8443"),
            .init("--local", "HOST:PORT", "where own programs reach it; default: 127.0.0.1:8080"),
            .init("--observe", "HOST:PORT", "health and metrics; default: 127.0.0.1:9090"),
            .init("--agent", "URL", "the agent behind a sidecar, as http://127.0.0.1:9999"),
            .init("--agent-name", "NAME", "its name under /agents/; default: agent"),
            .init("--dns", "NAME", "another DNS name for the certificate", mayRepeat: true), .json,
        ],
        summary: "Writes a commented configuration, an authority, a certificate and keys.",
        details: [
            """
            An entrance takes wishes from a user's own programs and asks the user before anything \
            binding; an orchestrator stands between other gateways; a sidecar stands in front of \
            one agent. Nothing that is there already is overwritten. The token of an entrance is \
            shown once and stored nowhere: the file has its hash.
            """
        ],
        examples: [
            "dragoman init sidecar --entity https://inn.example --agent http://127.0.0.1:9999",
            "dragoman init entrance --entity https://phone.example --dir phone",
        ])

    static func run(
        _ arguments: Arguments, _ shell: any Shell
    ) async throws(Failure) -> ExitCode {
        let plan = try plan(arguments)
        let folder = arguments["--dir"] ?? "."
        let made = try CertificateFiles.make(
            entity: plan.entity, dnsNames: arguments.all("--dns"), shell)
        let token = plan.role == .entrance ? Base64URL.encode(shell.random.bytes(32)) : nil
        let configuration = ConfigurationText(plan: plan, token: token).text

        var files = made.files(withAuthority: true).map {
            (path: "\(folder)/keys/\($0.name)", text: $0.text, readers: $0.readers)
        }
        if plan.role == .entrance {
            let key = SigningKey.generate(.p256)
            files.append(
                (
                    path: "\(folder)/\(ConfigurationText.confirmationKey)", text: key.pem,
                    readers: .owner
                ))
        }
        let file = folder == "." ? "dragoman.json" : "\(folder)/dragoman.json"
        files.append((path: file, text: configuration, readers: .everyone))
        if let taken = files.first(where: { LocalFile.exists($0.path) }) {
            throw .misuse("\(taken.path) is there already and stays as it is")
        }
        for path in [folder, "\(folder)/keys", "\(folder)/data"] { try LocalFile.folder(path) }
        try LocalFile.createAll(files)
        if arguments.has("--json") {
            var answer: JSONNode = [
                "entity": .string(plan.entity.text), "configuration": .string(file),
                "not_after": .string(made.certificate.notAfter.rfc3339),
            ]
            answer["token"] = token.map { .string($0) }
            shell.say(answer.text)
        } else {
            say(plan, file, made.certificate, token, shell)
        }
        return .success
    }

    private static func plan(_ arguments: Arguments) throws(Failure) -> ConfigurationText.Plan {
        guard let role = ConfigurationText.Role(rawValue: arguments.operands[0]) else {
            let roles = ConfigurationText.Role.allCases.map(\.rawValue)
            let near = NearestName.find(arguments.operands[0], among: roles)
            throw .misuse(
                "there is no role \"\(arguments.operands[0])\"; "
                    + (near.map { "did you mean \($0)?" } ?? "it is one of \(page.operands[0])"))
        }
        guard let entity = try arguments.entity("--entity") ?? ownHost else {
            throw .misuse("this host's name cannot stand in an entity id: say --entity URI")
        }
        var plan = ConfigurationText.Plan(role: role, entity: entity)
        plan.name = arguments["--name"] ?? entity.host
        plan.link = try address("--listen", arguments) ?? plan.link
        plan.local = try address("--local", arguments) ?? plan.local
        plan.observe = try address("--observe", arguments) ?? plan.observe
        plan.agentName = arguments["--agent-name"] ?? plan.agentName
        plan.agentURL = try arguments.value("--agent", "an address, as http://127.0.0.1:9999") {
            $0.hasPrefix("http://") || $0.hasPrefix("https://") ? $0 : nil
        }
        if role == .sidecar, plan.agentURL == nil {
            throw .misuse("a sidecar stands in front of an agent: say --agent URL")
        }
        if role != .sidecar, plan.agentURL != nil {
            throw .misuse("--agent belongs to a sidecar; peers' agents come with 'peer add'")
        }
        return plan
    }

    private static func address(
        _ name: String, _ arguments: Arguments
    ) throws(Failure) -> String? {
        try arguments.value(name, "an address, as 127.0.0.1:8443 or unix:/run/dragoman.sock") {
            let port = $0.split(separator: ":").last.flatMap { UInt16($0) }
            return $0.hasPrefix("unix:") || ($0.contains(":") && port != nil) ? $0 : nil
        }
    }

    /// `https://` and the name of this host, if that is an entity id.
    private static var ownHost: EntityID? {
        var name = [CChar](repeating: 0, count: 254)
        let result = unsafe gethostname(&name, 253)
        guard result == 0 else { return nil }
        let bytes = name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        let host = String(decoding: bytes, as: UTF8.self)
        return EntityID("https://" + host.lowercased())
    }

    private static func say(
        _ plan: ConfigurationText.Plan, _ file: String, _ certificate: Certificate,
        _ token: String?, _ shell: any Shell
    ) {
        shell.say("\(plan.entity) is ready to serve as \(plan.role.rawValue): \(file)")
        shell.say("Its certificate is good until \(certificate.notAfter.rfc3339).")
        if let token {
            shell.say("")
            shell.say("Token of the user's own programs, shown this once:")
            shell.say("  \(token)")
        }
        shell.say("")
        shell.say("Next:")
        shell.say("  dragoman check \(file)")
        shell.say("  dragoman peer invite --config \(file)    what your partner needs to know")
    }
}
