// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// An open file descriptor with exactly one owner; it is closed exactly once.
///
/// A descriptor that goes out of scope is closed and an error of `close` is lost, which suits
/// sockets and read-only files. A writer whose data must be safe calls ``close()`` and looks at
/// the error.
package struct Descriptor: ~Copyable, Sendable {
    /// The number, valid as long as this value lives. Borrow it for one call; never store it.
    package let number: Int32

    /// Takes ownership of an open descriptor.
    package init(owning number: Int32) { self.number = number }

    deinit { _ = cl_close(number) }

    /// Closes now and reports what `close` says. The number is released even when it throws.
    package consuming func close() throws(SystemError) {
        let number = number
        discard self
        try SystemError.check("close", cl_close(number))
    }

    /// Gives the number to someone else who will close it.
    package consuming func release() -> Int32 {
        let number = number
        discard self
        return number
    }
}

extension Descriptor {
    /// A pipe: what is written to `writer` is read from `reader`. Both are close-on-exec, and the
    /// caller wraps each at once (a tuple cannot hold a noncopyable value).
    static func pipe() throws(SystemError) -> (reader: Int32, writer: Int32) {
        var ends: [Int32] = [0, 0]
        try SystemError.check("pipe2", unsafe cl_pipe(&ends))
        return (ends[0], ends[1])
    }

    func setNonBlocking() throws(SystemError) {
        let flags = fcntl(number, F_GETFL)
        guard flags >= 0, fcntl(number, F_SETFL, flags | O_NONBLOCK) == 0 else {
            throw .current("fcntl")
        }
    }
}

/// The process's limit on open descriptors (RLIMIT_NOFILE).
package enum OpenFiles {
    /// The soft limit in force.
    package static var limit: Int { Int(cl_open_files()) }

    /// Sets the soft limit, at most to the hard limit, and returns what is in force now. One
    /// connection costs one descriptor; a gateway raises its limit before it listens.
    @discardableResult
    package static func setLimit(_ limit: Int) throws(SystemError) -> Int {
        Int(try SystemError.check("setrlimit", cl_open_files_set(Int64(limit))))
    }
}
