// SPDX-License-Identifier: Apache-2.0
import Bytes
import Glibc
import Synchronization

/// Starts a detached POSIX thread.
struct ThreadStart {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
    private let body: Body

    init(_ run: @escaping @Sendable () -> Void) { body = Body(run) }

    /// Whether the system gave a thread.
    func launch() -> Bool {
        var thread = pthread_t()
        let context = unsafe Unmanaged.passRetained(body).toOpaque()
        let code = unsafe pthread_create(
            &thread, nil,
            { context in
                guard let context = unsafe context else { return nil }
                unsafe Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, context)
        if code != 0 {
            unsafe Unmanaged<Body>.fromOpaque(context).release()
            return false
        }
        pthread_detach(thread)
        return true
    }

    /// Runs `body` on a thread of its own, for work that waits for the disk.
    static func run<Value: Sendable>(
        _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let start = ThreadStart { continuation.resume(with: Result { try body() }) }
            if !start.launch() {
                continuation.resume(throwing: StorageFault.io("no thread can be started"))
            }
        }
    }
}

/// A condition that one thread waits for. A signal that comes while nobody waits is kept.
@safe final class WakeUp: Sendable {
    // POSIX objects must not move: they live behind pointers until `deinit`.
    private nonisolated(unsafe) let lock: UnsafeMutablePointer<pthread_mutex_t>
    // Like the one above: POSIX's own object, made for many threads.
    private nonisolated(unsafe) let condition: UnsafeMutablePointer<pthread_cond_t>
    // Read and written by whoever has the lock, and by nobody else.
    private nonisolated(unsafe) let flags: UnsafeMutablePointer<(isSignaled: Bool, isEnded: Bool)>

    init() {
        unsafe lock = .allocate(capacity: 1)
        unsafe condition = .allocate(capacity: 1)
        unsafe flags = .allocate(capacity: 1)
        unsafe flags.initialize(to: (false, false))
        unsafe pthread_mutex_init(lock, nil)
        // Time spans are measured on the clock that nobody sets.
        var attributes = pthread_condattr_t()
        unsafe pthread_condattr_init(&attributes)
        unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        unsafe pthread_cond_init(condition, &attributes)
        unsafe pthread_condattr_destroy(&attributes)
    }

    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(lock)
        unsafe flags.deallocate()
        unsafe condition.deallocate()
        unsafe lock.deallocate()
    }

    func signal() {
        locked {
            unsafe flags.pointee.isSignaled = true
            unsafe pthread_cond_broadcast(condition)
        }
    }

    func wait() {
        locked {
            while unsafe !flags.pointee.isSignaled { unsafe pthread_cond_wait(condition, lock) }
            unsafe flags.pointee.isSignaled = false
        }
    }

    /// Waits for a signal, but not longer than `duration`; says whether there was one.
    func wait(atMost duration: Duration) -> Bool {
        var end = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &end)
        let (seconds, attoseconds) = duration.components
        let nanoseconds = Int64(end.tv_nsec) + attoseconds / 1_000_000_000
        end.tv_sec += Int(seconds + nanoseconds / 1_000_000_000)
        end.tv_nsec = Int(nanoseconds % 1_000_000_000)
        return locked {
            while unsafe !flags.pointee.isSignaled {
                if unsafe pthread_cond_timedwait(condition, lock, &end) == ETIMEDOUT { break }
            }
            defer { unsafe flags.pointee.isSignaled = false }
            return unsafe flags.pointee.isSignaled
        }
    }

    /// The thread that waits here ends.
    func ended() {
        locked {
            unsafe flags.pointee.isEnded = true
            unsafe pthread_cond_broadcast(condition)
        }
    }

    func waitUntilEnded() {
        locked {
            while unsafe !flags.pointee.isEnded { unsafe pthread_cond_wait(condition, lock) }
        }
    }

    private func locked<Value>(_ body: () -> Value) -> Value {
        unsafe pthread_mutex_lock(lock)
        defer { unsafe pthread_mutex_unlock(lock) }
        return body()
    }
}

/// The outcome of opening a database on another thread.
final class Opening: Sendable {
    private let outcome = Mutex<StorageFault?>(nil)
    private let wake = WakeUp()

    func done(_ fault: StorageFault?) {
        outcome.withLock { $0 = fault }
        wake.signal()
    }

    func wait() -> StorageFault? {
        wake.wait()
        return outcome.withLock { $0 }
    }
}
