// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import CLoopBIO
internal import COpenSSL

/// One TLS 1.3 connection as a transducer: ciphertext in and out, plaintext in and out; no socket.
///
/// The owner feeds what the socket gave (``receive(_:)``), drives ``handshake()`` until it is
/// done, then calls ``read(into:)`` until it wants ciphertext, and after anything that may have
/// produced ciphertext, errors included, passes it on with ``drainCiphertext(_:)``. A reader that
/// stops early loses nothing: the session keeps the ciphertext until the next read, so
/// back-pressure is simply not reading. Without waiting bytes the session holds no buffers.
///
/// A session belongs to one loop and is never shared. After an error it only repeats that error.
@safe package struct TLSSession: ~Copyable {
    /// How far a handshake is.
    package enum Progress: Equatable, Sendable {
        case done
        case wantsCiphertext
    }

    /// What a read found.
    package enum Reading: Equatable, Sendable {
        /// So many bytes at the front of the buffer, at least one; there may be more to read.
        case plaintext(Int)
        /// Everything received has been read.
        case wantsCiphertext
        /// The peer has said close_notify: nothing will follow. We may still write.
        case closed
    }

    private let ssl: OpaquePointer
    /// Belongs to `ssl`.
    private let bio: OpaquePointer
    private let state: Handshake
    private var failure: TLSError?
    /// True once the handshake is done, the peer verified and the protocol agreed.
    package private(set) var isEstablished = false

    /// A server's side of a connection that a client has opened.
    package init(accepting context: TLSContext) throws(TLSError) {
        try self.init(context, .server, nil)
    }

    /// A client's side of a connection to `destination`, whose name is indicated to the server. The
    /// first ``handshake()`` produces the first flight.
    package init(
        connecting context: TLSContext, to destination: Destination
    ) throws(TLSError) {
        try self.init(context, .client, destination)
    }

    private init(
        _ context: TLSContext, _ role: TLSContext.Role, _ destination: Destination?
    ) throws(TLSError) {
        invariant(context.role == role, "a session takes a context of its own role")
        ERR_clear_error()
        guard let ssl = unsafe SSL_new(context.handle) else { throw .drained() }
        guard let bio = unsafe dg_loop_bio_new() else {
            unsafe SSL_free(ssl)
            throw .outOfMemory
        }
        unsafe SSL_set_bio(ssl, bio, bio)
        let state = Handshake(context, destination)
        let named = (destination?.serverName).map { unsafe dg_tls_set_server_name(ssl, $0) == 1 }
        let stateAddress = unsafe Unmanaged.passUnretained(state).toOpaque()
        guard named != false, unsafe SSL_set_ex_data(ssl, Handshake.slot, stateAddress) == 1 else {
            unsafe SSL_free(ssl)
            throw .drained()
        }
        switch role {
        case .server: unsafe SSL_set_accept_state(ssl)
        case .client: unsafe SSL_set_connect_state(ssl)
        }
        self.state = state
        unsafe (self.ssl, self.bio) = (ssl, bio)
    }

    deinit { unsafe SSL_free(ssl) }
}

// MARK: - Who and what

extension TLSSession {
    /// The peer, once ``isEstablished``; nil on a server that asks for no certificates.
    package var peer: PeerIdentity? { isEstablished ? state.peer : nil }

    /// The protocol agreed by ALPN; nil when nothing was negotiated, which means HTTP/1.1 on an
    /// edge.
    package var applicationProtocol: ApplicationProtocol? {
        isEstablished ? unsafe negotiatedProtocol(ssl) : nil
    }
}

// MARK: - Bytes in

extension TLSSession {
    /// Takes bytes from the socket, to be used by the handshake or by reads.
    package mutating func receive(_ ciphertext: Span<UInt8>) throws(TLSError) {
        if let failure { throw failure }
        let taken = unsafe ciphertext.withUnsafeBufferPointer { bytes in
            unsafe dg_loop_bio_receive(bio, bytes.baseAddress, bytes.count)
        }
        if taken != 1 { throw fail(.outOfMemory) }
    }

    /// Bytes received that no handshake step and no read has used yet: above zero only while the
    /// owner does not read. It bounds this by not reading the socket.
    package var unreadCiphertextCount: Int { unsafe dg_loop_bio_unread(bio) }

    /// Advances the handshake with what has been received.
    ///
    /// - Throws: Any ``TLSError``. Where TLS has an alert for it, it is among the ciphertext.
    package mutating func handshake() throws(TLSError) -> Progress {
        if let failure { throw failure }
        if isEstablished { return .done }
        ERR_clear_error()
        let result = unsafe SSL_do_handshake(ssl)
        if result == 1 {
            isEstablished = true
            return .done
        }
        switch unsafe SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ: return .wantsCiphertext
        default: throw fail(state.refusal ?? .drained())
        }
    }

    /// Decrypts at most one record (16 KiB) into the front of `plaintext`, which must not be empty.
    ///
    /// A client learns here that the server has refused its certificate: in TLS 1.3 its own
    /// handshake is over before the server has seen it.
    package mutating func read(
        into plaintext: inout MutableSpan<UInt8>
    ) throws(TLSError) -> Reading {
        if let failure { throw failure }
        invariant(isEstablished, "nothing is read before the handshake is done")
        invariant(!plaintext.isEmpty, "a read needs room")
        ERR_clear_error()
        var count = 0
        let result = unsafe plaintext.withUnsafeMutableBytes { room in
            unsafe SSL_read_ex(ssl, room.baseAddress, room.count, &count)
        }
        if result == 1 { return .plaintext(count) }
        switch unsafe SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ: return .wantsCiphertext
        case SSL_ERROR_ZERO_RETURN: return .closed
        default: throw fail(.drained())
        }
    }

    /// The socket has ended. Harmless after close_notify; otherwise the peer, or someone between,
    /// may have cut off data.
    ///
    /// - Throws: ``TLSError/truncated``. Read what was received before calling this.
    package mutating func receiveEnd() throws(TLSError) {
        if let failure { throw failure }
        if unsafe SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN == 0 { throw fail(.truncated) }
    }
}

// MARK: - Bytes out

extension TLSSession {
    /// Encrypts all of `plaintext`, in records of at most 16 KiB. It never blocks: a slow socket
    /// shows in ``ciphertextCount``, and the owner stops writing.
    package mutating func write(_ plaintext: Span<UInt8>) throws(TLSError) {
        if let failure { throw failure }
        invariant(isEstablished, "nothing is written before the handshake is done")
        if unsafe SSL_get_shutdown(ssl) & SSL_SENT_SHUTDOWN != 0 { throw .closed }
        if plaintext.isEmpty { return }
        ERR_clear_error()
        var count = 0
        let result = unsafe plaintext.withUnsafeBufferPointer { bytes in
            unsafe SSL_write_ex(ssl, bytes.baseAddress, bytes.count, &count)
        }
        guard result == 1 else { throw fail(.drained()) }
        invariant(count == plaintext.count, "a write without partial writes is whole")
    }

    /// Says close_notify: nothing more will be written, reading goes on. A session that has failed
    /// or is still in its handshake has nothing to say and stays silent.
    package mutating func close() {
        guard failure == nil, isEstablished else { return }
        ERR_clear_error()
        // Zero means that the peer's close_notify is still to come, which reads will report.
        _ = unsafe SSL_shutdown(ssl)
        ERR_clear_error()
    }

    /// Bytes for the socket that have not been passed on.
    package var ciphertextCount: Int {
        var count = 0
        _ = unsafe dg_loop_bio_outbound(bio, &count)
        return count
    }

    /// Lends all bytes for the socket; those that `send` says it has passed on are dropped, the
    /// rest stays for the next time. Also after an error, since an alert may be among them.
    package mutating func drainCiphertext(_ send: (Span<UInt8>) -> Int) {
        var count = 0
        guard let bytes = unsafe dg_loop_bio_outbound(bio, &count) else { return }
        let sent = unsafe send(UnsafeBufferPointer(start: bytes, count: count).span)
        invariant((0...count).contains(sent), "no more is sent than there is")
        unsafe dg_loop_bio_sent(bio, sent)
    }

    /// Moves all bytes for the socket to the end of `buffer`.
    package mutating func takeCiphertext(appendingTo buffer: inout [UInt8]) {
        drainCiphertext { bytes in
            unsafe bytes.withUnsafeBufferPointer { unsafe buffer.append(contentsOf: $0) }
            return bytes.count
        }
    }

    /// Marks the session as dead. OpenSSL must not be called for reading or writing after a
    /// failure.
    private mutating func fail(_ error: TLSError) -> TLSError {
        failure = error
        return error
    }
}
