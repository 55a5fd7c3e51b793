// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto
import HTTP
import IO
import Node
import TLS

/// The options of `tool load` as a plan.
struct LoadArguments {
    private let arguments: Arguments
    private let shell: any Shell

    init(_ arguments: Arguments, _ shell: any Shell) {
        self.arguments = arguments
        self.shell = shell
    }

    func plan() async throws(Failure) -> LoadPlan {
        let url = try LoadURL(arguments.operands[0])
        var plan = LoadPlan(
            target: try await target(url), request: try request(url), amount: try amount())
        plan.expectation = try expectation()
        plan.connections = try count("--connections", upTo: LoadLimits.connections) ?? 1
        plan.streams = try count("--streams", upTo: LoadLimits.streams) ?? 1
        plan.threads = try count("--threads", upTo: LoadLimits.threads) ?? 1
        if plan.target.version == .http1, plan.streams > 1 {
            throw .misuse("HTTP/1.1 has one request at a time on a connection: --connections")
        }
        let most = LoadLimits.rate
        let rate = try arguments.value("--rate", "a number above 0, at most \(Int(most))") { text in
            Double(text).flatMap { $0 > 0 && $0 <= most ? $0 : nil }
        }
        if let rate { plan.pace = .open(perSecond: rate) }
        plan.warmUp =
            try Self.seconds(arguments, "--warm-up", upTo: LoadLimits.duration) ?? .zero
        let timeout = try Self.seconds(arguments, "--timeout", upTo: LoadLimits.longestTimeout)
        plan.timeout = timeout ?? LoadLimits.timeout
        return plan
    }

    // MARK: Numbers

    /// An option's value in seconds, also with a fraction.
    static func seconds(
        _ arguments: Arguments, _ name: String, upTo most: Duration
    ) throws(Failure) -> Duration? {
        let rule = "seconds above 0, at most \(most.components.seconds)"
        return try arguments.value(name, rule) { text in
            guard let number = Double(text), number > 0,
                number <= Double(most.components.seconds)
            else { return nil }
            return .nanoseconds(Int64(number * 1e9))
        }
    }

    private func count(_ name: String, upTo most: Int) throws(Failure) -> Int? {
        try arguments.value(name, "a number from 1 to \(most)") { text in
            Int(text).flatMap { (1...most).contains($0) ? $0 : nil }
        }
    }

    private func amount() throws(Failure) -> LoadPlan.Amount {
        let requests = try count("--requests", upTo: LoadLimits.requests)
        let duration = try Self.seconds(arguments, "--duration", upTo: LoadLimits.duration)
        if requests != nil, duration != nil {
            throw .misuse("--requests and --duration are two ends; give one")
        }
        if let requests { return .requests(requests) }
        return .duration(duration ?? .seconds(10))
    }

    // MARK: What is sent, and what is to come back

    private func request(_ url: LoadURL) throws(Failure) -> LoadRequest {
        let body = try arguments["--body"].map { (file) throws(Failure) in
            try Input.bytes(file, limit: LoadLimits.bodyBytes)
        }
        let method = try arguments.value("--method", "a method of HTTP") {
            try? HTTPMethod($0)
        }
        var fields = HTTPFields()
        for text in arguments.all("--header") {
            guard let colon = text.firstIndex(of: ":"),
                let name = try? HTTPFieldName(text[..<colon].lowercased()),
                let value = try? HTTPFieldValue(
                    String(text[text.index(after: colon)...].drop { $0 == " " }))
            else { throw .misuse("--header must be \"name: value\", not \"\(text)\"") }
            fields.append(name, value)
        }
        let isFilled = arguments.has("--fill")
        if isFilled, body == nil { throw .misuse("--fill needs --body") }
        let request = LoadRequest(
            method: method ?? (body == nil ? .get : .post), path: url.path, fields: fields,
            body: body ?? [], isFilled: isFilled, random: shell.random, time: shell.time)
        return request
    }

    private func expectation() throws(Failure) -> LoadExpectation {
        var expectation = LoadExpectation()
        let rule = "statuses from 200 to 599, as 200,202 or 200-299"
        if let statuses = try arguments.value("--expect-status", rule, Self.statuses) {
            expectation.statuses = statuses
        }
        expectation.text = arguments["--expect-text"].map { Array($0.utf8) }
        expectation.pointer = try arguments.value("--expect-json", "a JSON Pointer, as /result") {
            JSONPointer($0)
        }
        return expectation
    }

    /// Reads `200,202` and `200-299,304`.
    static func statuses(_ text: String) -> Set<Int>? {
        var all: Set<Int> = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            guard (1...2).contains(ends.count), let first = ends[0], let last = ends.last ?? nil,
                (200...599).contains(first), (first...599).contains(last)
            else { return nil }
            all.formUnion(first...last)
        }
        return all
    }

    // MARK: Where it goes

    private func target(_ url: LoadURL) async throws(Failure) -> LoadTarget {
        if arguments.has("--http1"), arguments.has("--http2") {
            throw .misuse("--http1 and --http2 exclude each other")
        }
        if let address = url.clear {
            let secure = ["--cert", "--key", "--ca", "--entity", "--config", "--connect"]
            if let option = secure.first(where: { arguments[$0] != nil }) {
                throw .misuse("\(option) is for https:// URLs")
            }
            let version: LoadTarget.Version = arguments.has("--http2") ? .http2 : .http1
            return LoadTarget(clear: url.authority, at: address, version)
        }
        let trust = try LoadTrust(arguments, url, shell)
        guard let addresses = try await addresses(trust.connect), !addresses.isEmpty else {
            throw .no("\(trust.connect) has no address")
        }
        do {
            return try LoadTarget(
                secure: url.authority, at: addresses, arguments.has("--http1") ? .http1 : .http2,
                as: trust.identity, to: trust.destination, trust: trust.trust, time: shell.time)
        } catch {
            throw .no("the certificate cannot be used: \(error)")
        }
    }

    /// The addresses of `host:port`, those of a name as the system resolves it.
    private func addresses(_ text: String) async throws(Failure) -> [SocketAddress]? {
        if let address = SocketAddress(text), address.port != nil { return [address] }
        guard let colon = text.lastIndex(of: ":"),
            let port = UInt16(text[text.index(after: colon)...]), port > 0
        else { throw .misuse("--connect must be host:port, not \"\(text)\"") }
        guard let resolver = try? NameResolver() else { return nil }
        defer { resolver.stop() }
        return await resolver.lookup(String(text[..<colon]), port)
    }
}
