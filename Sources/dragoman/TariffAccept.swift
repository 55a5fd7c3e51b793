// SPDX-License-Identifier: Apache-2.0
import Accounting
import Bytes
import Crypto
import JSON
import Node

/// `dragoman ledger tariff accept`
enum TariffAccept: Command {
    static let page = HelpPage(
        words: ["ledger", "tariff", "accept"], operands: ["FILE"],
        options: [
            OwnOrganisation.option,
            .init(
                "--peer", "FILE", "the other's descriptor, if it is not in the configuration yet"),
            .init("--yes", nil, "sign; without it, only shows"), .json,
        ],
        summary: "Says a proposed tariff in words and, with --yes, signs it for this side too.",
        details: [
            """
            The other side's signature is verified first. The file then holds both signatures; \
            send it back, and name it as "tariff" of the peer in both configurations.
            """
        ],
        examples: [
            "dragoman ledger tariff accept tariff.json",
            "dragoman ledger tariff accept tariff.json --yes",
        ])

    static func run(
        _ arguments: Arguments, _ shell: any Shell
    ) async throws(Failure) -> ExitCode {
        let own = try OwnOrganisation(arguments, shell)
        var paper = try TariffPaper(arguments.operands[0])
        let place = paper.file.versions.count - 1
        let (payload, tariff) = try paper.draft(paper.file.versions[place])
        guard let side = tariff.side(of: own.entity) else {
            throw .no("the tariff is not between \(own.entity) and another")
        }
        let signatories = try signatories(own, arguments, shell)
        let now = shell.time.now()
        do { try paper.file.versions[place].check(side.other, of: tariff, signatories, now) } catch
        {
            throw .no("\(paper.path): \(error)")
        }
        if paper.file.versions[place].signatures[side] != nil {
            throw .no("this side has signed version \(tariff.version) already")
        }
        let isJSON = arguments.has("--json")
        if !isJSON { for sentence in tariff.words(.english) { shell.say(sentence) } }
        guard arguments.has("--yes") else {
            if isJSON { shell.say(#"{"signed":false}"#) }
            shell.complain("Nothing was signed. To agree, say it again with --yes")
            return .no
        }
        // The bytes that the other signed, so that both have signed the same.
        let token = TokenSigner.sign(.raw(payload), type: TariffFile.type, key: own.key)
        paper.file.versions[place].signatures[side] = .init(
            token: token, certificates: own.certificateTexts)
        do {
            let versions = try paper.file.verified(by: signatories, now: now)
            try LocalFile.replace(paper.path, paper.file.bytes)
            let name = versions.versions[versions.versions.count - 1].name
            if isJSON {
                let answer: JSONNode = ["signed": true, "name": .string(name.text)]
                shell.say(answer.text)
            } else {
                shell.say("")
                shell.say("Signed by both: tariff \(name) in \(paper.path).")
            }
        } catch {
            throw .no("\(paper.path): \(error)")
        }
        return .success
    }

    private static func signatories(
        _ own: OwnOrganisation, _ arguments: Arguments, _ shell: any Shell
    ) throws(Failure) -> Signatories {
        guard let file = arguments["--peer"] else { return own.signatories() }
        return own.signatories(and: try PeerAdd.receive(file, shell).descriptor)
    }
}
