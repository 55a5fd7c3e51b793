// SPDX-License-Identifier: Apache-2.0
import Bytes

/// What the session knows about one stream.
final class HTTP2Stream {
    let id: HTTP2StreamID
    var body = OutgoingBody()

    /// The owner knows of it, so it must hear of its end.
    var isAnnounced = false
    /// Our message was begun: the final response, or the request.
    var isSubmitted = false
    /// Our head went out.
    var headWasSent = false
    /// The peer's message is complete.
    var peerEnded = false
    /// The head of the peer's final response came (client).
    var hasResponse = false
    /// The owner reads no more; what comes is dropped and its window given back.
    var isAbandoned = false
    /// Who reset it, if anyone did so far.
    var resetBy: HTTP2Closure.Initiator?
    /// The code that we gave as the reason, also when the peer's end came before it could go out.
    var resetCode: HTTP2ErrorCode?

    /// The library waits for us to say that there is something to send.
    var isDeferred = false
    /// Sending waits for a larger window or the next tick.
    var isHeldSmall = false
    var lastSmallWrite: MonotonicInstant?
    /// The owner was told to stop writing.
    var isFull = false

    /// Bytes handed to the owner and not consumed.
    var unconsumed = 0
    var received = 0
    var interimResponses = 0

    /// The start of the present stretch without enough progress, and the count then.
    var writeMark: (since: MonotonicInstant, taken: Int)?
    var readMark: (since: MonotonicInstant, received: Int)?

    init(id: HTTP2StreamID) {
        self.id = id
    }
}
