// SPDX-License-Identifier: Apache-2.0

/// `method SP target SP HTTP/1.x`, and how it becomes a head (RFC 9112 §3).
struct HTTP1StartLine: Sendable {
    private let method: HTTPMethod
    private let target: String
    private let isOldVersion: Bool

    init(_ line: ArraySlice<UInt8>) throws(HTTP1Fault) {
        let parts = line.split(
            separator: 0x20, maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 3 else { throw .startLine }
        isOldVersion = try Self.isOldVersion(parts[2])
        do {
            method = try HTTPMethod(String(decoding: parts[0], as: UTF8.self))
        } catch {
            throw .method
        }
        guard method != .connect else { throw .tunnel }
        guard !parts[1].isEmpty, parts[1].allSatisfy(HTTPCharacters.isTarget) else {
            throw .target
        }
        target = String(decoding: parts[1], as: UTF8.self)
    }

    /// The rules about `host`, framing and expectation, in that order.
    func head(
        with fields: HTTPFields, scheme: HTTPScheme
    ) throws(HTTP1Fault) -> HTTP1RequestParser.Head {
        let (authority, path) = try route(fields)
        let framing =
            try HTTP1Framing.declared(in: fields, isOldVersion: isOldVersion) ?? .none
        var expectsContinue = false
        for expectation in fields.all(.expect) {
            guard HTTPCharacters.lowered(expectation) == "100-continue" else {
                throw .expectation
            }
            expectsContinue = !isOldVersion && framing != .none && framing != .length(0)
        }
        let closes = fields.list(.connection).contains { HTTPCharacters.lowered($0) == "close" }
        let request: HTTPRequestHead
        do {
            request = try HTTPRequestHead(
                method: method, scheme: scheme, authority: authority, path: path, fields: fields)
        } catch {
            throw .target
        }
        return HTTP1RequestParser.Head(
            request: request, framing: framing, expectsContinue: expectsContinue,
            keepsAlive: !closes && !isOldVersion, isOldVersion: isOldVersion)
    }

    /// The authority and the target in origin form.
    private func route(_ fields: HTTPFields) throws(HTTP1Fault) -> (String, String) {
        let hosts = fields.all(.host)
        guard hosts.count <= 1 else { throw .hostDuplicate }
        guard isOldVersion || !hosts.isEmpty else { throw .hostMissing }
        if let host = hosts.first { try Self.check(host) }
        if target.utf8.first == UInt8(ascii: "/") || target == "*" {
            return (hosts.first ?? "", target)
        }
        // Absolute form: RFC 9112 §3.2.2 lets the target win over `host`; a request in which
        // they differ is only ever an attempt to be routed twice.
        let (authority, path) = try absolute()
        try Self.check(authority)
        if let host = hosts.first, !HTTPAuthority.isSame(host, authority) {
            throw .hostMismatch
        }
        return (authority, path)
    }

    private func absolute() throws(HTTP1Fault) -> (String, String) {
        let lowered = HTTPCharacters.lowered(target)
        for prefix in ["http://", "https://"] where lowered.hasPrefix(prefix) {
            let rest = target.utf8.dropFirst(prefix.utf8.count)
            let end = rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") }
            guard let end else { return (String(Substring(rest)), "/") }
            let path = String(Substring(rest[end...]))
            let isBare = rest[end] == UInt8(ascii: "?")
            return (String(Substring(rest[..<end])), isBare ? "/" + path : path)
        }
        throw .target
    }

    private static func check(_ authority: String) throws(HTTP1Fault) {
        do {
            try HTTPAuthority.check(authority)
        } catch {
            throw error == .userinfo ? .userinfo : .host
        }
    }

    private static func isOldVersion(_ text: ArraySlice<UInt8>) throws(HTTP1Fault) -> Bool {
        let version = Array(text)
        guard version.count == 8, version.starts(with: Array("HTTP/".utf8)),
            HTTPCharacters.isDigit(version[5]), version[6] == UInt8(ascii: "."),
            HTTPCharacters.isDigit(version[7])
        else { throw .version }
        guard version[5] == UInt8(ascii: "1"), version[7] <= UInt8(ascii: "1") else {
            throw .versionUnsupported
        }
        return version[7] == UInt8(ascii: "0")
    }
}
