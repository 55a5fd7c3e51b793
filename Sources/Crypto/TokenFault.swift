// SPDX-License-Identifier: Apache-2.0

/// Why a token was refused: the first rule it breaks in the fixed order of the checks, so that
/// two verifiers give the same answer. Nothing of the token's contents is ever in it.
package enum TokenFault: Error, Equatable, Sendable {
    /// Not three parts of strict base64url, or JSON outside the profile. The text names the rule:
    /// `parts`, `header-base64url`, `payload-base64url`, `signature-base64url`,
    /// `payload-object`, or `header-` or `payload-` with the rule of ``JSONFault``.
    case malformed(String)
    /// The header is not exactly `alg`, `typ` and `kid`, three strings.
    case header
    /// The `typ` is not the one that was asked for.
    case type
    /// The `alg` is not on the list, or not that of the verifying key.
    case algorithm
    /// The `kid` is not the thumbprint of the verifying key.
    case key
    /// The signature is not 64 bytes, or not that of the verifying key over the signing input.
    case signature
    /// More bytes than ``UnverifiedToken/maximumBytes``.
    case tooLarge
}
