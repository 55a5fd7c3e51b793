// SPDX-License-Identifier: Apache-2.0

/// What a document may hold before it is refused. Each limit bounds memory or time that a stranger
/// could otherwise make this process spend, or is a rule of the profile that uses it.
package struct JSONLimits: Sendable, Equatable {
    /// How deep arrays and objects may nest; a scalar alone has depth 0. 64 is far above any A2A
    /// message and keeps every later walk over the tree shallow. Held at 1024, because such walks
    /// use the stack.
    package var depth = 64
    /// The longest text, in bytes. At most 256 MiB less one, what the tape's lengths can say.
    package var bytes = 32 << 20
    /// The most elements of one array or members of one object.
    package var count = Int.max
    /// The longest string or member name, in bytes of its UTF-8 after unescaping.
    package var stringBytes = Int.max
    /// Whether a name may occur twice in one object. RFC 8259 §4 only says it should not; two
    /// readers that choose differently are a hole, so that only grammar tests allow it.
    package var allowsDuplicateNames = false
    /// Whether `null` may occur.
    package var allowsNull = true
    /// Whether every number must be an integer from 0 to 2^53−1 written in digits alone.
    package var requiresSafeIntegers = false
    /// Whether a string may hold control characters (C0, DELETE, C1) when they are escaped. RFC
    /// 8259 never allows C0 characters unescaped.
    package var allowsControlCharacters = true

    /// The standard limits, to change one of them.
    package init() {}

    /// For messages: strict RFC 8259 plus unique names, the core of I-JSON (RFC 7493).
    package static let standard = JSONLimits()

    /// For the headers and payloads of tokens: closed, so that two verifiers cannot differ over
    /// what was signed. Spec §1.8; `Spec/vectors/json/README.md` lists the rules.
    package static let token: JSONLimits = {
        var limits = JSONLimits()
        limits.depth = 8
        limits.bytes = 8192
        limits.count = 64
        limits.stringBytes = 2048
        limits.allowsNull = false
        limits.requiresSafeIntegers = true
        limits.allowsControlCharacters = false
        return limits
    }()

    /// RFC 8259 as written, duplicate names included: for conformance suites only.
    package static let grammar: JSONLimits = {
        var limits = JSONLimits()
        limits.allowsDuplicateNames = true
        return limits
    }()

    /// The limit on bytes that holds: the tape keeps lengths in 28 bits.
    var effectiveBytes: Int { min(bytes, 1 << 28 - 1) }

    /// The limit on depth that holds.
    var effectiveDepth: Int { min(depth, 1024) }

    /// Whether a document needs the second pass of ``JSONProfile`` after the grammar.
    var hasProfile: Bool {
        count != .max || stringBytes != .max || !allowsNull || requiresSafeIntegers
            || !allowsControlCharacters
    }
}
