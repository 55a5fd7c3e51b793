// SPDX-License-Identifier: Apache-2.0

/// The A2A extensions that gateways speak among themselves (Spec §1).
package enum ExtensionURI: String, CaseIterable, Sendable {
    /// Grant chains, terms, asks, confirmations, acts, receipts.
    case consent = "https://dragoman.example/a2a/ext/consent/v1"
    /// Quotes, holds, hop records.
    case accounting = "https://dragoman.example/a2a/ext/accounting/v1"
    /// Catalogues, capability requests, routing records.
    case discovery = "https://dragoman.example/a2a/ext/discovery/v1"
    /// Typed data parts with a plain-text fallback.
    case parts = "https://dragoman.example/a2a/ext/parts/v1"

    /// What a gateway asks its peers to activate on every call.
    package static let betweenGateways = "\(consent.rawValue), \(accounting.rawValue)"

    /// The URIs named in one or several `A2A-Extensions` values, in order.
    package static func list(_ values: [String]) -> [String] {
        values.flatMap { $0.split(separator: ",") }.map { item in
            var text = Substring(item)
            while text.first == " " || text.first == "\t" { text.removeFirst() }
            while text.last == " " || text.last == "\t" { text.removeLast() }
            return String(text)
        }.filter { !$0.isEmpty }
    }
}
