// SPDX-License-Identifier: Apache-2.0
import A2A
import Bytes
import Gateway
import HTTP
import IO

/// The events of an agent's stream: server-sent events, each in the form of its
/// binding (A2A §9.4.2, §11.7).
final class UpstreamStream: UpstreamEvents {
    private let exchange: OutboundExchange
    private let reader: AnswerReader
    private let loop: EventLoop
    private let silence: Duration
    private weak var scope: RequestUpstreams?
    private var parser = SSEParser()
    private var events: ArraySlice<SSEEvent> = []
    /// The agent said that nothing follows, though its stream may still be open.
    private var isLast = false
    private var isOver = false
    private lazy var alarm = Alarm(on: loop) { [weak self] in self?.lookForSilence() }
    private var heard: (bytes: Int, since: MonotonicInstant)

    /// - Parameter silence: After so long without a byte, also of comments, the stream is lost.
    init(
        _ exchange: OutboundExchange, _ reader: AnswerReader, on loop: EventLoop,
        silence: Duration, of scope: RequestUpstreams?
    ) {
        self.exchange = exchange
        self.reader = reader
        self.loop = loop
        self.silence = silence
        self.scope = scope
        heard = (exchange.received, loop.now)
        alarm.set(loop.now.adding(silence))
    }

    func next() async throws(UpstreamFailure) -> StreamEvent? {
        do throws(UpstreamFailure) {
            while !isOver, !isLast {
                if let event = events.popFirst() {
                    let read = try reader.event(event.data)
                    isLast = read.isLast
                    return read.event
                }
                try await readMore()
            }
            await readEnd()
            return nil
        } catch {
            // Nothing that comes after a fault is believed.
            cancel()
            throw error
        }
    }

    func cancel() {
        end()
        exchange.stop(.cancelled)
    }

    private func readMore() async throws(UpstreamFailure) {
        let piece: [UInt8]?
        do {
            piece = try await exchange.nextPiece()
        } catch {
            if isOver { return }
            throw UpstreamFailure(error)
        }
        guard let piece else { return end() }
        var read: [SSEEvent] = []
        do {
            try parser.receive(piece[...], into: &read)
        } catch {
            // The events before the fault are good, and come first: the parser repeats it.
            if read.isEmpty {
                throw .malformed("the stream of events breaks a rule: \(error.rawValue)")
            }
        }
        events = read[...]
    }

    /// Lets an agent that said its last word end the stream by itself, so that the connection can
    /// be used again.
    private func readEnd() async {
        guard !isOver else { return }
        let timer = loop.schedule(at: loop.now.adding(Self.endGrace)) { [exchange] in
            exchange.stop(.cancelled)
        }
        while let piece = try? await exchange.nextPiece(), !piece.isEmpty {}
        loop.cancel(timer)
        end()
    }

    /// How long an agent may take to end a stream in which nothing follows.
    private static let endGrace = Duration.seconds(1)

    private func end() {
        guard !isOver else { return }
        isOver = true
        events = []
        alarm.cancel()
        scope?.remove(exchange)
    }

    private func lookForSilence() {
        if exchange.received != heard.bytes { heard = (exchange.received, loop.now) }
        let due = heard.since.adding(silence)
        guard due <= loop.now else { return alarm.set(due) }
        exchange.stop(.lost("the agent's stream was silent for too long"))
    }
}

/// A stream of the one event that an agent answered with.
final class SingleEvent: UpstreamEvents {
    private var event: StreamEvent?

    init(_ event: StreamEvent) { self.event = event }

    func next() async throws(UpstreamFailure) -> StreamEvent? { event.take() }

    func cancel() { event = nil }
}
