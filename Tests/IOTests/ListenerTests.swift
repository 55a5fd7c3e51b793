// SPDX-License-Identifier: Apache-2.0
import Bytes
import Glibc
import IO
import Testing

@Suite(.timeLimit(.minutes(1))) struct ListenerTests {
    @Test func portZeroBecomesARealPort() async throws {
        try await onLoop { lane in
            let first = try Listener(on: lane.loop, at: anyPort)
            let second = try Listener(on: lane.loop, at: anyPort)
            #expect(first.address.port ?? 0 > 0)
            #expect(first.address != second.address)
            #expect(throws: SystemError("bind", EADDRINUSE)) {
                try Listener(on: lane.loop, at: first.address)
            }
        }
    }

    @Test func listenersOfTwoLoopsShareAPort() async throws {
        try await onLoop { lane in
            var options = Listener.Options()
            options.sharesPort = true
            let first = try Listener(on: lane.loop, at: anyPort, options: options)
            let second = try Listener(on: lane.loop, at: first.address, options: options)
            #expect(first.address == second.address)
        }
    }

    @Test func listensOnIPv6() async throws {
        try await onLoop { lane in
            do {
                let listener = try lane.startEcho(at: .ip(.loopbackV6, port: 0))
                let socket = try await lane.connect(to: listener.address)
                #expect(socket.peerAddress == listener.address)
                #expect(socket.localAddress?.host == .loopbackV6)
                let inbox = Inbox(socket)
                try socket.send([1, 2, 3])
                #expect(await inbox.wait(for: 3) == [1, 2, 3])
            } catch let error as SystemError where error.code == EADDRNOTAVAIL {
                return  // this machine has IPv6 switched off
            }
        }
    }

    @Test func unixSocketIsPrivateAndRemoved() async throws {
        try await withTemporaryDirectory { directory in
            try await onLoop { lane in
                let path = directory + "/echo.sock"
                let listener = try lane.startEcho(at: .unix(path: path))
                var facts = stat()
                #expect(unsafe stat(path, &facts) == 0)
                #expect(facts.st_mode & 0o777 == 0o600)
                let socket = try await lane.connect(to: .unix(path: path))
                let inbox = Inbox(socket)
                try socket.send([9])
                #expect(await inbox.wait(for: 1) == [9])
                #expect(throws: SystemError("bind", EADDRINUSE)) {
                    try Listener(on: lane.loop, at: .unix(path: path))
                }
                listener.close()
                #expect(!FileSystem.exists(path))
            }
        }
    }

    @Test func aStaleUnixSocketIsReplacedAndAFileIsNot() async throws {
        try await withTemporaryDirectory { directory in
            try await onLoop { lane in
                let path = directory + "/stale.sock"
                try leaveStaleSocket(path)
                #expect(FileSystem.exists(path))
                let listener = try lane.startEcho(at: .unix(path: path))
                _ = try await lane.connect(to: .unix(path: path))
                listener.close()

                let file = directory + "/file"
                try FileSystem.replace(file, with: [1])
                #expect(throws: SystemError("bind", EADDRINUSE)) {
                    try Listener(on: lane.loop, at: .unix(path: file))
                }
                #expect(try FileSystem.read(file, limit: 9) == [1])
            }
        }
    }

    /// A successor's file under the same path survives the end of its predecessor.
    @Test func closingLeavesASuccessorsSocketAlone() async throws {
        try await withTemporaryDirectory { directory in
            try await onLoop { lane in
                let path = directory + "/a.sock"
                let first = try lane.startEcho(at: .unix(path: path))
                try FileSystem.remove(path)
                let second = try lane.startEcho(at: .unix(path: path))
                first.close()
                #expect(FileSystem.exists(path))
                second.close()
            }
        }
    }

    @Test func aPausedListenerGoesOnWhereItStopped() async throws {
        try await onLoop { lane in
            var accepted = 0
            let arrival = Waiter<Void, Never>()
            let listener = try Listener(on: lane.loop, at: anyPort)
            listener.onAccept = { _, _ in
                accepted += 1
                arrival.resume()
            }
            listener.pause()
            for _ in 0..<3 { _ = try await lane.connect(to: listener.address) }
            try await lane.loop.sleep(for: .milliseconds(5))
            #expect(accepted == 0)
            listener.resume()
            while accepted < 3 { await arrival.wait() }
        }
    }

    /// More connections than one tick accepts: the rest comes in later ticks, without new edges.
    @Test func theAcceptBudgetLosesNobody() async throws {
        try await onLoop { lane in
            var options = Listener.Options()
            options.acceptsPerTick = 2
            var accepted = 0
            let arrival = Waiter<Void, Never>()
            let listener = try Listener(on: lane.loop, at: anyPort, options: options)
            listener.pause()
            for _ in 0..<21 { _ = try await lane.connect(to: listener.address) }
            try await lane.loop.sleep(for: .milliseconds(5))
            let ticks = lane.loop.counters.ticks
            listener.onAccept = { _, _ in
                accepted += 1
                arrival.resume()
            }
            listener.resume()
            while accepted < 21 { await arrival.wait() }
            #expect(lane.loop.counters.ticks - ticks >= 10)
        }
    }

    /// Without descriptors the client is told at once, the loop rests instead of spinning, and it
    /// recovers. In a process of its own, because the limit is the process's.
    @Test func outOfDescriptorsShedsAndRecovers() async {
        await #expect(processExitsWith: .success) {
            try await onLoop { lane in
                let listener = try lane.startEcho()
                var hoard: [Int32] = []
                // The client's side is opened first: it is in the same process.
                let clients = try (0..<4).map { _ in try rawClient() }
                try OpenFiles.setLimit(64)
                while case let number = dup(0), number >= 0 { hoard.append(number) }
                for client in clients { try connectBlocking(client, to: listener.address) }
                try await lane.loop.sleep(for: .milliseconds(250))
                let ticks = lane.loop.counters.ticks
                try await lane.loop.sleep(for: .milliseconds(250))
                guard lane.loop.counters.ticks - ticks < 50 else { fatalError("it spins") }
                guard listener.shedCount >= 1 else { fatalError("nobody was shed") }
                for client in clients.prefix(listener.shedCount) {
                    var byte: UInt8 = 0
                    // Told at once: end of stream or reset, not silence.
                    let count = unsafe recv(client, &byte, 1, Int32(MSG_DONTWAIT))
                    guard count == 0 || (count < 0 && errno != EAGAIN) else {
                        fatalError("a shed client was left hanging")
                    }
                }
                for number in hoard { close(number) }
                let socket = try await lane.connect(to: listener.address)
                let inbox = Inbox(socket)
                try socket.send([5])
                guard await inbox.wait(for: 1) == [5] else { fatalError("it did not recover") }
            }
            exit(0)
        }
    }
}

@Suite(.timeLimit(.minutes(1))) struct ConnectTests {
    @Test func refusalIsToldWithItsCause() async throws {
        try await onLoop { lane in
            // An address of its own: another test must not be given the port meanwhile.
            let host = try #require(IPAddress("127.66.5.4"))
            let listener = try Listener(on: lane.loop, at: .ip(host, port: 0))
            let address = listener.address
            listener.close()
            await #expect(throws: ConnectError.failed(SystemError("connect", ECONNREFUSED))) {
                _ = try await lane.connect(to: address)
            }
        }
    }

    @Test func laterAddressesAreTried() async throws {
        try await onLoop { lane in
            let dead = SocketAddress.unix(path: "/no/such/socket")
            let listener = try lane.startEcho()
            let socket = try await StreamSocket.connect(
                to: [dead, listener.address], on: lane.loop,
                deadline: lane.loop.now.adding(.seconds(5)))
            #expect(socket.peerAddress == listener.address)
        }
    }

    @Test func noAddressIsAnError() async throws {
        try await onLoop { lane in
            await #expect(throws: ConnectError.noAddress) {
                _ = try await StreamSocket.connect(
                    to: [], on: lane.loop, deadline: lane.loop.now.adding(.seconds(5)))
            }
        }
    }

    /// A Unix-domain listener whose queue is full neither accepts nor refuses.
    @Test func deadlineAndCancellationEndAnAttempt() async throws {
        try await withTemporaryDirectory { directory in
            try await onLoop { lane in
                var options = Listener.Options()
                options.backlog = 0
                let address = SocketAddress.unix(path: directory + "/full.sock")
                let listener = try Listener(on: lane.loop, at: address, options: options)
                listener.pause()
                _ = try await lane.connect(to: address)
                let before = lane.loop.now
                await #expect(throws: ConnectError.timedOut) {
                    _ = try await StreamSocket.connect(
                        to: [address], on: lane.loop, deadline: before.adding(.milliseconds(50)))
                }
                #expect(lane.loop.now >= before.adding(.milliseconds(50)))

                let outcome = Settlement<Void, ConnectError>()
                let task = Task.immediate(executorPreference: lane.loop) {
                    do throws(ConnectError) {
                        _ = try await StreamSocket.connect(
                            to: [address], on: lane.loop, deadline: before.adding(.seconds(50)))
                        outcome.settle(.success(()))
                    } catch {
                        outcome.settle(.failure(error))
                    }
                }
                try await lane.loop.sleep(for: .milliseconds(10))
                task.cancel()
                await #expect(throws: ConnectError.cancelled) {
                    try await outcome.value(isolation: lane)
                }
            }
        }
    }

    /// The same for TCP: the kernel drops connections beyond a full queue without a word.
    @Test func aSilentTCPPeerTimesOut() async throws {
        try await onLoop { lane in
            var options = Listener.Options()
            options.backlog = 0
            let listener = try Listener(on: lane.loop, at: anyPort, options: options)
            listener.pause()
            var timedOut = false
            for _ in 0..<8 where !timedOut {
                do {
                    _ = try await StreamSocket.connect(
                        to: [listener.address], on: lane.loop,
                        deadline: lane.loop.now.adding(.milliseconds(100)))
                } catch {
                    #expect(error as? ConnectError == .timedOut)
                    timedOut = true
                }
            }
            #expect(timedOut)
        }
    }
}

private func leaveStaleSocket(_ path: String) throws {
    let number = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(number) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
    let size = socklen_t(MemoryLayout<sockaddr_un>.size)
    let result = unsafe withUnsafePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            unsafe bind(number, $0, size)
        }
    }
    guard result == 0 else { throw SystemError("bind", errno) }
}

private func rawClient() throws -> Int32 {
    let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard number >= 0 else { throw SystemError("socket", errno) }
    return number
}

private func connectBlocking(_ number: Int32, to address: SocketAddress) throws {
    var raw = sockaddr_in()
    raw.sin_family = sa_family_t(AF_INET)
    raw.sin_port = (address.port ?? 0).bigEndian
    raw.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    let result = unsafe withUnsafePointer(to: &raw) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            unsafe connect(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
    guard result == 0 else { throw SystemError("connect", errno) }
}
