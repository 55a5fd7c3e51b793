// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

extension StreamSocket {
    /// What one write gave.
    package enum WriteOutcome: Hashable, Sendable {
        /// So many bytes were taken. If fewer than offered, ``StreamSocket/onWritable`` tells
        /// when to offer the rest.
        case written(Int)
        /// The connection is gone, or our end was finished (EPIPE).
        case failed(SystemError)
    }

    /// Why ``send(_:)`` refused. Nothing of the bytes was sent or kept unless the socket failed.
    package enum SendError: Error, Hashable, Sendable {
        /// The bytes would grow the backlog beyond ``Limits/backlog``.
        case backlogFull
        /// The socket is closed, finished or broken.
        case failed(SystemError)
    }

    /// Offers bytes to the kernel once and keeps nothing: the caller owns what is not taken.
    package func write(_ bytes: Span<UInt8>) -> WriteOutcome {
        loop.requireLoop()
        guard output.backlog.isEmpty else {
            output.isAwaited = true
            return .written(0)
        }
        return offer(bytes)
    }

    /// The same for an array.
    package func write(_ bytes: [UInt8]) -> WriteOutcome { write(bytes.span) }

    /// Offers several pieces in one system call, at most ``mostParts`` of them; else as
    /// ``write(_:)``.
    package func write(parts: [[UInt8]]) -> WriteOutcome {
        loop.requireLoop()
        guard output.backlog.isEmpty else {
            output.isAwaited = true
            return .written(0)
        }
        var vector: [iovec] = unsafe []
        unsafe vector.reserveCapacity(min(parts.count, StreamSocket.mostParts))
        return unsafe offer(parts[...], &vector)
    }

    /// Pieces of one ``write(parts:)`` (the kernel's IOV_MAX is 1024).
    package static var mostParts: Int { 64 }

    /// Sends bytes, keeping what the kernel does not take and sending it when it does.
    ///
    /// Look at ``isCongested`` after sending: a producer that does not stop then meets
    /// ``SendError/backlogFull``.
    package func send(_ bytes: Span<UInt8>) throws(SendError) {
        loop.requireLoop()
        guard !output.isFinishing else { throw .failed(SystemError("send", EPIPE)) }
        var taken = 0
        if output.backlog.isEmpty {
            // Refused before anything is written: a frame sent by half is worse than none.
            guard bytes.count <= limits.backlog else { throw .backlogFull }
            switch output.isBlocked ? .written(0) : offer(bytes) {
            case .written(let count): taken = count
            case .failed(let error): throw .failed(error)
            }
        } else if output.backlog.count + bytes.count > limits.backlog {
            throw .backlogFull
        }
        guard taken < bytes.count else { return }
        output.backlog.append(bytes.extracting(droppingFirst: taken))
        if isCongested { output.isAwaited = true }
    }

    /// The same for an array.
    package func send(_ bytes: [UInt8]) throws(SendError) { try send(bytes.span) }

    /// Bytes that wait for the kernel.
    package var backlogCount: Int { output.backlog.count }

    /// Whether producers should stop until ``onWritable``.
    package var isCongested: Bool { output.backlog.count >= limits.highWater }

    /// Ends our direction after the backlog: the peer reads the end of the stream, and may go on
    /// sending.
    package func finish() {
        loop.requireLoop()
        guard isOpen, !output.isFinishing else { return }
        output.isFinishing = true
        finishIfDrained()
    }

    func kernelTakesMore() {
        guard output.isBlocked else { return }
        output.isBlocked = false
        while !output.backlog.isEmpty {
            guard case .written(let count) = output.backlog.offer(to: offer) else {
                // The connection is gone; reading or the hang-up says so.
                output.backlog = Backlog()
                break
            }
            output.backlog.consume(count)
            if output.isBlocked { break }
        }
        finishIfDrained()
        if output.isAwaited, output.backlog.count <= limits.lowWater {
            output.isAwaited = false
            onWritable?()
        }
    }

    private func finishIfDrained() {
        guard output.isFinishing, output.backlog.isEmpty, !output.hasFinished else { return }
        output.hasFinished = true
        _ = shutdown(number, Int32(SHUT_WR))
    }

    private func offer(_ bytes: Span<UInt8>) -> WriteOutcome {
        let count = unsafe bytes.withUnsafeBufferPointer { space in
            var part = unsafe iovec(
                iov_base: UnsafeMutableRawPointer(mutating: space.baseAddress), iov_len: space.count
            )
            return unsafe cl_send_vector(number, &part, 1)
        }
        return judge(count, offered: bytes.count)
    }

    /// Collects pointers by descending into one `withUnsafeBytes` per piece, so that each is valid
    /// while the kernel reads it.
    private func offer(_ parts: ArraySlice<[UInt8]>, _ vector: inout [iovec]) -> WriteOutcome {
        guard let first = parts.first, unsafe vector.count < StreamSocket.mostParts else {
            let offered = unsafe vector.reduce(0) { unsafe $0 + $1.iov_len }
            let count = unsafe cl_send_vector(number, vector, Int32(vector.count))
            return judge(count, offered: offered)
        }
        return unsafe first.withUnsafeBufferPointer { space in
            unsafe vector.append(
                iovec(
                    iov_base: UnsafeMutableRawPointer(mutating: space.baseAddress),
                    iov_len: space.count))
            return unsafe offer(parts.dropFirst(), &vector)
        }
    }

    private func judge(_ count: Int, offered: Int) -> WriteOutcome {
        if count == offered { return .written(count) }
        guard count >= 0 || count == -Int(EAGAIN) else {
            return .failed(SystemError("send", Int32(-count)))
        }
        // The kernel's buffer is full; it announces room by an edge.
        output.isBlocked = true
        if output.backlog.isEmpty { output.isAwaited = true }
        return .written(max(0, count))
    }
}
