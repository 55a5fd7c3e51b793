// SPDX-License-Identifier: Apache-2.0
import Bytes
import IO
import TLS
import TestSupport
import Testing

@testable import Node

/// A client that sends bytes and collects what comes, in clear or under TLS; on one lane.
final class RawClient: ChannelOwner {
    let channel: Channel
    private(set) var received: [UInt8] = []
    private(set) var end: ChannelEnd?
    private(set) var hasPeerFinished = false
    private var isOpen = false
    private var output: [UInt8] = []
    private let change = Arrival()

    init(_ channel: Channel) {
        self.channel = channel
        channel.owner = self
        channel.start()
    }

    /// Connects in clear text.
    static func connect(
        to address: SocketAddress, on lane: isolated Lane
    ) async throws -> RawClient {
        let socket = try await StreamSocket.connect(
            to: [address], on: lane.loop, deadline: lane.loop.now.adding(.seconds(5)))
        return RawClient(
            Channel(socket, nil, buffers: ChannelBuffers(), limits: ConnectionLimits()))
    }

    /// Connects under TLS to alpha.
    static func connect(
        to address: SocketAddress, as material: TrustMaterial, _ entity: EntityID,
        on lane: isolated Lane
    ) async throws -> RawClient {
        let socket = try await StreamSocket.connect(
            to: [address], on: lane.loop, deadline: lane.loop.now.adding(.seconds(5)))
        let session = try TLSSession(connecting: material.client, to: .entity(entity))
        let client = RawClient(
            Channel(socket, session, buffers: ChannelBuffers(), limits: ConnectionLimits()))
        await client.wait(within: 5) { client.isOpen }
        return client
    }

    func send(_ bytes: [UInt8]) {
        output += bytes
        channel.wantsToSend()
    }

    func send(_ text: String) { send(Array(text.utf8)) }

    var text: String { String(decoding: received, as: UTF8.self) }

    /// Waits until what has come contains `part` so many times, or the connection's end.
    func wait(for part: String, count: Int = 1, within seconds: Int = 5) async -> String {
        await wait(within: seconds) {
            text.split(separator: part, omittingEmptySubsequences: false).count > count
        }
        return text
    }

    /// Waits until the server sends no more.
    func waitForEnd(within seconds: Int = 5) async -> String {
        await wait(within: seconds) { false }
        return text
    }

    private func wait(within seconds: Int, _ condition: () -> Bool) async {
        let deadline = channel.loop.now.adding(.seconds(seconds))
        let timer = channel.loop.schedule(at: deadline) { [change] in change.resume() }
        while !condition(), end == nil, !hasPeerFinished, channel.loop.now < deadline {
            await change.wait()
        }
        channel.loop.cancel(timer)
    }

    /// The frames of HTTP/2 that came.
    var frames: [SentFrame] { SentFrame.all(received) }

    /// Waits for a frame, the connection's end, or the time.
    func wait(within seconds: Int = 5, for frame: (SentFrame) -> Bool) async {
        await wait(within: seconds) { frames.contains(where: frame) }
    }

    func channelOpened() {
        isOpen = true
        change.resume()
    }

    func channelReceived(_ bytes: ArraySlice<UInt8>) {
        received += bytes
        change.resume()
    }

    func channelFill(_ bytes: inout [UInt8], atMost limit: Int) {
        bytes += output.prefix(limit)
        output.removeFirst(min(limit, output.count))
    }

    func channelPeerFinished() {
        hasPeerFinished = true
        channel.close()
        change.resume()
    }

    func channelClosed(_ end: ChannelEnd) {
        self.end = end
        change.resume()
    }
}
