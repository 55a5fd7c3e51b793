// SPDX-License-Identifier: Apache-2.0
import Bytes
import Glibc
import IO
import Testing

/// Runs `body` in the lane of a fresh loop on its own thread, as a task with the loop's preference,
/// and ends the loop afterwards.
@discardableResult
func onLoop<Result: Sendable>(
    limits: EventLoop.Limits = EventLoop.Limits(),
    _ body: @escaping @Sendable (isolated Lane) async throws -> Result
) async throws -> Result {
    let loop = try EventLoop(name: "test", limits: limits)
    try loop.start()
    defer {
        loop.stop()
        loop.join()
    }
    let lane = Lane(loop)
    return try await Task(executorPreference: loop) { try await lane.run(body) }.value
}

/// A new directory under the system's temporary one, removed at the end of `body`.
func withTemporaryDirectory<Result>(
    _ body: (String) async throws -> Result
) async throws -> Result {
    var template = Array("/tmp/dragoman-io-XXXXXX".utf8CString)
    guard unsafe mkdtemp(&template) != nil else { throw SystemError("mkdtemp", errno) }
    let path = String(
        decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer { removeTree(path) }
    return try await body(path)
}

private func removeTree(_ path: String) {
    guard let directory = unsafe opendir(path) else { return }
    while let entry = unsafe readdir(directory) {
        let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        if name == "." || name == ".." { continue }
        if unsafe unlink(path + "/" + name) != 0 { removeTree(path + "/" + name) }
    }
    unsafe closedir(directory)
    _ = unsafe rmdir(path)
}

/// Loopback with a port of the kernel's choosing.
let anyPort = SocketAddress.ip(.loopback, port: 0)

extension Lane {
    /// A listener that sends back what it receives and stops reading while the peer does not.
    func startEcho(
        at address: SocketAddress = anyPort, options: Listener.Options = Listener.Options()
    ) throws -> Listener {
        let listener = try Listener(on: loop, at: address, options: options)
        listener.onAccept = { [loop] descriptor, _ in
            guard let socket = try? StreamSocket(descriptor, on: loop) else { return }
            echo(on: socket)
        }
        return listener
    }

    /// Connects within five seconds.
    func connect(
        to address: SocketAddress, options: SocketOptions = SocketOptions(),
        limits: StreamSocket.Limits = StreamSocket.Limits()
    ) async throws -> StreamSocket {
        try await StreamSocket.connect(
            to: [address], on: loop, deadline: loop.now.adding(.seconds(5)), options: options,
            limits: limits)
    }
}

func echo(on socket: StreamSocket) {
    socket.onReadable = {
        let outcome = socket.read { bytes in
            try? socket.send(bytes)
            if socket.isCongested { socket.pauseReading() }
        }
        switch outcome {
        case .bytes, .wouldBlock: break
        case .endOfStream:
            socket.finish()
            socket.onReadable = nil
        case .failed: socket.close()
        }
    }
    socket.onWritable = { socket.resumeReading() }
}

/// Collects what a socket receives, for tests that wait for it.
final class Inbox {
    private(set) var bytes: [UInt8] = []
    private(set) var isEnded = false
    private let arrival = Waiter<Void, Never>()

    init(_ socket: StreamSocket) {
        socket.onReadable = { [self] in
            switch socket.read({ span in
                for index in span.indices { bytes.append(span[index]) }
            }) {
            case .bytes: break
            case .wouldBlock: return
            case .endOfStream, .failed:
                isEnded = true
                socket.close()
            }
            arrival.resume()
        }
    }

    /// Waits for so many bytes in all, or the end.
    func wait(
        for count: Int, isolation: isolated (any Actor)? = #isolation
    ) async -> [UInt8] {
        while bytes.count < count, !isEnded { await arrival.wait() }
        return bytes
    }

    func waitForEnd(isolation: isolated (any Actor)? = #isolation) async -> [UInt8] {
        while !isEnded { await arrival.wait() }
        return bytes
    }
}
