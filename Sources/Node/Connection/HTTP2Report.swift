// SPDX-License-Identifier: Apache-2.0
import Bytes
import HTTP2
import IO

/// Tells the metrics, and the meter of the peer's identity, what one connection has counted since
/// it told them before: while it lives, because an attack may last for days.
struct HTTP2Report {
    private let parts: WorkerParts
    private let loop: EventLoop
    private var told = HTTP2Counters()

    init(_ parts: WorkerParts, on loop: EventLoop) {
        self.parts = parts
        self.loop = loop
    }

    /// - Parameter peer: Whose connection it is; `nil` in clear text.
    /// - Returns: `false` when the identity has passed its limits and the connection is to be cut.
    mutating func tell(_ session: HTTP2Session, of peer: EntityID?) -> Bool {
        let counters = session.counters
        guard counters != told else { return true }
        let news = counters.since(told)
        told = counters
        parts.counters.add(news)
        guard let peer, news.glitches > 0 else { return true }
        return parts.meters.note(news, of: peer, now: loop.now)
    }

    /// Tells the last, and why it ended.
    mutating func end(_ session: HTTP2Session, of peer: EntityID?) {
        _ = tell(session, of: peer)
        guard let limit = session.failure?.limit else { return }
        parts.counters.cut(for: limit)
        if let peer { parts.meters.noteCut(for: limit, of: peer, now: loop.now) }
    }
}

extension HTTP2Error {
    /// The limit or deadline that the peer passed, as metrics name it.
    fileprivate var limit: String? {
        switch self {
        case .abuse(let abuse): abuse.rawValue
        case .late(let deadline): deadline.rawValue
        case .violation, .ended: nil
        }
    }
}
