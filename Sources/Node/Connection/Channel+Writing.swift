// SPDX-License-Identifier: Apache-2.0
import Bytes
import IO
import TLS

extension Channel {
    /// The end of a tick in which something was to be sent.
    func flush() {
        if needsPump {
            needsPump = false
            pump()
        }
        writeSome()
    }

    /// Sends what waits, then what the owner has, until the socket is full.
    func writeSome() {
        guard state == .open || state == .finishing else { return }
        defer { if isBlocked, state == .open { owner?.channelBlocked() } }
        var written = 0
        while !isBlocked, drain() {
            guard written < limits.turnBytes else { return loop.markDirty(self) }
            let count = sendPortion()
            guard state == .open || state == .finishing else { return }
            if count == 0 {
                if state == .finishing { finish() }
                return
            }
            written += count
        }
    }

    func sendHandshake() {
        if !isBlocked { _ = drain() }
    }

    /// Asks the owner for a portion and sends it; the bytes of plaintext.
    private func sendPortion() -> Int {
        var count = 0
        buffers.withOutput { output in
            owner?.channelFill(&output, atMost: ChannelBuffers.portion)
            count = output.count
            guard count > 0, state != .closed else { return }
            if isSecure {
                do throws(TLSError) {
                    try tls?.write(output.span)
                } catch {
                    abort(.tls(error))
                }
            } else {
                let taken = offer(output.span)
                if taken < count { unsent = Array(output[taken...])[...] }
            }
        }
        return count
    }

    /// Sends what an earlier write left; `false` while some of it remains.
    func drain() -> Bool {
        if isSecure {
            tls?.drainCiphertext { offer($0) }
        } else if !unsent.isEmpty {
            unsent = unsent.dropFirst(offer(unsent.span))
        }
        if let writeFailure {
            abort(.system(writeFailure))
            return false
        }
        return unsentCount == 0
    }

    /// Offers bytes to the socket and watches that a full one takes something in time.
    private func offer(_ bytes: Span<UInt8>) -> Int {
        switch socket.write(bytes) {
        case .written(let count):
            isBlocked = count < bytes.count
            if isBlocked {
                if count > 0 || deadline == nil { set(loop.now.adding(limits.progress)) }
            } else if state == .open || state == .finishing {
                set(nil)
            }
            return count
        case .failed(let error):
            writeFailure = error
            return 0
        }
    }

    /// All was sent: says so, and waits a moment for the peer's own end.
    func finish() {
        if isSecure {
            tls?.close()
            guard drain() else { return }
        }
        guard state == .finishing else { return }
        state = .lingering
        socket.finish()
        set(loop.now.adding(limits.linger))
    }
}
