// SPDX-License-Identifier: Apache-2.0
import Glibc
import Synchronization
import TestSupport
import Testing

/// A server on a thread of its own that takes one request and gives one answer.
final class OneAnswer: Sendable {
    /// Its port, when it listens on one.
    let port: UInt16
    private let request = Mutex<String?>(nil)

    /// Listens at the Unix socket `path`.
    convenience init(_ path: String, _ type: String, _ body: String, status: Int = 200) throws {
        try self.init(path, raw: Self.answer(type, body, status))
    }

    /// Listens at the Unix socket `path` and answers these very bytes.
    convenience init(_ path: String, raw: String) throws {
        _ = unsafe unlink(path)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { space in
            unsafe space.copyBytes(from: path.utf8.prefix(space.count - 1))
        }
        let socket = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        try self.init(socket, unsafe Self.bind(socket, address), raw)
    }

    /// Listens at a port of loopback that the system chooses.
    convenience init(port: Void, _ type: String, _ body: String, status: Int) throws {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        try self.init(socket, unsafe Self.bind(socket, address), Self.answer(type, body, status))
    }

    private init(_ listener: Int32, _ isBound: Bool, _ answer: String) throws {
        try #require(isBound && listen(listener, 1) == 0)
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(listener, $0, &size)
            }
        }
        port = UInt16(bigEndian: address.sin_port)
        var thread = pthread_t()
        let job = unsafe Unmanaged.passRetained(Job(self, listener, answer)).toOpaque()
        let failure = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                unsafe Unmanaged<Job>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, job)
        try #require(failure == 0)
        pthread_detach(thread)
    }

    /// The request, once the answer is on its way; at most five seconds.
    func heard() -> String {
        for _ in 0..<5000 {
            if let text = request.withLock({ $0 }) { return text }
            usleep(1000)
        }
        Issue.record("nobody asked")
        return ""
    }

    private static func answer(_ type: String, _ body: String, _ status: Int) -> String {
        "HTTP/1.1 \(status) X\r\ncontent-type: \(type)\r\n"
            + "content-length: \(body.utf8.count)\r\nconnection: close\r\n\r\n\(body)"
    }

    @unsafe private static func bind<Raw>(_ socket: Int32, _ address: Raw) -> Bool {
        unsafe withUnsafePointer(to: address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe Glibc.bind(socket, $0, socklen_t(MemoryLayout<Raw>.size)) == 0
            }
        }
    }

    private final class Job: Sendable {
        private let owner: OneAnswer
        private let listener: Int32
        private let answer: String

        init(_ owner: OneAnswer, _ listener: Int32, _ answer: String) {
            self.owner = owner
            self.listener = listener
            self.answer = answer
        }

        func run() {
            defer { close(listener) }
            let socket = accept(listener, nil, nil)
            guard socket >= 0 else { return }
            defer { close(socket) }
            var heard: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 4096)
            while !isWhole(heard) {
                let count = unsafe recv(socket, &buffer, buffer.count, 0)
                if count <= 0 { break }
                heard += buffer[..<count]
            }
            let bytes = Array(answer.utf8)
            _ = unsafe bytes.withUnsafeBytes {
                unsafe send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            owner.request.withLock { $0 = String(decoding: heard, as: UTF8.self) }
        }

        /// Requests of these tests end with their head, or with an empty JSON object behind it.
        private func isWhole(_ bytes: [UInt8]) -> Bool {
            let text = String(decoding: bytes, as: UTF8.self)
            return text.contains("content-length: 2")
                ? text.hasSuffix("{}") : text.hasSuffix("\r\n\r\n")
        }
    }
}
