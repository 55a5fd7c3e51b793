// SPDX-License-Identifier: Apache-2.0
import TLS

/// Memory that the channels of one loop share, since only one of them is ever reading or writing: a
/// channel owns memory only for what its socket would not take.
final class ChannelBuffers {
    /// What a read of a socket in clear text gave.
    var input = [UInt8](repeating: 0, count: 64 << 10)
    /// What one TLS record held.
    private(set) var plaintext = [UInt8](repeating: 0, count: 16 << 10)
    /// What is about to be written, before encryption.
    private var output: [UInt8] = []

    /// Bytes gathered for one write: four TLS records of the largest size.
    static let portion = 64 << 10

    init() { output.reserveCapacity(Self.portion) }

    /// Reads one record of a session to the front of ``plaintext``.
    func readPlaintext(of session: inout TLSSession?) throws(TLSError) -> TLSSession.Reading? {
        var lent: [UInt8] = []
        swap(&lent, &plaintext)
        defer { swap(&lent, &plaintext) }
        var room = lent.mutableSpan
        return try session?.read(into: &room)
    }

    /// Lends the output buffer, empty, to `body`.
    func withOutput(_ body: (inout [UInt8]) -> Void) {
        // Moved out meanwhile, so that `body` may reach this object again.
        var lent: [UInt8] = []
        swap(&lent, &output)
        lent.removeAll(keepingCapacity: lent.capacity <= 2 * Self.portion)
        body(&lent)
        swap(&lent, &output)
    }
}
