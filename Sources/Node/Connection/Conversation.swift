// SPDX-License-Identifier: Apache-2.0
import Bytes

/// One version of HTTP on an accepted connection.
protocol Conversation: AnyObject {
    /// Takes bytes from the client.
    func receive(_ bytes: ArraySlice<UInt8>)
    /// Appends what is to be sent, at most `limit` bytes.
    func fill(_ output: inout [UInt8], atMost limit: Int)
    /// The socket takes no more now.
    func blocked()
    /// The client sends no more.
    func peerFinished()
    /// Takes no new requests and ends the connection after the last one.
    func drain()
    /// Ends now, whatever still runs.
    func cut()
    /// The channel is closed: nobody is listening.
    func end()
    /// When ``expire(now:)`` has something to do.
    var nextDeadline: MonotonicInstant? { get }
    /// Acts on what is late.
    func expire(now: MonotonicInstant)
}

extension Conversation {
    /// Nothing to stop where a request is not begun before the last answer is out.
    func blocked() {}
}
