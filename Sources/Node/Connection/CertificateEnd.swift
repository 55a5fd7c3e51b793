// SPDX-License-Identifier: Apache-2.0
import Bytes

/// When a connection ends because a certificate does: nothing looks at a certificate again after
/// the handshake, so the connection must not outlive it.
///
/// The wall clock may be set while the connection lives, so it is asked again when a deadline on
/// the steady clock comes, and each hour at least.
struct CertificateEnd {
    /// What to do now.
    enum Verdict {
        case goOn(MonotonicInstant)
        /// Begin a drain, so that what runs can end in order.
        case drain(MonotonicInstant)
        case cut
    }

    private let notAfter: Instant
    private let lead: Int64

    /// - Parameters:
    ///   - notAfter: The first of both sides' ends.
    ///   - drain: The time given to what runs; less on a connection that began with little left.
    init(_ notAfter: Instant, drain: Duration, now: Instant) {
        self.notAfter = notAfter
        let left = notAfter - now
        lead = min(drain.components.seconds * 1000, max(left, 0) / 2)
    }

    func verdict(_ time: any TimeSource) -> Verdict {
        let left = notAfter - time.now()
        guard left > 0 else { return .cut }
        let now = time.monotonic()
        if left <= lead { return .drain(now.adding(.milliseconds(left))) }
        return .goOn(now.adding(.milliseconds(min(left - lead, Self.lookMilliseconds))))
    }

    private static let lookMilliseconds: Int64 = 3_600_000
}
