// SPDX-License-Identifier: Apache-2.0

import Bytes
import Consent
import Crypto
import JSON
import TestSupport
import Testing

/// What the user reads, and what may never be put before a user.
@Suite struct RenderingTests {
    /// The ten worked examples: every confirmation's rows come out of its terms again.
    @Test func examplesRender() throws {
        let examples = try SpecVectors.json("consent", "examples.json")
        var rendered = 0
        for (name, example) in examples.members {
            guard let terms = example["terms"], let shown = example["confirm"]?["shown"] else {
                continue
            }
            #expect(try rows(terms.detached()) == shown.detached(), "\(name)")
            rendered += 1
        }
        #expect(rendered == 5)
    }

    /// The rows of claims as an executor would sign them.
    private func rows(_ claims: JSONNode) throws -> JSONNode {
        let key = SigningKey.generate(.p256)
        let token = TokenSigner.sign(claims, type: Terms.type, key: key)
        let issuer = try #require(SignedTerms.peekIssuer(token))
        let signed = try SignedTerms(
            verifying: token, by: key.verifying, issuer: issuer,
            now: Instant(seconds: 1_795_161_600))
        return Rendering(signed.terms).node
    }

    private func claims(_ change: (inout JSONNode) -> Void) -> JSONNode {
        var claims: JSONNode = [
            "iss": "https://shop.example", "jti": "019a9f00-0000-7000-8000-000000000003",
            "iat": 1_795_161_598, "exp": 1_795_162_200, "salt": "yfeSM1SZkHpfe9moyfDk5A",
            "action": "order.create",
        ]
        change(&claims)
        return claims
    }

    @Test func rowsComeInTheirOrder() throws {
        let rows = try rows(
            claims {
                $0["recurs"] = "monthly"
                $0["visibility"] = "public"
                $0["order"] = "o-1"
                $0["payee"] = "https://payee.example"
                $0["cancel"] = "never"
                $0["data"] = [["type": "addr", "to": "shop.example", "purpose": "x"]]
                $0["total"] = ["value": 5, "currency": "JPY", "kind": "max"]
                $0["items"] = [["id": "a", "title": "tea", "qty": 2, "unit": 5]]
            })
        let expected: JSONNode = [
            ["action", "order.create"], ["with", "https://shop.example"],
            ["payee", "https://payee.example"], ["item", "2 × “tea” @ JPY 5"],
            ["at most", "JPY 5"], ["discloses", "addr → shop.example (x)"],
            ["cancel", "never"], ["visibility", "public"], ["recurs", "monthly"],
            ["order", "o-1"],
        ]
        #expect(rows == expected)
    }

    @Test(arguments: [
        ("CNY", 0, "CNY 0.00"), ("CNY", 5, "CNY 0.05"), ("CNY", 32_800, "CNY 328.00"),
        ("JPY", 2300, "JPY 2300"), ("KWD", 5, "KWD 0.005"), ("KWD", 1234, "KWD 1.234"),
        ("CNY", 9_007_199_254_740_991, "CNY 90071992547409.91"),
    ])
    func moneyHasTheCurrencysDecimals(_ code: String, _ value: Int64, _ text: String) throws {
        let currency = try #require(Currency(code))
        #expect(Amount(value: value, currency: currency).description == text)
    }

    @Test(arguments: ["cny", "CN", "XTS", "", "CNYY", "XAU"])
    func unknownCurrenciesHaveNoMeaning(_ code: String) {
        #expect(Currency(code) == nil)
    }

    @Test(arguments: [
        "珍珠奶茶 大杯 少糖", "Café crème", "한국어", "a\u{301} b".replacing("a\u{301}", with: "á"),
        "নৌকা", "tiếng Việt",
    ])
    func readableTextIsShown(_ text: String) {
        #expect(TermsText.isShowable(text, length: 60))
    }

    @Test(arguments: [
        "", "a\u{202E}b", "a\u{200B}b", "a\u{200D}b", "a\u{FEFF}b", "e\u{301}", "\u{1100}\u{1161}",
        "\u{AC00}\u{11A8}", "\u{212B}", "\u{0958}", "a\u{315}\u{300}", "a\nb", "a\u{7F}b",
        "a\u{3164}b", "\u{2028}", "a\u{E000}", "a\u{FE0F}", "\u{10FFFF}", "q\u{323}\u{307}\u{323}",
    ])
    func deceivingTextIsRefused(_ text: String) {
        #expect(!TermsText.isShowable(text, length: 60))
    }

    @Test func lengthsAreCodePoints() {
        #expect(TermsText.isShowable(String(repeating: "茶", count: 60), length: 60))
        #expect(!TermsText.isShowable(String(repeating: "茶", count: 61), length: 60))
    }

    @Test func whatDoesNotFitIsNotSigned() throws {
        let booking = Booking()
        let issuer = TermsIssuer(entity: booking.restaurant.entity, key: booking.restaurant.key)
        func sign(_ change: (inout TermsIssuer.Draft) -> Void) -> ConsentError? {
            var draft = booking.draft()
            change(&draft)
            return refusal {
                try issuer.sign(draft, now: booking.now, random: booking.random)
            }?.error
        }
        let item = Terms.Item(
            id: "a", title: String(repeating: "茶", count: 60), quantity: 1, unit: 1)
        #expect(sign { _ in } == nil)
        #expect(sign { $0.items = Array(repeating: item, count: 51) } == .terms)
        #expect(sign { $0.items = Array(repeating: item, count: 50) } == .tooLarge)
        #expect(sign { $0.items[0].title = "a\u{202E}b" } == .terms)
        #expect(sign { $0.items[0].quantity = 0 } == .terms)
        #expect(sign { $0.total = nil } == .terms)
        #expect(sign { $0.data[0].recipient = "https://x.example" } == .malformed)
        #expect(
            refusal {
                try issuer.sign(
                    booking.draft(), life: 601, now: booking.now, random: booking.random)
            }?.error == .time)
    }

    @Test func languageChoosesLabelsOnly() throws {
        for key in Rendering.Key.allCases {
            #expect(!Rendering.label(key, language: "zh-CN").isEmpty)
            #expect(Rendering.label(key, language: "de") == Rendering.label(key, language: "en"))
        }
        #expect(Rendering.label(.total, language: "zh-Hans-CN") == "合计")
    }
}
