// SPDX-License-Identifier: Apache-2.0

/// Why a key was refused. Nothing of the key itself is ever in it.
package enum KeyError: Error, Equatable, Sendable {
    /// Not a key at all; the text names the rule that was broken.
    case malformed(String)
    /// A key of another kind than P-256 or Ed25519, or meant for another use than signatures.
    case unsupported
    /// A private member where only a public key may stand.
    case privateMember
    /// The coordinates are no point of the curve, or one of its few points of small order.
    case notOnCurve
    /// A PEM file under a passphrase; the gateway asks nobody for one.
    case encrypted
    /// The private part does not belong to the public part beside it.
    case mismatch
}
