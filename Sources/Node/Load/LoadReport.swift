// SPDX-License-Identifier: Apache-2.0
package import IO

/// Why a request of a load run did not end as it should.
package enum LoadFailure: Hashable, Sendable, CustomStringConvertible {
    /// The answer had a status that was not expected.
    case status(Int)
    /// The status was right and the body was not as it should be.
    case body
    /// No whole answer before its time was up.
    case late
    /// In an open loop: no stream was free before its time was up, so it was never sent.
    case unsent
    /// The server ended the stream without an answer.
    case reset
    /// The connection was lost under it, or broke the rules of HTTP.
    case lost
    /// In a closed loop: it should have gone over a connection that could not be made again.
    case unconnected

    package var description: String {
        switch self {
        case .status(let status): "status \(status)"
        case .body: "unexpected body"
        case .late: "no answer in time"
        case .unsent: "not sent in time"
        case .reset: "stream reset"
        case .lost: "connection lost"
        case .unconnected: "cannot connect"
        }
    }
}

/// What a load run found.
package struct LoadReport: Sendable {
    /// Requests that were counted: all but those of the warm-up.
    package internal(set) var requests = 0
    package internal(set) var failures: [LoadFailure: Int] = [:]
    /// Requests of the warm-up, and how many of them failed.
    package internal(set) var warmUpRequests = 0
    package internal(set) var warmUpFailures = 0
    /// From when a request was to begin to the end of its answer. Counted are the requests that
    /// ended as they should, and, with what was waited for them, those that were given up: these
    /// would only have taken longer. Other failures, which may be quick, would flatter.
    package internal(set) var latency = LatencyHistogram()
    /// From when a request was to begin until it was sent: what the open loop waited for a free
    /// stream, and what this program itself was late.
    package internal(set) var delay = LatencyHistogram()
    /// Bytes of HTTP, under TLS before encryption, of the whole run.
    package internal(set) var bytesReceived = 0
    package internal(set) var bytesSent = 0
    /// Connections that were made at the start, and made again because they had ended.
    package internal(set) var connections = 0
    package internal(set) var reconnections = 0
    /// Attempts to make a connection again that failed, and why the latest did.
    package internal(set) var failedDials = 0
    package internal(set) var lastDialFault: String?
    /// Fewest requests at a time that a connection's server allowed, where it was less than asked.
    package internal(set) var streamsAllowed: Int?
    /// From the end of the warm-up to the last end of a counted request, in nanoseconds.
    package internal(set) var elapsed: UInt64 = 0

    package init() {}

    /// Requests that did not end as they should.
    package var failed: Int { failures.values.reduce(0, +) }

    /// Requests a second that ended as they should.
    package var rate: Double {
        elapsed == 0 ? 0 : Double(requests - failed) * 1e9 / Double(elapsed)
    }

    /// Adds what another loop of the same run found at the same time.
    mutating func merge(_ other: LoadReport) {
        requests += other.requests
        failures.merge(other.failures, uniquingKeysWith: +)
        warmUpRequests += other.warmUpRequests
        warmUpFailures += other.warmUpFailures
        latency.merge(other.latency)
        delay.merge(other.delay)
        bytesReceived += other.bytesReceived
        bytesSent += other.bytesSent
        connections += other.connections
        reconnections += other.reconnections
        failedDials += other.failedDials
        lastDialFault = lastDialFault ?? other.lastDialFault
        streamsAllowed = [streamsAllowed, other.streamsAllowed].compactMap { $0 }.min()
        elapsed = max(elapsed, other.elapsed)
    }
}

/// Why a load run could not begin.
package enum LoadFault: Error, Equatable, Sendable, CustomStringConvertible {
    /// The kernel grants no threads or descriptors.
    case system(SystemError)
    /// The limit on open files is below the number of connections.
    case openFiles(Int)
    /// The first connections could not all be made.
    case unconnected(made: Int, of: Int, String)

    package var description: String {
        switch self {
        case .system(let error): error.description
        case .openFiles(let limit):
            "the limit on open files, \(limit), is too low for so many connections: ulimit -n"
        case .unconnected(let made, let count, let reason):
            "\(made) of \(count) connections were made: \(reason)"
        }
    }
}
