// SPDX-License-Identifier: Apache-2.0
import Glibc
import HTTP
import IO

/// A client of HTTP/1.1 for gateways on this machine: one request per connection, and it waits.
///
/// Commands have nothing else to do meanwhile. It speaks to the control socket and to listeners in
/// clear text alike.
struct ControlClient {
    /// Where it connects.
    let address: SocketAddress
    /// Seconds without a byte after which the gateway is given up.
    var patience = 60
    /// Largest body that is kept: a statement of some hundred thousand lines.
    var bodyMax = 256 << 20

    /// What to ask.
    struct Request {
        var method = HTTPMethod.get
        /// In origin form, with its query.
        var path: String
        var fields: HTTPFields = [:]
        var body: [UInt8] = []
    }

    /// What was answered.
    struct Response {
        let status: Int
        let fields: HTTPFields
        /// Empty where the body was handed on piece by piece.
        var body: [UInt8] = []

        var text: String { String(decoding: body, as: UTF8.self) }
    }

    /// What to do with the rest of an answer after a piece of it.
    enum Step {
        case goOn
        /// Enough was heard; the connection is closed.
        case stop
    }

    /// Asks, and reads the whole answer.
    ///
    /// - Throws: A sentence for people, with the status ``ExitCode/no``.
    func send(_ request: Request) throws(Failure) -> Response {
        var body: [UInt8] = []
        var response = try send(request) { (_, piece) throws(Failure) in
            guard body.count + piece.count <= bodyMax else {
                throw .no("the answer is larger than \(bodyMax) bytes")
            }
            body += piece
            return .goOn
        }
        response.body = body
        return response
    }

    /// Asks, and hands on each piece of the answer as it arrives.
    func send(
        _ request: Request,
        onPiece: (Response, [UInt8]) throws(Failure) -> Step
    ) throws(Failure) -> Response {
        let socket = try LocalSocket(connectedTo: address, patience: patience)
        var output: [UInt8] = []
        HTTP1Serializer.write(
            try head(of: request),
            framing: request.body.isEmpty ? .none : .length(request.body.count),
            closes: true, into: &output)
        try socket.write(output + request.body)
        var parser = HTTP1ResponseParser()
        parser.expectResponse(to: request.method)
        var response: Response?
        while true {
            let bytes = try socket.read()
            do throws(HTTP1Fault) {
                if bytes.isEmpty {
                    guard let event = try parser.finish() else { break }
                    guard case .end = event else { throw HTTP1Fault.truncated }
                    break
                }
            } catch {
                throw broken(error)
            }
            parser.append(bytes)
            while let event = try next(&parser) {
                switch event {
                case .head(let head):
                    response = Response(status: head.status, fields: head.fields)
                case .body(let piece):
                    guard let response else { continue }
                    if try onPiece(response, piece) == .stop { return response }
                case .end:
                    if let response { return response }
                }
            }
        }
        guard let response else { throw .no("\(address) closed the connection without a word") }
        return response
    }

    private func next(
        _ parser: inout HTTP1ResponseParser
    ) throws(Failure) -> HTTP1ResponseParser.Event? {
        do { return try parser.next() } catch { throw broken(error) }
    }

    private func broken(_ fault: HTTP1Fault) -> Failure {
        .no("\(address) does not speak HTTP/1.1 as it should: \(fault.rawValue)")
    }

    private func head(of request: Request) throws(Failure) -> HTTPRequestHead {
        let authority: String
        switch address {
        case .unix: authority = "localhost"
        case .ip: authority = address.description
        }
        do {
            return try HTTPRequestHead(
                method: request.method, scheme: .http, authority: authority, path: request.path,
                fields: request.fields)
        } catch {
            throw .misuse("\(request.path) is not a path")
        }
    }
}

/// A connected stream socket that blocks.
@safe private struct LocalSocket: ~Copyable {
    private let file: Int32
    private let address: SocketAddress

    init(connectedTo address: SocketAddress, patience: Int) throws(Failure) {
        self.address = address
        let family: Int32
        switch address {
        case .unix: family = AF_UNIX
        case .ip(let host, _): family = host.isV6 ? AF_INET6 : AF_INET
        }
        file = socket(family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard file >= 0 else { throw .no("no socket can be made: \(Self.words)") }
        var limit = timeval(tv_sec: patience, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            _ = unsafe setsockopt(
                file, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        // All members are set, so the end of this value closes the socket, thrown or not.
        guard connect() == 0 else { throw .no("no gateway answers at \(address): \(Self.words)") }
    }

    deinit { close(file) }

    private static var words: String { unsafe String(cString: strerror(errno)) }

    private func connect() -> Int32 {
        switch address {
        case .unix(let path):
            var raw = sockaddr_un()
            raw.sun_family = sa_family_t(AF_UNIX)
            unsafe withUnsafeMutableBytes(of: &raw.sun_path) { space in
                unsafe space.copyBytes(from: path.utf8.prefix(space.count - 1))
            }
            return unsafe Self.connect(file, raw)
        case .ip(let host, let port) where host.isV6:
            var raw = sockaddr_in6()
            raw.sin6_family = sa_family_t(AF_INET6)
            raw.sin6_port = port.bigEndian
            guard unsafe inet_pton(AF_INET6, host.description, &raw.sin6_addr) == 1 else {
                return -1
            }
            return unsafe Self.connect(file, raw)
        case .ip(let host, let port):
            var raw = sockaddr_in()
            raw.sin_family = sa_family_t(AF_INET)
            raw.sin_port = port.bigEndian
            guard unsafe inet_pton(AF_INET, host.description, &raw.sin_addr) == 1 else { return -1 }
            return unsafe Self.connect(file, raw)
        }
    }

    @unsafe private static func connect<Raw>(_ file: Int32, _ raw: Raw) -> Int32 {
        unsafe withUnsafePointer(to: raw) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe Glibc.connect(file, address, socklen_t(MemoryLayout<Raw>.size))
            }
        }
    }

    func write(_ bytes: [UInt8]) throws(Failure) {
        var written = 0
        while written < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { space in
                unsafe Glibc.send(
                    file, space.baseAddress?.advanced(by: written), space.count - written,
                    Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            if count <= 0 { throw .no("\(address) takes no request: \(Self.words)") }
            written += count
        }
    }

    /// The next bytes; none at the end.
    func read() throws(Failure) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = unsafe recv(file, &buffer, buffer.count, 0)
            if count >= 0 { return Array(buffer[..<count]) }
            if errno == EINTR { continue }
            if errno == EAGAIN { throw .no("\(address) does not answer") }
            throw .no("\(address) broke off: \(Self.words)")
        }
    }
}
