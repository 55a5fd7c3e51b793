// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// Where a stream socket listens or connects.
package enum SocketAddress: Hashable, Sendable, CustomStringConvertible {
    /// TCP.
    case ip(IPAddress, port: UInt16)
    /// A Unix-domain stream socket, by the path of its file; empty for an unnamed peer.
    case unix(path: String)

    /// The longest path a Unix-domain address holds, in bytes (sun_path less its terminator).
    package static let longestUnixPath = 107

    /// Reads `1.2.3.4:443`, `[::1]:443` or `unix:/path`. Host names give nil.
    package init?(_ text: some StringProtocol) {
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst(5))
            guard SocketAddress.isUnixPath(path) else { return nil }
            self = .unix(path: path)
            return
        }
        guard let colon = text.lastIndex(of: ":"),
            text[text.index(after: colon)...].utf8.allSatisfy({ (48...57).contains($0) }),
            let port = UInt16(text[text.index(after: colon)...]),
            let address = IPAddress(text[..<colon]),
            !address.isV6 || text.hasPrefix("[")
        else { return nil }
        self = .ip(address, port: port)
    }

    /// The form that ``init(_:)`` reads.
    package var description: String {
        switch self {
        case .ip(let address, let port):
            address.isV6 ? "[\(address)]:\(port)" : "\(address):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }

    /// The TCP port; nil for a Unix-domain socket.
    package var port: UInt16? {
        guard case .ip(_, let port) = self else { return nil }
        return port
    }

    /// The address without port; nil for a Unix-domain socket.
    package var host: IPAddress? {
        guard case .ip(let host, _) = self else { return nil }
        return host
    }

    static func isUnixPath(_ path: String) -> Bool {
        !path.isEmpty && path.utf8.count <= longestUnixPath && !path.utf8.contains(0)
    }
}

/// A `sockaddr` in the kernel's form.
@safe
struct RawSocketAddress {
    private(set) var storage = sockaddr_storage()
    private(set) var length: socklen_t = 0

    var family: Int32 { Int32(storage.ss_family) }

    /// - Throws: ENAMETOOLONG for a Unix path that does not fit or holds a zero byte.
    init(_ address: SocketAddress) throws(SystemError) {
        switch address {
        case .ip(let address, let port) where address.isV6:
            var raw = sockaddr_in6()
            raw.sin6_family = sa_family_t(AF_INET6)
            raw.sin6_port = port.bigEndian
            raw.sin6_scope_id = address.scope
            unsafe withUnsafeMutableBytes(of: &raw.sin6_addr) {
                unsafe $0.copyBytes(from: address.bytes)
            }
            store(raw)
        case .ip(let address, let port):
            var raw = sockaddr_in()
            raw.sin_family = sa_family_t(AF_INET)
            raw.sin_port = port.bigEndian
            unsafe withUnsafeMutableBytes(of: &raw.sin_addr) {
                unsafe $0.copyBytes(from: address.bytes)
            }
            store(raw)
        case .unix(let path):
            guard SocketAddress.isUnixPath(path) else {
                throw SystemError("socket", ENAMETOOLONG)
            }
            var raw = sockaddr_un()
            raw.sun_family = sa_family_t(AF_UNIX)
            unsafe withUnsafeMutableBytes(of: &raw.sun_path) {
                unsafe $0.copyBytes(from: path.utf8)
            }
            store(raw)
        }
    }

    /// Fills in what a call such as `accept4` or `getsockname` writes.
    init(
        filledBy call: (UnsafeMutablePointer<sockaddr_storage>, UnsafeMutablePointer<socklen_t>) ->
            Void
    ) {
        length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        unsafe call(&storage, &length)
    }

    init(copying pointer: UnsafePointer<sockaddr>, length: socklen_t) {
        let count = min(Int(length), MemoryLayout<sockaddr_storage>.size)
        unsafe withUnsafeMutableBytes(of: &storage) { space in
            unsafe space.copyMemory(from: UnsafeRawBufferPointer(start: pointer, count: count))
        }
        self.length = socklen_t(count)
    }

    /// The address as a value; nil for a family that is neither IP nor Unix.
    var address: SocketAddress? {
        switch family {
        case AF_INET:
            let raw: sockaddr_in = load()
            let bytes = unsafe withUnsafeBytes(of: raw.sin_addr) { unsafe [UInt8]($0) }
            return IPAddress(bytes: bytes).map { .ip($0, port: UInt16(bigEndian: raw.sin_port)) }
        case AF_INET6:
            let raw: sockaddr_in6 = load()
            let bytes = unsafe withUnsafeBytes(of: raw.sin6_addr) { unsafe [UInt8]($0) }
            return IPAddress(bytes: bytes, scope: raw.sin6_scope_id).map {
                .ip($0, port: UInt16(bigEndian: raw.sin6_port))
            }
        case AF_UNIX:
            let raw: sockaddr_un = load()
            let path = unsafe withUnsafeBytes(of: raw.sun_path) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            return .unix(path: path)
        default: return nil
        }
    }

    func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        unsafe withUnsafePointer(to: storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { rebound in
                unsafe body(rebound, length)
            }
        }
    }

    private mutating func store<Raw>(_ raw: Raw) {
        length = socklen_t(MemoryLayout<Raw>.size)
        unsafe withUnsafeMutableBytes(of: &storage) { unsafe $0.storeBytes(of: raw, as: Raw.self) }
    }

    private func load<Raw>() -> Raw {
        unsafe withUnsafeBytes(of: storage) { unsafe $0.load(as: Raw.self) }
    }
}
