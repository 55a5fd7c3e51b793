// SPDX-License-Identifier: Apache-2.0
import HTTP
import IO

/// Why a request had no answer.
enum OutboundFailure: Error, Equatable {
    /// It is certain that nothing was done with it; it may be sent over another connection.
    case refused(String)
    /// The connection or the stream ended, after the request may have arrived.
    case lost(String)
    /// Its time was up.
    case late
    /// The answer breaks the rules of HTTP or our limits.
    case malformed(String)
    /// We gave it up.
    case cancelled
}

/// A request as it is sent, whatever the version of HTTP.
struct OutboundRequest {
    var head: HTTPRequestHead
    var body: [UInt8]
}

/// The connection that carries an exchange.
protocol OutboundCarrier: AnyObject {
    /// So many bytes of the answer were read.
    func exchange(_ exchange: OutboundExchange, consumed count: Int)
    /// Nobody waits for the answer any more.
    func exchangeCancelled(_ exchange: OutboundExchange)
}

/// One request that was sent, and its answer as it comes.
///
/// The carrier puts in, one task takes out. Bytes that were not taken hold the sender up.
final class OutboundExchange {
    /// The carrier's name for it.
    var number: Int32 = 0
    private(set) var head: HTTPResponseHead?
    private var unread: [UInt8] = []
    private var isEnded = false
    private var failure: OutboundFailure?
    private var carrier: (any OutboundCarrier)?
    private let arrival = Arrival()
    /// Bytes that came last, for watching over silence.
    private(set) var received = 0

    init(_ carrier: any OutboundCarrier) { self.carrier = carrier }

    // MARK: For whoever reads

    /// The head of the answer, waiting for it.
    func response() async throws(OutboundFailure) -> HTTPResponseHead {
        while true {
            if let head { return head }
            if let failure { throw failure }
            await arrival.wait()
        }
    }

    /// Whether nothing more comes.
    var isComplete: Bool { isEnded || failure != nil }

    /// The next bytes of the body, waiting for them; nil at its end.
    func nextPiece() async throws(OutboundFailure) -> [UInt8]? {
        while true {
            if !unread.isEmpty {
                let piece = unread
                unread = []
                carrier?.exchange(self, consumed: piece.count)
                return piece
            }
            if isEnded { return nil }
            if let failure { throw failure }
            await arrival.wait()
        }
    }

    /// The whole body, as far as `share` has memory for it.
    func body(
        atMost limit: Int, of share: AnswerShare
    ) async throws(OutboundFailure) -> [UInt8] {
        var body: [UInt8] = []
        while let piece = try await nextPiece() {
            guard share.take(piece.count) else {
                let failure = OutboundFailure.lost("there is no memory for the answer now")
                stop(failure)
                throw failure
            }
            if body.isEmpty { body = piece } else { body += piece }
            guard body.count <= limit else {
                stop(.malformed("the answer is larger than \(limit) bytes"))
                throw .malformed("the answer is larger than \(limit) bytes")
            }
        }
        return body
    }

    /// Gives it up: whoever waits hears `reason`, and the server that nobody listens.
    func stop(_ reason: OutboundFailure) {
        guard failure == nil, !isEnded || !unread.isEmpty else { return }
        failure = failure ?? reason
        isEnded = false
        unread = []
        let told = carrier.take()
        told?.exchangeCancelled(self)
        arrival.resume()
    }

    // MARK: For the carrier

    /// Bytes that nobody has read yet.
    var unreadCount: Int { unread.count }

    func receive(_ head: HTTPResponseHead) {
        guard failure == nil else { return }
        self.head = head
        arrival.resume()
    }

    func receive(_ bytes: [UInt8]) {
        guard failure == nil else { return }
        received += bytes.count
        if unread.isEmpty { unread = bytes } else { unread += bytes }
        arrival.resume()
    }

    func receiveEnd() {
        guard failure == nil else { return }
        isEnded = true
        arrival.resume()
    }

    /// The stream is over. An answer that came to its end is still read, and its carrier told:
    /// the bytes count against the connection's window until then.
    func fail(_ reason: OutboundFailure) {
        guard failure == nil, !isEnded else { return }
        carrier = nil
        failure = reason
        arrival.resume()
    }
}
