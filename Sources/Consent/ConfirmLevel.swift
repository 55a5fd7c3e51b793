// SPDX-License-Identifier: Apache-2.0

/// How the user takes part in one act, weakest first (`Spec` §4.3).
package enum ConfirmLevel: String, CaseIterable, Comparable, Hashable, Sendable {
    /// Nobody asks.
    case none
    /// The user is told afterwards and can undo.
    case notice
    /// The grant itself was the yes.
    case once
    /// A confirmation for this act, over its exact terms.
    case each
    /// As `each`, and the user was verified while confirming (finger, face, PIN).
    case eachVerified = "each-uv"

    package static func < (left: ConfirmLevel, right: ConfirmLevel) -> Bool {
        left.order < right.order
    }

    /// Whether an act at this level carries a confirmation of its own.
    package var needsConfirmation: Bool { self >= .each }

    private var order: Int {
        switch self {
        case .none: 0
        case .notice: 1
        case .once: 2
        case .each: 3
        case .eachVerified: 4
        }
    }
}

/// How the user was verified: values of RFC 8176.
package enum AuthenticationMethods {
    /// The methods that show that the person, not only the device, was there.
    private static let verifying: Set<String> = ["fpt", "face", "iris", "retina", "pin", "vbm"]

    /// Whether one of the methods shows the person.
    package static func showUserVerification(_ methods: [String]) -> Bool {
        methods.contains { verifying.contains($0) }
    }
}
