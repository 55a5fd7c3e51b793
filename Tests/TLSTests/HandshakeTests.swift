// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto
import TLS
import TestSupport
import Testing

@Suite struct HandshakeTests {
    @Test func bothSidesLearnWhoTheOtherIs() throws {
        let network = try Network()
        var link = try network.established()
        #expect(link.client.peer?.entity == network.hotel.entity)
        #expect(link.server.peer?.entity == network.phone.entity)
        #expect(link.server.peer?.thumbprint == network.phone.certificate.thumbprint)
        #expect(link.server.peer?.publicKeyThumbprint == network.phone.key.verifying.thumbprint)
        #expect(link.server.peer?.notAfter == network.phone.certificate.notAfter)
        #expect(link.client.applicationProtocol == .h2)
        #expect(link.server.applicationProtocol == .h2)
        #expect(try link.client.handshake() == .done)
    }

    @Test(arguments: [KeyAlgorithm.p256, .ed25519])
    func bothKindsOfKeysServe(_ algorithm: KeyAlgorithm) throws {
        let one = try TestOrganisation("one.example", algorithm: algorithm)
        let trust = PeerTrust(entities: [one.entity: one.anchors])
        let verifier = trust.verifier(time: VirtualTime())
        let identity = try TLSIdentity(chain: one.chain, key: one.key)
        var link = try Link(
            TLSContext(client: identity, peers: verifier, protocols: [.h2]),
            TLSContext(server: identity, peers: verifier, protocols: [.h2]),
            to: .entity(one.entity))
        link.handshake()
        #expect(link.clientError == nil && link.serverError == nil)
        #expect(link.server.peer?.entity == one.entity)
    }

    @Test(arguments: [1, 2, 3, 5, 7, 64, 1000])
    func theHandshakeMayComeInPieces(_ chunk: Int) throws {
        let network = try Network()
        var link = try Link(
            network.client(), network.server(), to: .entity(network.hotel.entity))
        link.handshake(chunk: chunk)
        #expect(link.clientError == nil && link.serverError == nil)
        #expect(link.client.isEstablished && link.server.isEstablished)
    }

    @Test func noTicketIsSent() throws {
        let network = try Network()
        var link = try network.established()
        // A NewSessionTicket would follow the client's last flight; the wire stays silent.
        #expect(link.server.ciphertextCount == 0)
        try link.client.write([1])
        try link.server.receive(link.client.takeAll().span)
        #expect(try link.server.readAll() == ([1], .wantsCiphertext))
        #expect(link.server.ciphertextCount == 0)
    }

    @Test func theServerNameIsThatOfTheEntity() throws {
        let network = try Network()
        var client = try TLSSession(
            connecting: network.client(), to: .entity(network.hotel.entity))
        _ = try client.handshake()
        let hello = client.takeAll()
        #expect(hello.contains(Array("hotel.example".utf8)))
        #expect(!hello.contains(Array("8443".utf8)))
    }

    @Test func anAddressIsNotIndicated() throws {
        let network = try Network()
        var client = try TLSSession(connecting: network.client(), to: .host("127.0.0.1"))
        _ = try client.handshake()
        #expect(!client.takeAll().contains(Array("127.0.0.1".utf8)))
    }

    @Test func nothingIsKnownOfThePeerBeforeTheEnd() throws {
        let network = try Network()
        var client = try TLSSession(
            connecting: network.client(), to: .entity(network.hotel.entity))
        #expect(try client.handshake() == .wantsCiphertext)
        #expect(client.peer == nil && client.applicationProtocol == nil && !client.isEstablished)
    }

    @Test func aNewContextLeavesRunningSessionsAlone() throws {
        let network = try Network()
        var link = try network.established()
        // The contexts went out of scope with `established`; the session keeps its own.
        let renewed = try network.hotel.certificate { $0.commonName = "renewed" }
        var second = try Link(
            network.client(), network.server(chain: [renewed]), to: .entity(network.hotel.entity))
        second.handshake()
        #expect(second.client.peer?.certificate == renewed)
        try link.server.write([7])
        try link.client.receive(link.server.takeAll().span)
        #expect(try link.client.readAll() == ([7], .wantsCiphertext))
        #expect(link.client.peer?.certificate == network.hotel.certificate)
    }
}

@Suite struct ApplicationProtocolTests {
    struct Case: CustomTestStringConvertible {
        let server: [ApplicationProtocol]
        let client: [ApplicationProtocol]
        let agreed: ApplicationProtocol?

        var testDescription: String { "\(client) at \(server)" }
    }

    @Test(arguments: [
        Case(server: [.h2], client: [.h2], agreed: .h2),
        Case(server: [.h2, .http11], client: [.http11, .h2], agreed: .h2),
        Case(server: [.h2, .http11], client: [.http11], agreed: .http11),
        Case(server: [.h2, .http11], client: [], agreed: nil),
        Case(server: [.h2], client: [.h2, .http11], agreed: .h2),
    ])
    func agreed(_ pair: Case) throws {
        let network = try Network()
        var link = try Link(
            network.client(pair.client), network.server(pair.server),
            to: .entity(network.hotel.entity))
        link.handshake()
        #expect(link.clientError == nil && link.serverError == nil)
        #expect(link.client.applicationProtocol == pair.agreed)
        #expect(link.server.applicationProtocol == pair.agreed)
    }

    @Test(arguments: [
        Case(server: [.h2], client: [.http11], agreed: nil),
        Case(server: [.h2], client: [], agreed: nil),
        Case(server: [.http11], client: [.h2], agreed: nil),
    ])
    func refused(_ pair: Case) throws {
        let network = try Network()
        var link = try Link(
            network.client(pair.client), network.server(pair.server),
            to: .entity(network.hotel.entity))
        link.handshake()
        #expect(link.serverError == .noCommonProtocol)
        #expect(link.clientError == .alert(.noApplicationProtocol))
    }

    @Test func aLinkIsNotMadeToAServerThatIgnoresALPN() throws {
        let network = try Network()
        var link = try Link(
            network.client([.h2]), network.server([]), to: .entity(network.hotel.entity))
        link.handshake()
        #expect(link.clientError == .noCommonProtocol)
        #expect(link.serverError == .alert(.handshakeFailure))
    }
}

@Suite struct VersionTests {
    @Test func aClientWithoutTLS13IsRefused() throws {
        let network = try Network()
        var server = try TLSSession(accepting: network.server())
        try server.receive(clientHello12().span)
        #expect(throws: TLSError.noCommonVersion) { _ = try server.handshake() }
        // One alert record: fatal, protocol_version.
        let answer = server.takeAll()
        #expect(answer.first == 21)
        #expect(answer.suffix(4) == [0, 2, 2, 70])
        #expect(throws: TLSError.noCommonVersion) { _ = try server.handshake() }
    }

    /// A well-formed ClientHello of TLS 1.2 (RFC 5246 §7.4.1.2): no supported_versions.
    private func clientHello12() -> [UInt8] {
        var body = ByteWriter()
        body.u16(0x0303)
        body.bytes([UInt8](repeating: 0xA5, count: 32))
        body.bytes([0])  // no session
        body.bytes([0, 4, 0xC0, 0x2B, 0xC0, 0x2F])  // ECDHE with ECDSA and RSA, AES-128-GCM
        body.bytes([1, 0])  // no compression
        let extensions: [[UInt8]] = [
            [0, 10, 0, 6, 0, 4, 0, 0x1D, 0, 0x17],  // X25519, P-256
            [0, 11, 0, 2, 1, 0],  // uncompressed points
            [0, 13, 0, 6, 0, 4, 4, 3, 8, 4],  // ECDSA P-256, RSA-PSS
            [0, 16, 0, 5, 0, 3, 2] + Array("h2".utf8),
        ]
        body.u16(UInt16(extensions.joined().count))
        body.bytes(Array(extensions.joined()))
        var record = ByteWriter()
        record.bytes([22, 3, 1])
        record.u16(UInt16(body.bytes.count + 4))
        record.bytes([1])
        record.u24(UInt32(body.bytes.count))
        record.bytes(body.bytes)
        return record.bytes
    }
}
