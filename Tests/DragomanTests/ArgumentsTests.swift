// SPDX-License-Identifier: Apache-2.0
import Bytes
import Testing

@testable import dragoman

@Suite struct ArgumentsTests {
    private let page = HelpPage(
        words: ["call"], operands: ["URL", "[TEXT…]"],
        options: [
            .init("--dir", "DIR", "a folder"), .init("--entity", "URI", "who"),
            .init("--dns", "NAME", "a name", mayRepeat: true), .json,
        ],
        summary: "Calls.", examples: ["dragoman call x"])

    @Test func optionsAndOperandsStandInAnyOrder() throws {
        let arguments = try Arguments(
            ["--json", "url", "--dir=a=b", "text", "--dns", "x", "--dns", "y", "-"], for: page)
        #expect(arguments.operands == ["url", "text", "-"])
        #expect(arguments["--dir"] == "a=b")
        #expect(arguments.all("--dns") == ["x", "y"])
        #expect(arguments.has("--json"))
        #expect(arguments["--entity"] == nil)
    }

    @Test func afterTwoDashesAllAreOperands() throws {
        let arguments = try Arguments(["url", "--", "--json", "--"], for: page)
        #expect(arguments.operands == ["url", "--json", "--"])
        #expect(!arguments.has("--json"))
    }

    @Test(arguments: [
        (["url", "--jsno"], "there is no option --jsno; did you mean --json?"),
        (["url", "--verbose"], "there is no option --verbose"),
        (["url", "-j"], "there is no option -j"),
        (["url", "--dir"], "--dir needs a value: --dir DIR"),
        (["url", "--dir="], "--dir needs a value: --dir DIR"),
        (["url", "--dir", "a", "--dir", "b"], "--dir stands twice"),
        (["url", "--json=yes"], "--json takes no value"),
        ([], "URL is missing"),
    ])
    func misuseIsNamed(_ words: [String], _ message: String) {
        #expect(throws: Failure.misuse(message)) { try Arguments(words, for: page) }
    }

    @Test func aWordTooManyIsNamed() {
        let page = HelpPage(
            words: ["check"], operands: ["FILE"], summary: "Checks.", examples: [])
        #expect(throws: Failure.misuse("\"b\" is one word too many")) {
            try Arguments(["a", "b"], for: page)
        }
    }

    @Test func aRequiredOptionMustBeThere() {
        let page = HelpPage(
            words: ["x"], options: [.init("--jwk", "FILE", "a key", isRequired: true)],
            summary: "X.", examples: [])
        #expect(throws: Failure.misuse("--jwk FILE is missing")) { try Arguments([], for: page) }
    }

    @Test func anEntityIsOne() throws {
        let arguments = try Arguments(["url", "--entity", "https://Inn.example"], for: page)
        #expect(throws: Failure.self) { try arguments.entity("--entity") }
        let good = try Arguments(["url", "--entity", "https://inn.example"], for: page)
        #expect(try good.entity("--entity")?.text == "https://inn.example")
    }
}
