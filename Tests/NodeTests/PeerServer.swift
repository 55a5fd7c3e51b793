// SPDX-License-Identifier: Apache-2.0
import Bytes
import HTTP
import HTTP2
import IO
import TLS

@testable import Node

/// A peer in the test's own hand: TLS and HTTP/2 frames as the test wants them. On one lane.
final class PeerServer {
    private(set) var connections: [FrameClient] = []
    private(set) var accepted = 0
    let address: SocketAddress
    private let listener: IO.Listener

    init(as material: TrustMaterial, on lane: isolated Lane) throws {
        let listener = try IO.Listener(on: lane.loop, at: .ip(.loopback, port: 0))
        self.listener = listener
        address = listener.address
        let loop = lane.loop
        listener.onAccept = { [unowned self] descriptor, _ in
            accepted += 1
            guard let socket = try? StreamSocket(descriptor, on: loop),
                let session = try? TLSSession(accepting: material.server)
            else { return }
            let channel = Channel(
                socket, session, buffers: ChannelBuffers(), limits: ConnectionLimits())
            connections.append(FrameClient(channel, role: .server))
        }
    }

    /// Waits for the request with this number, over all connections.
    func request(_ number: Int) async -> (FrameClient, HTTP2StreamID)? {
        var found: (FrameClient, HTTP2StreamID)?
        _ = await eventually {
            let all = connections.flatMap { peer in peer.requests.map { (peer, $0.id) } }
            if all.count >= number { found = all[number - 1] }
            return found != nil
        }
        return found
    }

    /// Requests that came, over all connections.
    var requestCount: Int { connections.reduce(0) { $0 + $1.requests.count } }

    func close() {
        listener.close()
        for connection in connections { connection.channel.abort() }
    }
}

extension FrameClient {
    /// Answers a request with a JSON-RPC result.
    func answer(_ id: HTTP2StreamID) throws {
        let head = HTTPResponseHead(status: 200, fields: [.contentType: "application/json"])
        try session.submitResponse(head, on: id, isLast: false)
        _ = session.write(Array(#"{"jsonrpc":"2.0","id":1,"result":{}}"#.utf8), on: id)
        session.finish(id)
        touched()
    }
}
