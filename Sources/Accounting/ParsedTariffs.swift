// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Tariffs that were parsed before: every post is rated by one, and reading the same text again
/// would cost more than the post. It decides nothing, for an entry counts only for the very text
/// that it was read from.
final class ParsedTariffs: Sendable {
    /// Those of this process.
    static let shared = ParsedTariffs()

    private struct Entry {
        let body: [UInt8]
        let tariff: Tariff
    }

    private let entries = Mutex<[HashName: Entry]>([:])

    /// As many as a gateway with some hundred peers has in force; over it, all are forgotten.
    private static let most = 512

    subscript(_ record: TariffRecord) -> Tariff? {
        get {
            entries.withLock { entries in
                guard let entry = entries[record.name], entry.body == record.body else {
                    return nil
                }
                return entry.tariff
            }
        }
        set {
            entries.withLock { entries in
                if entries.count >= Self.most { entries = [:] }
                entries[record.name] = newValue.map { Entry(body: record.body, tariff: $0) }
            }
        }
    }
}
