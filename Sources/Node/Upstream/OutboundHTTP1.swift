// SPDX-License-Identifier: Apache-2.0
import Bytes
import HTTP
import IO

/// A connection to a local agent: HTTP/1.1 in clear, one call at a time.
final class OutboundHTTP1: ChannelOwner, OutboundCarrier {
    private let channel: Channel
    private let limits: UpstreamLimits
    private var parser: HTTP1ResponseParser
    private var output = HTTP1Output()
    private var exchange: OutboundExchange?
    /// Told when a call has ended, with whether another may follow, and when the connection is
    /// over.
    var onIdle: ((_ isUsable: Bool) -> Void)?
    /// Since when it waits for a call.
    private(set) var idleSince: MonotonicInstant

    init(_ channel: Channel, limits: UpstreamLimits) {
        self.channel = channel
        self.limits = limits
        // The whole answer may be a stream without end; whoever reads it counts.
        var http = HTTP1Limits()
        http.body = .max
        parser = HTTP1ResponseParser(limits: http)
        idleSince = channel.loop.now
        channel.owner = self
    }

    func start() { channel.start() }

    /// Whether it can take a call now.
    var isUsable: Bool {
        channel.state == .open && exchange == nil && parser.keepsAlive && !parser.isBusy
    }

    func send(_ request: OutboundRequest) throws(OutboundFailure) -> OutboundExchange {
        guard isUsable else { throw .refused("the connection is ending") }
        output.write { bytes in
            HTTP1Serializer.write(
                request.head,
                framing: request.body.isEmpty ? .none : .length(request.body.count),
                into: &bytes)
        }
        output.append(request.body)
        parser.expectResponse(to: request.head.method)
        let exchange = OutboundExchange(self)
        self.exchange = exchange
        channel.wantsToSend()
        return exchange
    }

    func exchange(_ exchange: OutboundExchange, consumed count: Int) {
        channel.resumeReading()
    }

    func exchangeCancelled(_ exchange: OutboundExchange) {
        guard exchange === self.exchange else { return }
        self.exchange = nil
        // HTTP/1.1 has no other way to say it.
        close()
    }

    func close() { channel.abort() }

    // MARK: The channel

    func channelOpened() {}

    func channelReceived(_ bytes: ArraySlice<UInt8>) {
        parser.append(bytes)
        read { () throws(HTTP1Fault) in try parser.next() }
        if let exchange, exchange.unreadCount > limits.unreadBytes { channel.pauseReading() }
    }

    func channelFill(_ bytes: inout [UInt8], atMost limit: Int) {
        output.take(atMost: limit, into: &bytes)
    }

    func channelPeerFinished() {
        read { () throws(HTTP1Fault) in try parser.finish() }
        channel.close()
    }

    func channelClosed(_ end: ChannelEnd) {
        let text = OutboundHTTP2.text(end)
        exchange.take()?.fail(.lost(text))
        let told = onIdle.take()
        told?(false)
    }

    private func read(_ next: () throws(HTTP1Fault) -> HTTP1ResponseParser.Event?) {
        do throws(HTTP1Fault) {
            while let event = try next() {
                switch event {
                case .head(let head): exchange?.receive(head)
                case .body(let bytes): exchange?.receive(bytes)
                case .end: ended()
                }
            }
        } catch {
            let fault: OutboundFailure =
                error == .truncated
                ? .lost("the agent closed the connection")
                : .malformed("it is not HTTP/1.1: \(error.rawValue)")
            exchange.take()?.fail(fault)
            channel.abort()
        }
    }

    private func ended() {
        exchange.take()?.receiveEnd()
        idleSince = channel.loop.now
        if parser.keepsAlive {
            onIdle?(true)
        } else {
            channel.close()
        }
    }
}
