// SPDX-License-Identifier: Apache-2.0

import Consent
import JSON
import Testing

/// One attack of the list in `Spec/consent.md`: what it does and the code it must end in, nil
/// where it must succeed.
struct Attack: Sendable, CustomTestStringConvertible {
    let name: String
    let expect: ConsentError?
    let run: @Sendable (World) throws -> Void

    init(_ name: String, _ expect: ConsentError?, _ run: @escaping @Sendable (World) throws -> Void)
    {
        self.name = name
        self.expect = expect
        self.run = run
    }

    var testDescription: String { name }

    /// A child of the usual root, changed.
    static func child(
        _ name: String, _ expect: ConsentError,
        _ change: @escaping @Sendable (inout JSONNode) -> Void
    ) -> Attack {
        Attack(name, expect) { world in
            let root = world.root()
            try world.verify([root, world.child(of: root, change: change)])
        }
    }

    /// A root, changed, held by its first holder.
    static func root(
        _ name: String, _ expect: ConsentError?,
        _ change: @escaping @Sendable (inout JSONNode) -> Void
    ) -> Attack {
        Attack(name, expect) { world in
            try world.verify([world.root(change: change)], as: World.assistant)
        }
    }

    /// The child's order entry, changed.
    static func entry(
        _ name: String, _ expect: ConsentError,
        _ change: @escaping @Sendable (inout JSONNode) -> Void
    ) -> Attack {
        Attack(name, expect) { world in
            let root = world.root()
            let entries = [World.find, World.entry(World.order, change), World.address]
            try world.verify([root, world.child(of: root, entries)])
        }
    }

    /// An order whose parts are changed.
    static func order(
        _ name: String, _ expect: ConsentError?,
        _ change: @escaping @Sendable (inout World.Parts) -> Void
    ) -> Attack {
        Attack(name, expect) { world in
            var parts = World.Parts()
            change(&parts)
            try world.order(parts)
        }
    }

    func check() {
        let world = World()
        let refusal = refusal { try run(world) }
        #expect(refusal?.error == expect, "\(name): \(refusal?.description ?? "accepted")")
    }
}
