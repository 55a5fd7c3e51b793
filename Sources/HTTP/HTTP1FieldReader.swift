// SPDX-License-Identifier: Apache-2.0

/// Reads field lines up to the empty line, of a head or of the trailers.
struct HTTP1FieldReader: Sendable {
    private(set) var fields = HTTPFields()
    private var octets = 0

    /// Reads what is there; `true` when the empty line came.
    mutating func read(
        from input: inout HTTP1Input, limits: HTTP1Limits
    ) throws(HTTP1Fault) -> Bool {
        while true {
            let room = limits.fieldBytes - octets
            guard let line = try input.line(limit: room, tooLong: .fieldsTooLarge) else {
                return false
            }
            if line.isEmpty { return true }
            octets += line.count + 2
            guard octets <= limits.fieldBytes else { throw .fieldsTooLarge }
            guard fields.count < limits.fieldCount else { throw .tooManyFields }
            try add(line)
        }
    }

    private mutating func add(_ line: ArraySlice<UInt8>) throws(HTTP1Fault) {
        if line.first == 0x20 || line.first == 0x09 { throw .foldedField }
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else {
            throw .fieldWithoutColon
        }
        let rawName = line[..<colon]
        if rawName.last == 0x20 || rawName.last == 0x09 { throw .spaceBeforeColon }
        guard let name = HTTPFieldName(bytes: rawName.span) else { throw .fieldName }
        var rawValue = line[(colon + 1)...]
        while rawValue.first == 0x20 || rawValue.first == 0x09 { rawValue.removeFirst() }
        while rawValue.last == 0x20 || rawValue.last == 0x09 { rawValue.removeLast() }
        do {
            fields.append(name, try HTTPFieldValue(bytes: rawValue.span))
        } catch {
            throw error == .encoding ? .fieldEncoding : .fieldValue
        }
    }
}
