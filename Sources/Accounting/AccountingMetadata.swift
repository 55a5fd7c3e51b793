// SPDX-License-Identifier: Apache-2.0

import Bytes
package import JSON

/// The A2A extension of this module.
package enum AccountingExtension {
    /// Its name in `A2A-Extensions`, in agent cards, as the key of `metadata`, and the `domain` of
    /// its refusals.
    package static let uri = "https://dragoman.example/a2a/ext/accounting/v1"
}

/// What rides in `metadata[AccountingExtension.uri]`: in `SendMessageRequest` downwards, in the
/// task and its terminal event upwards. Always for the next hop only, never passed on.
/// - SeeAlso: Spec §5.4.2.
package struct AccountingMetadata: Hashable, Sendable {
    /// The user's request to which this belongs, named by the entrance.
    package var exchange: OperationID?

    // Downwards.
    /// Sets aside what the task may cost.
    package var hold: HoldRequest?
    /// A new hold in place of an older one.
    package var extend: HoldExtension?
    /// `a2a-block+jwt`: opens a block.
    package var block: String?
    /// This task's fee is drawn on a block.
    package var draw: Draw?
    /// `a2a-ack+jwt` for earlier posts.
    package var acknowledgements: [String] = []

    // Upwards.
    /// `a2a-quote+jwt`, beside an ask.
    package var quote: String?
    /// The callee's counter.
    package var usage: UsageCounter?
    /// What is due at the end.
    package var post: Post?
    /// Nothing is due.
    package var void: HoldVoid?
    /// `a2a-hop+jwt` of the post.
    package var hop: String?
    /// The certificate chain of the signer, base64 DER, leaf first, when the receiver may lack it.
    package var certificates: [String] = []

    /// Empty.
    package init() {}

    /// Reads it strictly.
    package init(
        _ value: JSONValue, at path: String = AccountingExtension.uri
    ) throws(FormatFault) {
        var reader = try ObjectReader(value, at: path)
        exchange = try reader.optionalOperation("exchange")
        if let value = reader.optional("hold") {
            hold = try HoldRequest(value, at: reader.place("hold"))
        }
        if let value = reader.optional("hold_extend") {
            extend = try HoldExtension(value, at: reader.place("hold_extend"))
        }
        block = try reader.optionalString("block", atMost: AccountingMetadata.tokenBytes)
        if let value = reader.optional("draw") {
            draw = try Draw(value, at: reader.place("draw"))
        }
        acknowledgements = try reader.tokens("acks")
        quote = try reader.optionalString("quote", atMost: AccountingMetadata.tokenBytes)
        if let value = reader.optional("usage") {
            usage = try UsageCounter(value, at: reader.place("usage"))
        }
        if let value = reader.optional("post") {
            post = try Post(value, at: reader.place("post"))
        }
        if let value = reader.optional("void") {
            void = try HoldVoid(value, at: reader.place("void"))
        }
        hop = try reader.optionalString("hop", atMost: AccountingMetadata.tokenBytes)
        certificates = try reader.tokens("cert")
        try reader.finish()
        func refuse(_ condition: Bool, _ name: String) throws(FormatFault) {
            if condition { throw reader.fault(.conflict, name) }
        }
        try refuse(
            exchange == nil && (hold != nil || extend != nil || draw != nil), "exchange")
        try refuse(hold != nil && extend != nil, "hold_extend")
        try refuse(draw != nil && (hold != nil || extend != nil), "draw")
        try refuse(post != nil && void != nil, "void")
        try refuse(hop != nil && post == nil, "hop")
    }

    /// Its JSON.
    package var node: JSONNode {
        var node: JSONNode = [:]
        if let exchange { node["exchange"] = .string(exchange.text) }
        if let hold { node["hold"] = hold.node }
        if let extend { node["hold_extend"] = extend.node }
        if let block { node["block"] = .string(block) }
        if let draw { node["draw"] = draw.node }
        if !acknowledgements.isEmpty {
            node["acks"] = .array(acknowledgements.map { .string($0) })
        }
        if let quote { node["quote"] = .string(quote) }
        if let usage { node["usage"] = usage.node }
        if let post { node["post"] = post.node }
        if let void { node["void"] = void.node }
        if let hop { node["hop"] = .string(hop) }
        if !certificates.isEmpty { node["cert"] = .array(certificates.map { .string($0) }) }
        return node
    }

    /// The longest signed object: one token (Spec §1.8).
    fileprivate static let tokenBytes = 8192
    /// Acknowledgements in one message, certificates in one chain.
    fileprivate static let mostTokens = 16
}

extension ObjectReader {
    /// An optional array of tokens; absent is the same as empty.
    fileprivate mutating func tokens(_ name: String) throws(FormatFault) -> [String] {
        guard optional(name) != nil else { return [] }
        var tokens: [String] = []
        for (value, path) in try array(name, atMost: AccountingMetadata.mostTokens) {
            guard let token = value.string else { throw FormatFault(.kind, at: path) }
            guard !token.isEmpty else { throw FormatFault(.text, at: path) }
            guard token.utf8.count <= AccountingMetadata.tokenBytes else {
                throw FormatFault(.size, at: path)
            }
            tokens.append(token)
        }
        return tokens
    }
}
