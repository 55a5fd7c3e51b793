// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// An operating-system thread that can be joined once.
@safe
struct Thread: ~Copyable, Sendable {
    private let handle: pthread_t

    /// Starts a thread that runs `body` and then ends.
    ///
    /// - Parameters:
    ///   - name: At most 15 bytes are kept (a limit of Linux); shown by `ps -L` and debuggers.
    ///   - core: Pins the thread to one CPU, if it exists and we may; a wish, not a requirement.
    /// - Throws: ``SystemError`` of `pthread_create`, e.g. EAGAIN at the limit of threads.
    init(name: String, core: Int? = nil, _ body: @escaping @Sendable () -> Void) throws(SystemError)
    {
        let start = Start(
            name: String(decoding: name.utf8.prefix(15), as: UTF8.self), core: core, body)
        let raised = unsafe Unmanaged.passRetained(start)
        var handle = pthread_t()
        let failure = unsafe pthread_create(
            &handle, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                unsafe Unmanaged<Start>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, raised.toOpaque())
        guard failure == 0 else {
            unsafe raised.release()
            throw SystemError("pthread_create", failure)
        }
        self.handle = handle
    }

    /// Waits until the thread has ended.
    consuming func join() { _ = pthread_join(handle, nil) }

    private final class Start: Sendable {
        let name: String
        let core: Int?
        let body: @Sendable () -> Void

        init(name: String, core: Int?, _ body: @escaping @Sendable () -> Void) {
            self.name = name
            self.core = core
            self.body = body
        }

        func run() {
            _ = unsafe cl_thread_name(name)
            if let core { _ = cl_thread_affinity(Int32(clamping: core)) }
            body()
        }
    }
}
