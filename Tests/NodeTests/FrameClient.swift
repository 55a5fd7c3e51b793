// SPDX-License-Identifier: Apache-2.0
import Bytes
import HTTP
import HTTP2
import IO
import TLS

@testable import Node

/// One end of HTTP/2 in a test's own hand, client or server, over any channel.
final class FrameClient: ChannelOwner {
    let channel: Channel
    let session: HTTP2Session
    private(set) var heads: [HTTP2StreamID: HTTPResponseHead] = [:]
    private(set) var requests: [(id: HTTP2StreamID, head: HTTPRequestHead)] = []
    private(set) var bodies: [HTTP2StreamID: [UInt8]] = [:]
    private(set) var ended: Set<HTTP2StreamID> = []
    private(set) var closures: [HTTP2StreamID: HTTP2Closure] = [:]
    private(set) var goAways: [HTTP2ErrorCode] = []
    private(set) var hasSettings = false
    private(set) var end: ChannelEnd?
    /// Whether bytes are given back to the sender as they come.
    var reads = true
    private let change = Arrival()

    init(_ channel: Channel, role: HTTP2Session.Role = .client, limits: HTTP2Limits = .init()) {
        self.channel = channel
        session = HTTP2Session(role: role, limits: limits, now: channel.loop.now)
        channel.owner = self
        channel.start()
    }

    /// Connects in clear text, by prior knowledge.
    static func connect(
        to address: SocketAddress, on lane: isolated Lane, limits: HTTP2Limits = .init()
    ) async throws -> FrameClient {
        let socket = try await dial(address, lane)
        return FrameClient(
            Channel(socket, nil, buffers: ChannelBuffers(), limits: ConnectionLimits()),
            limits: limits)
    }

    /// Connects under TLS to alpha.
    static func connect(
        to address: SocketAddress, as material: TrustMaterial, _ entity: EntityID,
        on lane: isolated Lane, limits: HTTP2Limits = .init()
    ) async throws -> FrameClient {
        let socket = try await dial(address, lane)
        let session = try TLSSession(connecting: material.client, to: .entity(entity))
        return FrameClient(
            Channel(socket, session, buffers: ChannelBuffers(), limits: ConnectionLimits()),
            limits: limits)
    }

    private static func dial(
        _ address: SocketAddress, _ lane: isolated Lane
    ) async throws -> StreamSocket {
        try await StreamSocket.connect(
            to: [address], on: lane.loop, deadline: lane.loop.now.adding(.seconds(5)))
    }

    // MARK: Speaking

    func request(
        _ path: String, method: HTTPMethod = .post, fields: HTTPFields = [:], body: [UInt8]? = nil,
        finish: Bool = true
    ) throws -> HTTP2StreamID {
        let head = try HTTPRequestHead(
            method: method, scheme: channel.isSecure ? .https : .http, authority: "alpha.example",
            path: path, fields: fields)
        let id = try session.submitRequest(head, isLast: body == nil)
        if let body {
            _ = session.write(body, on: id)
            if finish { session.finish(id) }
        }
        channel.wantsToSend()
        return id
    }

    func touched() { channel.wantsToSend() }

    // MARK: Waiting

    func text(_ id: HTTP2StreamID) -> String {
        String(decoding: bodies[id] ?? [], as: UTF8.self)
    }

    /// The status of a stream's answer once it has ended.
    func status(_ id: HTTP2StreamID, within seconds: Int = 5) async -> Int? {
        await wait(within: seconds) { ended.contains(id) || closures[id] != nil }
        return heads[id]?.status
    }

    /// Waits until `condition` holds, the channel is closed, or the time is up.
    func wait(within seconds: Int = 5, _ condition: () -> Bool) async {
        let deadline = channel.loop.now.adding(.seconds(seconds))
        let timer = channel.loop.schedule(at: deadline) { [change] in change.resume() }
        while !condition(), end == nil, channel.loop.now < deadline { await change.wait() }
        channel.loop.cancel(timer)
    }

    // MARK: The channel

    func channelOpened() { channel.wantsToSend() }

    func channelReceived(_ bytes: ArraySlice<UInt8>) {
        try? session.receive(bytes, now: channel.loop.now)
        work()
    }

    func channelFill(_ output: inout [UInt8], atMost limit: Int) {
        session.takeOutput(into: &output, atMost: limit, now: channel.loop.now)
        work()
    }

    func channelPeerFinished() {
        session.connectionLost()
        work()
        channel.close()
    }

    func channelClosed(_ end: ChannelEnd) {
        self.end = end
        session.connectionLost()
        work()
    }

    private func work() {
        for event in session.takeEvents() {
            switch event {
            case .request(let id, let head, _): requests.append((id, head))
            case .response(let id, let head, let isLast):
                heads[id] = head
                if isLast { ended.insert(id) }
            case .data(let id, let bytes):
                bodies[id, default: []] += bytes
                if reads { session.consume(bytes.count, on: id) }
            case .end(let id, _): ended.insert(id)
            case .closed(let id, let closure): closures[id] = closure
            case .goAway(_, let code): goAways.append(code)
            case .settings: hasSettings = true
            case .rejected, .writable, .pong: break
            }
        }
        if session.wantsOutput { channel.wantsToSend() }
        change.resume()
    }
}
