// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto
import JSON
import Node

/// `dragoman tool pki verify`
enum ToolPKIVerify: Command {
    static let page = HelpPage(
        words: ["tool", "pki", "verify"], operands: ["CHAIN.pem"],
        options: [
            .init("--ca", "FILE", "the authorities that are trusted, PEM", isRequired: true),
            .init(
                "--for", "SIDE", "client or server: the side of the certificate's owner",
                isRequired: true),
            .init("--host", "NAME", "the DNS name or IPv4 address that was dialled"),
            .init("--time", "RFC3339", "the instant to verify at; default: now"), .json,
        ],
        summary: "Verifies a chain of certificates, leaf first, as a gateway would.",
        details: [
            """
            Strict RFC 5280, and what the gateway asks beyond it: version 3, a key on the list, no \
            authority as a leaf, usages exactly for clients and servers, names in the subject \
            alternative names alone. Prints whose it is and ends with 0, or the rule that refused \
            it and ends with 1.
            """
        ],
        examples: ["dragoman tool pki verify --ca ca.pem --for server --host inn.example cert.pem"])

    static func run(
        _ arguments: Arguments, _ shell: any Shell
    ) async throws(Failure) -> ExitCode {
        let purpose = try arguments.value("--for", "client or server") {
            ["client": CertificatePath.Purpose.client, "server": .server][$0]
        }
        guard let purpose else { throw .misuse("--for is missing") }
        let now = try arguments.value("--time", "an instant, as 2026-11-21T12:00:00Z") {
            Instant(rfc3339: $0)
        }
        let authorities = try Input.text(arguments.required("--ca"))
        let chain = try Input.text(arguments.operands[0])
        do throws(CertificateFault) {
            let anchors = TrustAnchors(certificates: try Certificate.chain(pem: authorities))
            let leaf = try CertificatePath.verify(
                chain: Certificate.chain(pem: chain), anchors: anchors, purpose: purpose,
                host: arguments["--host"], at: now ?? shell.time.now())[0]
            say(leaf, arguments.has("--json"), shell)
            return .success
        } catch {
            guard arguments.has("--json") else { throw .no("refused: \(error.rawValue)") }
            let answer: JSONNode = ["valid": false, "rule": .string(error.rawValue)]
            shell.say(answer.text)
            return .no
        }
    }

    private static func say(_ leaf: Certificate, _ isJSON: Bool, _ shell: any Shell) {
        // A valid certificate may be nobody's in this network; then it has no identity to show.
        let identity = try? CertificatePath.identity(of: leaf).text
        if isJSON {
            var answer: JSONNode = ["valid": true]
            answer["identity"] = identity.map { .string($0) }
            answer["not_after"] = .string(leaf.notAfter.rfc3339)
            answer["x5t#S256"] = .string(leaf.thumbprint)
            answer["kid"] = leaf.publicKeyThumbprint.map { .string($0) }
            shell.say(answer.text)
        } else {
            shell.say("valid until \(leaf.notAfter.rfc3339)")
            shell.say("identity: \(identity ?? "none: not exactly one URI that names an entity")")
        }
    }
}
