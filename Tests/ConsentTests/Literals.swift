// SPDX-License-Identifier: Apache-2.0

import Bytes
import Consent
import JSON
import Testing

/// An entity id that the test wrote itself.
func entityID(_ text: String) -> EntityID {
    guard let id = EntityID(text) else { preconditionFailure("not an entity id: \(text)") }
    return id
}

/// A currency that the test wrote itself.
func currencyNamed(_ code: String) -> Currency {
    guard let currency = Currency(code) else { preconditionFailure("no such currency: \(code)") }
    return currency
}

extension JSONValue {
    /// A member that the vectors promise.
    func member(_ name: String) throws -> JSONValue { try #require(self[name], "\(name)") }

    /// A string that the vectors promise.
    func text(_ name: String) throws -> String { try #require(self[name]?.string, "\(name)") }

    /// An integer that the vectors promise.
    func number(_ name: String) throws -> Int64 { try #require(self[name]?.int, "\(name)") }

    /// The strings of a list; none when the member is absent.
    func texts(_ name: String) -> [String] {
        self[name]?.elements.compactMap(\.string) ?? []
    }
}
