// SPDX-License-Identifier: Apache-2.0
import A2A
import Bytes
package import Consent
import Crypto
package import Gateway
package import HTTP
import Synchronization

/// What machines watch: `/live`, `/ready` and `/metrics`. Nothing here changes anything or names a
/// task, a user or an amount, so that it may listen beyond this machine.
package struct ObserveService: Service {
    let gateway: GatewayState
    let node: NodeState
    let journal: WatchedJournal
    let sources: [any MetricSource]
    private let memory = BacklogMemory()

    /// - Parameter sources: What counts elsewhere in the process: requests, connections, the log.
    package init(
        gateway: GatewayState, node: NodeState, journal: WatchedJournal,
        sources: [any MetricSource]
    ) {
        self.gateway = gateway
        self.node = node
        self.journal = journal
        self.sources = sources
    }

    private enum Resource: String {
        case live = "/live"
        case ready = "/ready"
        case metrics = "/metrics"
    }

    /// What the head alone decides; `nil` has the request answered by ``respond(to:through:)``.
    package func refusal(
        of head: HTTPRequestHead, at listener: ListenerSettings, from peer: Presenter?
    ) -> ServiceResponse? {
        guard Resource(rawValue: head.path) != nil else { return .plain(404, "Nothing is here") }
        if head.method == .get || head.method == .head { return nil }
        var response = ServiceResponse.plain(405, "GET and HEAD are served here")
        response.fields.append(.allow, "GET, HEAD")
        return response
    }

    /// Answers one complete request.
    package func respond(
        to request: ServiceRequest, through upstreams: any Upstreams
    ) async -> ServiceResponse {
        switch Resource(rawValue: request.head.path) {
        case .live: return .plain(200, "alive")
        case .ready:
            guard let reason = await obstacle() else { return .plain(200, "ready") }
            var response = ServiceResponse.plain(503, reason)
            response.fields.append(.retryAfter, "10")
            return response
        case .metrics:
            return ServiceResponse(
                status: 200, fields: [.contentType: Self.mediaType],
                body: .bytes(Array(await metrics().utf8)))
        case nil: return .plain(404, "Nothing is here")
        }
    }

    private static let mediaType: HTTPFieldValue = "text/plain; version=0.0.4; charset=utf-8"

    /// Why requests should go elsewhere; `nil` when they should come.
    func obstacle() async -> String? {
        switch node.phase {
        case .starting: return "starting"
        case .draining: return "draining"
        case .serving: break
        }
        // No peer would come in, and none would be called.
        if let end = gateway.settings.certificateEnd, end <= gateway.time.now() {
            return "the certificate has ended"
        }
        switch await journal.check() {
        case nil: return nil
        case .full: return "the journal is not writable: the disk is full"
        default: return "the journal is not writable"
        }
    }

    // MARK: Metrics

    private func metrics() async -> String {
        let now = gateway.time.now()
        var page = MetricsPage()
        page.fact(
            "dragoman_build_info", "The program that runs.", [("version", node.version)])
        page.add(
            "dragoman_start_time_seconds", .gauge, "When the process began, Unix time.",
            node.started.seconds)
        page.add(
            "dragoman_draining", .gauge, "1 while the process drains.",
            node.phase == .draining ? 1 : 0)
        for source in sources { page.add(source) }
        addJournal(to: &page)
        if let backlog = await memory.backlog(of: gateway) { add(backlog, now, to: &page) }
        page.add(
            "dragoman_files_refused", .gauge,
            "Files of keys and certificates whose last contents are not used.",
            node.keyFiles.refused.count)
        page.add(
            "dragoman_files_taken_total", .counter,
            "How often new keys or certificates were put in force without a reload.",
            node.keyFiles.swaps)
        if let end = gateway.settings.certificateEnd {
            page.add(
                "dragoman_certificate_expiry_seconds", .gauge,
                "Seconds until the first certificate of our chain ends.", (end - now) / 1000)
        }
        page.add(
            "dragoman_peers_suspended", .gauge, "Peers whose new requests are refused.",
            gateway.standing.all.count)
        page.add(
            "dragoman_refusals_unrecorded_total", .counter,
            "Refusals that came too fast to be written down for explain.",
            gateway.unrecordedRefusals)
        return page.text
    }

    private func addJournal(to page: inout MetricsPage) {
        let totals = journal.totals
        page.add(
            "dragoman_journal_waiting", .gauge, "Callers that wait for a commit.",
            journal.waiting)
        page.add(
            "dragoman_journal_writes_total", .counter, "Transactions asked for.", totals.writes)
        page.add(
            "dragoman_journal_failures_total", .counter, "Transactions that the disk refused.",
            totals.failures)
        page.add(
            "dragoman_journal_milliseconds_total", .counter,
            "Time from the request of a transaction to its commit, summed.",
            totals.milliseconds)
    }

    private func add(_ backlog: Backlog, _ now: Instant, to page: inout MetricsPage) {
        page.add(
            "dragoman_outbox_depth", .gauge, "Messages owed to somebody.", backlog.outbox)
        page.add(
            "dragoman_outbox_oldest_seconds", .gauge,
            "For how long the oldest of them has been due.",
            backlog.outboxSince.map { max(0, (now - $0) / 1000) } ?? 0)
        page.add(
            "dragoman_holds_pending", .gauge, "Holds neither posted nor released.",
            backlog.pendingHolds)
        page.add(
            "dragoman_asks_open", .gauge, "Tasks that wait for their user.", backlog.openAsks)
    }
}

/// The last count of what waits: whoever reads the page a thousand times a second counts the
/// journal's rows no oftener than others.
private final class BacklogMemory: Sendable {
    /// Milliseconds for which a count is good.
    private static let freshness: Int64 = 1000
    private let last = Mutex<(at: MonotonicInstant, backlog: Backlog)?>(nil)

    /// `nil` when the journal cannot be read.
    func backlog(of gateway: GatewayState) async -> Backlog? {
        let now = gateway.time.monotonic()
        let known = last.withLock { $0 }
        if let known, now.milliseconds(since: known.at) < Self.freshness { return known.backlog }
        guard let backlog = try? await gateway.journal.read({ try $0.backlog() }) else {
            return nil
        }
        last.withLock { $0 = (now, backlog) }
        return backlog
    }
}
