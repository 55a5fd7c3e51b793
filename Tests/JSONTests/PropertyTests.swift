// SPDX-License-Identifier: Apache-2.0

import JSON
import Testing

@Suite struct PropertyTests {
    @Test(arguments: 0..<UInt64(300))
    func whatIsWrittenIsRead(seed: UInt64) throws {
        var generator = TreeGenerator(seed: seed)
        let tree = generator.tree(depth: 4)
        let text = tree.bytes
        let document = try JSONDocument(parsing: text)
        #expect(document.root.detached() == tree)
        #expect(Array(document.root.raw) == text)
        #expect(document.root.detached().bytes == text)
    }

    /// Every spelling of a value has one canonical text, and that text is its own.
    @Test(arguments: 0..<UInt64(300))
    func canonicalTextIsOne(seed: UInt64) throws {
        var generator = TreeGenerator(seed: seed)
        let tree = generator.tree(depth: 4)
        let canonical = try JSONCanonical.encode(tree)
        let again = try JSONCanonical.encode(JSONDocument(parsing: canonical).root)
        #expect(again == canonical)
        for _ in 0..<3 {
            let spelling = generator.spelling(of: tree)
            let document = try JSONDocument(parsing: spelling)
            #expect(try JSONCanonical.encode(document.root) == canonical)
        }
    }

    /// Each value's range holds exactly that value, and lookup by name finds it.
    @Test(arguments: 0..<UInt64(100))
    func rangesAndNamesLeadToTheirValues(seed: UInt64) throws {
        var generator = TreeGenerator(seed: seed)
        let tree = generator.tree(depth: 4)
        try visit(JSONDocument(parsing: generator.spelling(of: tree)).root, tree)
    }

    private func visit(_ value: JSONValue, _ tree: JSONNode) throws {
        let alone = try JSONDocument(parsing: Array(value.raw)).root
        #expect(alone.detached() == tree)
        #expect(value.string == tree.string)
        #expect(value.int == tree.int)
        #expect(value.bool == tree.bool)
        #expect(value.isNull == tree.isNull)
        #expect(value.numberText == tree.numberText)
        #expect(value.count == tree.array?.count ?? tree.members?.count ?? 0)
        for (position, element) in (tree.array ?? []).enumerated() {
            try visit(#require(value[position]), element)
        }
        for member in tree.members ?? [] {
            try visit(#require(value[member.name]), member.value)
            #expect(value[member.name + "x"] == nil || tree[member.name + "x"] != nil)
        }
        if let string = tree.string {
            #expect(value.string(equals: string))
            #expect(!value.string(equals: string + "x"))
            #expect(string.isEmpty || !value.string(equals: String(string.dropLast())))
        }
    }

    /// The reader and a naive one agree about texts that are nearly right.
    @Test(arguments: 0..<UInt64(200))
    func verdictIsThatOfTheReference(seed: UInt64) {
        var generator = TreeGenerator(seed: seed)
        let text = generator.spelling(of: generator.tree(depth: 3))
        for _ in 0..<10 {
            let mutation = generator.mutation(of: text)
            let accepted: Bool
            do {
                _ = try JSONDocument(parsing: mutation)
                accepted = true
            } catch {
                accepted = false
                #expect((0...mutation.count).contains(error.offset))
            }
            let shown = String(decoding: mutation, as: UTF8.self)
            #expect(accepted == ReferenceReader.accepts(mutation), "\(shown)")
        }
    }

    /// A parser that is kept gives what a fresh one gives, whatever came before.
    @Test func aKeptParserForgets() {
        var generator = TreeGenerator(seed: 42)
        var parser = JSONParser()
        for _ in 0..<300 {
            let text = generator.spelling(of: generator.tree(depth: 3))
            for candidate in [text, generator.mutation(of: text)] {
                let fresh = Result { () throws(JSONFault) in
                    try JSONDocument(parsing: candidate).root.detached()
                }
                var kept: Result<JSONNode, JSONFault>
                do { kept = .success(try parser.parse(candidate).root.detached()) } catch {
                    kept = .failure(error)
                }
                #expect(kept == fresh)
                do {
                    try parser.check(candidate)
                    #expect((try? fresh.get()) != nil)
                } catch { #expect(fresh == .failure(error)) }
            }
        }
    }
}
