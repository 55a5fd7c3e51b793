// SPDX-License-Identifier: Apache-2.0
import Glibc

extension StreamSocket {
    /// What one read gave.
    package enum ReadOutcome: Hashable, Sendable {
        /// So many bytes, more than none.
        case bytes(Int)
        /// Nothing now; ``StreamSocket/onReadable`` will tell.
        case wouldBlock
        /// The peer has finished; every later read says the same.
        case endOfStream
        /// The connection is gone.
        case failed(SystemError)
    }

    /// Reads once into the loop's shared input buffer and shows the bytes to `body`, which copies
    /// what must stay. `body` is called only for ``ReadOutcome/bytes(_:)`` and must not read
    /// again.
    ///
    /// - Parameter limit: At most so many bytes; the rest stays in the kernel.
    package func read(atMost limit: Int = .max, _ body: (Span<UInt8>) -> Void) -> ReadOutcome {
        let space = unsafe loop.inputScratch
        let part = unsafe UnsafeMutableRawBufferPointer(rebasing: space.prefix(limit))
        let outcome = unsafe read(into: part)
        guard case .bytes(let count) = outcome else { return outcome }
        let bytes = unsafe UnsafeRawBufferPointer(rebasing: part.prefix(count))
        unsafe bytes.withMemoryRebound(to: UInt8.self) { elements in
            body(unsafe Span(_unsafeElements: elements))
        }
        return outcome
    }

    /// Reads once into `space`, which must not be empty.
    @unsafe package func read(into space: UnsafeMutableRawBufferPointer) -> ReadOutcome {
        loop.requireLoop()
        while true {
            let count = unsafe Glibc.read(number, space.baseAddress, space.count)
            if count > 0 {
                // A short read has emptied the kernel's buffer, and later bytes make a new edge;
                // but the end of the stream may have been announced by the same edge as these
                // bytes.
                if count < space.count, !hasPeerFinished { isReadable = false }
                return .bytes(count)
            }
            if count == 0 {
                isReadable = false
                return .endOfStream
            }
            switch errno {
            case EINTR: continue
            case EAGAIN:
                isReadable = false
                return .wouldBlock
            default:
                isReadable = false
                return .failed(.current("read"))
            }
        }
    }
}
