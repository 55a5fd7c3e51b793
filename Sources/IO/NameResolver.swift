// SPDX-License-Identifier: Apache-2.0
package import Bytes
import CLinux
import Glibc
import Synchronization

/// Why a name has no addresses.
package enum ResolveError: Error, Hashable, Sendable {
    /// Not a host name: empty, too long, odd characters, or a number in disguise.
    case malformed
    /// The name does not exist or has no address.
    case notFound
    /// The resolver could not be asked or did not answer; another try may succeed.
    case unavailable
    /// Too many look-ups wait already.
    case busy
}

/// Host names to addresses by the system's resolver (`getaddrinfo`), on threads of its own, with a
/// cache. One serves all loops.
///
/// `getaddrinfo` tells no time to live, so answers are kept for a fixed, short time. Numeric
/// addresses are answered at once and never reach the resolver; the loose numeric forms that the C
/// library would accept (`0x7f.1`, `017700000001`) are refused. `localhost` and the names under it
/// are the loopback addresses whatever the system says (RFC 6761 §6.3): a machine without a hosts
/// file would not know them, and one whose name server answers for them would be sent elsewhere.
package final class NameResolver: Sendable {
    /// Bounds of the resolver.
    package struct Limits: Sendable {
        /// How long an answer is used. Most names of services live for minutes.
        package var freshFor = Duration.seconds(30)
        /// How long a failure is used: a flood of requests to a dead name asks once in that time.
        package var failureFor = Duration.seconds(3)
        /// Names kept.
        package var entries = 1024
        /// Look-ups under way or waiting, each of a different name.
        package var lookups = 256
        /// Threads: a name whose server does not answer blocks one for many seconds.
        package var threads = 4
        /// Addresses kept of one name.
        package var addresses = 16

        package init() {}
    }

    /// Asks for the addresses of a name; blocks. Replaced in tests.
    package typealias Lookup = @Sendable (String) -> Result<[IPAddress], ResolveError>
    private typealias Answer = Result<[IPAddress], ResolveError>

    private struct Entry {
        let answer: Answer
        let expiry: MonotonicInstant
    }

    private struct State {
        var entries: [String: Entry] = [:]
        var waiting: [String: [CheckedContinuation<Answer, Never>]] = [:]
    }

    private let limits: Limits
    private let time: any TimeSource
    private let lookup: Lookup
    private let threads: [BlockingThread]
    private let state = Mutex(State())

    /// Starts the threads.
    ///
    /// - Throws: ``SystemError`` of `pthread_create`.
    package init(
        limits: Limits = Limits(), time: any TimeSource = SystemTime(), lookup: Lookup? = nil
    ) throws(SystemError) {
        self.limits = limits
        self.time = time
        self.lookup = lookup ?? { name in systemLookup(name, mostAddresses: limits.addresses) }
        var threads: [BlockingThread] = []
        for index in 0..<max(1, limits.threads) {
            threads.append(try BlockingThread(name: "resolver \(index)"))
        }
        self.threads = threads
    }

    /// The addresses of `host`, a name or a numeric address (IPv6 with or without brackets).
    package func addresses(of host: String) async throws(ResolveError) -> [IPAddress] {
        if let address = IPAddress(host) { return [address] }
        // Before lower-casing, which would make an ASCII letter of the Kelvin sign.
        guard host.utf8.allSatisfy({ $0 < 0x80 }) else { throw .malformed }
        let name = host.lowercased()
        guard NameResolver.isName(name) else { throw .malformed }
        if name == "localhost" || name.hasSuffix(".localhost") { return [.loopback, .loopbackV6] }
        return try await answer(for: name).get()
    }

    /// The same with a port, as ``StreamSocket/connect(to:on:deadline:options:limits:)`` takes it.
    package func socketAddresses(
        of host: String, port: UInt16
    ) async throws(ResolveError) -> [SocketAddress] {
        try await addresses(of: host).map { .ip($0, port: port) }
    }

    /// Ends the threads after the look-ups under way. Not from one of them.
    package func stop() { for thread in threads { thread.stop() } }

    /// Letters, digits, hyphens and dots (RFC 1123 §2.1), and not ending in a number: such a name
    /// is an IPv4 address to the C library, whatever it looks like.
    private static func isName(_ name: String) -> Bool {
        guard (1...253).contains(name.utf8.count) else { return false }
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        for label in labels {
            guard (1...63).contains(label.utf8.count), label.first != "-", label.last != "-",
                label.utf8.allSatisfy({
                    (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D
                })
            else { return false }
        }
        guard let last = labels.last else { return false }
        let isDecimal = last.utf8.allSatisfy { (0x30...0x39).contains($0) }
        return !isDecimal && !(last.hasPrefix("0x") && last.dropFirst(2).allSatisfy(\.isHexDigit))
    }

    /// A kept answer, or that of a look-up begun or joined; decided under one lock, so that a name
    /// is never asked for twice at a time.
    private func answer(for name: String) async -> Answer {
        let now = time.monotonic()
        return await withCheckedContinuation { continuation in
            enum Next {
                case answer(Answer)
                case begin
                case wait
            }
            let next = state.withLock { state -> Next in
                if let entry = state.entries[name], entry.expiry > now {
                    return .answer(entry.answer)
                }
                if state.waiting[name] != nil {
                    state.waiting[name]?.append(continuation)
                    return .wait
                }
                guard state.waiting.count < limits.lookups else { return .answer(.failure(.busy)) }
                state.waiting[name] = [continuation]
                return .begin
            }
            switch next {
            case .answer(let answer): continuation.resume(returning: answer)
            case .begin: begin(name)
            case .wait: break
            }
        }
    }

    /// Hands the look-up to the thread that is least behind.
    private func begin(_ name: String) {
        let thread = threads.min { $0.pendingCount < $1.pendingCount } ?? threads[0]
        thread.execute { self.conclude(name, self.lookup(name)) }
    }

    private func conclude(_ name: String, _ answer: Answer) {
        let now = time.monotonic()
        let lifetime: Duration
        switch answer {
        case .success: lifetime = limits.freshFor
        case .failure: lifetime = limits.failureFor
        }
        let waiting = state.withLock { state in
            if state.entries.count >= limits.entries, state.entries[name] == nil {
                evict(&state.entries, now)
            }
            state.entries[name] = Entry(answer: answer, expiry: now.adding(lifetime))
            return state.waiting.removeValue(forKey: name) ?? []
        }
        for continuation in waiting { continuation.resume(returning: answer) }
    }

    /// Makes room: what has expired goes, or else what expires first.
    private func evict(_ entries: inout [String: Entry], _ now: MonotonicInstant) {
        entries = entries.filter { $0.value.expiry > now }
        guard entries.count >= limits.entries,
            let first = entries.min(by: { $0.value.expiry < $1.value.expiry })
        else { return }
        entries[first.key] = nil
    }
}

/// Asks `getaddrinfo`, in the order of preference of RFC 6724 that it gives.
private func systemLookup(
    _ name: String, mostAddresses: Int
) -> Result<[IPAddress], ResolveError> {
    var hints = unsafe addrinfo()
    unsafe hints.ai_family = AF_UNSPEC
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    unsafe hints.ai_flags = AI_ADDRCONFIG
    var list: UnsafeMutablePointer<addrinfo>?
    switch unsafe getaddrinfo(name, nil, &hints, &list) {
    case 0: break
    case EAI_NONAME, cl_eai_no_data, cl_eai_address_family: return .failure(.notFound)
    default: return .failure(.unavailable)
    }
    defer { unsafe freeaddrinfo(list) }
    var addresses: [IPAddress] = []
    var next = unsafe list
    while let entry = unsafe next, addresses.count < mostAddresses {
        unsafe next = entry.pointee.ai_next
        guard let raw = unsafe entry.pointee.ai_addr else { continue }
        let address = unsafe RawSocketAddress(
            copying: raw, length: entry.pointee.ai_addrlen
        ).address?.host
        if let address, !addresses.contains(address) { addresses.append(address) }
    }
    return addresses.isEmpty ? .failure(.notFound) : .success(addresses)
}
