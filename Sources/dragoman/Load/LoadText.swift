// SPDX-License-Identifier: Apache-2.0
import HTTP
import JSON
import Node

/// The report of `tool load`, for people and for programs.
enum LoadText {
    static func lines(_ report: LoadReport, _ plan: LoadPlan) -> [String] {
        var lines = [header(plan)]
        func put(_ name: String, _ text: String) {
            lines.append(name + String(repeating: " ", count: max(1, 13 - name.count)) + text)
        }
        put("requests", "\(report.requests)")
        put("failed", "\(report.failed)")
        for (text, count) in failures(report) { put("  \(count)", text) }
        put("rate", "\(decimal(report.rate, 1))/s over \(decimal(seconds(report.elapsed), 2)) s")
        put("latency", times(report.latency))
        if case .open = plan.pace { put("late start", times(report.delay)) }
        put("bytes", "\(report.bytesReceived) received, \(report.bytesSent) sent")
        var connections = "\(report.connections)"
        if report.reconnections > 0 { connections += ", \(report.reconnections) made again" }
        if let fault = report.lastDialFault {
            connections += ", \(report.failedDials) attempts failed: \(fault)"
        }
        put("connections", connections)
        if let allowed = report.streamsAllowed {
            put("streams", "\(allowed) at a time: the server allows no more")
        }
        if report.warmUpRequests > 0 {
            put("warm-up", "\(report.warmUpRequests) requests, \(report.warmUpFailures) failed")
        }
        return lines
    }

    /// Times are whole nanoseconds.
    static func json(_ report: LoadReport, _ plan: LoadPlan) -> JSONNode {
        var answer: JSONNode = [
            "requests": .int(report.requests), "failed": .int(report.failed),
            "failures": .object(failures(report).map { .init($0.text, .int($0.count)) }),
            "rate": .number(decimal(report.rate, 3)), "elapsed": .int(report.elapsed),
            "latency": json(report.latency),
        ]
        if case .open(let rate) = plan.pace {
            answer["offered_rate"] = .number(decimal(rate, 3))
            answer["late_start"] = json(report.delay)
        }
        answer["bytes_received"] = .int(report.bytesReceived)
        answer["bytes_sent"] = .int(report.bytesSent)
        answer["connections"] = .int(report.connections)
        answer["reconnections"] = .int(report.reconnections)
        answer["failed_dials"] = .int(report.failedDials)
        answer["dial_fault"] = report.lastDialFault.map { .string($0) }
        answer["streams_allowed"] = report.streamsAllowed.map { .int($0) }
        answer["warm_up_requests"] = .int(report.warmUpRequests)
        answer["warm_up_failed"] = .int(report.warmUpFailures)
        return answer
    }

    /// What the run will do now, for whoever waits for it.
    static func outlook(_ plan: LoadPlan) -> String {
        let warmUp = plan.warmUp > .zero ? "warming up for \(plan.warmUp), then " : ""
        switch plan.amount {
        case .requests(let count): return warmUp + "sending \(count) requests"
        case .duration(let duration): return warmUp + "sending for \(duration)"
        }
    }

    private static func header(_ plan: LoadPlan) -> String {
        let target = plan.target
        let version = target.version == .http2 ? "HTTP/2" : "HTTP/1.1"
        let pace: String
        switch plan.pace {
        case .closed: pace = "closed loop"
        case .open(let rate): pace = "open loop, \(decimal(rate, 1))/s"
        }
        return "\(plan.request.method) \(target.scheme.rawValue)://\(target.authority)"
            + "\(plan.request.path), \(version), "
            + "\(plan.connections) connections of \(plan.streams) streams, \(pace)"
    }

    /// The kinds of failure, the most frequent first.
    private static func failures(_ report: LoadReport) -> [(text: String, count: Int)] {
        report.failures.map { (text: $0.key.description, count: $0.value) }
            .sorted { ($1.count, $0.text) < ($0.count, $1.text) }
    }

    private static func times(_ histogram: LatencyHistogram) -> String {
        guard histogram.count > 0 else { return "none" }
        return "p50 \(time(histogram.quantile(0.5)))  p90 \(time(histogram.quantile(0.9)))  "
            + "p99 \(time(histogram.quantile(0.99)))  max \(time(histogram.greatest))"
    }

    private static func json(_ histogram: LatencyHistogram) -> JSONNode {
        [
            "count": .int(histogram.count), "min": .int(histogram.least),
            "mean": .int(UInt64(histogram.mean)), "p50": .int(histogram.quantile(0.5)),
            "p90": .int(histogram.quantile(0.9)), "p99": .int(histogram.quantile(0.99)),
            "p999": .int(histogram.quantile(0.999)), "max": .int(histogram.greatest),
        ]
    }

    /// Three digits or more, in the unit that people read.
    static func time(_ nanoseconds: UInt64) -> String {
        let value = Double(nanoseconds)
        switch nanoseconds {
        case ..<1_000_000: return decimal(value / 1e3, 1) + " us"
        case ..<1_000_000_000: return decimal(value / 1e6, 2) + " ms"
        default: return decimal(value / 1e9, 2) + " s"
        }
    }

    private static func seconds(_ nanoseconds: UInt64) -> Double { Double(nanoseconds) / 1e9 }

    /// A number with so many digits behind the point.
    private static func decimal(_ value: Double, _ digits: Int) -> String {
        let scale = (0..<digits).reduce(1) { scale, _ in scale * 10 }
        let scaled = UInt64((value * Double(scale)).rounded())
        let (whole, part) = scaled.quotientAndRemainder(dividingBy: UInt64(scale))
        let text = String(part)
        return "\(whole)." + String(repeating: "0", count: digits - text.count) + text
    }
}
