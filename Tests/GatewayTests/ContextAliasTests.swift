// SPDX-License-Identifier: Apache-2.0
import Bytes
import Consent
import Gateway
import JSON
import Testing

@Suite struct ContextAliasTests {
    private let alias = ContextAlias(key: Array(repeating: 7, count: 32))
    private let li = Owner(party: "edge:phone/li", user: "")
    private let wang = Owner(party: "edge:phone/wang", user: "")

    @Test func anIdComesBackToItsOwnerOnly() {
        let shown = alias.outward("ctx-1", owner: li, agent: "dining")
        #expect(alias.inward(shown, owner: li, agent: "dining") == "ctx-1")
        #expect(alias.inward(shown, owner: wang, agent: "dining") != "ctx-1")
        #expect(alias.inward(shown, owner: li, agent: "travel") != "ctx-1")
    }

    @Test func twoCallersWithOneInventedIdNeverMeet() {
        let a = alias.inward("my-ctx", owner: li, agent: "dining")
        #expect(a == alias.inward("my-ctx", owner: li, agent: "dining"))
        #expect(a != alias.inward("my-ctx", owner: wang, agent: "dining"))
        #expect(a != "my-ctx")
    }

    @Test func ownersThatConcatenateAlikeDiffer() {
        let a = Owner(party: "https://a.example", user: "bc")
        let b = Owner(party: "https://a.exampleb", user: "c")
        #expect(
            alias.inward("x", owner: a, agent: "d") != alias.inward("x", owner: b, agent: "d"))
    }

    @Test(arguments: ["", "g1.", "g1.x", "g1..x", "g1.AAAAAAAAAAAAAAAAAAAAAA.ctx-1"])
    func aForgedIdIsAnInventedOne(_ forged: String) {
        #expect(alias.inward(forged, owner: li, agent: "dining").hasPrefix("u1-"))
    }
}

@Suite struct PeerResourceTests {
    @Test(arguments: [
        "/consent/ledger", "/consent/ledger/reservations/", "/acct/v1/holds/x:post",
        "/acct/v1/holds/01JCZ7AAAAAAAAAAAAAAAAAAAA", "/acct/v1/holds/:post", "/", "",
    ])
    func otherPathsAreNothing(_ path: String) {
        #expect(PeerDesk.Resource(path: path) == nil)
    }

    @Test func thePathsOfTheBudgetKeeper() {
        #expect(PeerDesk.Resource(path: "/consent/ledger/reservations") == .reservations)
        #expect(PeerDesk.Resource(path: "/consent/ledger/receipts") == .receipts)
    }
}
