// SPDX-License-Identifier: Apache-2.0

import Bytes
import Consent
import Crypto
import JSON
import Testing

/// Grants that are well signed and wrong: one per rule of the schema, of the ceilings and of
/// narrowing that no other list holds.
@Suite struct EntryAttackTests {
    @Test(arguments: schema) func form(_ attack: Attack) { attack.check() }
    @Test(arguments: ceilings) func ceiling(_ attack: Attack) { attack.check() }
    @Test(arguments: narrowing) func narrower(_ attack: Attack) { attack.check() }

    /// The usual root with its order entry changed.
    private static func rootEntry(
        _ name: String, _ expect: ConsentError?,
        _ change: @escaping @Sendable (inout JSONNode) -> Void
    ) -> Attack {
        Attack(name, expect) { world in
            try world.verify(
                [world.root([World.entry(World.order, change)])], as: World.assistant)
        }
    }

    /// A parent and a child entry, both changed from the usual one.
    private static func pair(
        _ name: String, _ expect: ConsentError?,
        parent: @escaping @Sendable (inout JSONNode) -> Void,
        child: @escaping @Sendable (inout JSONNode) -> Void
    ) -> Attack {
        Attack(name, expect) { world in
            let above = World.entry(World.order, parent)
            try world.verify(world.chain([World.entry(above, child)], root: [above]))
        }
    }

    private static let digest: JSONNode = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

    static let schema: [Attack] = [
        Attack("chain above 32 KiB", .tooLarge) { world in
            let filling = (0..<2).map { _ in JSONNode.string(String(repeating: "y", count: 1900)) }
            let root = world.root { $0["info"] = ["x": .array(filling)] }
            try world.verify(Array(repeating: root, count: 6), as: World.assistant)
        },
        rootEntry("two digests", .malformed) {
            $0["limits"] = nil
            $0["_sd"] = [digest, digest]
        },
        rootEntry("limits without a limit", .malformed) { $0["limits"] = ["currency": "CNY"] },
        rootEntry("no location", .malformed) { $0["locations"] = [] },
        rootEntry("a location twice", .malformed) {
            $0["locations"] = [.string(World.eleme), .string(World.eleme)]
        },
        rootEntry("a purpose without data", .malformed) { $0["purpose"] = "fulfil-order" },
        .root("a delegate twice", .malformed) {
            $0["delegates"] = [.string(World.hub), .string(World.hub)]
        },
        .root("no confirmer", .malformed) { $0["confirmers"] = [] },
        .root("confirmer with a name", .malformed) {
            $0["confirmers"] = [["jwk": $0["cnf"]?["jwk"] ?? .null, "name": "me"]]
        },
        .root("info that is no object", .malformed) { $0["info"] = "free text" },
        .root("ledger with another member", .malformed) { $0["ledger"]?["weight"] = 1 },
        .root("ledger that is no entity", .malformed) {
            $0["ledger"] = ["uri": "http://consent.mi.example/ledger"]
        },
        .root("ledger with a query", .malformed) {
            $0["ledger"] = ["uri": .string(World.mi + "/ledger?user=7")]
        },
        .root("status with another member", .malformed) { $0["status"]?["token"] = "x" },
        .root("status list with another member", .malformed) {
            $0["status"]?["status_list"]?["bits"] = 2
        },
        .root("anyone may hold below", nil) { $0["delegates"] = ["*"] },
        .root("nobody may hold below", nil) { $0["delegates"] = nil },
        .root("a ledger that is the issuer", nil) { $0["ledger"] = nil },
    ]

    static let ceilings: [Attack] = [
        Attack("an anchor that has ended", .untrusted) { world in
            world.anchorEnd = world.now
            try world.verify([world.root()], as: World.assistant)
        },
        Attack("an anchor that has not", nil) { world in
            world.anchorEnd = world.now.adding(seconds: 1)
            try world.verify([world.root()], as: World.assistant)
        },
        Attack("a standing grant of 31 days", .policy) { world in
            world.anchorLife = 100 * 86_400
            try world.verify([world.root([standing], change: month)], as: World.assistant)
        },
        Attack("another grant of 31 days", nil) { world in
            world.anchorLife = 100 * 86_400
            try world.verify([world.root([World.order], change: month)], as: World.assistant)
        },
        Attack("standing payments need a small amount", .policy) { world in
            try world.verify([world.root([standingPayment])], as: World.assistant)
        },
        Attack("standing payments above the small amount", .policy) { world in
            world.smallAmounts = ["CNY": 4999]
            try world.verify([world.root([standingPayment])], as: World.assistant)
        },
        Attack("standing payments below the small amount", nil) { world in
            world.smallAmounts = ["CNY": 5000]
            try world.verify([world.root([standingPayment])], as: World.assistant)
        },
    ]

    private static let month: @Sendable (inout JSONNode) -> Void = {
        $0["exp"] = .int(1_795_161_590 + 31 * 86_400)
    }

    private static let standing = World.entry(World.order) {
        $0["standing"] = true
        $0["locations"] = [.string(World.meituan)]
    }

    private static let standingPayment = World.entry(World.payment) { $0["standing"] = true }

    static let narrowing: [Attack] = [
        pair(
            "identifier changed", .widened, parent: { $0["identifier"] = "a" },
            child: {
                $0["identifier"] = "b"
            }),
        pair(
            "identifier dropped", .widened, parent: { $0["identifier"] = "a" },
            child: {
                $0["identifier"] = nil
            }),
        pair("identifier added", nil, parent: { _ in }, child: { $0["identifier"] = "a" }),
        pair(
            "fixed terms dropped", .widened, parent: { $0["terms"] = digest },
            child: { $0["terms"] = nil }),
        pair("fixed terms added", nil, parent: { _ in }, child: { $0["terms"] = digest }),
        pair(
            "total raised", .widened, parent: { _ in }, child: { $0["limits"]?["total"] = 10_001 }),
        pair("total dropped", .widened, parent: { _ in }, child: { $0["limits"]?["total"] = nil }),
        pair(
            "limits added", nil, parent: { $0["limits"] = nil },
            child: {
                $0["limits"] = ["currency": "CNY", "count": 1]
            }),
        pair(
            "limits hidden", nil, parent: { _ in },
            child: {
                $0["limits"] = nil
                $0["_sd"] = [digest]
            }),
        pair(
            "a slice hidden", .widened, parent: { $0["limits"]?["slice"] = [0, 10_000] },
            child: {
                $0["limits"] = nil
                $0["_sd"] = [digest]
            }),
        Attack("a jti twice", .loop) { world in
            let root = world.root()
            let id = JSONNode.string(world.claim(root, "jti"))
            try world.verify([root, world.child(of: root) { $0["jti"] = id }])
        },
        Attack("a standing link may be made to ask", nil) { world in
            let asking = World.entry(standing) { $0["standing"] = nil }
            try world.verify(world.chain([asking], root: [standing]))
        },
        Attack("anyone below anyone", nil) { world in
            let root = world.root { $0["delegates"] = ["*"] }
            try world.verify([root, world.child(of: root) { $0["delegates"] = ["*"] }])
        },
        Attack("anyone below someone", .widened) { world in
            let root = world.root()
            try world.verify([root, world.child(of: root) { $0["delegates"] = ["*"] }])
        },
        Attack("a key link with another member", .unknown) { world in
            let claims: JSONNode = [
                "iss": .string(World.mi), "jti": .string(world.id()), "iat": 1_795_158_000,
                "exp": 1_795_165_200, "scope": "all",
                "cnf": ["jwk": world.key(World.hub).verifying.jwk.node],
            ]
            let key = world.sign(claims, "key", World.mi)
            try world.verify([key, world.root(by: World.hub)], as: World.assistant)
        },
    ]
}
