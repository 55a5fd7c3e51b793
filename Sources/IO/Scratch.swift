// SPDX-License-Identifier: Apache-2.0

/// A loop's shared buffers: what is read or about to be written passes through them, so that a
/// connection owns memory only while it is blocked. Contents are valid within one call.
@safe
final class Scratch {
    let input: UnsafeMutableRawBufferPointer
    let output: UnsafeMutableRawBufferPointer

    init(size: Int) {
        unsafe input = .allocate(byteCount: size, alignment: 64)
        unsafe output = .allocate(byteCount: size, alignment: 64)
    }

    deinit {
        unsafe input.deallocate()
        unsafe output.deallocate()
    }
}

extension EventLoop {
    /// Shared space for received bytes, ``Limits/scratchBytes`` long. Valid until the caller
    /// returns to the loop or lets other code read; copy what must stay.
    @unsafe package var inputScratch: UnsafeMutableRawBufferPointer {
        requireLoop()
        return unsafe scratch.input
    }

    /// Shared space to gather bytes for one write, ``Limits/scratchBytes`` long; same rule.
    @unsafe package var outputScratch: UnsafeMutableRawBufferPointer {
        requireLoop()
        return unsafe scratch.output
    }
}
