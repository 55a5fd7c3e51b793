// SPDX-License-Identifier: Apache-2.0
import Accounting
import Bytes
import JSON
import Node

/// `dragoman ledger tariff show`
enum TariffShow: Command {
    static let page = HelpPage(
        words: ["ledger", "tariff", "show"], operands: ["FILE"],
        options: [
            .init("--config", "FILE", "verify the signatures by this configuration"),
            .init("--language", "TAG", "en (default) or zh-CN"), .json,
        ],
        summary: "Says every version of a tariff in words, and who has signed it.",
        details: ["With --config, status 1 when a signature is missing or does not hold."],
        examples: ["dragoman ledger tariff show tariff.json --language zh-CN"])

    static func run(
        _ arguments: Arguments, _ shell: any Shell
    ) async throws(Failure) -> ExitCode {
        let paper = try TariffPaper(arguments.operands[0])
        let language = try arguments.value("--language", "en or zh-CN") {
            TariffLanguage(rawValue: $0)
        }
        var versions: [JSONNode] = []
        for version in paper.file.versions {
            let tariff = try paper.draft(version).tariff
            let signers = LinkSide.allCases.filter { version.signatures[$0] != nil }
                .map { $0 == .caller ? tariff.caller : tariff.callee }
            if arguments.has("--json") {
                var node: JSONNode = ["tariff": tariff.node]
                node["name"] = version.name.map { .string($0.text) }
                node["signed_by"] = .array(signers.map { .string($0.text) })
                versions.append(node)
            } else {
                for sentence in tariff.words(language ?? .english) { shell.say(sentence) }
                shell.say("Signed by " + signers.map(\.text).joined(separator: " and "))
                if let name = version.name { shell.say("Name \(name)") }
                shell.say("")
            }
        }
        var isVerified: Bool?
        if arguments["--config"] != nil {
            let own = try OwnOrganisation(arguments, shell)
            do {
                _ = try paper.file.verified(by: own.signatories(), now: shell.time.now())
                isVerified = true
            } catch {
                shell.complain("\(paper.path): \(error)")
                isVerified = false
            }
        }
        if arguments.has("--json") {
            var answer: JSONNode = ["versions": .array(versions)]
            answer["verified"] = isVerified.map { .bool($0) }
            shell.say(answer.text)
        } else if isVerified == true {
            shell.say("Both signatures hold.")
        }
        return isVerified == false ? .no : .success
    }
}
