// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto
import JSON
import Node

/// `dragoman tool pki make`
enum ToolPKIMake: Command {
    static let page = HelpPage(
        words: ["tool", "pki", "make"],
        options: [
            .init("--entity", "URI", "whose certificate it is", isRequired: true),
            .init("--dir", "DIR", "the folder to write into; default: here"),
            .init("--dns", "NAME", "another DNS name or IPv4 address", mayRepeat: true),
            .init("--days", "N", "how long the certificate is good; default: 365"),
            .init("--key", "KIND", "p256 (default) or ed25519"),
            .init("--ca", "FILE", "an authority that is there already; its key: --ca-key"),
            .init("--ca-key", "FILE", "the authority's key"), .json,
        ],
        summary: "Makes a certificate for an entity, and an authority unless one is named.",
        details: [
            """
            Writes cert.pem and key.pem, and for a new authority ca.pem and ca-key.pem. What is \
            there already stays as it is and ends the command. To renew a certificate, name the \
            authority and another folder.
            """
        ],
        examples: [
            "dragoman tool pki make --entity https://inn.example --dir inn",
            "dragoman tool pki make --entity https://inn.example --dir new \\\n      "
                + "--ca inn/ca.pem --ca-key inn/ca-key.pem",
        ])

    static func run(
        _ arguments: Arguments, _ shell: any Shell
    ) async throws(Failure) -> ExitCode {
        guard let entity = try arguments.entity("--entity") else {
            throw .misuse("--entity is missing")
        }
        let days = try arguments.value("--days", "a number of days from 1 to 36500") {
            Int64($0).flatMap { (1...36_500).contains($0) ? $0 : nil }
        }
        let algorithm = try arguments.value("--key", "p256 or ed25519") {
            ["p256": KeyAlgorithm.p256, "ed25519": .ed25519][$0]
        }
        let old = try authority(arguments)
        let made =
            if let old {
                try CertificateFiles(
                    authority: old, entity: entity, dnsNames: arguments.all("--dns"),
                    algorithm: algorithm ?? .p256,
                    days: days ?? CertificateFiles.certificateDays, shell)
            } else {
                try CertificateFiles.make(
                    entity: entity, dnsNames: arguments.all("--dns"),
                    algorithm: algorithm ?? .p256,
                    days: days ?? CertificateFiles.certificateDays, shell)
            }
        let folder = arguments["--dir"] ?? "."
        try LocalFile.folder(folder)
        let files = made.files(withAuthority: old == nil).map {
            (path: "\(folder)/\($0.name)", text: $0.text, readers: $0.readers)
        }
        try LocalFile.createAll(files)
        say(files.map(\.path), made, arguments.has("--json"), shell)
        return .success
    }

    private static func authority(
        _ arguments: Arguments
    ) throws(Failure) -> CertificateAuthority? {
        let (file, keyFile) = (arguments["--ca"], arguments["--ca-key"])
        guard let file, let keyFile else {
            if file == nil, keyFile == nil { return nil }
            throw .misuse("--ca and --ca-key belong together")
        }
        let text = try Input.text(file)
        let keyText = try Input.text(keyFile)
        do {
            let key = try SigningKey(pem: keyText)
            return try CertificateAuthority(
                certificate: Certificate.chain(pem: text)[0], key: key)
        } catch let error as KeyError {
            throw .misuse("\(keyFile): \(error)")
        } catch {
            throw .misuse("\(file): \(error)")
        }
    }

    private static func say(
        _ paths: [String], _ made: CertificateFiles, _ isJSON: Bool, _ shell: any Shell
    ) {
        let end = made.certificate.notAfter.rfc3339
        if isJSON {
            let answer: JSONNode = [
                "files": .array(paths.map { .string($0) }), "not_after": .string(end),
                "x5t#S256": .string(made.certificate.thumbprint),
                "kid": .string(made.key.verifying.thumbprint),
            ]
            shell.say(answer.text)
        } else {
            for path in paths { shell.say(path) }
            shell.say("good until \(end)")
        }
    }
}
