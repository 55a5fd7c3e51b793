// SPDX-License-Identifier: Apache-2.0

/// The grammar of numbers (RFC 8259 §6) and their values.
enum JSONNumber {
    /// What stands at the start of a text.
    enum Scan: Equatable {
        /// Digits with an optional minus sign, up to this index.
        case integer(end: Int)
        /// A number with a fraction or an exponent, up to this index.
        case decimal(end: Int)
        /// No number: the byte at this index cannot stand there.
        case fault(at: Int)
    }

    /// Reads the longest number at `start`. What follows it is for the caller to judge, except
    /// that a digit after a leading zero is a fault here.
    @inline(__always)
    static func scan(_ text: Span<UInt8>, _ start: Int) -> Scan {
        var at = start
        if text[at] == UInt8(ascii: "-") { at &+= 1 }
        if at < text.count, text[at] == UInt8(ascii: "0") {
            at &+= 1
            if isDigit(text, at) { return .fault(at: at) }
        } else {
            guard isDigit(text, at) else { return .fault(at: at) }
            at = digits(text, at)
        }
        guard at < text.count else { return .integer(end: at) }
        var isDecimal = false
        if text[at] == UInt8(ascii: ".") {
            guard isDigit(text, at &+ 1) else { return .fault(at: at &+ 1) }
            at = digits(text, at &+ 1)
            isDecimal = true
        }
        if at < text.count, text[at] | 0x20 == UInt8(ascii: "e") {
            at &+= 1
            if at < text.count, text[at] == UInt8(ascii: "+") || text[at] == UInt8(ascii: "-") {
                at &+= 1
            }
            guard isDigit(text, at) else { return .fault(at: at) }
            at = digits(text, at)
            isDecimal = true
        }
        return isDecimal ? .decimal(end: at) : .integer(end: at)
    }

    /// Whether `text` is one number and nothing else.
    static func isNumber(_ text: Span<UInt8>) -> Bool {
        guard text.count > 0 else { return false }
        switch scan(text, 0) {
        case .integer(let end), .decimal(let end): return end == text.count
        case .fault: return false
        }
    }

    /// The value of an integer lexeme from `offset`, or nil when Int64 cannot hold it.
    static func integer(_ text: Span<UInt8>, _ offset: Int, _ length: Int) -> Int64? {
        let isNegative = text[offset] == UInt8(ascii: "-")
        var magnitude: UInt64 = 0
        for index in offset + (isNegative ? 1 : 0)..<offset + length {
            let (shifted, overflow) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, carry) = shifted.addingReportingOverflow(UInt64(text[index] - 0x30))
            if overflow || carry { return nil }
            magnitude = sum
        }
        if !isNegative { return Int64(exactly: magnitude) }
        return magnitude == Int64.min.magnitude ? .min : Int64(exactly: magnitude).map { -$0 }
    }

    /// The double nearest to a number, or nil when that is infinite.
    static func double(_ text: some StringProtocol) -> Double? {
        guard let value = Double(text), value.isFinite else { return nil }
        return value
    }

    @inline(__always)
    private static func isDigit(_ text: Span<UInt8>, _ at: Int) -> Bool {
        at < text.count && text[at] &- 0x30 < 10
    }

    @inline(__always)
    private static func digits(_ text: Span<UInt8>, _ start: Int) -> Int {
        var at = start
        while isDigit(text, at) { at &+= 1 }
        return at
    }
}
