// SPDX-License-Identifier: Apache-2.0

/// Finds names that occur twice in one object, over the names of all objects that are open.
///
/// Each name has a 64-bit signature of its unescaped bytes; only names with equal signatures are
/// compared. Small objects compare all pairs. Large ones are heap-sorted by signature, then by
/// content, then by place, which is n·log n whatever a stranger chose the names to be.
struct JSONNames {
    private struct Name {
        var signature: UInt64
        var token: Int
    }

    private var names: [Name] = []
    private let seed: UInt64

    /// Above this many members, sorting beats comparing all pairs (measured).
    private static let pairwiseLimit = 16

    /// The seed comes from the process-wide one of `Hasher`. It makes collisions unpredictable;
    /// no answer depends on it.
    init() {
        var hasher = Hasher()
        hasher.combine(0)
        seed = UInt64(truncatingIfNeeded: hasher.finalize())
    }

    /// How many names are held: a new object's names start here.
    var count: Int { names.count }

    /// Forgets every name but keeps the memory.
    mutating func removeAll() { names.removeAll(keepingCapacity: true) }

    /// Notes the name at index `token` of the tape.
    @inline(__always)
    mutating func append(_ token: Int, _ word: JSONToken, _ text: Span<UInt8>) {
        let signature =
            word.rawKind == JSONToken.Kind.string.rawValue
            ? signature(text, word.offset, word.length) : escapedSignature(word, text)
        names.append(Name(signature: signature, token: token))
    }

    /// Takes away the names from `base` on, an object's own, and returns the token of the earliest
    /// that repeats one before it.
    @inline(__always)
    mutating func close(from base: Int, _ tape: [UInt64], _ text: Span<UInt8>) -> Int? {
        let size = names.count &- base
        var repeated: Int?
        if size > JSONNames.pairwiseLimit {
            repeated = sortedRepeat(from: base, tape, text)
        } else if size > 1 {
            repeated = pairwiseRepeat(from: base, tape, text)
        }
        names.removeLast(size)
        return repeated
    }

    @inline(__always)
    private func pairwiseRepeat(from base: Int, _ tape: [UInt64], _ text: Span<UInt8>) -> Int? {
        for later in base &+ 1..<names.count {
            let signature = names[later].signature
            for earlier in base..<later where names[earlier].signature == signature {
                let order = JSONScalars.compare(
                    tape.token(names[earlier].token), tape.token(names[later].token), text)
                if order == 0 { return names[later].token }
            }
        }
        return nil
    }

    private mutating func sortedRepeat(
        from base: Int, _ tape: [UInt64], _ text: Span<UInt8>
    ) -> Int? {
        func content(_ a: Name, _ b: Name) -> Int {
            a.signature == b.signature
                ? JSONScalars.compare(tape.token(a.token), tape.token(b.token), text) : 1
        }
        heapSort(from: base) { a, b in
            if a.signature != b.signature { return a.signature < b.signature }
            let order = content(a, b)
            return order == 0 ? a.token < b.token : order < 0
        }
        var earliest: Int?
        for index in base + 1..<names.count where content(names[index - 1], names[index]) == 0 {
            earliest = min(earliest ?? .max, names[index].token)
        }
        return earliest
    }

    /// In place, because the standard library's sort takes memory.
    private mutating func heapSort(from base: Int, _ precedes: (Name, Name) -> Bool) {
        let size = names.count - base
        func sift(_ start: Int, _ end: Int, _ names: inout [Name]) {
            var root = start
            while true {
                var child = 2 * root + 1
                guard child < end else { return }
                if child + 1 < end, precedes(names[base + child], names[base + child + 1]) {
                    child += 1
                }
                guard precedes(names[base + root], names[base + child]) else { return }
                names.swapAt(base + root, base + child)
                root = child
            }
        }
        for start in stride(from: size / 2 - 1, through: 0, by: -1) { sift(start, size, &names) }
        for end in stride(from: size - 1, to: 0, by: -1) {
            names.swapAt(base, base + end)
            sift(0, end, &names)
        }
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
                if left < 8 { word &= (1 << UInt64(truncatingIfNeeded: left &* 8)) &- 1 }
            } else {
                for index in 0..<min(left, 8) {
                    word |= UInt64(text[at &+ index]) << UInt64(8 &* index)
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
