// SPDX-License-Identifier: Apache-2.0
import Bytes
import IO
import TLS

/// A connection of a load run.
protocol LoadCarrier: AnyObject {
    /// Requests that fit now.
    var room: Int { get }
    /// Whether it has answered a request, so that its end is no reason to wait before the next.
    var hasAnswered: Bool { get }
    /// Sends a request; called when there is room.
    func begin(_ order: LoadOrder, now: MonotonicInstant)
    /// Gives up the requests that were sent at or before this time.
    func giveUp(sentBy time: MonotonicInstant)
    /// Ends in order.
    func close()
}

/// One loop's share of a load run: keeps its connections, begins requests, counts how they end.
///
/// Whichever of these happens, ``feed()`` follows: a request ended, a connection was made, the next
/// request of the open loop is due, a moment has passed.
final class LoadGenerator {
    let plan: LoadPlan
    let loop: EventLoop
    let buffers = ChannelBuffers()
    let limits: ConnectionLimits
    let time = SystemTime()
    var report = LoadReport()

    let lane: Lane
    private let share: LoadShare
    private var slots: [Slot] = []
    /// Places of slots with room, first come, first served: so requests go round.
    private var ready: [Int] = []
    private var readyStart = 0
    private var pacer: LoadPacer?
    private var timer: FineTimer?
    /// Requests that were sent and have not ended.
    private var outstanding = 0
    private var dialler = Dialler()
    private var isClosing = false
    private let change = Arrival()

    private struct Slot {
        var carrier: (any LoadCarrier)?
        var isQueued = false
    }

    /// The connections that are to be made.
    private struct Dialler {
        var waiting: [Int] = []
        var active = 0
        /// Why the first of the first connections could not be made.
        var firstFault: String?
    }

    init(_ plan: LoadPlan, share: LoadShare, lane: Lane) {
        self.plan = plan
        self.share = share
        self.lane = lane
        loop = lane.loop
        var limits = ConnectionLimits()
        limits.handshake = LoadLimits.dial
        // A server that reads nothing is told by the deadlines of its requests.
        limits.progress = plan.timeout + LoadLimits.dial
        self.limits = limits
    }

    // MARK: The run

    /// Makes all connections.
    func connect() async throws(LoadFault) {
        let count = share.part(of: plan.connections)
        slots = [Slot](repeating: Slot(), count: count)
        for index in slots.indices { dialSoon(index) }
        while dialler.active > 0 { await change.wait() }
        if let fault = dialler.firstFault {
            throw .unconnected(made: report.connections, of: count, fault)
        }
    }

    /// Sends the requests and waits for the end of the last.
    func run() async throws(LoadFault) {
        do { timer = try FineTimer(on: loop) } catch { throw .system(error) }
        timer?.onFire = { [unowned self] in feed() }
        pacer = LoadPacer(plan, share: share, begin: time.monotonic())
        sweep()
        while !isDone { await change.wait() }
    }

    /// Keeps the connections for a while, and ends them.
    func close(after duration: Duration) async {
        timer?.close()
        if duration > .zero { try? await loop.sleep(for: duration) }
        isClosing = true
        for slot in slots { slot.carrier?.close() }
        let deadline = loop.now.adding(Self.farewell)
        loop.schedule(at: deadline) { [change] in change.resume() }
        while slots.contains(where: { $0.carrier != nil }), loop.now < deadline {
            await change.wait()
        }
    }

    /// Longest wait for the ends of the connections, after the last answer.
    private static let farewell = Duration.seconds(1)

    private var isDone: Bool { pacer?.start(time.monotonic()) == nil && outstanding == 0 }

    /// Looks for what is late, again and again: a fiftieth of the deadline is exact enough.
    private func sweep() {
        let now = time.monotonic()
        let late = now.adding(.zero - plan.timeout)
        for slot in slots { slot.carrier?.giveUp(sentBy: late) }
        feed()
        guard !isDone else { return change.resume() }
        let pause = min(max(plan.timeout / 50, .milliseconds(1)), .milliseconds(50))
        loop.schedule(after: pause) { [weak self] in self?.sweep() }
    }

    /// Begins what may begin now.
    func feed() {
        guard pacer != nil, !isClosing else { return }
        let now = time.monotonic()
        while let order = pacer?.nextUnsent(now) { count(order, .unsent, now) }
        while let index = firstReady(), let order = pacer?.next(now) {
            dropReady()
            if order.isCounted { report.delay.record(now.nanoseconds(since: order.start)) }
            outstanding += 1
            slots[index].carrier?.begin(order, now: now)
            requeue(index)
        }
        if case .open = plan.pace, let next = pacer?.start(now), next > now { timer?.set(next) }
        if isDone { change.resume() }
    }

    // MARK: What connections tell

    /// A request ended; `failure` says how if not as it should.
    func ended(_ order: LoadOrder, _ failure: LoadFailure?) {
        outstanding -= 1
        count(order, failure, time.monotonic())
    }

    private func count(_ order: LoadOrder, _ failure: LoadFailure?, _ now: MonotonicInstant) {
        guard order.isCounted, let pacer else {
            report.warmUpRequests += 1
            if failure != nil { report.warmUpFailures += 1 }
            return
        }
        report.requests += 1
        report.elapsed = now.nanoseconds(since: pacer.measuredFrom)
        if let failure { report.failures[failure, default: 0] += 1 }
        switch failure {
        case nil, .late, .unsent: report.latency.record(now.nanoseconds(since: order.start))
        case .status, .body, .reset, .lost, .unconnected: break
        }
    }

    /// A connection may take another request.
    func freed(_ index: Int) { requeue(index) }

    /// A connection is over.
    func lost(_ index: Int) {
        let hadAnswered = slots[index].carrier?.hasAnswered ?? false
        slots[index].carrier = nil
        if isClosing { return change.resume() }
        hadAnswered ? dialSoon(index) : dialLater(index)
    }

    // MARK: Making connections

    private func dialLater(_ index: Int) {
        loop.schedule(after: LoadLimits.redialPause) { [weak self] in self?.dialSoon(index) }
    }

    private func dialSoon(_ index: Int) {
        dialler.waiting.append(index)
        dialNext()
    }

    private func dialNext() {
        while dialler.active < LoadLimits.dialsAtOnce, !isClosing, dialler.firstFault == nil,
            let index = dialler.waiting.popLast()
        {
            dialler.active += 1
            lane.enter(with: self) { lane, generator in
                // The generator is on this lane's thread and stays there.
                nonisolated(unsafe) let generator = generator
                Task.immediate(executorPreference: lane.loop) {
                    _ = lane.loop
                    await unsafe generator.dial(index)
                }
            }
        }
    }

    private func dial(_ index: Int) async {
        do throws(OutboundFailure) {
            let carrier = try await LoadDial(self, slot: index).connect()
            if pacer == nil { report.connections += 1 } else { report.reconnections += 1 }
            slots[index].carrier = carrier
            requeue(index)
        } catch {
            dialFailed(index, LoadDial.reason(error))
        }
        dialler.active -= 1
        if isClosing { slots[index].carrier?.close() }
        dialNext()
        change.resume()
        feed()
    }

    private func dialFailed(_ index: Int, _ reason: String) {
        guard pacer != nil else {
            dialler.firstFault = dialler.firstFault ?? reason
            return
        }
        report.failedDials += 1
        report.lastDialFault = reason
        // In a closed loop the connections are the clock, so that a request fails with each.
        let now = time.monotonic()
        if case .closed = plan.pace, let order = pacer?.next(now) {
            count(order, .unconnected, now)
        }
        dialLater(index)
    }

    // MARK: Whose turn it is

    private func requeue(_ index: Int) {
        guard !slots[index].isQueued, slots[index].carrier.map({ $0.room > 0 }) ?? false else {
            return
        }
        slots[index].isQueued = true
        ready.append(index)
    }

    /// The first slot in the row that has room, which stays there; nil when none has.
    private func firstReady() -> Int? {
        while readyStart < ready.count {
            let index = ready[readyStart]
            if let carrier = slots[index].carrier, carrier.room > 0 { return index }
            dropReady()
        }
        return nil
    }

    private func dropReady() {
        slots[ready[readyStart]].isQueued = false
        readyStart += 1
        // Each slot stands in the row once at most, so that this keeps it short.
        if readyStart == ready.count || readyStart > 2 * slots.count {
            ready.removeFirst(readyStart)
            readyStart = 0
        }
    }
}

extension MonotonicInstant {
    /// Nanoseconds from `earlier` to this point; 0 when that is later.
    fileprivate func nanoseconds(since earlier: MonotonicInstant) -> UInt64 {
        nanoseconds > earlier.nanoseconds ? nanoseconds - earlier.nanoseconds : 0
    }
}
