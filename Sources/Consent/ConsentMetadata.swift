// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto
package import JSON

/// What stands under `metadata[ConsentMetadata.uri]` of a message: tokens as strings, because
/// bindings turn numbers into doubles (`Spec` §4.10).
package struct ConsentMetadata: Sendable, Hashable {
    /// The extension's URI and the key in metadata.
    package static let uri = "https://dragoman.example/a2a/ext/consent/v1"
    /// The most bytes that the whole value may have.
    package static let maximumBytes = 65_536
    /// The most tokens of a chain: seven links and a key link.
    private static let maximumTexts = 8

    /// The chain, root first.
    package var chain: [String]?
    /// The act.
    package var act: String?
    /// The executor's terms.
    package var terms: String?
    /// The text whose hash the act names: see ``RequestBody``.
    package var body: String?
    /// The user's answer.
    package var confirm: String?
    /// The budget keeper's reservation.
    package var reservation: String?
    /// The certificate chain of whoever signed what travels with it: base64 DER, leaf first.
    package var certificates: [String]?
    /// The executor's question.
    package var ask: Ask?
    /// The executor's receipt.
    package var receipt: String?
    /// What the user released for the act, sealed to the executor.
    package var disclosed: String?
    /// For an unsigned read: the entry meant.
    package var entry: String?
    /// For an unsigned read: the action meant.
    package var action: String?
    /// Disclosures of hidden limits, for the budget keeper.
    package var disclosures: [String]?

    /// Nothing; set what travels.
    package init() {}

    /// Reads the value.
    ///
    /// - Throws: `too_large`, `malformed`, `unknown`.
    package init(_ value: JSONValue) throws(Refusal) {
        try require(value.raw.count <= Self.maximumBytes, .tooLarge, "metadata.bytes")
        let object = try ClosedObject(
            value, "metadata", required: [],
            optional: [
                "chain", "act", "terms", "body", "confirm", "resv", "cert", "ask", "receipt",
                "disclosed", "ad", "action", "disc",
            ])
        chain = try Self.texts(object, "chain")
        act = try object.optional("act", object.text)
        terms = try object.optional("terms", object.text)
        body = try object.optional("body", object.text)
        confirm = try object.optional("confirm", object.text)
        reservation = try object.optional("resv", object.text)
        certificates = try Self.texts(object, "cert")
        ask = try object.value("ask").map { value throws(Refusal) in try Ask(value) }
        receipt = try object.optional("receipt", object.text)
        disclosed = try object.optional("disclosed", object.text)
        entry = try object.optional("ad", object.token)
        action = try object.optional("action", object.token)
        disclosures = try Self.texts(object, "disc")
        if let chain {
            let bytes = chain.reduce(0) { $0 + $1.utf8.count }
            try require(bytes <= ChainVerifier.Size.bytes, .tooLarge, "metadata.chain")
        }
    }

    /// The value to be written.
    package var node: JSONNode {
        var object: JSONNode = .object([])
        if let chain { object["chain"] = .strings(chain) }
        if let entry { object["ad"] = .string(entry) }
        if let action { object["action"] = .string(action) }
        if let act { object["act"] = .string(act) }
        if let terms { object["terms"] = .string(terms) }
        if let body { object["body"] = .string(body) }
        if let confirm { object["confirm"] = .string(confirm) }
        if let reservation { object["resv"] = .string(reservation) }
        if let certificates { object["cert"] = .strings(certificates) }
        if let ask { object["ask"] = ask.node }
        if let receipt { object["receipt"] = .string(receipt) }
        if let disclosed { object["disclosed"] = .string(disclosed) }
        if let disclosures { object["disc"] = .strings(disclosures) }
        return object
    }

    private static func texts(
        _ object: ClosedObject, _ name: String
    ) throws(Refusal) -> [String]? {
        try object.value(name).map { value throws(Refusal) in
            try texts(value, "metadata.\(name)")
        }
    }

    /// A list of strings: tokens or certificates.
    static func texts(_ value: JSONValue, _ rule: String) throws(Refusal) -> [String] {
        guard value.kind == .array else { throw Refusal(.malformed, rule) }
        try require((1...maximumTexts).contains(value.count), .tooLarge, "\(rule).count")
        var texts: [String] = []
        for element in value.elements {
            guard let text = element.string, !text.isEmpty else {
                throw Refusal(.malformed, rule)
            }
            texts.append(text)
        }
        return texts
    }
}

/// The text that ties an act to its message: the RFC 8785 form of `{contextId, parts, taskId}` of
/// the A2A 1.0 message. An act names the SHA-256 of its bytes.
package enum RequestBody {
    /// The bytes for a message; a member that the message lacks is left out.
    ///
    /// - Parameter message: The message in A2A 1.0 form as it was parsed.
    /// - Throws: `malformed` when the message is no object, or holds a number that RFC 8785 has
    ///   no form for.
    package static func bytes(of message: JSONValue) throws(Refusal) -> [UInt8] {
        guard message.kind == .object else { throw Refusal(.malformed, "body.message") }
        var members: [JSONNode.Member] = []
        for name in ["contextId", "parts", "taskId"] {
            if let value = message[name] {
                members.append(JSONNode.Member(name, value.detached()))
            }
        }
        do throws(JSONFault) {
            return try JSONCanonical.encode(.object(members))
        } catch {
            throw Refusal(.malformed, "body.canonical")
        }
    }

    /// The hash that an act carries in `req`.
    package static func hash(of bytes: [UInt8]) -> String {
        Base64URL.encode(Digest.sha256(bytes))
    }
}
