// SPDX-License-Identifier: Apache-2.0

package import Bytes

// Telescoping deadlines. A hop that is paid by a later deadline than the one by which it must pay
// could be left with the debt and without the claim. So the hold towards us ends by Δ later than
// the one we place, and the receiver of a post alone decides, by its own clock, whether it came in
// time. Spec §5.5.7.

extension Tariff {
    /// The latest `post_by` to write into a hold that this tariff governs, when our own claim on
    /// the same exchange must be posted by `outer`, under a tariff whose Δ is `outerDelta` seconds;
    /// at the entrance there is no `outer`. Nil when no life would be left: then the task must not
    /// be forwarded.
    package func postBy(
        beneath outer: Instant?, outerDelta: Int64, now: Instant
    ) -> Instant? {
        let longest = now.adding(seconds: hold.longest)
        let latest = outer.map { min(longest, $0.adding(seconds: -outerDelta)) } ?? longest
        return latest > now ? latest : nil
    }
}

/// Whether a hold that ends at `inner` may be placed beneath one that ends at `outer`, with a Δ of
/// `delta` seconds.
package func telescopes(outer: Instant, inner: Instant, delta: Int64) -> Bool {
    outer - inner >= delta * 1000
}

extension HoldRequest {
    /// After this, by the callee's clock, nothing irrevocable may be begun on the hold: the post
    /// could come too late for the caller's clock. The request arrived at `received`, the clocks
    /// may differ by `skew` seconds, and the way to the caller and back takes `roundTrip`
    /// milliseconds.
    package func latestStart(received: Instant, skew: Int64, roundTrip: Int64) -> Instant {
        min(
            postBy.adding(seconds: -skew),
            received.adding(milliseconds: lifeMilliseconds - roundTrip))
    }
}
