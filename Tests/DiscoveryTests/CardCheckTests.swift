// SPDX-License-Identifier: Apache-2.0
import A2A
import Bytes
import Discovery
import JSON
import Testing

@Suite struct CardCheckTests {
    private func card(_ url: String, name: String = "a", skills: String = "[]") throws -> AgentCard
    {
        try AgentCard(
            JSONDocument(
                parsing: """
                    {"name":"\(name)","skills":\(skills),"supportedInterfaces":[{"url":"\(url)",
                    "protocolBinding":"JSONRPC"}]}
                    """
            ).root)
    }

    @Test(arguments: [
        ("https://s.example/agents/a", true), ("https://s.example", true),
        ("https://s.example.evil/agents/a", false), ("https://s.example:444/a", false),
        ("http://s.example/agents/a", false), ("https://evil/https://s.example/", false),
    ])
    func interfacesMustLieUnderTheEntity(_ url: String, _ good: Bool) throws {
        let entity = try #require(EntityID("https://s.example"))
        let card = try card(url)
        if good {
            try CardCheck.check(card, servedBy: entity)
        } else {
            #expect(throws: CardCheck.Fault.foreignInterface) {
                try CardCheck.check(card, servedBy: entity)
            }
        }
    }

    @Test func hiddenCharactersAndTwinsAreRefused() throws {
        #expect(throws: CardCheck.Fault.hiddenCharacters) {
            try CardCheck.checkTexts(card("https://s.example", name: "a\\u202Eb"))
        }
        #expect(throws: CardCheck.Fault.duplicateSkill) {
            try CardCheck.checkTexts(
                card("https://s.example", skills: #"[{"id":"x"},{"id":"x"}]"#))
        }
        #expect(throws: CardCheck.Fault.textTooLong) {
            try CardCheck.checkTexts(
                card("https://s.example", name: String(repeating: "n", count: 2049)))
        }
    }

    @Test func offeredSkillsSurviveTheirCard() throws {
        let offered = OfferedSkills(
            executor: try #require(EntityID("https://v.example")),
            skills: [
                SkillConsent(
                    skill: "book", draft: "price.quote", commit: "order.create",
                    dataTypes: ["phone.number"], purpose: "fulfil-order", retention: 60)
            ])
        #expect(try OfferedSkills(JSONDocument(parsing: offered.node.bytes).root) == offered)
        let broken = try JSONDocument(
            parsing: """
                {"executor":"https://v.example","skills":{"b":{"draft":"a","commit":"c",
                "datatypes":["x"]}}}
                """)
        #expect(throws: OfferedSkills.Fault.self) { try OfferedSkills(broken.root) }
    }

    @Test func aCachedCardAgesAndIsBounded() throws {
        var cache = CardCache<String>()
        let card = try card("https://s.example")
        let start = MonotonicInstant(nanoseconds: 0)
        cache.put(.init(card: card, eTag: "e", fetched: start, maxAgeSeconds: 9999), for: "a")
        #expect(cache.entry("a", now: start.adding(.seconds(299)))?.isFresh == true)
        #expect(cache.entry("a", now: start.adding(.seconds(300)))?.isFresh == false)
        #expect(cache.entry("b", now: start) == nil)
    }
}
