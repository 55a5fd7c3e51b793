// SPDX-License-Identifier: Apache-2.0
import Bytes
import HTTP
import IO

/// A connection of a load run that speaks HTTP/1.1: one request at a time.
final class LoadHTTP1: ChannelOwner, LoadCarrier {
    private let channel: Channel
    private let generator: LoadGenerator
    private let slot: Int
    private var parser: HTTP1ResponseParser
    private var output = HTTP1Output()
    private var flight: LoadFlight?
    private let opening = Settlement<Void, OutboundFailure>()
    private var isOpen = false
    private(set) var hasAnswered = false

    init(_ channel: Channel, _ generator: LoadGenerator, slot: Int) {
        self.channel = channel
        self.generator = generator
        self.slot = slot
        // Bodies are read and dropped, or bounded by the flight.
        var limits = HTTP1Limits()
        limits.body = .max
        parser = HTTP1ResponseParser(limits: limits)
        channel.owner = self
    }

    func open() async throws(OutboundFailure) {
        channel.start()
        try await opening.value()
    }

    // MARK: What the generator asks

    var room: Int {
        isOpen && channel.state == .open && flight == nil && parser.keepsAlive && !parser.isBusy
            ? 1 : 0
    }

    func begin(_ order: LoadOrder, now: MonotonicInstant) {
        let request = generator.plan.request
        let target = generator.plan.target
        let body = request.body(order.number)
        guard
            let head = try? HTTPRequestHead(
                method: request.method, scheme: target.scheme, authority: target.authority,
                path: request.path, fields: request.fields)
        else { return generator.ended(order, .lost) }
        output.write { bytes in
            HTTP1Serializer.write(
                head, framing: body.isEmpty ? .none : .length(body.count), into: &bytes)
            bytes += body
        }
        parser.expectResponse(to: request.method)
        flight = LoadFlight(order, sent: now, generator.plan.expectation)
        channel.wantsToSend()
    }

    func giveUp(sentBy time: MonotonicInstant) {
        guard let late = flight, late.sent <= time else { return }
        flight = nil
        generator.ended(late.order, .late)
        // HTTP/1.1 has no other way to give a request up.
        channel.abort()
    }

    func close() { channel.close() }

    // MARK: The channel

    func channelOpened() {
        isOpen = true
        opening.settle(.success(()))
    }

    func channelReceived(_ bytes: ArraySlice<UInt8>) {
        generator.report.bytesReceived += bytes.count
        parser.append(bytes)
        read { () throws(HTTP1Fault) in try parser.next() }
    }

    func channelFill(_ bytes: inout [UInt8], atMost limit: Int) {
        let before = bytes.count
        output.take(atMost: limit, into: &bytes)
        generator.report.bytesSent += bytes.count - before
    }

    func channelPeerFinished() {
        read { () throws(HTTP1Fault) in try parser.finish() }
        channel.close()
    }

    func channelClosed(_ end: ChannelEnd) {
        let wasOpen = isOpen
        isOpen = false
        opening.settle(.failure(.refused(OutboundHTTP2.text(end))))
        if let flight = flight.take() { generator.ended(flight.order, .lost) }
        guard wasOpen else { return }
        generator.lost(slot)
        generator.feed()
    }

    private func read(_ next: () throws(HTTP1Fault) -> HTTP1ResponseParser.Event?) {
        do throws(HTTP1Fault) {
            while let event = try next() {
                switch event {
                case .head(let head): flight?.receive(status: head.status)
                case .body(let bytes): flight?.receive(bytes)
                case .end: ended()
                }
            }
        } catch {
            channel.abort()
        }
    }

    private func ended() {
        guard let flight = flight.take() else { return }
        hasAnswered = true
        generator.ended(flight.order, flight.verdict)
        guard parser.keepsAlive else { return channel.close() }
        generator.freed(slot)
        generator.feed()
    }
}
