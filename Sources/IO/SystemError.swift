// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// A system call that the kernel refused: which call, and its `errno`.
///
/// Holds no path, address or contents, so that it may be logged as it is.
package struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The call's name as in its manual page, e.g. `connect`.
    package let call: String
    /// The positive `errno` value.
    package let code: Int32

    package init(_ call: String, _ code: Int32) {
        self.call = call
        self.code = code
    }

    /// For instance `connect: Connection refused (111)`.
    package var description: String {
        let text = unsafe cl_error_text(code).map { unsafe String(cString: $0) }
        return "\(call): \(text ?? "unknown error") (\(code))"
    }

    static func current(_ call: String) -> SystemError { SystemError(call, errno) }
}

extension SystemError {
    /// Turns the result of a CLinux function (`-errno` on failure) into a value or an error.
    @discardableResult
    static func check<Value: SignedInteger>(
        _ call: String, _ result: Value
    ) throws(SystemError) -> Value {
        guard result < 0 else { return result }
        throw SystemError(call, Int32(-result))
    }
}
