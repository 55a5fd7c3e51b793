// SPDX-License-Identifier: Apache-2.0
import IO
import TLS

extension Channel {
    /// Takes one portion from the socket; the loop calls again while there may be more.
    func readSome() {
        switch state {
        case .handshaking, .open: isSecure ? readSecure() : readClear()
        case .finishing, .lingering: discard()
        case .closed: break
        }
    }

    private func readClear() {
        let outcome = unsafe buffers.input.withUnsafeMutableBytes { space in
            unsafe socket.read(into: space)
        }
        switch outcome {
        case .bytes(let count): owner?.channelReceived(buffers.input[..<count])
        case .wouldBlock: break
        case .endOfStream: owner?.channelPeerFinished()
        case .failed(let error): abort(.system(error))
        }
    }

    private func readSecure() {
        var failure: TLSError?
        let outcome = socket.read { ciphertext in
            do throws(TLSError) { try tls?.receive(ciphertext) } catch { failure = error }
        }
        if let failure { return fail(failure) }
        switch outcome {
        case .bytes: state == .handshaking ? advanceHandshake() : pump()
        case .wouldBlock: break
        case .endOfStream: endSecure()
        case .failed(let error): abort(.system(error))
        }
    }

    /// The socket ended; without close_notify someone may have cut the stream.
    private func endSecure() {
        guard state == .open else { return abort(.finished) }
        do {
            try tls?.receiveEnd()
            owner?.channelPeerFinished()
        } catch {
            abort(.tls(error))
        }
    }

    func advanceHandshake() {
        do throws(TLSError) {
            let progress = try tls?.handshake()
            sendHandshake()
            guard progress == .done, state == .handshaking else { return }
            state = .open
            set(nil)
            owner?.channelOpened()
            pump()
        } catch {
            fail(error)
        }
    }

    /// Passes on plaintext until the session wants more, or the owner had enough.
    func pump() {
        var read = 0
        while state == .open, !isReadingPaused {
            guard read < limits.turnBytes else {
                needsPump = true
                return loop.markDirty(self)
            }
            do throws(TLSError) {
                switch try buffers.readPlaintext(of: &tls) {
                case .plaintext(let count):
                    read += count
                    owner?.channelReceived(buffers.plaintext[..<count])
                case .closed:
                    owner?.channelPeerFinished()
                    return
                case .wantsCiphertext, nil:
                    return
                }
            } catch {
                return fail(error)
            }
        }
    }

    /// TLS is broken: the peer is told by an alert where there is one for it.
    private func fail(_ error: TLSError) {
        guard state != .closed else { return }
        pendingEnd = .tls(error)
        state = .finishing
        _ = drain()
        if state == .finishing { finish() }
    }

    /// Reads on without use, so that closing does not reset what is still on its way to the peer.
    private func discard() {
        let outcome = socket.read { discarded += $0.count }
        switch outcome {
        case .bytes:
            if discarded > limits.lingerBytes { abort(pendingEnd) }
        case .wouldBlock: break
        case .endOfStream, .failed:
            if state == .lingering { abort(pendingEnd) }
        }
    }
}
