// SPDX-License-Identifier: Apache-2.0
import CNghttp2
import HTTP

/// A header list in the library's form: all names and values in one buffer, and entries that point
/// into it while the library copies them.
struct FieldPack {
    private struct Entry {
        let name: Range<Int>
        let value: Range<Int>
        let flags: UInt8
    }

    private var bytes: [UInt8] = []
    private var entries: [Entry] = []

    init() {
        bytes.reserveCapacity(512)
        entries.reserveCapacity(16)
    }

    mutating func add(_ name: String, _ value: String, isSecret: Bool = false) {
        let start = bytes.count
        bytes.append(contentsOf: name.utf8)
        let middle = bytes.count
        bytes.append(contentsOf: value.utf8)
        // Secrets stay out of the compression table (RFC 7541 §7.1.3).
        let flags = isSecret ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE
        entries.append(
            Entry(
                name: start..<middle, value: middle..<bytes.count, flags: UInt8(flags.rawValue)))
    }

    /// Adds fields without those that concern one connection only (RFC 9113 §8.2.2); `te` may say
    /// that trailers are welcome.
    mutating func add(_ fields: HTTPFields) {
        for field in fields.withoutHopByHop where field.name != .host {
            add(field.name.text, field.value.text, isSecret: field.name.isSecret)
        }
        if fields[.te] == "trailers" { add("te", "trailers") }
    }

    /// Calls `body` with entries that are valid until it returns.
    func withEntries<Result>(
        _ body: (UnsafePointer<nghttp2_nv>?, Int) -> Result
    ) -> Result {
        var copy = bytes
        return unsafe copy.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return body(nil, 0) }
            let list = unsafe entries.map { entry in
                unsafe nghttp2_nv(
                    name: base + entry.name.lowerBound, value: base + entry.value.lowerBound,
                    namelen: entry.name.count, valuelen: entry.value.count, flags: entry.flags)
            }
            return unsafe list.withUnsafeBufferPointer { list in
                unsafe body(list.baseAddress, list.count)
            }
        }
    }
}
