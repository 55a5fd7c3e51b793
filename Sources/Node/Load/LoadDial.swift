// SPDX-License-Identifier: Apache-2.0
import Bytes
import HTTP2
import IO
import TLS

/// Makes one connection of a load run.
struct LoadDial {
    private let generator: LoadGenerator
    private let slot: Int

    init(_ generator: LoadGenerator, slot: Int) {
        self.generator = generator
        self.slot = slot
    }

    /// A connection over which requests can go: with the server's SETTINGS in HTTP/2, for only
    /// then is it certain that it has accepted our certificate.
    func connect() async throws(OutboundFailure) -> any LoadCarrier {
        let target = generator.plan.target
        let loop = generator.loop
        let deadline = loop.now.adding(LoadLimits.dial)
        let socket: StreamSocket
        do {
            socket = try await StreamSocket.connect(
                to: target.addresses, on: loop, deadline: deadline)
        } catch {
            throw .refused(PeerPool.text(error))
        }
        var session: TLSSession?
        do throws(TLSError) {
            if let tls = target.tls {
                session = try TLSSession(connecting: tls.context, to: tls.destination)
            }
        } catch {
            socket.close()
            throw .refused("TLS failed: \(error)")
        }
        let channel = Channel(
            socket, session, buffers: generator.buffers, limits: generator.limits)
        switch target.version {
        case .http2:
            let carrier = LoadHTTP2(channel, generator, slot: slot)
            try await carrier.open()
            return carrier
        case .http1:
            let carrier = LoadHTTP1(channel, generator, slot: slot)
            try await carrier.open()
            return carrier
        }
    }

    /// A failure in words.
    static func reason(_ failure: OutboundFailure) -> String {
        switch failure {
        case .refused(let text), .lost(let text), .malformed(let text): text
        case .late: "no time left"
        case .cancelled: "it was given up"
        }
    }
}

/// A request that was sent over a connection of a load run, and what came of its answer.
struct LoadFlight {
    let order: LoadOrder
    let sent: MonotonicInstant
    private let expectation: LoadExpectation
    private var status: Int?
    private var body: [UInt8] = []
    private var isTooLong = false

    init(_ order: LoadOrder, sent: MonotonicInstant, _ expectation: LoadExpectation) {
        self.order = order
        self.sent = sent
        self.expectation = expectation
    }

    mutating func receive(status: Int) { self.status = status }

    mutating func receive(_ bytes: [UInt8]) {
        guard expectation.readsBody, !isTooLong else { return }
        if body.count + bytes.count > LoadLimits.answerBytes {
            isTooLong = true
            body = []
        } else {
            body += bytes
        }
    }

    /// How the whole answer failed; nil when it is as it should be.
    var verdict: LoadFailure? {
        guard let status else { return .lost }
        guard expectation.statuses.contains(status) else { return .status(status) }
        guard expectation.readsBody else { return nil }
        return !isTooLong && expectation.accepts(body) ? nil : .body
    }
}
