// SPDX-License-Identifier: Apache-2.0
import Bytes
import Glibc
import IO
import Testing

@Suite(.timeLimit(.minutes(1))) struct SocketTests {
    @Test func echoesThroughManyConnections() async throws {
        try await onLoop { lane in
            let listener = try lane.startEcho()
            let done = Settlement<Void, Never>()
            var open = 200
            for index in 0..<200 {
                Task.immediate(executorPreference: lane.loop) {
                    do {
                        let socket = try await lane.connect(to: listener.address)
                        let inbox = Inbox(socket)
                        let text = Array("connection \(index)".utf8)
                        try socket.send(text)
                        #expect(await inbox.wait(for: text.count) == text)
                        socket.finish()
                        #expect(await inbox.waitForEnd() == text)
                    } catch {
                        Issue.record(error)
                    }
                    open -= 1
                    if open == 0 { done.settle(.success(())) }
                }
            }
            await done.value()
            listener.close()
        }
    }

    /// A large body through small kernel buffers: every edge is used, no byte is lost or doubled.
    @Test(arguments: [1, 1000, 64 << 10, 3_000_000])
    func carriesBodiesOfAnySize(count: Int) async throws {
        try await onLoop { lane in
            let listener = try lane.startEcho()
            var options = SocketOptions()
            options.sendBufferBytes = 8 << 10
            options.receiveBufferBytes = 8 << 10
            let socket = try await lane.connect(to: listener.address, options: options)
            let inbox = Inbox(socket)
            let body = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
            try socket.send(body)
            socket.finish()
            #expect(await inbox.waitForEnd() == body)
        }
    }

    /// A reader that does not read stops the writer; memory stays below the named limit.
    @Test func slowReaderBoundsTheWriter() async throws {
        try await onLoop { lane in
            let accepted = Settlement<StreamSocket, Never>()
            let listener = try Listener(on: lane.loop, at: anyPort)
            listener.onAccept = { descriptor, _ in
                if let socket = try? StreamSocket(descriptor, on: lane.loop) {
                    accepted.settle(.success(socket))
                }
            }
            var limits = StreamSocket.Limits()
            limits.backlog = 256 << 10
            let writer = try await lane.connect(to: listener.address, limits: limits)
            let reader = await accepted.value()
            reader.pauseReading()
            let chunk = [UInt8](repeating: 7, count: 16 << 10)
            var sent = 0
            while !writer.isCongested {
                try writer.send(chunk)
                sent += chunk.count
            }
            // A producer that does not stop is refused, whole chunks at a time.
            var refused = false
            while !refused {
                do throws(StreamSocket.SendError) {
                    try writer.send(chunk)
                    sent += chunk.count
                } catch {
                    #expect(error == .backlogFull)
                    refused = true
                }
            }
            #expect(writer.backlogCount <= limits.backlog)
            let writable = Settlement<Int, Never>()
            writer.onWritable = { writable.settle(.success(writer.backlogCount)) }
            let inbox = Inbox(reader)
            reader.resumeReading()
            #expect(await writable.value() <= limits.lowWater)
            writer.finish()
            #expect(await inbox.waitForEnd().count == sent)
        }
    }

    /// Bytes that came while reading was paused are told after resuming, without a new edge.
    @Test func resumingAfterAPauseLosesNoEdge() async throws {
        try await onLoop { lane in
            let listener = try lane.startEcho()
            let socket = try await lane.connect(to: listener.address)
            let inbox = Inbox(socket)
            for round in 1...20 {
                socket.pauseReading()
                try socket.send([UInt8](repeating: 1, count: 10))
                try await lane.loop.sleep(for: .milliseconds(2))
                #expect(inbox.bytes.count == (round - 1) * 10)
                socket.resumeReading()
                #expect(await inbox.wait(for: round * 10).count == round * 10)
            }
        }
    }

    /// A reader that takes a little per call is called again without a new edge.
    @Test func smallReadsAreContinued() async throws {
        try await onLoop { lane in
            let listener = try lane.startEcho()
            let socket = try await lane.connect(to: listener.address)
            var received: [UInt8] = []
            var calls = 0
            let done = Settlement<Void, Never>()
            socket.onReadable = {
                calls += 1
                _ = socket.read(atMost: 7) {
                    for index in $0.indices { received.append($0[index]) }
                }
                if received.count == 1000 { done.settle(.success(())) }
            }
            let body = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
            try socket.send(body)
            await done.value()
            #expect(received == body)
            #expect(calls >= 1000 / 7)
        }
    }

    @Test func vectoredWriteKeepsOrder() async throws {
        try await onLoop { lane in
            let listener = try lane.startEcho()
            let socket = try await lane.connect(to: listener.address)
            let inbox = Inbox(socket)
            let parts = (0..<10).map { [UInt8](repeating: UInt8($0), count: $0) }
            #expect(socket.write(parts: parts) == .written(45))
            #expect(await inbox.wait(for: 45) == parts.flatMap { $0 })
        }
    }

    @Test func halfCloseLetsTheOtherDirectionGoOn() async throws {
        try await onLoop { lane in
            let listener = try Listener(on: lane.loop, at: anyPort)
            let hangup = Settlement<StreamSocket.Hangup, Never>()
            listener.onAccept = { descriptor, _ in
                guard let socket = try? StreamSocket(descriptor, on: lane.loop) else { return }
                socket.pauseReading()
                socket.onHangup = { kind in
                    hangup.settle(.success(kind))
                    try? socket.send(Array("still here".utf8))
                    socket.finish()
                }
            }
            let socket = try await lane.connect(to: listener.address)
            let inbox = Inbox(socket)
            socket.finish()
            #expect(await hangup.value() == .finished)
            #expect(await inbox.waitForEnd() == Array("still here".utf8))
            #expect(throws: StreamSocket.SendError.self) { try socket.send([1]) }
        }
    }

    @Test func aResetIsToldAsAFailure() async throws {
        try await onLoop { lane in
            let listener = try Listener(on: lane.loop, at: anyPort)
            let hangup = Settlement<StreamSocket.Hangup, Never>()
            listener.onAccept = { descriptor, _ in
                guard let socket = try? StreamSocket(descriptor, on: lane.loop) else { return }
                socket.pauseReading()
                socket.onHangup = { hangup.settle(.success($0)) }
            }
            let socket = try await lane.connect(to: listener.address)
            try await lane.loop.sleep(for: .milliseconds(5))
            socket.reset()
            #expect(await hangup.value() == .failed(SystemError("socket", ECONNRESET)))
            #expect(!socket.isOpen)
        }
    }

    /// Two sockets become readable in one wait; the first closes the second and a new socket
    /// takes its slot and number. The old event must not reach the new socket.
    @Test func anEventOfAClosedSocketReachesNobody() async throws {
        try await onLoop { lane in
            for _ in 0..<20 {
                let (a, b) = (try SocketPair(on: lane.loop), try SocketPair(on: lane.loop))
                let stale = lane.loop.counters.staleEvents
                var replacement: SocketPair?
                var misled = false
                func replace(_ other: SocketPair) {
                    guard replacement == nil else { return }
                    other.near.close()
                    replacement = try? SocketPair(on: lane.loop)
                    replacement?.near.onReadable = { misled = true }
                    replacement?.near.onHangup = { _ in misled = true }
                }
                a.near.onReadable = { replace(b) }
                b.near.onReadable = { replace(a) }
                _ = a.far.write([1])
                _ = b.far.write([1])
                try await lane.loop.sleep(for: .milliseconds(2))
                #expect(replacement != nil)
                #expect(!misled)
                #expect(lane.loop.counters.staleEvents > stale)
                for pair in [a, b, replacement] {
                    pair?.near.close()
                    pair?.far.close()
                }
            }
        }
    }
}

/// Two connected sockets on one loop.
private struct SocketPair {
    let near: StreamSocket
    let far: StreamSocket

    init(on loop: EventLoop) throws {
        var ends: [Int32] = [0, 0]
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue)
        guard unsafe socketpair(AF_UNIX, type, 0, &ends) == 0 else {
            throw SystemError("socketpair", errno)
        }
        near = try StreamSocket(Descriptor(owning: ends[0]), on: loop)
        far = try StreamSocket(Descriptor(owning: ends[1]), on: loop)
    }
}
