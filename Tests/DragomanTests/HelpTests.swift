// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import dragoman

@Suite struct HelpTests {
    static let pages = Commands.groups.flatMap(\.commands).map { $0.page }

    @Test func theFirstPageNamesEveryCommand() async {
        let (status, shell) = await RecordingShell.run("--help")
        #expect(status == .success)
        for group in Commands.groups {
            #expect(shell.text.contains("dragoman \(group.line) "))
            for page in group.commands.map({ $0.page }) {
                for word in page.words { #expect(group.line.contains(word), "\(page.name)") }
            }
        }
        #expect(shell.text.split(separator: "\n").allSatisfy { $0.count <= 105 })
    }

    @Test(arguments: pages.map(\.name))
    func everyCommandHasHelpWithAnExample(_ name: String) async throws {
        let words = name.split(separator: " ").map(String.init) + ["--help"]
        let shell = RecordingShell()
        let status = await Program(groups: Commands.groups, shell: shell).run(words)
        let page = try #require(Self.pages.first { $0.name == name })
        #expect(status == .success)
        #expect(shell.text.hasPrefix("dragoman \(name)"))
        #expect(!page.examples.isEmpty)
        for example in page.examples { #expect(example.contains("dragoman \(name)")) }
        for option in page.options { #expect(shell.text.contains("  \(option.form)")) }
        #expect(shell.text.split(separator: "\n").allSatisfy { $0.count <= 100 })
    }

    @Test func withoutWordsTheFirstPageIsAComplaint() async {
        let (status, shell) = await RecordingShell.run()
        #expect(status == .misuse)
        #expect(shell.output.isEmpty)
        #expect(shell.complaints.first?.hasPrefix("dragoman: ") == true)
    }

    @Test(arguments: [
        (["int"], "dragoman: there is no command \"int\"; did you mean \"init\"?"),
        (
            ["tool", "jsn", "check"],
            "dragoman: there is no command \"tool jsn\"; did you mean \"tool json\"?"
        ),
        (["fly", "high"], "dragoman: there is no command \"fly\""),
        (["--fly"], "dragoman: there is no command \"--fly\""),
    ])
    func anUnknownCommandIsNamed(_ words: [String], _ complaint: String) async {
        let shell = RecordingShell()
        let status = await Program(groups: Commands.groups, shell: shell).run(words)
        #expect(status == .misuse)
        #expect(shell.complaints == [complaint, "See: dragoman --help"])
    }

    @Test func halfACommandShowsTheWholeOnes() async {
        let (status, shell) = await RecordingShell.run("tool", "json")
        #expect(status == .misuse)
        #expect(shell.complaints[0].contains("tool json canonical"))
        let (helped, help) = await RecordingShell.run("tool", "json", "--help")
        #expect(helped == .success)
        #expect(help.text.contains("tool json check"))
    }

    @Test func theVersionIsOneLine() async {
        let (status, shell) = await RecordingShell.run("--version")
        #expect(status == .success)
        #expect(shell.text == "dragoman \(Program.version)\n")
    }
}
