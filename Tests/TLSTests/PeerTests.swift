// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto
import TLS
import TestSupport
import Testing

/// A peer whose certificate breaks one rule: the fault that refuses it and the alert it is told.
struct BadPeer: CustomTestStringConvertible, Sendable {
    let name: String
    let fault: CertificateFault
    let alert: TLSAlert
    let change: @Sendable (inout CertificateTemplate) -> Void

    var testDescription: String { name }

    static let all: [BadPeer] = [
        BadPeer(name: "no SAN, a common name", fault: .identity, alert: .badCertificate) {
            ($0.uris, $0.dnsNames) = ([], [])
        },
        BadPeer(name: "DNS name only", fault: .identity, alert: .badCertificate) { $0.uris = [] },
        BadPeer(name: "two URIs", fault: .identity, alert: .badCertificate) {
            $0.uris.append("https://second.example")
        },
        BadPeer(name: "entity id with a path", fault: .identity, alert: .badCertificate) {
            $0.uris[0] += "/"
        },
        BadPeer(name: "unknown entity", fault: .untrusted, alert: .unknownCA) {
            $0.uris = ["https://stranger.example"]
        },
        BadPeer(name: "SPIFFE id without a map", fault: .untrusted, alert: .unknownCA) {
            $0.uris = ["spiffe://phone.example/gateway"]
        },
        BadPeer(name: "expired", fault: .expired, alert: .certificateExpired) {
            $0.notAfter = VirtualTime().now().adding(seconds: -1)
        },
        BadPeer(name: "not yet valid", fault: .notYetValid, alert: .badCertificate) {
            $0.notBefore = VirtualTime().now().adding(seconds: 60)
        },
        BadPeer(
            name: "no extended key usage", fault: .extendedKeyUsage, alert: .unsupportedCertificate
        ) { $0.usages = [] },
        BadPeer(
            name: "code signing", fault: .extendedKeyUsage, alert: .unsupportedCertificate
        ) { $0.usages = [.codeSigning] },
        BadPeer(
            name: "an authority", fault: .leafIsAuthority, alert: .unsupportedCertificate
        ) { $0.isAuthority = true },
    ]
}

@Suite struct PeerTests {
    @Test(arguments: BadPeer.all)
    func aServerRefuses(_ peer: BadPeer) throws {
        let network = try Network()
        let bad = try network.phone.certificate(peer.change)
        var link = try Link(
            network.client(chain: [bad]), network.server(), to: .entity(network.hotel.entity))
        link.handshake()
        #expect(link.serverError == .peerRejected(peer.fault))
        #expect(link.clientError == .alert(peer.alert))
        #expect(!link.server.isEstablished && link.server.peer == nil)
    }

    @Test(arguments: BadPeer.all)
    func aClientRefuses(_ peer: BadPeer) throws {
        let network = try Network()
        let bad = try network.hotel.certificate(peer.change)
        var link = try Link(
            network.client(), network.server(chain: [bad]), to: .entity(network.hotel.entity))
        link.handshake()
        #expect(link.clientError == .peerRejected(peer.fault))
        #expect(link.serverError == .alert(peer.alert))
        #expect(!link.client.isEstablished && link.client.peer == nil)
    }

    /// The rule of the whole network: an authority vouches only for the entities it is listed with.
    @Test func aRivalCannotUseAnothersName() throws {
        let network = try Network()
        var trust = network.trust
        trust.entities[network.rival.entity] = network.rival.anchors
        let forged = try network.rival.certificate {
            $0.uris = [network.phone.entity.text]
            $0.dnsNames = [network.phone.entity.host]
        }
        let client = try TLSContext(
            client: TLSIdentity(chain: [forged], key: network.rival.key),
            peers: trust.verifier(time: network.time), protocols: [.h2])
        var link = try Link(
            client, network.server(trust: trust), to: .entity(network.hotel.entity))
        link.handshake()
        #expect(link.serverError == .peerRejected(.untrusted))
        #expect(link.clientError == .alert(.unknownCA))
    }

    @Test func aKnownEntityIsNotTheOneThatWasDialled() throws {
        let network = try Network()
        var trust = network.trust
        trust.entities[network.rival.entity] = network.rival.anchors
        var link = try Link(
            network.client(trust: trust), network.server(), to: .entity(network.rival.entity))
        link.handshake()
        #expect(link.clientError == .peerRejected(.host))
        #expect(link.serverError == .alert(.badCertificate))
    }

    @Test func aServerMustCarryItsHost() throws {
        let network = try Network()
        let bad = try network.hotel.certificate { $0.dnsNames = ["other.example"] }
        var link = try Link(
            network.client(), network.server(chain: [bad]), to: .entity(network.hotel.entity))
        link.handshake()
        #expect(link.clientError == .peerRejected(.host))
    }

    @Test func aMappedSPIFFEIdStandsForItsEntity() throws {
        let network = try Network()
        let id = "spiffe://hotel.example/gateway"
        let certificate = try network.hotel.certificate { ($0.uris, $0.dnsNames) = ([id], []) }
        var trust = network.trust
        trust.spiffe[id] = network.hotel.entity
        var link = try Link(
            network.client(trust: trust), network.server(chain: [certificate]),
            to: .entity(network.hotel.entity))
        link.handshake()
        #expect(link.clientError == nil)
        #expect(link.client.peer?.entity == network.hotel.entity)
    }

    @Test func aPinnedKeyNeedsNoAuthority() throws {
        let network = try Network()
        let thumbprint = network.phone.key.verifying.thumbprint
        var trust = network.trust
        trust.entities[network.phone.entity] = TrustAnchors(
            certificates: [], pinnedKeys: [thumbprint])
        var link = try Link(
            network.client(), network.server(trust: trust), to: .entity(network.hotel.entity))
        link.handshake()
        #expect(link.serverError == nil)
        #expect(link.server.peer?.publicKeyThumbprint == thumbprint)
    }

    @Test func aClientWithoutCertificateIsRefused() throws {
        let network = try Network()
        let bare = try TLSContext(
            client: nil, peers: network.trust.verifier(time: network.time), protocols: [.h2])
        var link = try Link(bare, network.server(), to: .entity(network.hotel.entity))
        link.handshake()
        #expect(link.serverError == .noPeerCertificate)
        #expect(link.clientError == .alert(.certificateRequired))
    }

    @Test func anEdgeAsksForNoCertificate() throws {
        let network = try Network()
        let identity = try TLSIdentity(chain: network.hotel.chain, key: network.hotel.key)
        let edge = try TLSContext(server: identity, peers: nil, protocols: [.h2, .http11])
        var trust = PeerTrust()
        trust.hosts = network.hotel.anchors
        let client = try TLSContext(
            client: nil, peers: trust.verifier(time: network.time), protocols: [.http11])
        var link = try Link(client, edge, to: .host("hotel.example"))
        link.handshake()
        #expect(link.clientError == nil && link.serverError == nil)
        #expect(link.server.peer == nil)
        #expect(link.client.peer?.name == .host("hotel.example"))
        #expect(link.client.peer?.entity == nil)
    }

    @Test func aHostOutsideTheNetworkNeedsItsOwnAnchorsAndName() throws {
        let network = try Network()
        for (anchors, host, fault) in [
            (network.rival.anchors, "hotel.example", CertificateFault.untrusted),
            (network.hotel.anchors, "motel.example", .host),
        ] {
            var trust = network.trust
            trust.hosts = anchors
            var link = try Link(
                network.client(trust: trust), network.server(), to: .host(host))
            link.handshake()
            #expect(link.clientError == .peerRejected(fault))
        }
    }

    @Test func intermediatesAreFollowed() throws {
        let network = try Network()
        let phone = network.phone
        let key = SigningKey.generate(.p256)
        let middle = try phone.authority.createIntermediate(
            name: "middle", key: key, notBefore: phone.certificate.notBefore,
            notAfter: phone.certificate.notAfter, random: SeededRandom(seed: 9))
        let leaf = try middle.issue(
            entity: phone.entity, key: phone.key.verifying,
            notBefore: phone.certificate.notBefore, notAfter: phone.certificate.notAfter,
            random: SeededRandom(seed: 10))
        var link = try Link(
            network.client(chain: [leaf, middle.certificate]), network.server(),
            to: .entity(network.hotel.entity))
        link.handshake()
        #expect(link.serverError == nil)
        var short = try Link(
            network.client(chain: [leaf]), network.server(), to: .entity(network.hotel.entity))
        short.handshake()
        #expect(short.serverError == .peerRejected(.untrusted))
    }

    @Test func tooManyCertificatesAreNotRead() throws {
        let network = try Network()
        let count = TLSLimits.standard.chainLength
        let surplus = Array(repeating: network.phone.authority.certificate, count: count)
        var link = try Link(
            network.client(chain: network.phone.chain + surplus), network.server(),
            to: .entity(network.hotel.entity))
        link.handshake()
        #expect(link.serverError == .peerRejected(.chainTooLong))
        #expect(link.clientError == .alert(.unknownCA))
    }

    @Test func aChainOfTooManyBytesIsNotTaken() throws {
        let network = try Network()
        var limits = TLSLimits.standard
        limits.chainBytes = 400
        var link = try Link(
            network.client(), network.server(limits: limits), to: .entity(network.hotel.entity))
        link.handshake()
        guard case .violation = link.serverError else {
            Issue.record("not refused: \(String(describing: link.serverError))")
            return
        }
        #expect(link.clientError == .alert(.illegalParameter))
    }
}
