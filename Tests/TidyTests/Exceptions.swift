// SPDX-License-Identifier: Apache-2.0

/// Places that a rule does not bind, each with its reason. An entry that no longer excuses anything
/// is itself a finding, so that the list only shrinks.
enum Exceptions {
    struct Entry: Sendable {
        let rule: String
        let path: String
        let reason: String
    }

    static let entries: [Entry] = []
}
