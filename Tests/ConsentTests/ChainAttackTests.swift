// SPDX-License-Identifier: Apache-2.0

import Bytes
import Consent
import Crypto
import JSON
import Testing

/// Attacks on chains that the recorded vectors leave out.
@Suite struct ChainAttackTests {
    @Test(arguments: jose + json) func form(_ attack: Attack) { attack.check() }
    @Test(arguments: chains + times) func chain(_ attack: Attack) { attack.check() }
    @Test(arguments: schema) func attenuation(_ attack: Attack) { attack.check() }

    private static func header(_ token: String, _ change: (inout JSONNode) -> Void) -> String {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        let bytes = Base64URL.decode(parts[0]) ?? []
        var node = (try? JSONDocument(parsing: bytes))?.root.detached() ?? .null
        change(&node)
        return "\(Base64URL.encode(node.bytes)).\(parts[1]).\(parts[2])"
    }

    /// A root whose payload is exactly this text, well signed.
    private static func raw(_ world: World, _ payload: [UInt8]) -> String {
        let key = world.key(World.mi)
        let header = world.root().split(separator: ".")[0]
        let input = "\(header).\(Base64URL.encode(payload))"
        return "\(input).\(Base64URL.encode(key.sign(Array(input.utf8))))"
    }

    private static func text(
        _ name: String, _ change: @escaping @Sendable (String) -> String
    ) -> Attack {
        Attack(name, .malformed) { world in
            let payload = String(decoding: world.rootClaims().bytes, as: UTF8.self)
            try world.verify([raw(world, Array(change(payload).utf8))], as: World.assistant)
        }
    }

    static let jose: [Attack] = [
        Attack("P2 two hops", nil) { try $0.verify($0.chain()) },
        Attack("A01 alg none", .algorithm) { world in
            let token = header(world.root()) { $0["alg"] = "none" }
            let parts = token.split(separator: ".", omittingEmptySubsequences: false)
            try world.verify(["\(parts[0]).\(parts[1])."], as: World.assistant)
        },
        Attack("A03 alg of another curve", .algorithm) { world in
            let token = header(world.root()) {
                $0["alg"] = $0["alg"]?.string == "ES256" ? "Ed25519" : "ES256"
            }
            try world.verify([token], as: World.assistant)
        },
        Attack("A06 jku header", .header) { world in
            let token = header(world.root()) { $0["jku"] = "https://evil.example/keys" }
            try world.verify([token], as: World.assistant)
        },
        Attack("A08 kid of the anchor, signature by another key", .signature) { world in
            let kid = world.key(World.mi).verifying.thumbprint
            var twin = "https://twin.example"
            while world.key(twin).algorithm != world.key(World.mi).algorithm { twin += "e" }
            let token = header(world.root(by: twin)) { $0["kid"] = .string(kid) }
            try world.verify([token], as: World.assistant)
        },
        Attack("A11 trailing bits in base64url", .malformed) { world in
            let token = world.root()
            let last = token.last == "A" ? "B" : "A"
            for letter in [last, "B", "C", "D", "E", "F", "G", "H"] {
                let bent = token.dropLast() + letter
                let signature = bent.split(separator: ".")[2]
                if Base64URL.decode(signature) == nil {
                    return try world.verify([String(bent)], as: World.assistant)
                }
            }
            Issue.record("no letter with trailing bits")
        },
        Attack("A13 another signature over the same input", nil) { world in
            let root = world.root()
            let child = world.child(of: root)
            let input = root.split(separator: ".").prefix(2).joined(separator: ".")
            let again = world.key(World.mi).sign(Array(input.utf8))
            try world.verify(["\(input).\(Base64URL.encode(again))", child])
        },
    ]

    static let json: [Attack] = [
        text("A16 fraction") { $0.replacing("5000", with: "49.99") },
        text("A18 integer above 2^53-1") { $0.replacing("5000", with: "9007199254740993") },
        text("A26 null member") { $0.replacing("\"fulfil-order\"", with: "null") },
        text("D01 byte-order mark") { "\u{FEFF}" + $0 },
        text("D03 minus zero") { $0.replacing("5000", with: "-0") },
        .root("A21 boolean for an integer", .malformed) { $0["exp"] = true },
        .root("D06 array of 65", .malformed) {
            $0["amr"] = .array((0..<65).map { .string("m\($0)") })
        },
        .root("D08 nesting of 9", .malformed) {
            $0["info"] = ["1": ["2": ["3": ["4": ["5": ["6": ["7": ["8": [:]]]]]]]]]
        },
        Attack("A23 bytes that are not UTF-8", .malformed) { world in
            var payload = world.rootClaims().bytes
            let place = payload.firstIndex(of: UInt8(ascii: "Y")) ?? 0
            payload[place] = 0xC0
            try world.verify([raw(world, payload)], as: World.assistant)
        },
    ]

    static let chains: [Attack] = [
        Attack("A28 child signed by a stranger's key", .link) { world in
            let root = world.root()
            try world.verify([root, world.child(of: root, by: World.hub)])
        },
        Attack("A31 middle link removed", .link) { world in
            let root = world.root()
            let middle = world.child(of: root)
            let leaf = world.child(of: middle, depth: 2, from: World.alipay, to: World.hub)
            try world.verify([root, leaf], as: World.hub)
        },
        Attack("A33 prefix presented by a later holder", .holder) { world in
            try world.verify([world.chain()[0]], as: World.alipay)
        },
        .child("A36 depth skips", .depth) { $0["del_depth"] = 2 },
        Attack("A38 child raises del_max_depth", .widened) { world in
            let root = world.root { $0["del_max_depth"] = 2 }
            try world.verify([root, world.child(of: root)])
        },
        Attack("A41 an entity twice", .loop) { world in
            let delegates: JSONNode = [.string(World.alipay), .string(World.hub)]
            let root = world.root { $0["delegates"] = delegates }
            let one = world.child(of: root) { $0["delegates"] = delegates }
            let two = world.child(of: one, depth: 2, from: World.alipay, to: World.hub) {
                $0["delegates"] = delegates
            }
            let three = world.child(of: two, depth: 3, from: World.hub, to: World.alipay) {
                $0["delegates"] = []
            }
            try world.verify([root, one, two, three], as: World.alipay)
        },
        Attack("A43 holder outside delegates", .delegate) { world in
            let root = world.root()
            let stuffed = "https://stuffer.example"
            try world.verify([root, world.child(of: root, to: stuffed)], as: stuffed)
        },
        Attack("A46 above the anchor's amount", .policy) { world in
            world.ceilings = ["CNY": 4999]
            try world.verify([world.root()], as: World.assistant)
        },
        Attack("D38 above the anchor's class", .policy) { world in
            world.anchorClass = .contractual
            try world.verify([world.root()], as: World.assistant)
        },
        .root("A48 private member in cnf.jwk", .malformed) {
            $0["cnf"]?["jwk"]?["d"] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        },
        Attack("C02 an order under a key link", nil) { world in
            try world.decide(keyed(world, withKey: true))
        },
        Attack("C05 key link by an unknown key", .untrusted) { world in
            try world.verify(keyLinked(world, signer: World.hub), as: World.assistant)
        },
        Attack("C07 key link of ten years", .time) { world in
            let chain = keyLinked(world) { $0["exp"] = 2_110_000_000 }
            try world.verify(chain, as: World.assistant)
        },
        .root("D11 a root of depth 1", .depth) { $0["del_depth"] = 1 },
        .child("D11 a derived grant of depth 0", .depth) { $0["del_depth"] = 0 },
        Attack("D11 a derived grant alone", .depth) { world in
            let link = world.child(of: world.root(), by: World.mi) {
                $0["iss"] = .string(World.mi)
            }
            try world.verify([link])
        },
        .root("D13 issuer with a path", .malformed) { $0["iss"] = .string(World.mi + "/x") },
        .child("D13 derived issuer with a path", .malformed) {
            $0["iss"] = .string(World.assistant + "/x")
        },
        .root("D16 short certificate hash", .malformed) { $0["cnf"]?["x5t#S256"] = "AAAA" },
        .root("D18 symmetric key", .malformed) { $0["cnf"]?["jwk"] = ["kty": "oct", "k": "AA"] },
        Attack("D36 empty chain", .malformed) { try $0.verify([]) },
        Attack("A81 revoked root", .revoked) { world in
            let reference = StatusReference(
                uri: World.mi + "/sl/7", index: 412, issuer: entityID(World.mi))
            world.status.revoked.insert(try #require(reference))
            try world.verify(world.chain())
        },
        Attack("A81 revoked by push", .revoked) { world in
            let chain = world.chain()
            world.status.revokedGrants.insert(world.claim(chain[1], "jti"))
            try world.verify(chain)
        },
        Attack("A82 list read 61 s ago", .status) { world in
            world.status.readings[World.mi + "/sl/7"] = world.now.adding(seconds: -61)
            try world.verify(world.chain([World.order]))
        },
        Attack("reads fail open on stale lists", nil) { world in
            world.status.readings = [:]
            try world.verify(world.chain([World.find]))
        },
    ]

    private static func keyLinked(
        _ world: World, signer: String = World.mi, _ change: (inout JSONNode) -> Void = { _ in }
    ) -> [String] {
        let handset = "https://handset.example"
        var claims: JSONNode = [
            "iss": .string(World.mi), "jti": .string(world.id()), "iat": 1_795_158_000,
            "exp": 1_795_165_200, "cnf": ["jwk": world.key(handset).verifying.jwk.node],
        ]
        change(&claims)
        return [world.sign(claims, "key", signer), world.root(by: handset)]
    }

    private static func keyed(_ world: World, withKey: Bool) throws -> PresentedAct {
        let linked = keyLinked(world)
        let chain = [linked[1], world.child(of: linked[1], [World.order])]
        var parts = World.Parts()
        parts.confirmSigner = "https://handset.example"
        parts.withoutReservation = true
        var presented = try world.present(chain, parts)
        presented.chain = [linked[0]] + chain
        presented.reservation = try world.reserve(
            presented.chain, act: world.claim(presented.act, "jti"), 2300)
        return presented
    }

    static let times: [Attack] = [
        Attack("A51 expired parent, fresh child", .expired) { world in
            let root = world.root { $0["exp"] = 1_795_161_599 }
            try world.verify([root, world.child(of: root)])
        },
        .root("A53 issued in the future", .notYet) { $0["iat"] = 1_795_161_631 },
        .root("A53 nbf in the future", .notYet) { $0["nbf"] = 1_795_161_631 },
        .root("inside the skew", nil) { $0["iat"] = 1_795_161_630 },
        .root("A56 milliseconds in exp", .policy) { $0["exp"] = 1_795_163_400_000 },
    ]

    static let schema: [Attack] = [
        .entry("A58 action added", .widened) {
            $0["actions"] = ["order.create", "listing.publish"]
        },
        .entry("A61 per_act raised", .widened) { $0["limits"]?["per_act"] = 5001 },
        .entry("A63 limits dropped", .widened) { $0["limits"] = nil },
        .entry("A66 confirmation weakened", .widened) { $0["confirm"] = "once" },
        Attack("A68 data category added", .widened) { world in
            let root = world.root()
            let wider = World.entry(World.address) {
                $0["datatypes"] = ["addr.delivery", "phone.virtual", "id.number"]
            }
            try world.verify([root, world.child(of: root, [wider])])
        },
        Attack("A68 data added where there was none", .widened) { world in
            let root = world.root()
            let wider = World.entry(World.order) {
                $0["datatypes"] = ["addr.delivery"]
                $0["purpose"] = "fulfil-order"
                $0["retention"] = 60
            }
            try world.verify([root, world.child(of: root, [wider])])
        },
        .entry("A71 new entry id", .widened) { $0["id"] = "order2" },
        .child("A73 unknown claim", .unknown) { $0["admin"] = true },
        .child("A74 sub in a derived grant", .unknown) { $0["sub"] = "u.other" },
        .child("A74 ledger in a derived grant", .unknown) {
            $0["ledger"] = ["uri": "https://evil.example"]
        },
        .entry("A76 unknown action", .unknown) { $0["actions"] = ["order.create", "order.magic"] },
        .entry("A78 Cyrillic look-alike", .malformed) {
            $0["locations"] = ["https://agent.mеituan.example"]
        },
        .entry("D21 no confirm", .malformed) { $0["confirm"] = nil },
        .entry("D23 unknown level", .malformed) { $0["confirm"] = "maybe" },
        .entry("D26 datatypes without a purpose", .malformed) {
            $0["datatypes"] = ["addr.delivery"]
            $0["retention"] = 60
        },
        .entry("D28 unknown limit", .unknown) { $0["limits"]?["per_day"] = 5 },
        .entry("D31 slice unlike total", .malformed) { $0["limits"]?["slice"] = [0, 9000] },
        .entry("D33 star beside a name", .malformed) {
            $0["locations"] = ["*", .string(World.meituan)]
        },
        .entry("D79 standing at two merchants", .forbidden) { $0["standing"] = true },
        Attack("hidden limits dropped", .widened) { world in
            let hidden = World.entry(World.order) {
                $0["limits"] = nil
                $0["_sd"] = ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]
            }
            let root = world.root([hidden])
            let open = World.entry(World.order) { $0["limits"] = nil }
            try world.verify([root, world.child(of: root, [open])])
        },
        Attack("slice dropped under a slice", .widened) { world in
            let cut = World.entry(World.order) { $0["limits"]?["slice"] = [0, 10_000] }
            let root = world.root([cut])
            try world.verify([root, world.child(of: root, [World.order])])
        },
    ]
}
