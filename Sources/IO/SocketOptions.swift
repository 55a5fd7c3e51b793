// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// What is asked of the kernel for each connection. Unix-domain sockets take only the buffer sizes.
package struct SocketOptions: Sendable {
    /// TCP_NODELAY: frames are gathered per tick already; waiting for more only adds latency.
    package var noDelay = true
    /// Seconds of silence before the kernel probes whether the peer is alive; nil for no probes.
    package var keepAliveSeconds: Int? = 30
    /// TCP_USER_TIMEOUT: sent bytes unacknowledged this long end the connection. Without it a peer
    /// that vanished while we write holds its memory for about 15 minutes.
    package var userTimeoutMilliseconds: Int? = 30_000
    /// SO_SNDBUF in bytes; nil leaves the kernel's automatic sizing on.
    package var sendBufferBytes: Int?
    /// SO_RCVBUF in bytes; nil leaves the kernel's automatic sizing on.
    package var receiveBufferBytes: Int?

    package init() {}
}

extension Descriptor {
    /// Opens a non-blocking, close-on-exec stream socket.
    static func socket(family: Int32) throws(SystemError) -> Descriptor {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let number = Glibc.socket(family, type, 0)
        guard number >= 0 else { throw .current("socket") }
        return Descriptor(owning: number)
    }

    func setOption(_ level: Int32, _ name: Int32, _ value: Int32) throws(SystemError) {
        var value = value
        let size = socklen_t(MemoryLayout<Int32>.size)
        guard unsafe setsockopt(number, level, name, &value, size) == 0 else {
            throw .current("setsockopt")
        }
    }

    func option(_ level: Int32, _ name: Int32) throws(SystemError) -> Int32 {
        var value: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        guard unsafe getsockopt(number, level, name, &value, &size) == 0 else {
            throw .current("getsockopt")
        }
        return value
    }

    func apply(_ options: SocketOptions, isTCP: Bool) throws(SystemError) {
        if let bytes = options.sendBufferBytes {
            try setOption(SOL_SOCKET, SO_SNDBUF, Int32(clamping: bytes))
        }
        if let bytes = options.receiveBufferBytes {
            try setOption(SOL_SOCKET, SO_RCVBUF, Int32(clamping: bytes))
        }
        guard isTCP else { return }
        let tcp = Int32(IPPROTO_TCP)
        if options.noDelay { try setOption(tcp, TCP_NODELAY, 1) }
        if let seconds = options.keepAliveSeconds {
            try setOption(SOL_SOCKET, SO_KEEPALIVE, 1)
            try setOption(tcp, TCP_KEEPIDLE, Int32(clamping: seconds))
            try setOption(tcp, TCP_KEEPINTVL, max(1, Int32(clamping: seconds / 3)))
            try setOption(tcp, TCP_KEEPCNT, 3)
        }
        if let milliseconds = options.userTimeoutMilliseconds {
            try setOption(tcp, TCP_USER_TIMEOUT, Int32(clamping: milliseconds))
        }
    }

    /// The error that an asynchronous operation left on the socket, cleared by asking; 0 for none.
    func pendingError() -> Int32 { (try? option(SOL_SOCKET, SO_ERROR)) ?? errno }

    var localAddress: SocketAddress? {
        unsafe RawSocketAddress { storage, length in
            unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = unsafe getsockname(number, $0, length)
            }
        }.address
    }

    var peerAddress: SocketAddress? {
        unsafe RawSocketAddress { storage, length in
            unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = unsafe getpeername(number, $0, length)
            }
        }.address
    }
}
