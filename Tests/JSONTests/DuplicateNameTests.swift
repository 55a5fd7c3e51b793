// SPDX-License-Identifier: Apache-2.0

import JSON
import TestSupport
import Testing

@Suite struct DuplicateNameTests {
    /// Both ways of finding a repeat, below and above the size at which sorting begins.
    @Test(arguments: 2..<60)
    func aRepeatIsFoundWhereItStands(members: Int) throws {
        var random = SeededRandom(seed: UInt64(members))
        for _ in 0..<20 {
            var names = (0..<members).map { "name-\($0 * 7919 % 1000)-\($0)" }
            let later = Int.random(in: 1..<members, using: &random)
            let earlier = Int.random(in: 0..<later, using: &random)
            let (clean, _) = text(names, escapedAt: nil)
            #expect(throws: Never.self) { _ = try JSONDocument(parsing: clean) }
            names[later] = names[earlier]
            for escaped in [nil, earlier, later] {
                let (bytes, offsets) = text(names, escapedAt: escaped)
                do {
                    _ = try JSONDocument(parsing: bytes)
                    Issue.record("accepted")
                } catch {
                    #expect(error.rule == .duplicateName)
                    #expect(error.offset == offsets[later])
                }
            }
        }
    }

    /// A name and its escaped spelling are one name, whatever its length is to the eight bytes that
    /// are read at once, at the start of the text and at its end.
    @Test(arguments: 1..<34) func spellingsOfAnyLengthAreOneName(length: Int) {
        let name = String("abcdefghijklmnopqrstuvwxyzABCDEFGH".prefix(length))
        let escaped = "\\u0061" + name.dropFirst()
        for (first, second) in [(name, escaped), (escaped, name)] {
            do {
                _ = try JSONDocument(parsing: "{\"\(first)\":1,\"\(second)\":2}")
                Issue.record("accepted")
            } catch {
                #expect(error.rule == .duplicateName)
                #expect(error.offset == first.utf8.count + 6)
            }
        }
    }

    /// Names that only their length, or only what follows a long common beginning, tells apart.
    @Test func nearNamesAreNotRepeats() throws {
        let long = String(repeating: "abcdefgh", count: 4)
        var names = (0...32).map { String(long.prefix($0)) }
        names += (0..<26).map { long + String(UnicodeScalar(UInt8(97 + $0))) }
        let (bytes, _) = text(names, escapedAt: 3)
        #expect(try JSONDocument(parsing: bytes).root.count == names.count)
    }

    /// Sorting bounds the work for any names: this takes well under a second, and would take
    /// minutes if all pairs were compared.
    @Test(.timeLimit(.minutes(1))) func hugeObjectsAreNotQuadratic() throws {
        let names = (0..<100_000).map { "\($0)" }
        let (bytes, _) = text(names, escapedAt: nil)
        #expect(try JSONDocument(parsing: bytes).root.count == 100_000)
    }

    /// An object with a member per name, and where each name's quote stands.
    private func text(_ names: [String], escapedAt escaped: Int?) -> ([UInt8], [Int]) {
        var bytes = Array("{".utf8)
        var offsets: [Int] = []
        for (index, name) in names.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            offsets.append(bytes.count)
            let first = index == escaped ? "\\u00" + String(name.utf8.first ?? 0, radix: 16) : ""
            let spelled = first.isEmpty ? name : first + name.dropFirst()
            bytes += Array("\"\(spelled)\":[{\"a\":\(index)}]".utf8)
        }
        return (bytes + Array("}".utf8), offsets)
    }
}
