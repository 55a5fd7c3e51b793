// SPDX-License-Identifier: Apache-2.0
package import Bytes
import CLinux
import Glibc
import Synchronization

/// One thread that waits for sockets, timers and jobs, and runs all of them.
///
/// The loop is at once the serial executor of the actors that live on it (``Lane``) and the
/// preferred executor of the tasks that serve requests. Both are needed: a continuation resumes
/// on its task's *preferred* executor first, and without that preference every `await` takes a
/// detour through another thread. Start such tasks with
///
///     Task.immediate(executorPreference: loop) { … }      // no capture list
///
/// One turn (tick) of the loop: wait for the kernel until the next deadline; hand out readiness;
/// run jobs; fire timers; flush what was marked dirty, once, however many streams wrote in this
/// tick.
///
/// Only ``enqueue(_:)``, ``execute(_:)``, ``stop()``, ``join()`` and ``isInLoop`` may be used
/// from other threads; everything else asks to be on the loop and traps otherwise.
// @unchecked: all state but `remote` is touched by the loop's own thread alone, which every entry
// point checks; `remote` is behind its Mutex.
@safe
package final class EventLoop: SerialExecutor, TaskExecutor, @unchecked Sendable {
    package let name: String
    package let limits: Limits
    /// Monotonic time read once per tick. Deadlines are reckoned from it. On the loop.
    package internal(set) var now: MonotonicInstant
    /// What this loop has done so far. On the loop.
    package internal(set) var counters = Counters()

    let clock = SystemTime()
    let epoll: Descriptor
    private let wake: Descriptor
    private let events: UnsafeMutablePointer<cl_event>
    let scratch: Scratch

    // Work found on the loop's own thread: no lock. While a batch runs, what it causes goes into
    // the spare array of the same kind, so that a busy loop allocates nothing here.
    private var jobs: [UnownedJob] = []
    private var calls: [@Sendable () -> Void] = []
    private var spareJobs: [UnownedJob] = []
    private var spareCalls: [@Sendable () -> Void] = []
    private var dirty: [any Flushable] = []
    private var spareDirty: [any Flushable] = []
    var leftovers: [any ReadinessHandler] = []
    private var spareLeftovers: [any ReadinessHandler] = []
    var registrations = RegistrationTable()
    var timers = TimerHeap()
    // What to call when the task of a cancellable wait is cancelled.
    var cancellations: [UInt64: () -> Void] = [:]
    var nextCancellation: UInt64 = 0

    // Work brought by other threads. `isArmed`: the loop has been woken and has not yet looked.
    private struct Remote: ~Copyable {
        var jobs: [UnownedJob] = []
        var calls: [@Sendable () -> Void] = []
        var isArmed = false
        var isStopping = false
        var thread: Thread?

        /// True for whoever has to wake the loop: the first since the loop last looked.
        mutating func arm() -> Bool {
            defer { isArmed = true }
            return !isArmed
        }
    }
    private let remote = Mutex(Remote())

    /// - Throws: ``SystemError`` when the kernel grants no epoll or event descriptor.
    package init(name: String = "loop", limits: Limits = Limits()) throws(SystemError) {
        self.name = name
        self.limits = limits
        now = clock.monotonic()
        epoll = Descriptor(owning: try SystemError.check("epoll_create1", cl_epoll_create()))
        wake = Descriptor(owning: try SystemError.check("eventfd", cl_eventfd()))
        unsafe events = .allocate(capacity: limits.eventsPerWait)
        scratch = Scratch(size: limits.scratchBytes)
        // Edge-triggered, so that each signal is an edge and the counter never needs to be read.
        try SystemError.check("epoll_ctl", cl_epoll_add(epoll.number, wake.number, .max, .max))
    }

    deinit { unsafe events.deallocate() }

    /// Whether the caller runs on this loop's thread.
    package var isInLoop: Bool {
        unsafe cl_get_thread_owner() == UnsafeRawPointer(Unmanaged.passUnretained(self).toOpaque())
    }

    // MARK: Running

    /// Runs the loop on a thread of its own.
    ///
    /// - Parameter core: The CPU to pin the thread to, or nil to leave that to the kernel.
    package func start(core: Int? = nil) throws(SystemError) {
        let thread = try Thread(name: name, core: core) { self.run() }
        var started: Thread? = consume thread
        remote.withLock { $0.thread = started.take() }
    }

    /// Runs the loop on the calling thread until ``stop()``. A loop runs once.
    ///
    /// After the return its sockets are closed and its timers gone; tasks that still wait on it
    /// never resume. So drain before stopping.
    package func run() {
        let isOwned = unsafe cl_get_thread_owner() != nil
        invariant(!isOwned, "this thread belongs to another executor")
        unsafe cl_set_thread_owner(Unmanaged.passUnretained(self).toOpaque())
        defer { cl_set_thread_owner(nil) }
        while tick() {}
        tearDown()
    }

    /// Asks the loop to return from ``run()`` after the tick it is in. From any thread.
    package func stop() {
        if remote.withLock({
            $0.isStopping = true
            return $0.arm()
        }) {
            signal()
        }
    }

    /// Waits for the thread that ``start(core:)`` made. From any thread but the loop's own.
    package func join() {
        invariant(!isInLoop, "a loop cannot wait for itself")
        let thread = remote.withLock { $0.thread.take() }
        if let thread { thread.join() }
    }

    /// One turn; false once the loop was asked to stop.
    private func tick() -> Bool {
        wait()
        revisitLeftovers()
        let goesOn = adoptRemote()
        runJobs()
        fireTimers()
        flushDirty()
        let length = clock.monotonic().nanoseconds - now.nanoseconds
        counters.ticks += 1
        counters.busyNanoseconds += length
        counters.longestTickNanoseconds = max(counters.longestTickNanoseconds, length)
        return goesOn
    }

    private var hasWork: Bool {
        !jobs.isEmpty || !calls.isEmpty || !dirty.isEmpty || !leftovers.isEmpty
    }

    private func wait() {
        let count = unsafe cl_epoll_wait(
            epoll.number, events, Int32(limits.eventsPerWait), hasWork ? 0 : millisecondsToWait())
        invariant(count >= 0, "epoll_wait: errno \(-count)")
        now = clock.monotonic()
        for index in 0..<Int(count) {
            let event = unsafe events[index]
            counters.events += 1
            guard
                let handler = registrations.handler(slot: event.slot, generation: event.generation)
            else {
                if event.slot != .max { counters.staleEvents += 1 }
                continue
            }
            handler.ready(Readiness(rawValue: event.events))
        }
    }

    /// Until the next deadline, rounded up: waking early would turn the remainder into a busy wait.
    private func millisecondsToWait() -> Int32 {
        guard let earliest = timers.earliest else { return -1 }
        let time = clock.monotonic()
        guard earliest > time else { return 0 }
        return Int32(clamping: (earliest.nanoseconds - time.nanoseconds + 999_999) / 1_000_000)
    }

    private func revisitLeftovers() {
        guard !leftovers.isEmpty else { return }
        var batch: [any ReadinessHandler] = []
        swap(&batch, &spareLeftovers)
        swap(&batch, &leftovers)
        for handler in batch { handler.revisit() }
        batch.removeAll(keepingCapacity: true)
        swap(&batch, &spareLeftovers)
    }

    private func adoptRemote() -> Bool {
        remote.withLock { remote in
            remote.isArmed = false
            if jobs.isEmpty { swap(&jobs, &remote.jobs) } else { jobs += remote.jobs }
            if calls.isEmpty { swap(&calls, &remote.calls) } else { calls += remote.calls }
            remote.jobs.removeAll(keepingCapacity: true)
            remote.calls.removeAll(keepingCapacity: true)
            return !remote.isStopping
        }
    }

    /// Runs jobs and the jobs they cause, for a bounded number of rounds: two tasks that keep
    /// waking each other must not starve the sockets.
    private func runJobs() {
        var round = 0
        while round < limits.jobRounds, !jobs.isEmpty || !calls.isEmpty {
            round += 1
            var callBatch: [@Sendable () -> Void] = []
            swap(&callBatch, &spareCalls)
            swap(&callBatch, &calls)
            for call in callBatch { call() }
            callBatch.removeAll(keepingCapacity: true)
            swap(&callBatch, &spareCalls)

            var jobBatch: [UnownedJob] = []
            swap(&jobBatch, &spareJobs)
            swap(&jobBatch, &jobs)
            let (serial, task) = unsafe (asUnownedSerialExecutor(), asUnownedTaskExecutor())
            for job in jobBatch {
                unsafe job.runSynchronously(isolatedTo: serial, taskExecutor: task)
            }
            counters.jobs += UInt64(jobBatch.count)
            jobBatch.removeAll(keepingCapacity: true)
            swap(&jobBatch, &spareJobs)
        }
    }

    private func fireTimers() {
        let horizon = timers.horizon
        while let action = timers.takeDue(now, before: horizon) {
            counters.timers += 1
            action()
        }
    }

    private func flushDirty() {
        guard !dirty.isEmpty else { return }
        var batch: [any Flushable] = []
        swap(&batch, &spareDirty)
        swap(&batch, &dirty)
        for item in batch {
            item.isDirty = false
            item.flush()
        }
        counters.flushes += UInt64(batch.count)
        batch.removeAll(keepingCapacity: true)
        swap(&batch, &spareDirty)
    }

    /// Breaks the cycles loop → socket → callbacks → socket. Callbacks die on their own thread.
    private func tearDown() {
        for handler in registrations.removeAll() { handler.loopStopped() }
        leftovers = []
        dirty = []
        calls = []
        timers = TimerHeap()
        cancellations = [:]
    }

    // MARK: Work

    /// Called by the Swift runtime: `job` is to run on this loop.
    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if isInLoop {
            counters.localJobs += 1
            jobs.append(job)
        } else if remote.withLock({
            $0.jobs.append(job)
            return $0.arm()
        }) {
            signal()
        }
    }

    /// Runs `body` on the loop soon, after what was asked for before. From any thread.
    package func execute(_ body: @escaping @Sendable () -> Void) {
        if isInLoop {
            calls.append(body)
        } else if remote.withLock({
            $0.calls.append(body)
            return $0.arm()
        }) {
            signal()
        }
    }

    /// Has `item` flushed at the end of this tick, once. On the loop.
    package func markDirty(_ item: any Flushable) {
        requireLoop()
        guard !item.isDirty else { return }
        item.isDirty = true
        dirty.append(item)
    }

    /// Called by the Swift runtime when it cannot tell by itself: traps off the loop.
    package func checkIsolated() { requireLoop() }

    /// Called by the Swift runtime: ``isInLoop``.
    package func isIsolatingCurrentContext() -> Bool? { isInLoop }

    /// Traps, in release builds as well, when the caller is not on this loop's thread.
    func requireLoop() { invariant(isInLoop, "used off its event loop") }

    private func signal() {
        let result = cl_eventfd_signal(wake.number)
        invariant(result == 0, "eventfd: errno \(-result)")
    }
}

/// Something that gathers output during a tick and writes it at the tick's end.
package protocol Flushable: AnyObject {
    /// Kept by ``EventLoop/markDirty(_:)``; false when no flush is due.
    var isDirty: Bool { get set }
    /// Writes what was gathered. May mark itself or others dirty for the next tick.
    func flush()
}

extension EventLoop {
    /// Bounds of one loop's work and memory.
    package struct Limits: Sendable {
        /// Kernel events taken per wait. More only delays the first job of a busy tick.
        package var eventsPerWait = 256
        /// Rounds of jobs per tick before sockets are looked at again.
        package var jobRounds = 16
        /// Size of each shared buffer, input and output. Four TLS records of the largest size.
        package var scratchBytes = 64 << 10

        package init() {}
    }

    /// Running totals since the loop began. `jobs - localJobs` came from other threads: on a
    /// request path that number must not grow.
    package struct Counters: Sendable, Equatable {
        package var ticks: UInt64 = 0
        package var events: UInt64 = 0
        /// Events for a descriptor that was closed earlier in the same tick; they were dropped.
        package var staleEvents: UInt64 = 0
        package var jobs: UInt64 = 0
        /// Jobs enqueued by the loop's own thread.
        package var localJobs: UInt64 = 0
        package var timers: UInt64 = 0
        package var flushes: UInt64 = 0
        /// Time spent in ticks, without waiting for the kernel.
        package var busyNanoseconds: UInt64 = 0
        /// The longest tick: how long anything on this loop has been kept waiting by something
        /// else.
        package var longestTickNanoseconds: UInt64 = 0
    }
}
