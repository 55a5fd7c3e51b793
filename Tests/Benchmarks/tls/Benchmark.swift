// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto
import Glibc
import TLS

/// What a handshake costs on each side, what a record costs, and what an idle session holds.
@main
enum Benchmark {
    static func main() throws {
        let pair = try Contexts()
        try handshakes(pair)
        for size in [64, 512, 4096, 16 << 10, 20_000] { try records(pair, size) }
        try memory(pair)
    }

    private static func handshakes(_ contexts: Contexts) throws {
        var best = (client: Int.max, server: Int.max)
        for _ in 0..<20 {
            var spent = (client: 0, server: 0)
            for _ in 0..<20 {
                let link = try Link(contexts)
                spent.client += link.clientTime
                spent.server += link.serverTime
            }
            best = (min(best.client, spent.client / 20), min(best.server, spent.server / 20))
        }
        print("handshake: client \(best.client / 1000) us, server \(best.server / 1000) us")
    }

    /// A write on one side, its way over, a read on the other: the best of 20 rounds of 2000.
    private static func records(_ contexts: Contexts, _ size: Int) throws {
        var link = try Link(contexts)
        let data = [UInt8](repeating: 7, count: size)
        var scratch = [UInt8](repeating: 0, count: 16 << 10)
        var (writing, reading) = (Int.max, Int.max)
        for _ in 0..<20 {
            var spent = (0, 0)
            for _ in 0..<2000 {
                let start = now()
                try link.client.write(data.span)
                let written = now()
                try link.cross()
                try link.readAll(into: &scratch)
                let read = now()
                spent = (spent.0 + written - start, spent.1 + read - written)
            }
            (writing, reading) = (min(writing, spent.0 / 2000), min(reading, spent.1 / 2000))
        }
        print("\(size) bytes: write \(writing) ns, over and read \(reading) ns")
    }

    private static func memory(_ contexts: Contexts) throws {
        let before = resident()
        var links: [Box] = []
        for _ in 0..<500 { links.append(try Box(contexts)) }
        print(
            "idle session: \((resident() - before) / links.count / 2) bytes, of \(links.count * 2)")
    }
}

/// A server and a client of one organisation that trusts itself.
struct Contexts {
    let server: TLSContext
    let client: TLSContext
    let entity: EntityID

    init() throws {
        guard let entity = EntityID("https://gateway.example") else { fatalError("entity id") }
        let time = StandingClock()
        let end = time.now().adding(seconds: 86_400)
        let authority = try CertificateAuthority.create(
            name: "CA", key: SigningKey.generate(.p256), notBefore: time.now(), notAfter: end,
            random: SystemRandom())
        let key = SigningKey.generate(.p256)
        let certificate = try authority.issue(
            entity: entity, key: key.verifying, notBefore: time.now(), notAfter: end,
            random: SystemRandom())
        let identity = try TLSIdentity(chain: [certificate], key: key)
        let anchors = TrustAnchors(certificates: [authority.certificate])
        let verifier = PeerTrust(entities: [entity: anchors]).verifier(time: time)
        server = try TLSContext(server: identity, peers: verifier, protocols: [.h2])
        client = try TLSContext(client: identity, peers: verifier, protocols: [.h2])
        self.entity = entity
    }
}

struct StandingClock: TimeSource {
    func now() -> Instant { Instant(seconds: 1_795_219_200) }
    func monotonic() -> MonotonicInstant { MonotonicInstant(nanoseconds: 0) }
}

struct Link: ~Copyable {
    var client: TLSSession
    var server: TLSSession
    private(set) var clientTime = 0
    private(set) var serverTime = 0

    init(_ contexts: Contexts) throws {
        let start = now()
        var client = try TLSSession(connecting: contexts.client, to: .entity(contexts.entity))
        _ = try client.handshake()
        let first = now()
        var server = try TLSSession(accepting: contexts.server)
        try move(&client, &server)
        let second = now()
        try move(&server, &client)
        let third = now()
        try move(&client, &server)
        let end = now()
        invariant(client.isEstablished && server.isEstablished, "the handshake is over")
        (clientTime, serverTime) = (first - start + third - second, second - first + end - third)
        self.client = client
        self.server = server
    }

    /// Brings what the client wrote to the server.
    mutating func cross() throws {
        var failure: TLSError?
        client.drainCiphertext { bytes in
            do throws(TLSError) { try server.receive(bytes) } catch { failure = error }
            return bytes.count
        }
        if let failure { throw failure }
    }

    mutating func readAll(into scratch: inout [UInt8]) throws {
        var span = scratch.mutableSpan
        while case .plaintext = try server.read(into: &span) {}
    }
}

final class Box {
    private var link: Link
    init(_ contexts: Contexts) throws { link = try Link(contexts) }
}

private func move(_ from: inout TLSSession, _ to: inout TLSSession) throws {
    var bytes: [UInt8] = []
    from.takeCiphertext(appendingTo: &bytes)
    try to.receive(bytes.span)
    _ = try to.handshake()
}

private func now() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// Bytes of memory that the process occupies.
private func resident() -> Int {
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 200)
    guard fgets(&line, 200, file) != nil else { return 0 }
    let text = String(decoding: line.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return (Int(text.split(separator: " ")[1]) ?? 0) * 4096
}
