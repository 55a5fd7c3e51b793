// SPDX-License-Identifier: Apache-2.0
import Bytes
import Glibc
import IO
import Synchronization
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1))) struct AddressTests {
    @Test(arguments: [
        "1.2.3.4:443", "0.0.0.0:0", "[::1]:8443", "[2001:db8::1]:65535", "unix:/run/x.sock",
    ])
    func addressesRoundTrip(text: String) {
        #expect(SocketAddress(text)?.description == text)
    }

    @Test(arguments: [
        "", ":443", "localhost:443", "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:+1",
        "1.2.3:80", "0x7f.0.0.1:80", "0177.0.0.1:80", "::1:80", "[127.0.0.1]:80", "[::1]", "unix:",
        "unix:" + String(repeating: "x", count: 108),
    ])
    func othersAreRefused(text: String) {
        #expect(SocketAddress(text) == nil)
    }

    @Test(arguments: [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
        "100.64.0.1", "100.127.255.255", "0.0.0.0", "224.0.0.1", "255.255.255.255", "192.0.2.1",
        "198.18.0.1", "198.19.255.255", "::", "::1", "fe80::1", "fc00::1", "fdff::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2001:db8::1", "2002:7f00:1::",
        "2001::1", "3fff::1", "::127.0.0.1",
    ])
    func specialAddressesAreNotPublic(text: String) throws {
        #expect(try #require(IPAddress(text)).isPublic == false)
    }

    @Test(arguments: [
        "1.1.1.1", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1", "198.17.0.1",
        "223.255.255.255", "::ffff:8.8.8.8", "2606:4700:4700::1111", "2a00:1450:4001::1",
    ])
    func othersArePublic(text: String) throws {
        #expect(try #require(IPAddress(text)).isPublic)
    }
}

@Suite(.timeLimit(.minutes(1))) struct NameTests {
    @Test func numericAddressesNeedNoLookup() async throws {
        let resolver = try NameResolver { _ in .failure(.unavailable) }
        #expect(try await resolver.addresses(of: "127.0.0.1") == [.loopback])
        #expect(try await resolver.addresses(of: "[::1]") == [.loopbackV6])
        resolver.stop()
    }

    @Test(arguments: ["localhost", "LocalHost", "agent.localhost"])
    func localhostIsNotLookedUp(name: String) async throws {
        let resolver = try NameResolver { _ in .failure(.unavailable) }
        #expect(
            try await resolver.socketAddresses(of: name, port: 80)
                == [.ip(.loopback, port: 80), .ip(.loopbackV6, port: 80)])
        resolver.stop()
    }

    @Test func theSystemIsAsked() async throws {
        // A name that no system knows (RFC 6761 §6.4) is not found, or cannot be asked for where
        // there is no network; what matters is that `getaddrinfo` is reached and its word is kept.
        let resolver = try NameResolver()
        await #expect {
            try await resolver.addresses(of: "nobody.invalid")
        } throws: { error in
            [.notFound, .unavailable].contains(error as? ResolveError)
        }
        resolver.stop()
    }

    @Test(arguments: [
        "", ".", "a..b", "-a.example", "a-.example", "exa mple", "a_b", "例え.jp", "\u{212A}.example",
        "0x7f.1", "127.1",
        "017700000001", "2130706433", "0x7f000001", "1.2.3.0x4", "example.1", "host.", "[::1",
        String(repeating: "a", count: 64), String(repeating: "a.", count: 127) + "aa",
    ])
    func whatIsNoNameNeverReachesTheResolver(host: String) async throws {
        let resolver = try NameResolver { name in
            Issue.record("asked for \(name)")
            return .success([.loopback])
        }
        await #expect(throws: ResolveError.malformed) { try await resolver.addresses(of: host) }
        resolver.stop()
    }

    @Test func answersAreSharedKeptAndForgotten() async throws {
        let asked = Mutex(0)
        let time = VirtualTime()
        let resolver = try NameResolver(time: time) { _ in
            asked.withLock { $0 += 1 }
            return .success([.loopback])
        }
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<20 {
                group.addTask { _ = try? await resolver.addresses(of: "Peer.example") }
            }
        }
        #expect(asked.withLock { $0 } == 1)
        time.advance(seconds: 29)
        _ = try await resolver.addresses(of: "peer.example")
        #expect(asked.withLock { $0 } == 1)
        time.advance(seconds: 2)
        _ = try await resolver.addresses(of: "peer.example")
        #expect(asked.withLock { $0 } == 2)
        resolver.stop()
    }

    @Test func failuresAreKeptForAShortTime() async throws {
        let asked = Mutex(0)
        let time = VirtualTime()
        let resolver = try NameResolver(time: time) { _ in
            asked.withLock { $0 += 1 }
            return .failure(.notFound)
        }
        for _ in 0..<5 {
            await #expect(throws: ResolveError.notFound) {
                try await resolver.addresses(of: "dead.example")
            }
        }
        #expect(asked.withLock { $0 } == 1)
        time.advance(seconds: 4)
        await #expect(throws: ResolveError.notFound) {
            try await resolver.addresses(of: "dead.example")
        }
        #expect(asked.withLock { $0 } == 2)
        resolver.stop()
    }

    /// One name whose server does not answer holds up neither other names nor the memory.
    @Test func aHangingNameLeavesOthersAlone() async throws {
        var limits = NameResolver.Limits()
        limits.lookups = 2
        limits.threads = 2
        let release = BlockingGate()
        let isReleased = Mutex(false)
        let resolver = try NameResolver(limits: limits) { name in
            if name == "slow.example" {
                release.wait()
                isReleased.withLock { $0 = true }
            }
            return .success([.loopback])
        }
        let slow = Task { try await resolver.addresses(of: "slow.example") }
        while !release.hasVisitor { await Task.yield() }
        for index in 0..<5 {
            #expect(try await resolver.addresses(of: "quick\(index).example") == [.loopback])
        }
        #expect(!isReleased.withLock { $0 })
        release.open()
        #expect(try await slow.value == [.loopback])
        resolver.stop()
    }

    @Test func lookupsAreBounded() async throws {
        var limits = NameResolver.Limits()
        limits.lookups = 1
        limits.threads = 1
        let gate = BlockingGate()
        let resolver = try NameResolver(limits: limits) { _ in
            gate.wait()
            return .success([.loopback])
        }
        let slow = Task { try await resolver.addresses(of: "one.example") }
        while !gate.hasVisitor { await Task.yield() }
        await #expect(throws: ResolveError.busy) {
            try await resolver.addresses(of: "two.example")
        }
        gate.open()
        _ = try await slow.value
        resolver.stop()
    }
}

/// Holds a thread until it is opened.
private final class BlockingGate: Sendable {
    private let state = Mutex((isOpen: false, hasVisitor: false))

    var hasVisitor: Bool { state.withLock { $0.hasVisitor } }

    func open() { state.withLock { $0.isOpen = true } }

    func wait() {
        state.withLock { $0.hasVisitor = true }
        while !state.withLock({ $0.isOpen }) { usleep(1000) }
    }
}
