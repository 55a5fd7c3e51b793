// SPDX-License-Identifier: Apache-2.0
package import Bytes
import Synchronization

/// Where a process stands between its start and its end, for those who watch it.
package final class NodeState: Sendable {
    /// The phases, in order.
    package enum Phase: String, Sendable {
        /// Books and listeners are being opened.
        case starting
        case serving
        /// No new connections; what is under way ends.
        case draining
    }

    /// One place at which connections are accepted.
    package struct Place: Sendable, Equatable {
        package let name: String
        package let kind: String
        /// As it was bound, with the port that the system chose.
        package let address: String

        package init(name: String, kind: String, address: String) {
            self.name = name
            self.kind = kind
            self.address = address
        }
    }

    /// The organisation as people here call it.
    package let name: String
    /// The version of the program.
    package let version: String
    package let started: Instant
    /// What became of the files of keys and certificates.
    package let keyFiles = KeyFiles()
    private let current: Mutex<(phase: Phase, places: [Place])>

    /// A process that has just begun.
    package init(name: String, version: String, started: Instant) {
        self.name = name
        self.version = version
        self.started = started
        current = Mutex((.starting, []))
    }

    /// The phase now.
    package var phase: Phase { current.withLock { $0.phase } }

    /// Where connections are accepted.
    package var places: [Place] { current.withLock { $0.places } }

    /// Everything is open. A process that drains already goes on draining.
    package func serve(at places: [Place]) {
        current.withLock { state in
            state.places = places
            if state.phase == .starting { state.phase = .serving }
        }
    }

    /// The end has begun.
    package func drain() { current.withLock { $0.phase = .draining } }
}

/// What an operator can have the process do.
package protocol NodeControl: Sendable {
    /// Reads the configuration and the files that it names again, and puts them in force.
    ///
    /// - Returns: The faults, each with its line; empty when everything is in force. With a fault
    ///   everything stays as it was.
    func reload() async -> [String]
    /// Begins to drain, and returns at once; the process ends by itself.
    func drain() async
}
