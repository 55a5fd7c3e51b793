// SPDX-License-Identifier: Apache-2.0

/// Why a part of a message could not be built: the first rule that it breaks.
///
/// A value of these types that exists is valid, so a writer never has to look again.
package enum HTTPFault: String, Error, CaseIterable, Sendable {
    /// Not a token of RFC 9110 §5.6.2, or empty.
    case fieldName = "field-name"
    /// A control character in a field value (CR, LF and NUL among them), or space at its ends.
    case fieldValue = "field-value"
    /// A field value or a target that is not UTF-8.
    case encoding
    /// A method that is not a token.
    case method
    /// A scheme that is neither `http` nor `https`.
    case scheme
    /// Not `host[:port]`: an unusual character, a bad port, an open bracket.
    case authority
    /// User information before the host, which RFC 9110 §4.2.4 asks to treat as an error.
    case userinfo
    /// A target that is not in origin form (or `*` for OPTIONS), or holds a space, a control
    /// character, a fragment.
    case path
    /// A status outside 100…599.
    case status
}
