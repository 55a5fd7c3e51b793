// SPDX-License-Identifier: Apache-2.0
import Glibc

/// One record of `Spec/vectors/http1` or `Spec/vectors/sse`: lines `key: value`, records apart by
/// an empty line.
struct TextVector: Sendable, CustomStringConvertible {
    let name: String
    let expectation: String
    let bytes: [UInt8]

    var description: String { name }

    static func all(_ path: String) -> [TextVector] {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let text = String(decoding: read("/\(root)/Spec/vectors/\(path)"), as: UTF8.self)
        var vectors: [TextVector] = []
        var record: [Substring: Substring] = [:]
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) + [Substring()] {
            if line.isEmpty {
                if let name = record["name"], let bytes = record["bytes"] {
                    vectors.append(
                        TextVector(
                            name: String(name), expectation: String(record["expect"] ?? ""),
                            bytes: expand(Array(bytes.utf8)[...])))
                }
                record = [:]
            } else if let colon = line.firstIndex(of: ":") {
                record[line[..<colon]] = line[colon...].dropFirst(2)
            }
        }
        return vectors
    }

    /// Undoes the escapes; `{text*n}` repeats.
    static func expand(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "{"),
                let star = rest.firstIndex(of: UInt8(ascii: "*")),
                let close = rest[star...].firstIndex(of: UInt8(ascii: "}")),
                let times = Int(String(decoding: rest[(star + 1)..<close], as: UTF8.self))
            {
                let unit = expand(rest[..<star])
                for _ in 0..<times { bytes.append(contentsOf: unit) }
                rest = rest[(close + 1)...]
            } else if byte == UInt8(ascii: "\\"), let kind = rest.popFirst() {
                switch kind {
                case UInt8(ascii: "r"): bytes.append(0x0D)
                case UInt8(ascii: "n"): bytes.append(0x0A)
                case UInt8(ascii: "t"): bytes.append(0x09)
                case UInt8(ascii: "x"):
                    let digits = String(decoding: rest.prefix(2), as: UTF8.self)
                    bytes.append(UInt8(digits, radix: 16) ?? 0)
                    rest = rest.dropFirst(2)
                default: bytes.append(kind)
                }
            } else {
                bytes.append(byte)
            }
        }
        return bytes
    }

    private static func read(_ path: String) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY)
        guard descriptor >= 0 else { fatalError("no vectors at \(path)") }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe Glibc.read(descriptor, &buffer, buffer.count)
            guard count > 0 else { return bytes }
            bytes.append(contentsOf: buffer[..<count])
        }
    }
}

extension ArraySlice<UInt8> {
    /// The bytes cut into pieces of at most `size`.
    func pieces(of size: Int) -> [ArraySlice<UInt8>] {
        stride(from: startIndex, to: endIndex, by: size).map {
            self[$0..<Swift.min($0 + size, endIndex)]
        }
    }
}
