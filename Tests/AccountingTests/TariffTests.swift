// SPDX-License-Identifier: Apache-2.0

import Accounting
import Bytes
import JSON
import TestSupport
import Testing

/// Versions of tariffs, and how they read.
@Suite struct TariffTests {
    private func versions(
        _ edits: [(inout JSONNode) -> Void]
    ) throws -> (Maker, [PinnedTariff]) {
        let maker = Maker()
        let base = tariffNode(maker, caller: try Company("up"), callee: try Company("down"))
        var pinned: [PinnedTariff] = []
        for (index, edit) in edits.enumerated() {
            var node = base
            node["ver"] = .int(index + 1)
            node["prev"] = pinned.last.map { .string($0.name.text) }
            node["from"] = .string(maker.now.adding(seconds: Int64(index) * 1000).rfc3339)
            edit(&node)
            pinned.append(try tariff(maker, node))
        }
        return (maker, pinned)
    }

    @Test func oneVersionIsInForce() throws {
        let end = Maker().now.adding(seconds: 1500)
        let (maker, pinned) = try versions([
            { _ in }, { $0["to"] = .string(end.rfc3339) },
            { $0["from"] = .string(end.adding(seconds: 500).rfc3339) },
        ])
        let versions = try TariffVersions(pinned)
        func version(_ seconds: Int64, _ milliseconds: Int64 = 0) -> Int64? {
            let instant = maker.now.adding(seconds: seconds).adding(milliseconds: milliseconds)
            return versions.inForce(at: instant)?.tariff.version
        }
        #expect(version(0, -1) == nil)
        #expect(version(0) == 1)
        #expect(version(1000, -1) == 1)
        #expect(version(1000) == 2)
        #expect(version(1500, -1) == 2)
        #expect(version(1500) == nil)
        #expect(version(2000) == 3)
        #expect(version(1_000_000) == 3)
    }

    @Test func versionsFollowUponEachOther() throws {
        func fault(_ edits: [(inout JSONNode) -> Void]) throws -> TariffVersionFault? {
            let (_, pinned) = try versions(edits)
            do throws(TariffVersionFault) {
                _ = try TariffVersions(pinned)
                return nil
            } catch {
                return error
            }
        }
        let now = Maker().now
        #expect(try fault([{ _ in }, { _ in }]) == nil)
        #expect(try fault([]) == .empty)
        #expect(try fault([{ _ in }, { $0["ver"] = 3 }]) == .succession)
        #expect(
            try fault([{ _ in }, { $0["prev"] = .string(String(repeating: "A", count: 43)) }])
                == .succession)
        #expect(
            try fault([{ _ in }, { $0["from"] = .string(now.rfc3339) }]) == .overlap)
        #expect(
            try fault([{ $0["to"] = .string(now.adding(seconds: 1001).rfc3339) }, { _ in }])
                == .overlap)
        #expect(
            try fault([{ $0["to"] = .string(now.adding(seconds: 1000).rfc3339) }, { _ in }])
                == nil)
        #expect(
            try fault([
                { _ in },
                { $0["edge"] = ["up": "https://up.example", "down": "https://other.example"] },
            ]) == .agreement)
    }

    @Test func aTariffIsSaidInBothLanguages() throws {
        let vector = try SpecVectors.json("accounting", "tariffs.json")
        let tariff = try Tariff(try #require(vector["base"]))
        let words = try #require(vector["words"])
        for language in TariffLanguage.allCases {
            let expected = try elements(words, language.rawValue).compactMap(\.string)
            #expect(tariff.words(language) == expected)
        }
    }

    @Test func whatIsNotAgreedIsSaidToo() throws {
        let maker = Maker()
        var node = tariffNode(
            maker, caller: try Company("up"), callee: try Company("down"), hasBlock: false)
        node["charges"] = []
        node["commissions"] = []
        let words = try tariff(maker, node).tariff.words(.english).joined(separator: "\n")
        #expect(words.contains("Tasks cost https://up.example nothing."))
        #expect(words.contains("https://down.example pays no commission."))
        #expect(!words.contains("crash"))
    }
}
