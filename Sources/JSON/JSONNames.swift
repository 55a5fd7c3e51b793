// SPDX-License-Identifier: Apache-2.0

/// Finds a name that occurs twice in one object.
///
/// Each name has a 64-bit signature of its unescaped bytes; only names with equal signatures are
/// compared. Small objects compare all pairs of signatures. Large ones are heap-sorted by
/// signature, then by content, then by place: n·log n whatever names a stranger chose.
struct JSONNames {
    private struct Name {
        var signature: UInt64
        var token: Int
    }

    /// The names of one large object; kept only for its memory.
    private var names: [Name] = []
    private let seed: UInt64

    /// Up to this many members all pairs are compared, without memory.
    private static let pairwiseLimit = 16

    /// The seed comes from the process-wide one of `Hasher`. It makes collisions unpredictable;
    /// no answer depends on it.
    init() {
        var hasher = Hasher()
        hasher.combine(0)
        seed = UInt64(truncatingIfNeeded: hasher.finalize())
    }

    /// The token of the earliest name that repeats one before it, among the `count` members whose
    /// first name is at `first`.
    @inline(__always)
    mutating func firstRepeat(
        _ first: Int, _ count: Int, _ tape: [UInt64], _ text: Span<UInt8>
    ) -> Int? {
        if count < 2 { return nil }
        if count > JSONNames.pairwiseLimit { return sortedRepeat(first, count, tape, text) }
        return pairwiseRepeat(first, count, tape, text)
    }

    private func pairwiseRepeat(
        _ first: Int, _ count: Int, _ tape: [UInt64], _ text: Span<UInt8>
    ) -> Int? {
        var signatures = InlineArray<16, UInt64>(repeating: 0)
        var at = first
        for position in 0..<count {
            let signature = signature(of: tape.token(at), text)
            for earlier in 0..<position where signatures[earlier] == signature {
                let name = tape.token(member(earlier, first, tape))
                if JSONScalars.compare(name, tape.token(at), text) == 0 { return at }
            }
            signatures[position] = signature
            at = tape.tokenAfter(at &+ 1)
        }
        return nil
    }

    /// The name token of a member, by steps from the first.
    private func member(_ position: Int, _ first: Int, _ tape: [UInt64]) -> Int {
        var at = first
        for _ in 0..<position { at = tape.tokenAfter(at + 1) }
        return at
    }

    private mutating func sortedRepeat(
        _ first: Int, _ count: Int, _ tape: [UInt64], _ text: Span<UInt8>
    ) -> Int? {
        names.removeAll(keepingCapacity: true)
        var at = first
        for _ in 0..<count {
            names.append(Name(signature: signature(of: tape.token(at), text), token: at))
            at = tape.tokenAfter(at + 1)
        }
        func compare(_ a: Name, _ b: Name) -> Int {
            if a.signature != b.signature { return a.signature < b.signature ? -1 : 1 }
            return JSONScalars.compare(tape.token(a.token), tape.token(b.token), text)
        }
        names.sortInPlace(from: 0) { a, b in
            let order = compare(a, b)
            return order == 0 ? a.token < b.token : order < 0
        }
        var earliest: Int?
        for index in 1..<names.count where compare(names[index - 1], names[index]) == 0 {
            earliest = min(earliest ?? .max, names[index].token)
        }
        return earliest
    }

    /// The signature of a name after unescaping.
    @inline(__always)
    private func signature(of token: JSONToken, _ text: Span<UInt8>) -> UInt64 {
        token.rawKind == JSONToken.Kind.string.rawValue
            ? signature(text, token.offset, token.length) : escapedSignature(token, text)
    }

    private func escapedSignature(_ token: JSONToken, _ text: Span<UInt8>) -> UInt64 {
        let bytes = JSONScalars.unescaped(token, text)
        return signature(bytes.span, 0, bytes.count)
    }

    /// Folded 64×64-bit multiplications over eight bytes at a time, as wyhash does.
    @inline(__always)
    private func signature(_ text: Span<UInt8>, _ start: Int, _ length: Int) -> UInt64 {
        let bytes = unsafe text.bytes
        var state = seed ^ UInt64(truncatingIfNeeded: length) &* 0x9E37_79B9_7F4A_7C15
        var at = start
        let end = start &+ length
        while at < end {
            let left = end &- at
            var word: UInt64 = 0
            if at &+ 8 <= bytes.byteCount {
                word = JSONScan.load(bytes, at)
                if left < 8 { word &= (1 &<< UInt64(truncatingIfNeeded: left &* 8)) &- 1 }
            } else {
                for index in 0..<min(left, 8) {
                    word |= UInt64(text[at &+ index]) &<< UInt64(truncatingIfNeeded: 8 &* index)
                }
            }
            let product = (state ^ word ^ 0xA076_1D64_78BD_642F)
                .multipliedFullWidth(by: 0xE703_7ED1_A0B4_28DB)
            state = product.high ^ product.low
            at &+= 8
        }
        return state
    }
}
