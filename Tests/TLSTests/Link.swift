// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto
import TLS
import TestSupport

/// Two organisations that trust each other, and a third that neither knows.
struct Network {
    let phone: TestOrganisation
    let hotel: TestOrganisation
    let rival: TestOrganisation
    let time = VirtualTime()

    init() throws {
        phone = try TestOrganisation("phone.example", seed: 1)
        hotel = try TestOrganisation("hotel.example:8443", seed: 2)
        rival = try TestOrganisation("rival.example", seed: 3)
    }

    var trust: PeerTrust {
        PeerTrust(entities: [phone.entity: phone.anchors, hotel.entity: hotel.anchors])
    }

    /// A server context of the hotel.
    func server(
        trust: PeerTrust? = nil, _ protocols: [ApplicationProtocol] = [.h2],
        chain: [Certificate]? = nil, limits: TLSLimits = .standard
    ) throws -> TLSContext {
        let identity = try TLSIdentity(chain: chain ?? hotel.chain, key: hotel.key)
        return try TLSContext(
            server: identity, peers: (trust ?? self.trust).verifier(time: time),
            protocols: protocols, limits: limits)
    }

    /// A client context of the phone maker.
    func client(
        trust: PeerTrust? = nil, _ protocols: [ApplicationProtocol] = [.h2],
        chain: [Certificate]? = nil
    ) throws -> TLSContext {
        let identity = try TLSIdentity(chain: chain ?? phone.chain, key: phone.key)
        return try TLSContext(
            client: identity, peers: (trust ?? self.trust).verifier(time: time),
            protocols: protocols)
    }

    /// A link between the two that is ready for data.
    func established() throws -> Link {
        var link = try Link(client(), server(), to: .entity(hotel.entity))
        link.handshake()
        if let error = link.clientError ?? link.serverError { throw error }
        return link
    }
}

/// Both ends of a connection, with the wire between them.
struct Link: ~Copyable {
    var client: TLSSession
    var server: TLSSession
    /// The first error of each side.
    var clientError: TLSError?
    var serverError: TLSError?
    /// All that went over the wire so far.
    var toServer: [UInt8] = []
    var toClient: [UInt8] = []

    init(_ client: TLSContext, _ server: TLSContext, to destination: Destination) throws {
        let near = try TLSSession(connecting: client, to: destination)
        let far = try TLSSession(accepting: server)
        self.client = near
        self.server = far
    }

    /// Runs the handshake to its end on both sides, or to an error, in pieces of `chunk` bytes.
    /// Then the client reads once, since a refusal of its certificate comes after its handshake.
    mutating func handshake(chunk: Int = .max) {
        clientError = step(&client)
        repeat {
            let out = client.takeAll()
            toServer += out
            for piece in out.pieces(of: chunk) where serverError == nil {
                serverError = feed(piece, &server)
            }
            let back = server.takeAll()
            toClient += back
            for piece in back.pieces(of: chunk) where clientError == nil {
                clientError = feed(piece, &client)
            }
        } while client.ciphertextCount > 0
        if clientError == nil, client.isEstablished {
            do throws(TLSError) { _ = try client.readOnce() } catch { clientError = error }
        }
    }
}

private func step(_ session: inout TLSSession) -> TLSError? {
    do throws(TLSError) { _ = try session.handshake() } catch { return error }
    return nil
}

private func feed(_ bytes: [UInt8], _ session: inout TLSSession) -> TLSError? {
    do throws(TLSError) {
        try session.receive(bytes.span)
        _ = try session.handshake()
    } catch { return error }
    return nil
}

extension TLSSession {
    /// All ciphertext that waits for the wire.
    mutating func takeAll() -> [UInt8] {
        var bytes: [UInt8] = []
        takeCiphertext(appendingTo: &bytes)
        return bytes
    }

    /// One read with room for `room` bytes: the bytes, and what the read said.
    mutating func readOnce(room: Int = 16 << 10) throws(TLSError) -> ([UInt8], Reading) {
        var buffer = [UInt8](repeating: 0, count: room)
        var span = buffer.mutableSpan
        let reading = try read(into: &span)
        guard case .plaintext(let count) = reading else { return ([], reading) }
        return (Array(buffer[..<count]), reading)
    }

    /// Everything that can be read, and the reading that ended it.
    mutating func readAll(room: Int = 16 << 10) throws(TLSError) -> ([UInt8], Reading) {
        var bytes: [UInt8] = []
        while true {
            let (more, reading) = try readOnce(room: room)
            bytes += more
            guard case .plaintext = reading else { return (bytes, reading) }
        }
    }

    mutating func write(_ bytes: [UInt8]) throws(TLSError) { try write(bytes.span) }
}

extension [UInt8] {
    /// The bytes in pieces of `count`, the last one shorter.
    func pieces(of count: Int) -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        var rest = self[...]
        while !rest.isEmpty {
            pieces.append([UInt8](rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        return pieces
    }
}
