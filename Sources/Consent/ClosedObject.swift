// SPDX-License-Identifier: Apache-2.0
import Bytes
import JSON

/// An object whose members are all known: the closed world of `Spec` §4.2. An unknown
/// member is refused before a missing one, a missing one before a wrong type.
struct ClosedObject {
    private let value: JSONValue
    private let rule: String

    /// - Parameter unknown: The code for a member beside the known ones: `unknown` for claims,
    ///   members of entries and limits; `malformed` inside other claims; `terms` in terms.
    /// - Throws: `malformed` when it is not an object or a required member is missing.
    init(
        _ value: JSONValue?, _ rule: String, required: [String], optional: [String] = [],
        unknown: ConsentError = .unknown
    ) throws(Refusal) {
        guard let value, value.kind == .object else { throw Refusal(.malformed, rule) }
        for (name, _) in value.members {
            try require(
                required.contains(name) || optional.contains(name), unknown, "\(rule).unknown")
        }
        for name in required where value[name] == nil {
            throw Refusal(.malformed, "\(rule).\(name)")
        }
        self.value = value
        self.rule = rule
    }

    func has(_ name: String) -> Bool { value[name] != nil }

    func value(_ name: String) -> JSONValue? { value[name] }

    // MARK: Required members

    func text(_ name: String) throws(Refusal) -> String {
        guard let text = value[name]?.string, !text.isEmpty else { throw wrong(name) }
        return text
    }

    func token(_ name: String) throws(Refusal) -> String {
        guard let text = value[name]?.string, ClaimText.isToken(text) else { throw wrong(name) }
        return text
    }

    /// A non-negative integer; the token profile has bounded it by 2^53−1.
    func integer(_ name: String) throws(Refusal) -> Int64 {
        guard let number = value[name]?.int, number >= 0 else { throw wrong(name) }
        return number
    }

    func entity(_ name: String) throws(Refusal) -> EntityID {
        guard let text = value[name]?.string, let id = EntityID(text) else { throw wrong(name) }
        return id
    }

    func uuid(_ name: String) throws(Refusal) -> String {
        guard let text = value[name]?.string, ClaimText.isUUID(text) else { throw wrong(name) }
        return text
    }

    /// The base64url text of a SHA-256: 43 characters.
    func hash(_ name: String) throws(Refusal) -> String {
        guard let text = value[name]?.string, ClaimText.isHash(text) else { throw wrong(name) }
        return text
    }

    func currency(_ name: String) throws(Refusal) -> Currency {
        guard let text = value[name]?.string, let currency = Currency(text) else {
            throw wrong(name)
        }
        return currency
    }

    /// At least 128 bits in base64url.
    func nonce(_ name: String) throws(Refusal) -> String {
        guard let text = value[name]?.string, ClaimText.isNonce(text) else { throw wrong(name) }
        return text
    }

    func elements(_ name: String) throws(Refusal) -> [JSONValue] {
        guard let array = value[name], array.kind == .array else { throw wrong(name) }
        return Array(array.elements)
    }

    /// A set of tokens: non-empty unless `mayBeEmpty`, none twice.
    func tokens(_ name: String, mayBeEmpty: Bool = false) throws(Refusal) -> [String] {
        var tokens: [String] = []
        for element in try elements(name) {
            guard let text = element.string, ClaimText.isToken(text) else { throw wrong(name) }
            tokens.append(text)
        }
        try require(mayBeEmpty || !tokens.isEmpty, .malformed, "\(rule).\(name).empty")
        try require(
            Set(tokens).count == tokens.count, .malformed, "\(rule).\(name).duplicate")
        return tokens
    }

    // MARK: Optional members: nil when absent, refused when present and wrong

    func optional<Value>(
        _ name: String, _ read: (String) throws(Refusal) -> Value
    ) throws(Refusal) -> Value? {
        guard has(name) else { return nil }
        return try read(name)
    }

    func amount(_ name: String) throws(Refusal) -> Amount? {
        guard let member = value[name] else { return nil }
        return try Amount(member, "\(rule).\(name)")
    }

    func wrong(_ name: String) -> Refusal { Refusal(.malformed, "\(rule).\(name)") }
}

/// The alphabets of claims that are not free text.
enum ClaimText {
    /// 1 to 64 of `A–Z a–z 0–9 . _ : / -`.
    static func isToken(_ text: String) -> Bool {
        let bytes = text.utf8
        guard (1...64).contains(bytes.count) else { return false }
        return bytes.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: ":"), UInt8(ascii: "/"),
                UInt8(ascii: "-"):
                true
            default: false
            }
        }
    }

    /// A UUID of any version in canonical lower case.
    static func isUUID(_ text: String) -> Bool { UUID.isCanonical(text) }

    static func isHash(_ text: String) -> Bool {
        text.utf8.count == 43 && Base64URL.decode(text) != nil
    }

    static func isNonce(_ text: String) -> Bool {
        guard let bytes = Base64URL.decode(text) else { return false }
        return (16...64).contains(bytes.count)
    }

    /// `https://host[:port]` followed by nothing or by a path of printable ASCII; its entity.
    static func entity(ofURI text: String) -> EntityID? {
        let scheme = "https://"
        guard text.hasPrefix(scheme), text.utf8.count <= 512,
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else { return nil }
        let authority = text.dropFirst(scheme.count).prefix { $0 != "/" }
        let rest = text.dropFirst(scheme.count + authority.count)
        guard !rest.contains("?"), !rest.contains("#") else { return nil }
        return EntityID(scheme + authority)
    }
}
