// SPDX-License-Identifier: Apache-2.0
package import Bytes
import Glibc

/// Why no connection came about.
package enum ConnectError: Error, Hashable, Sendable {
    /// There was no address to try.
    case noAddress
    /// The deadline passed.
    case timedOut
    /// The calling task was cancelled.
    case cancelled
    /// The last address tried gave this, e.g. ECONNREFUSED.
    case failed(SystemError)
}

extension StreamSocket {
    /// Addresses of one name that are tried: more only helps whoever controls the name to keep us
    /// busy.
    package static var mostAddresses: Int { 8 }

    /// Connects to the first of `addresses` that answers, tried in order. On the loop.
    ///
    /// Each address gets an equal share of what is left until `deadline`, so that one that swallows
    /// packets does not spend the time of those behind it.
    package static func connect(
        to addresses: [SocketAddress], on loop: EventLoop, deadline: MonotonicInstant,
        options: SocketOptions = SocketOptions(), limits: Limits = Limits(),
        isolation: isolated (any Actor)? = #isolation
    ) async throws(ConnectError) -> StreamSocket {
        loop.requireLoop()
        var last = ConnectError.noAddress
        let candidates = addresses.prefix(mostAddresses)
        for (index, address) in candidates.enumerated() {
            let now = loop.now
            guard now < deadline else { throw .timedOut }
            let share = deadline.duration(since: now) / (candidates.count - index)
            do {
                return try await connect(
                    to: address, on: loop, deadline: now.adding(share), options, limits)
            } catch ConnectError.cancelled {
                throw .cancelled
            } catch {
                last = error
            }
        }
        throw last
    }

    private static func connect(
        to address: SocketAddress, on loop: EventLoop, deadline: MonotonicInstant,
        _ options: SocketOptions, _ limits: Limits, isolation: isolated (any Actor)? = #isolation
    ) async throws(ConnectError) -> StreamSocket {
        while true {
            do {
                let (socket, isConnected) = try begin(to: address, on: loop, options, limits)
                if !isConnected { try await socket.established(before: deadline) }
                return socket
            } catch .failed(let error) where error.call == "connect" && error.code == EAGAIN {
                // A Unix-domain listener's queue is full; there is no edge to wait for.
                guard loop.now < deadline else { throw .timedOut }
            }
            do { try await loop.sleep(for: .milliseconds(5)) } catch { throw .cancelled }
        }
    }

    /// Asks the kernel to connect. A socket joins the loop only then: before, it would report a
    /// hang-up.
    private static func begin(
        to address: SocketAddress, on loop: EventLoop, _ options: SocketOptions, _ limits: Limits
    ) throws(ConnectError) -> (StreamSocket, isConnected: Bool) {
        do throws(SystemError) {
            let raw = try RawSocketAddress(address)
            let descriptor = try Descriptor.socket(family: raw.family)
            try descriptor.apply(options, isTCP: raw.family != AF_UNIX)
            let result = unsafe raw.withPointer { unsafe Glibc.connect(descriptor.number, $0, $1) }
            let isConnected = result == 0
            if !isConnected, errno != EINPROGRESS { throw SystemError.current("connect") }
            return (try StreamSocket(descriptor, on: loop, limits: limits), isConnected)
        } catch {
            throw .failed(error)
        }
    }

    /// Waits for a connection that the kernel is making; closes the socket when none comes about.
    private func established(
        before deadline: MonotonicInstant, isolation: isolated (any Actor)? = #isolation
    ) async throws(ConnectError) {
        let outcome = Settlement<Void, ConnectError>()
        output.isBlocked = true
        output.isAwaited = true
        onWritable = { [self] in
            let code = pendingError()
            outcome.settle(
                code == 0 ? .success(()) : .failure(.failed(SystemError("connect", code))))
        }
        onHangup = { hangup in
            guard case .failed(let error) = hangup else { return }
            outcome.settle(.failure(.failed(SystemError("connect", error.code))))
        }
        let timer = loop.schedule(at: deadline) { outcome.settle(.failure(.timedOut)) }
        let result = await loop.result(of: outcome, ifCancelled: .cancelled)
        loop.cancel(timer)
        onWritable = nil
        onHangup = nil
        if case .failure = result { close() }
        try result.get()
    }
}
