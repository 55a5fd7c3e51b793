// SPDX-License-Identifier: Apache-2.0

/// Whether two byte strings are equal, in a time that depends on their lengths alone.
///
/// For secrets compared with what a stranger sent (bearer tokens, MACs): the time taken must not
/// tell how many leading bytes were right. The lengths themselves are not hidden.
@inline(never)
package func constantTimeEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    guard a.count == b.count else { return false }
    var difference: UInt8 = 0
    for index in a.indices { difference |= a[index] ^ b[index] }
    return difference == 0
}
