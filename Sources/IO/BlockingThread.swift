// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Synchronization

/// A thread for calls that block: files, a database, the C library's resolver.
///
/// It runs one thing at a time, in order. An actor whose `unownedExecutor` is this thread lives on
/// it entirely; other code hands it single calls with ``run(_:)``. The queue has no limit of its
/// own since the runtime cannot be refused a job: whoever feeds it bounds its requests.
// @unchecked: the queue is behind its Mutex; `bell` is a semaphore, made for sharing.
@safe
package final class BlockingThread: SerialExecutor, TaskExecutor, @unchecked Sendable {
    /// The thread's name, as debuggers show it.
    package let name: String

    private enum Work {
        case job(UnownedJob)
        case call(@Sendable () -> Void)
    }

    private struct Queue: ~Copyable {
        var work: [Work] = []
        var isArmed = false
        var isStopping = false
        var thread: Thread?
        var pending = 0
    }

    private let queue = Mutex(Queue())
    private let bell: UnsafeMutablePointer<sem_t>

    /// Starts the thread; it runs until ``stop()``.
    ///
    /// - Throws: ``SystemError`` of `pthread_create`.
    package init(name: String) throws(SystemError) {
        self.name = name
        unsafe bell = .allocate(capacity: 1)
        unsafe sem_init(bell, 0, 0)
        var thread: Thread? = try Thread(name: name) { self.work() }
        queue.withLock { $0.thread = thread.take() }
    }

    deinit {
        unsafe sem_destroy(bell)
        unsafe bell.deallocate()
    }

    /// Calls and jobs that wait or run: how far behind this thread is.
    package var pendingCount: Int { queue.withLock { $0.pending } }

    /// Whether the caller runs on this thread.
    package var isOnThread: Bool {
        unsafe cl_get_thread_owner() == UnsafeRawPointer(Unmanaged.passUnretained(self).toOpaque())
    }

    /// Runs `body` on this thread and gives its result back to the calling task.
    package func run<Result: Sendable, Failure>(
        _ body: @escaping @Sendable () throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        let result: Swift.Result<Result, Failure> = await withCheckedContinuation { continuation in
            execute { continuation.resume(returning: Swift.Result(catching: body)) }
        }
        return try result.get()
    }

    /// Runs `body` on this thread, after what was asked for before. From any thread.
    package func execute(_ body: @escaping @Sendable () -> Void) { add(.call(body)) }

    /// Called by the Swift runtime: `job` is to run on this thread.
    package func enqueue(_ job: consuming ExecutorJob) { add(.job(UnownedJob(job))) }

    /// Traps off this thread.
    package func checkIsolated() {
        guard !isOnThread else { return }
        fatalError("used off its blocking thread")
    }

    /// Called by the Swift runtime: ``isOnThread``.
    package func isIsolatingCurrentContext() -> Bool? { isOnThread }

    /// Ends the thread once all that was asked for before has run; work that comes later never
    /// runs. Waits for it, so call it from elsewhere.
    package func stop() {
        let thread = queue.withLock { queue in
            queue.isStopping = true
            return queue.thread.take()
        }
        unsafe sem_post(bell)
        if let thread { thread.join() }
    }

    private func add(_ work: Work) {
        let isFirst = queue.withLock { queue in
            queue.work.append(work)
            queue.pending += 1
            defer { queue.isArmed = true }
            return !queue.isArmed
        }
        if isFirst { unsafe sem_post(bell) }
    }

    private func work() {
        unsafe cl_set_thread_owner(Unmanaged.passUnretained(self).toOpaque())
        let (serial, task) = unsafe (asUnownedSerialExecutor(), asUnownedTaskExecutor())
        while let batch = takeBatch() {
            for work in batch {
                switch work {
                case .job(let job):
                    unsafe job.runSynchronously(isolatedTo: serial, taskExecutor: task)
                case .call(let call): call()
                }
                queue.withLock { $0.pending -= 1 }
            }
        }
        cl_set_thread_owner(nil)
    }

    /// What has come in, waiting for it; nil when the thread is to end.
    private func takeBatch() -> [Work]? {
        while true {
            // EINTR is the only failure of a wait on a live semaphore; the loop looks again anyway.
            _ = unsafe sem_wait(bell)
            let (batch, isStopping) = queue.withLock { queue -> ([Work], Bool) in
                queue.isArmed = false
                let batch = queue.work
                queue.work = []
                return (batch, queue.isStopping)
            }
            if !batch.isEmpty {
                // A stop that came with this batch is looked at again after it.
                if isStopping { unsafe sem_post(bell) }
                return batch
            }
            if isStopping { return nil }
        }
    }
}
