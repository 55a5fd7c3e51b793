// SPDX-License-Identifier: Apache-2.0
package import Bytes
package import Crypto
import JSON

/// What the user releases for one act: a value for each kind of data that the terms name. It
/// travels sealed to the executor, and the confirmation names what was sealed (Spec §4.15).
package struct ReleasedData: Sendable, Hashable {
    /// The longest value, in bytes of UTF-8.
    package static let valueBytesMax = 512

    /// One value.
    package struct Item: Sendable, Hashable {
        /// The kind of data.
        package let type: String
        /// The datum itself.
        package let value: String
    }

    /// In the order of the terms.
    package let items: [Item]

    /// Takes the values that the user gave.
    ///
    /// - Throws: `data` for a kind that has no value or is not asked for, and for a value that is
    ///   empty, too long or not plain text.
    package init(_ values: [String: String], for terms: Terms) throws(Refusal) {
        let kinds = terms.dataKinds
        try require(values.keys.allSatisfy(kinds.contains), .data, "20.disclosed.unasked")
        var items: [Item] = []
        for kind in kinds {
            guard let value = values[kind] else { throw Refusal(.data, "20.disclosed.missing") }
            try require(
                !value.isEmpty && value.utf8.count <= Self.valueBytesMax
                    && TermsText.isShowable(value, length: Self.valueBytesMax),
                .data, "20.disclosed.value")
            items.append(Item(type: kind, value: value))
        }
        self.items = items
    }

    /// Seals the values to the key in the terms.
    ///
    /// - Throws: `data` where the terms have no key.
    package func sealed(
        for signed: SignedTerms, random: some RandomBytes
    ) throws(Refusal) -> String {
        let node = JSONNode.object(items.map { .init($0.type, .string($0.value)) })
        guard let key = signed.terms.seal.flatMap({ Base64URL.decode($0) }),
            let box = SealedBox.seal(
                node.bytes, to: key, info: Self.info(signed), random: random)
        else { throw Refusal(.data, "20.disclosed.key") }
        return Base64URL.encode(box)
    }

    /// Opens what was sealed for these terms, at the executor.
    ///
    /// - Throws: `data` for what was not sealed to this key for these terms, or holds other kinds
    ///   than they name.
    package init(
        opening text: String, for signed: SignedTerms, with key: OpeningKey
    ) throws(Refusal) {
        guard let box = Base64URL.decode(text),
            let plain = SealedBox.open(box, with: key, info: Self.info(signed)),
            let value = try? JSONDocument(parsing: plain, limits: .token).root,
            value.kind == .object
        else { throw Refusal(.data, "20.disclosed.sealed") }
        var values: [String: String] = [:]
        for member in value.members {
            guard let text = member.value.string else {
                throw Refusal(.data, "20.disclosed.value")
            }
            values[member.name] = text
        }
        try self.init(values, for: signed.terms)
    }

    /// The name by which a confirmation knows what was sealed.
    package static func name(of text: String) -> String {
        Base64URL.encode(Digest.sha256(Array(text.utf8)))
    }

    private static func info(_ signed: SignedTerms) -> [UInt8] {
        Array("a2a-disclosed \(signed.hash)".utf8)
    }
}

extension Terms {
    /// The kinds of data that they name, each once.
    package var dataKinds: [String] {
        data.reduce(into: []) { if !$0.contains($1.type) { $0.append($1.type) } }
    }
}

extension EnforcementPoint {
    /// Step 20a: what the user released is there and is what the confirmation names.
    func checkReleased(
        _ sealed: String?, _ confirmation: Confirmation, _ signed: SignedTerms,
        with key: OpeningKey?
    ) throws(Refusal) {
        guard signed.terms.seal != nil else {
            try require(
                sealed == nil && confirmation.disclosed == nil, .data, "20.disclosed.unasked")
            return
        }
        guard let sealed, let named = confirmation.disclosed else {
            throw Refusal(.data, "20.disclosed.missing")
        }
        try require(ReleasedData.name(of: sealed) == named, .data, "20.disclosed.other")
        guard let key else { throw Refusal(.data, "20.disclosed.key") }
        _ = try ReleasedData(opening: sealed, for: signed, with: key)
    }
}
