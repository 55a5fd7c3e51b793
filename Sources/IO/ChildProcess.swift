// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// A process that this one has started, on one event loop.
///
/// Its end is learnt from a pidfd, and signals go through the same, so neither a SIGCHLD handler
/// nor a reused process id is ever involved. The loop keeps a running child's object alive and
/// reaps it.
package final class ChildProcess: ReadinessHandler {
    /// What to run and how.
    package struct Request: Sendable {
        /// The executable's path; no search along PATH.
        package var path: String
        /// Arguments after the program's name.
        package var arguments: [String]
        /// The whole environment as `NAME=value`; nil passes ours on.
        package var environment: [String]?
        /// Working directory; nil inherits ours.
        package var directory: String?
        /// Standard output.
        package var output = Stream.inherit
        /// Standard error.
        package var error = Stream.inherit

        package init(_ path: String, _ arguments: [String] = []) {
            self.path = path
            self.arguments = arguments
        }
    }

    /// Where one of the child's streams goes. Its standard input is always empty.
    package enum Stream: Hashable, Sendable {
        /// To where ours goes.
        case inherit
        /// Nowhere.
        case discard
        /// To us, through ``ChildProcess/takeOutput()`` or ``ChildProcess/takeError()``.
        case pipe
    }

    /// How a process ended.
    package enum Status: Hashable, Sendable {
        /// It returned this code, 0 to 255.
        case exited(Int32)
        /// A signal with this number ended it.
        case killed(signal: Int32)
    }

    /// The process id, for messages; do not send signals to it.
    package let id: Int32
    /// How it ended; nil while it runs.
    package private(set) var status: Status?

    private let loop: EventLoop
    private let descriptor: Descriptor
    private var registration: Registration?
    private var output: Descriptor?
    private var error: Descriptor?
    private var waiters: [Settlement<Status, Never>] = []

    /// Starts a process with no signals blocked and only descriptors 0 to 2 open. On the loop.
    ///
    /// - Throws: ``SystemError`` of `posix_spawn`, e.g. ENOENT; nothing was started then.
    package init(_ request: Request, on loop: EventLoop) throws(SystemError) {
        let null = unsafe open("/dev/null", O_RDWR | O_CLOEXEC)
        guard null >= 0 else { throw .current("open") }
        let discard = Descriptor(owning: null)
        var outputEnds = Ends()
        var errorEnds = Ends()
        let outputNumber = try outputEnds.open(request.output, inherited: 1, discard: discard)
        let errorNumber = try errorEnds.open(request.error, inherited: 2, discard: discard)
        id = try ChildProcess.spawn(
            request, input: discard.number, output: outputNumber, error: errorNumber)
        // The child is not reaped before this object does it, so its id still means it.
        let pidfd = cl_pidfd_open(id)
        if pidfd < 0 {
            kill(id, SIGKILL)
            _ = waitpid(id, nil, 0)
        }
        descriptor = Descriptor(owning: try SystemError.check("pidfd_open", pidfd))
        self.loop = loop
        output = outputEnds.reader.take()
        error = errorEnds.reader.take()
        registration = try loop.register(descriptor.number, self)
    }

    /// Sends a signal; does nothing if the process has ended.
    package func send(_ signal: Signal) {
        guard status == nil else { return }
        _ = cl_pidfd_kill(descriptor.number, signal.number)
    }

    /// Waits until the process has ended.
    package func wait(isolation: isolated (any Actor)? = #isolation) async -> Status {
        if let status { return status }
        let settlement = Settlement<Status, Never>()
        waiters.append(settlement)
        return await settlement.value()
    }

    /// The reading end of its standard output, once, if a pipe was asked for: for ``StreamSocket``.
    package func takeOutput() -> Descriptor? { output.take() }

    /// The reading end of its standard error, once, if a pipe was asked for.
    package func takeError() -> Descriptor? { error.take() }

    /// Has this process receive SIGTERM when the thread that started it ends, so that it does not
    /// outlive a parent that was killed. Called by the child, early.
    package static func endWithParent() {
        let parent = getppid()
        _ = cl_end_with_parent(SIGTERM)
        // It may have ended between its starting us and the call.
        if getppid() != parent { raise(SIGTERM) }
    }

    func ready(_ readiness: Readiness) {
        var code: Int32 = 0
        let result = unsafe cl_pidfd_reap(descriptor.number, &code)
        guard result != 0 else { return }
        // A failure (ECHILD) means that someone else has reaped it, and the code is lost.
        conclude(result < 0 ? .exited(255) : code >= 0 ? .exited(code) : .killed(signal: -code))
    }

    func revisit() {}

    func loopStopped() {}

    private func conclude(_ status: Status) {
        guard self.status == nil else { return }
        self.status = status
        if let registration = registration.take() { loop.deregister(registration) }
        _ = cl_epoll_delete(loop.epoll.number, descriptor.number)
        let waiters = self.waiters
        self.waiters = []
        for waiter in waiters { waiter.settle(.success(status)) }
    }

    private static func spawn(
        _ request: Request, input: Int32, output: Int32, error: Int32
    ) throws(SystemError) -> Int32 {
        let arguments = CStrings([request.path] + request.arguments)
        let environment = request.environment.map { CStrings($0) }
        let result = unsafe request.path.withCString { path in
            unsafe withOptionalCString(request.directory) { directory in
                var raw = unsafe cl_spawn_request(
                    path: path, arguments: arguments.pointer,
                    environment: environment?.pointer ?? environ, directory: directory,
                    input: input, output: output, error: error)
                return unsafe cl_spawn(&raw)
            }
        }
        return try SystemError.check("posix_spawn", result)
    }
}

/// The ends of one of the child's streams. The writer is closed here once the child has it.
private struct Ends: ~Copyable {
    var reader: Descriptor?
    var writer: Descriptor?

    mutating func open(
        _ stream: ChildProcess.Stream, inherited: Int32, discard: borrowing Descriptor
    ) throws(SystemError) -> Int32 {
        switch stream {
        case .inherit: return inherited
        case .discard: return discard.number
        case .pipe:
            let pipe = try Descriptor.pipe()
            writer = Descriptor(owning: pipe.writer)
            let reading = Descriptor(owning: pipe.reader)
            try reading.setNonBlocking()
            reader = consume reading
            return pipe.writer
        }
    }
}

/// A null-terminated array of C strings that lives as long as this object.
@safe
private final class CStrings {
    let pointer: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let count: Int

    init(_ texts: [String]) {
        count = texts.count
        unsafe pointer = .allocate(capacity: texts.count + 1)
        for (index, text) in texts.enumerated() {
            unsafe (pointer + index).initialize(to: strdup(text))
        }
        unsafe (pointer + count).initialize(to: nil)
    }

    deinit {
        for index in 0..<count { unsafe free(pointer[index]) }
        unsafe pointer.deallocate()
    }
}

private func withOptionalCString<Result>(
    _ text: String?, _ body: (UnsafePointer<CChar>?) -> Result
) -> Result {
    guard let text else { return body(nil) }
    return unsafe text.withCString { unsafe body($0) }
}
