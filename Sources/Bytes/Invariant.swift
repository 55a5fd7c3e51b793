// SPDX-License-Identifier: Apache-2.0

/// Stops the process, printing `message`, when `condition` does not hold.
///
/// For what only a mistake in this program can break, never for input: a peer's bytes give a typed
/// error. It stays on in release builds, because a gateway that continues from a broken state
/// moves other people's money, and unlike `precondition` it prints its reason there.
@inline(__always)
package func invariant(
    _ condition: @autoclosure () -> Bool, _ message: @autoclosure () -> String,
    file: StaticString = #fileID, line: UInt = #line
) {
    if !condition() {
        fatalError("invariant broken: " + message(), file: file, line: line)
    }
}
