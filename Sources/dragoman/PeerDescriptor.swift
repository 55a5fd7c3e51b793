// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto
import JSON

/// What one company tells another when they meet: who it is, who vouches for it, where it is and
/// what it offers. Signed with the key it names, so that it is whole; that it is theirs, people
/// make sure of by reading the fingerprint to each other. Spec §6.2.
struct PeerDescriptor {
    /// The `typ` of the token.
    static let type = "a2a-peer+jwt"
    /// More authorities than that are a pool, not a company's own.
    static let mostAuthorities = 4
    /// More agents than that belong into a catalogue.
    static let mostAgents = 64

    let entity: EntityID
    /// The name that the company gives itself; whoever adds it may write another.
    let name: String
    /// Its certificate authorities.
    let authorities: [Certificate]
    /// The key that signs for it.
    let key: JWK
    /// Whether that key is not its certificate's, so that it must be known by itself.
    let isKeySeparate: Bool
    /// `host:port` to dial, if it says.
    let address: String?
    /// Names of its agents.
    let agents: [String]
    let issued: Instant
    let expires: Instant
}

/// A descriptor whose signature holds.
struct ReceivedDescriptor {
    let descriptor: PeerDescriptor
    let fingerprint: String
}

extension PeerDescriptor {
    /// Why a descriptor is refused: one sentence, without a full stop.
    struct Fault: Error, Equatable {
        let rule: String
        /// The claim, as a JSON Pointer (RFC 6901); empty for the token itself.
        var pointer = ""
    }

    /// The claims.
    var node: JSONNode {
        var node: JSONNode = [
            "v": "peer/1", "iss": .string(entity.text), "name": .string(name),
            "ca": .array(authorities.map { .string(Base64.encode($0.der)) }), "jwk": key.node,
        ]
        if isKeySeparate { node["separate"] = true }
        node["address"] = address.map { .string($0) }
        node["agents"] = .array(agents.map { .string($0) })
        node["iat"] = .int(issued.seconds)
        node["exp"] = .int(expires.seconds)
        return node
    }

    /// Signs it with the key that it names.
    func signed(with key: SigningKey) throws(Fault) -> String {
        let token = TokenSigner.sign(node, type: Self.type, key: key)
        // Whoever receives it will read it by these rules, so it is read here first.
        _ = try Self.receive(token, now: issued)
        return token
    }

    /// Reads a descriptor and verifies it with the key in it.
    static func receive(_ token: String, now: Instant) throws(Fault) -> ReceivedDescriptor {
        let unverified: UnverifiedToken
        let claims: JSONValue
        do throws(TokenFault) {
            unverified = try UnverifiedToken(compact: token)
            claims = try unverified.peekClaims().root
        } catch {
            throw Fault(rule: "this is no signed descriptor: \(error)")
        }
        let descriptor = try PeerDescriptor(claims)
        do {
            let key = try VerifyingKey(jwk: descriptor.key)
            _ = try unverified.verified(by: key, type: type)
        } catch {
            throw Fault(rule: "its signature does not hold: \(error)")
        }
        guard now < descriptor.expires else {
            throw Fault(
                rule: "it ended at \(descriptor.expires.rfc3339): ask for a new one",
                pointer: "/exp")
        }
        return ReceivedDescriptor(
            descriptor: descriptor, fingerprint: fingerprint(of: unverified.payload))
    }

    /// 120 bits of the SHA-256 of the payload, in six groups of four that can be read aloud:
    /// Crockford's base 32 has no letters that sound or look like digits.
    static func fingerprint(of payload: [UInt8]) -> String {
        let digits = Base32Crockford.encode(Array(Digest.sha256(payload).prefix(16))).suffix(24)
        return stride(from: 0, to: 24, by: 4).map { String(digits.dropFirst($0).prefix(4)) }
            .joined(separator: " ")
    }

    private init(_ claims: JSONValue) throws(Fault) {
        let known: Set<String> = [
            "v", "iss", "name", "ca", "jwk", "separate", "address", "agents", "iat", "exp",
        ]
        if let strange = claims.members.first(where: { !known.contains($0.name) }) {
            throw Fault(
                rule: "it has a member that is not known: \(strange.name.prefix(32))",
                pointer: "/\(strange.name)")
        }
        guard claims["v"]?.string == "peer/1" else {
            throw Fault(rule: "it is not of v peer/1", pointer: "/v")
        }
        guard let entity = claims["iss"]?.string.flatMap({ EntityID($0) }) else {
            throw Fault(rule: "\"iss\" is not an entity id", pointer: "/iss")
        }
        guard let name = claims["name"]?.string, (1...128).contains(name.count) else {
            throw Fault(rule: "\"name\" has 1 to 128 characters", pointer: "/name")
        }
        guard let issued = claims["iat"]?.int, let expires = claims["exp"]?.int, issued < expires
        else { throw Fault(rule: "\"iat\" comes before \"exp\"", pointer: "/iat") }
        self.entity = entity
        self.name = name
        self.issued = Instant(seconds: issued)
        self.expires = Instant(seconds: expires)
        authorities = try Self.authorities(claims["ca"])
        key = try Self.key(claims["jwk"])
        isKeySeparate = claims["separate"] != nil
        guard !isKeySeparate || claims["separate"]?.bool == true else {
            throw Fault(rule: "\"separate\" is true or absent", pointer: "/separate")
        }
        agents = try Self.agents(claims["agents"])
        address = try Self.address(claims["address"])
    }

    private static func authorities(_ value: JSONValue?) throws(Fault) -> [Certificate] {
        guard let value, (1...mostAuthorities).contains(value.count), value.kind == .array else {
            throw Fault(rule: "\"ca\" has 1 to \(mostAuthorities) certificates", pointer: "/ca")
        }
        var found: [Certificate] = []
        for element in value.elements {
            guard let der = element.string.flatMap({ Base64.decode($0) }),
                let certificate = try? Certificate(der: der), certificate.isAuthority
            else {
                throw Fault(
                    rule: "\"ca\" holds something that is no authority's certificate",
                    pointer: "/ca/\(found.count)")
            }
            found.append(certificate)
        }
        return found
    }

    private static func key(_ value: JSONValue?) throws(Fault) -> JWK {
        guard let value else { throw Fault(rule: "\"jwk\" is missing", pointer: "/jwk") }
        do { return try JWK(value) } catch {
            throw Fault(rule: "\"jwk\" is no key: \(error)", pointer: "/jwk")
        }
    }

    private static func agents(_ value: JSONValue?) throws(Fault) -> [String] {
        guard let value, value.kind == .array, value.count <= mostAgents else {
            throw Fault(rule: "\"agents\" has at most \(mostAgents) names", pointer: "/agents")
        }
        var names: [String] = []
        for element in value.elements {
            guard let name = element.string, isAgentName(name), !names.contains(name) else {
                throw Fault(
                    rule: "an agent's name is 1 to 64 of a-z, 0-9, - and _, and once",
                    pointer: "/agents/\(names.count)")
            }
            names.append(name)
        }
        return names
    }

    private static func address(_ value: JSONValue?) throws(Fault) -> String? {
        guard let value else { return nil }
        guard let text = value.string, isAddress(text) else {
            throw Fault(rule: "\"address\" is host:port", pointer: "/address")
        }
        return text
    }

    /// What can stand in a path.
    static func isAgentName(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy {
                (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D
                    || $0 == 0x5F
            }
    }

    /// `host:port`, where the host is a name, an IPv4 address, or an IPv6 address in brackets.
    static func isAddress(_ text: String) -> Bool {
        guard let colon = text.lastIndex(of: ":"),
            let port = UInt16(text[text.index(after: colon)...]),
            port > 0
        else { return false }
        let host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            return host.dropFirst().dropLast().utf8.allSatisfy {
                (0x30...0x3A).contains($0) || (0x61...0x66).contains($0) || $0 == 0x2E
            }
        }
        return EntityID("https://\(host)").map { $0.host == host } ?? false
    }
}
