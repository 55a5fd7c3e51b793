// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// A place on which connections are accepted, on one event loop.
///
/// When the process has no descriptor left, a connection that cannot be accepted would stay in the
/// kernel's queue and its client would hang. The listener keeps one descriptor in reserve, gives it
/// up to accept and close such a connection, and rests a moment; it never spins.
package final class Listener: ReadinessHandler {
    package let loop: EventLoop
    /// Where it listens; with port 0 asked for, the port that the kernel chose.
    package let address: SocketAddress
    /// Takes over each accepted connection, non-blocking, with the peer's address. It may close or
    /// pause the listener.
    package var onAccept: ((consuming Descriptor, SocketAddress) -> Void)?
    /// Connections accepted and closed at once because no descriptor was left.
    package private(set) var shedCount = 0
    /// Whether ``pause()`` is in force.
    package private(set) var isPaused = false

    private let options: Options
    private var descriptor: Descriptor?
    private var registration: Registration?
    private var reserve: Descriptor?
    private var file: UnixSocketFile?
    private var isPending = false
    private var isRevisiting = false
    private var rest: TimerID?

    /// What a listener may be asked for.
    package struct Options: Sendable {
        /// Connections the kernel keeps until they are accepted (it caps them at
        /// net.core.somaxconn).
        package var backlog = 1024
        /// SO_REUSEPORT: several loops listen on one port, the kernel spreads connections.
        package var sharesPort = false
        /// Connections accepted per tick: a storm of them must not starve those that are open.
        package var acceptsPerTick = 64
        /// Pause after the process ran out of descriptors or memory.
        package var rest = Duration.milliseconds(100)
        /// What each accepted connection gets.
        package var connection = SocketOptions()

        package init() {}
    }

    /// Begins to listen, on the loop.
    ///
    /// A Unix-domain socket's file has mode 0600 from the moment it exists. A file left by a
    /// process that is gone is replaced; one that is in use, or is no socket, is an error.
    /// An IPv6 address takes IPv6 only: listen on both to serve both.
    /// - Throws: ``SystemError``, e.g. EADDRINUSE, EACCES, ENAMETOOLONG.
    package init(
        on loop: EventLoop, at address: SocketAddress, options: Options = Options()
    ) throws(SystemError) {
        let raw = try RawSocketAddress(address)
        let socket = try Descriptor.socket(family: raw.family)
        var file: UnixSocketFile?
        if case .unix(let path) = address {
            file = try UnixSocketFile.bind(socket, path: path, raw)
        } else {
            try socket.setOption(SOL_SOCKET, SO_REUSEADDR, 1)
            if options.sharesPort { try socket.setOption(SOL_SOCKET, SO_REUSEPORT, 1) }
            if raw.family == AF_INET6 { try socket.setOption(Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
            let result = unsafe raw.withPointer { unsafe Glibc.bind(socket.number, $0, $1) }
            guard result == 0 else { throw .current("bind") }
        }
        guard listen(socket.number, Int32(clamping: options.backlog)) == 0 else {
            throw .current("listen")
        }
        self.loop = loop
        self.options = options
        self.address = socket.localAddress ?? address
        self.file = file
        let number = socket.number
        descriptor = consume socket
        openReserve()
        registration = try loop.register(number, self)
    }

    /// False after ``close()``.
    package var isOpen: Bool { registration != nil }

    /// Lets new connections wait in the kernel, e.g. at the limit of connections or while draining.
    package func pause() { isPaused = true }

    /// Goes on accepting after ``pause()``, beginning with the connections that came meanwhile.
    package func resume() {
        guard isPaused else { return }
        isPaused = false
        if isPending { revisitSoon() }
    }

    /// Stops listening; connections not yet accepted are reset. Removes the file of a Unix-domain
    /// socket.
    package func close() {
        guard let registration = registration.take() else { return }
        loop.deregister(registration)
        if let rest { loop.cancel(rest) }
        descriptor = nil
        reserve = nil
        file?.remove()
        onAccept = nil
    }

    func loopStopped() { close() }

    func ready(_ readiness: Readiness) {
        isPending = true
        acceptSome()
    }

    func revisit() {
        isRevisiting = false
        acceptSome()
    }

    private func revisitSoon() {
        guard !isRevisiting else { return }
        isRevisiting = true
        loop.revisit(self)
    }

    private func acceptSome() {
        var budget = options.acceptsPerTick
        while isPending, !isPaused, isOpen, rest == nil {
            guard budget > 0 else { return revisitSoon() }
            budget -= 1
            acceptOne()
        }
    }

    private func acceptOne() {
        var accepted: Int32 = 0
        let number = descriptor?.number ?? -1
        let raw = unsafe RawSocketAddress { storage, length in
            accepted = unsafe cl_accept(number, storage, length)
        }
        if accepted >= 0 {
            let connection = Descriptor(owning: accepted)
            let isTCP = raw.family != AF_UNIX
            // A peer that is gone already may refuse options; reading will tell.
            try? connection.apply(options.connection, isTCP: isTCP)
            onAccept?(connection, raw.address ?? .unix(path: ""))
            return
        }
        switch -accepted {
        case EAGAIN: isPending = false
        case EMFILE, ENFILE: shedOne()
        case ENOBUFS, ENOMEM: restAWhile()
        // The connection died in the queue (ECONNABORTED and its like): the next one.
        default: break
        }
    }

    /// Out of descriptors: spends the reserve to turn one client away. The kernel looks for a free
    /// descriptor before it looks into the queue, so only now an empty queue shows.
    private func shedOne() {
        guard reserve != nil else { return restAWhile() }
        reserve = nil
        var accepted: Int32 = 0
        let number = descriptor?.number ?? -1
        _ = unsafe RawSocketAddress { storage, length in
            accepted = unsafe cl_accept(number, storage, length)
        }
        if accepted >= 0 {
            _ = cl_close(accepted)
            shedCount += 1
        } else if accepted == -EAGAIN {
            isPending = false
        }
        openReserve()
        // Someone else took the number: without reserve there is nothing to do but wait.
        if reserve == nil { restAWhile() }
    }

    private func restAWhile() {
        rest = loop.schedule(after: options.rest) { [self] in
            rest = nil
            if reserve == nil { openReserve() }
            acceptSome()
        }
    }

    private func openReserve() {
        let number = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
        if number >= 0 { reserve = Descriptor(owning: number) }
    }
}

/// The file that names a listening Unix-domain socket.
struct UnixSocketFile {
    private let path: String
    private let device: dev_t
    private let inode: ino_t

    static func bind(
        _ socket: borrowing Descriptor, path: String, _ raw: RawSocketAddress
    ) throws(SystemError) -> UnixSocketFile {
        // Linux derives the file's mode from the socket's own, so nobody else can open it even for
        // the moment between bind and chmod.
        guard fchmod(socket.number, 0o600) == 0 else { throw .current("fchmod") }
        var result = unsafe raw.withPointer { unsafe Glibc.bind(socket.number, $0, $1) }
        if result != 0, errno == EADDRINUSE {
            try removeStale(path, raw)
            result = unsafe raw.withPointer { unsafe Glibc.bind(socket.number, $0, $1) }
        }
        guard result == 0 else { throw .current("bind") }
        var facts = stat()
        guard unsafe lstat(path, &facts) == 0 else { throw .current("lstat") }
        return UnixSocketFile(path: path, device: facts.st_dev, inode: facts.st_ino)
    }

    /// Removes our file, but not one that a successor has put in its place.
    func remove() {
        var facts = stat()
        guard unsafe lstat(path, &facts) == 0, facts.st_dev == device, facts.st_ino == inode else {
            return
        }
        _ = unsafe unlink(path)
    }

    /// Removes a socket file on which nobody listens.
    private static func removeStale(_ path: String, _ raw: RawSocketAddress) throws(SystemError) {
        var facts = stat()
        guard unsafe lstat(path, &facts) == 0 else { throw .current("lstat") }
        guard facts.st_mode & S_IFMT == S_IFSOCK else { throw SystemError("bind", EADDRINUSE) }
        let probe = try Descriptor.socket(family: AF_UNIX)
        let result = unsafe raw.withPointer { unsafe Glibc.connect(probe.number, $0, $1) }
        guard result != 0, errno == ECONNREFUSED else { throw SystemError("bind", EADDRINUSE) }
        guard unsafe unlink(path) == 0 else { throw .current("unlink") }
    }
}
