// SPDX-License-Identifier: Apache-2.0
import Bytes
import HTTP
import HTTP2
import IO

/// A connection of a load run that speaks HTTP/2, under TLS or in clear text.
final class LoadHTTP2: ChannelOwner, LoadCarrier {
    private let channel: Channel
    private let session: HTTP2Session
    private let generator: LoadGenerator
    private let slot: Int
    private var flights: [HTTP2StreamID: LoadFlight] = [:]
    private let opening = Settlement<Void, OutboundFailure>()
    private var isOpen = false
    private(set) var hasAnswered = false
    private lazy var alarm = Alarm(on: channel.loop) { [weak self] in self?.deadlineCame() }

    init(_ channel: Channel, _ generator: LoadGenerator, slot: Int) {
        self.channel = channel
        self.generator = generator
        self.slot = slot
        session = HTTP2Session(
            role: .client, limits: Self.limits(generator.plan), now: channel.loop.now)
        channel.owner = self
    }

    /// What protects a client from its servers would cut short what is to be measured here.
    private static func limits(_ plan: LoadPlan) -> HTTP2Limits {
        var limits = HTTP2Limits()
        limits.concurrentStreams = plan.streams
        limits.connectionWindow = 16 << 20
        limits.streamWindow = 1 << 20
        let unlimited = HTTP2Rate(burst: 1 << 30, perSecond: 1 << 20)
        limits.receivedResets = unlimited
        limits.glitches = unlimited
        limits.writeProgress = plan.timeout + LoadLimits.dial
        limits.preface = LoadLimits.dial
        return limits
    }

    func open() async throws(OutboundFailure) {
        channel.start()
        try await opening.value()
    }

    // MARK: What the generator asks

    var room: Int {
        guard isOpen, !session.isGoingAway else { return 0 }
        return min(generator.plan.streams - flights.count, session.availableStreams)
    }

    func begin(_ order: LoadOrder, now: MonotonicInstant) {
        let request = generator.plan.request
        let body = request.body(order.number)
        var fields = request.fields
        if !body.isEmpty { fields.set(.contentLength, HTTPFieldValue(body.count)) }
        do {
            let head = try HTTPRequestHead(
                method: request.method, scheme: generator.plan.target.scheme,
                authority: generator.plan.target.authority, path: request.path, fields: fields)
            let id = try session.submitRequest(head, isLast: body.isEmpty)
            if !body.isEmpty {
                _ = session.write(body, on: id)
                session.finish(id)
            }
            flights[id] = LoadFlight(order, sent: now, generator.plan.expectation)
        } catch {
            generator.ended(order, .lost)
        }
        channel.wantsToSend()
    }

    func giveUp(sentBy time: MonotonicInstant) {
        for (id, flight) in flights where flight.sent <= time {
            flights[id] = nil
            session.abandon(id)
            session.reset(id, .cancel)
            generator.ended(flight.order, .late)
            channel.wantsToSend()
        }
        generator.freed(slot)
    }

    func close() {
        session.terminate(.noError)
        channel.close()
    }

    // MARK: The channel

    func channelOpened() {
        channel.wantsToSend()
        alarm.set(session.nextDeadline)
    }

    func channelReceived(_ bytes: ArraySlice<UInt8>) {
        generator.report.bytesReceived += bytes.count
        try? session.receive(bytes, now: channel.loop.now)
        work()
    }

    func channelFill(_ output: inout [UInt8], atMost limit: Int) {
        let before = output.count
        session.takeOutput(into: &output, atMost: limit, now: channel.loop.now)
        generator.report.bytesSent += output.count - before
        work()
    }

    func channelPeerFinished() {
        session.connectionLost()
        work()
    }

    func channelClosed(_ end: ChannelEnd) {
        alarm.cancel()
        session.connectionLost()
        for event in session.takeEvents() { take(event) }
        let wasOpen = isOpen
        isOpen = false
        opening.settle(.failure(.refused(OutboundHTTP2.text(end))))
        for flight in flights.values { generator.ended(flight.order, .lost) }
        flights = [:]
        guard wasOpen else { return }
        generator.lost(slot)
        generator.feed()
    }

    private func deadlineCame() {
        try? session.expire(now: channel.loop.now)
        work()
    }

    // MARK: Events

    private func work() {
        let before = flights.count
        for event in session.takeEvents() { take(event) }
        if session.isFinished || session.isGoingAway && flights.isEmpty {
            session.terminate(.noError)
            channel.close()
        }
        if session.wantsOutput { channel.wantsToSend() }
        alarm.set(session.nextDeadline)
        guard flights.count < before else { return }
        generator.freed(slot)
        generator.feed()
    }

    private func take(_ event: HTTP2Event) {
        switch event {
        case .response(let id, let head, let isLast):
            flights[id]?.receive(status: head.status)
            if isLast { end(id) }
        case .data(let id, let bytes):
            session.consume(bytes.count, on: id)
            flights[id]?.receive(bytes)
        case .end(let id, _): end(id)
        case .closed(let id, let closure):
            guard let flight = flights.removeValue(forKey: id) else { return }
            generator.ended(flight.order, closure.initiator == .connection ? .lost : .reset)
        case .settings: settled()
        case .request, .rejected, .writable, .pong, .goAway: break
        }
    }

    private func end(_ id: HTTP2StreamID) {
        guard let flight = flights.removeValue(forKey: id) else { return }
        hasAnswered = true
        generator.ended(flight.order, flight.verdict)
    }

    private func settled() {
        let allowed = session.availableStreams + session.openStreams
        if allowed < generator.plan.streams {
            generator.report.streamsAllowed = min(
                generator.report.streamsAllowed ?? .max, allowed)
        }
        guard !isOpen else { return }
        isOpen = true
        opening.settle(.success(()))
    }
}
