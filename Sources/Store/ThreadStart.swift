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
}

/// A condition that one thread waits for: counts signals, so that none is lost.
@safe final class WakeUp: Sendable {
    // POSIX objects must not move; they live behind a pointer until `deinit`, and their functions
    // are made to be called by many threads.
    private nonisolated(unsafe) let semaphore: UnsafeMutablePointer<sem_t>
    // Like the one above: POSIX's own object, made for many threads.
    private nonisolated(unsafe) let end: UnsafeMutablePointer<sem_t>

    init() {
        unsafe semaphore = .allocate(capacity: 1)
        unsafe end = .allocate(capacity: 1)
        unsafe sem_init(semaphore, 0, 0)
        unsafe sem_init(end, 0, 0)
    }

    deinit {
        unsafe sem_destroy(semaphore)
        unsafe sem_destroy(end)
        unsafe semaphore.deallocate()
        unsafe end.deallocate()
    }

    func signal() { unsafe sem_post(semaphore) }

    func wait() {
        while unsafe sem_wait(semaphore) != 0 {}
        // Signals that came meanwhile are for jobs that will be seen now.
        while unsafe sem_trywait(semaphore) == 0 {}
    }

    func ended() { unsafe sem_post(end) }

    func waitUntilEnded() {
        while unsafe sem_wait(end) != 0 {}
        unsafe sem_post(end)
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
