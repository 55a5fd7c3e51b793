// SPDX-License-Identifier: Apache-2.0
import Bytes
import Consent
import Crypto
import TestSupport
import Testing

@testable import Gateway

/// What an explanation says of a grant, and how it fits a terminal.
@Suite struct ExplanationTextTests {
    private let own: EntityID
    private let next: EntityID
    private let shop: EntityID

    init() throws {
        own = try #require(EntityID("https://h.example"))
        next = try #require(EntityID("https://s.example"))
        shop = try #require(EntityID("https://v.example"))
    }

    private func entry() throws -> Entry {
        let currency = try #require(Currency("CNY"))
        return Entry(
            id: "dinner", actions: ["catalog.search", "order.create"],
            locations: .named([shop, next]), confirm: .each,
            limits: Limits(currency: currency, perAct: 50_000, total: 90_000, count: 3),
            data: Entry.DataScope(
                types: ["phone.number", "name"], purpose: "fulfil-order", retention: 7200))
    }

    /// A root for the gateway itself, which `next` and `shop` may hold below.
    private func root(_ entries: [Entry]) throws -> Grant {
        let key = SigningKey.generate(.p256)
        let issuer = GrantIssuer(entity: own, key: key, ledger: nil)
        let held = try issuer.root(
            GrantIssuer.Request(
                subject: "u", holder: own, holderKey: key.verifying.jwk, entries: entries,
                delegates: .named([next, shop]), maximumDepth: 2, life: 600),
            now: VirtualTime().now(), random: SeededRandom(seed: 1))
        return held.root
    }

    @Test func nothingLostIsNothingSaid() throws {
        let root = try root([entry()])
        #expect(Narrowing.words(root, under: root).isEmpty)
    }

    @Test func everyDimensionThatShrankIsNamed() throws {
        let parent = try root([entry()])
        var child = parent
        child.expires -= 60
        child.maximumDepth = 0
        child.delegates = .named([shop])
        child.entries[0].actions = ["order.create"]
        child.entries[0].locations = .named([shop])
        child.entries[0].limits?.perAct = 40_000
        child.entries[0].limits?.count = 1
        child.entries[0].identifier = "table-7"
        child.entries[0].terms = "hash"
        child.entries[0].data?.types = ["phone.number"]
        child.entries[0].data?.retention = 3600
        #expect(
            Narrowing.words(child, under: parent) == [
                "60 s of life", "may not pass it on to s.example", "2 further links",
                "dinner: catalog.search", "dinner: not at s.example", "dinner: only table-7",
                "dinner: only one offer", "dinner: name", "dinner: data kept 3600 s less",
                "dinner: each CNY 500.00 → CNY 400.00", "dinner: times 3 → 1",
            ])
    }

    @Test func anEntryThatWasDroppedIsNamed() throws {
        var other = try entry()
        other.id = "taxi"
        let parent = try root([entry(), other])
        var child = parent
        child.entries.removeLast()
        #expect(Narrowing.words(child, under: parent) == ["entry taxi"])
    }

    @Test func anEntryIsOneSentence() throws {
        #expect(
            try entry().words
                == "catalog.search order.create, at v.example, s.example, confirm each, "
                + "≤ CNY 500.00 each, ≤ CNY 900.00 in all, 3 times, "
                + "discloses phone.number name (fulfil-order, 2 h)")
    }

    @Test func longItemsAreWrappedBehindTheirLabel() {
        var page = ExplanationPage()
        page.item("route", String(repeating: "word ", count: 40))
        let lines = page.text.split(separator: "\n")
        #expect(lines.count > 2)
        #expect(lines.allSatisfy { $0.count <= ExplanationPage.width })
        #expect(lines[0].hasPrefix("route     word"))
        #expect(lines.dropFirst().allSatisfy { $0.hasPrefix("          word") })
    }

    @Test func wideCharactersTakeTwoColumns() {
        var page = ExplanationPage()
        page.item("", Array(repeating: "商务套餐", count: 20).joined(separator: " "))
        for line in page.text.split(separator: "\n") {
            let wide = line.unicodeScalars.count { $0.value > 0x2E80 }
            #expect(line.count + wide <= ExplanationPage.width)
        }
    }

    @Test func aStrangersTextMovesNoCursor() {
        var page = ExplanationPage()
        page.item("there", "x\u{1B}[2J\u{202E}y\u{9B}z\n")
        #expect(!page.text.unicodeScalars.contains { [0x1B, 0x202E, 0x9B].contains($0.value) })
        #expect(page.text.split(separator: "\n").count == 1)
    }

    @Test func refusalsAreWrittenDownOnlySoOften() {
        let budget = RefusalBudget()
        let second = Instant(seconds: 100)
        let taken = (0..<RefusalBudget.perSecond + 7).count { _ in budget.take(at: second) }
        #expect(taken == RefusalBudget.perSecond)
        #expect(budget.skipped == 7)
        #expect(budget.take(at: second.adding(seconds: 1)))
    }
}
