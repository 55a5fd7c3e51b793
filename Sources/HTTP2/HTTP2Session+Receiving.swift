// SPDX-License-Identifier: Apache-2.0
package import Bytes
import CNghttp2
import HTTP

extension HTTP2Session {
    /// Reads bytes from the peer; what they meant is in ``takeEvents()`` afterwards.
    /// - Throws: Why the connection is over, again on each further call. Events of what came
    ///   before, and of the streams that it closes, are there nevertheless.
    package func receive(
        _ bytes: ArraySlice<UInt8>, now: MonotonicInstant
    ) throws(HTTP2Error) {
        if isDead { throw failure ?? .ended }
        clock = max(clock, now)
        var fed = bytes.startIndex
        var position = bytes.startIndex
        while position < bytes.endIndex, verdict == nil {
            switch scanner.next(bytes, from: position, now: clock) {
            case .pass(let end):
                position = end
            case .held:
                feed(bytes[fed..<position])
                position = bytes.endIndex
                fed = position
            case .frame(let head, let held, let end):
                if let cut = judge(head) {
                    // What came before the frame was honest enough to be served.
                    feed(bytes[fed..<position])
                    verdict = verdict ?? cut
                } else if !held.isEmpty {
                    feed((held + bytes[position..<end])[...])
                    fed = end
                }
                position = end
            }
            if position - fed >= Self.slice {
                feed(bytes[fed..<position])
                fed = position
            }
        }
        if verdict == nil { feed(bytes[fed..<position]) }
        try act()
    }

    /// Reads all bytes of an array.
    package func receive(_ bytes: [UInt8], now: MonotonicInstant) throws(HTTP2Error) {
        try receive(bytes[...], now: now)
    }

    /// Acts on what a callback or the guard decided.
    func act() throws(HTTP2Error) {
        if let verdict {
            end(verdict)
            throw verdict
        }
    }

    private func judge(_ head: FrameHead) -> HTTP2Error? {
        switch frameGuard.judge(head, counters: &counters, now: clock) {
        case .pass: return nil
        case .odd(let glitch):
            note(glitch)
            return verdict
        case .cut(let error): return error
        }
    }

    private func feed(_ bytes: ArraySlice<UInt8>) {
        guard verdict == nil, !bytes.isEmpty else { return }
        let result = unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe nghttp2_session_mem_recv(raw, buffer.baseAddress, buffer.count)
        }
        guard verdict == nil else { return }
        if result < 0 {
            verdict = libraryError(CInt(result))
            return
        }
        let waiting = unsafe nghttp2_session_get_outbound_queue_size(raw)
        counters.mostOutboundFrames = max(counters.mostOutboundFrames, UInt64(waiting))
        if waiting > limits.outboundFrames { verdict = .abuse(.outboundFrames) }
    }

    /// What a fatal result of the library means. It is not used afterwards.
    func libraryError(_ result: CInt) -> HTTP2Error {
        switch result {
        case NGHTTP2_ERR_FLOODED.rawValue:
            counters.controlFloods += 1
            return .abuse(.outboundControlFrames)
        case Self.tooManyContinuations: return .abuse(.continuations)
        case NGHTTP2_ERR_BAD_CLIENT_MAGIC.rawValue: return .violation(.protocolError)
        default: return .violation(.internalError)
        }
    }

    /// Holds something odd against the peer.
    func note(_ glitch: HTTP2Glitch) {
        counters.add(glitch)
        if !glitches.take(glitch.weight, now: clock), verdict == nil {
            verdict = .abuse(.glitches)
        }
    }

    /// Bytes given to the library at once, so that limits that only callbacks see act early.
    private static let slice = 16 << 10
    /// `NGHTTP2_ERR_TOO_MANY_CONTINUATIONS`, which Debian's header of 1.52 may not name.
    private static let tooManyContinuations: CInt = -905
}

// MARK: What the library reports. Nothing here calls back into reading or writing.

extension HTTP2Session {
    func didBeginHeaders(on id: HTTP2StreamID, isRequest: Bool) {
        block.begin()
        guard isRequest, role == .server else { return }
        lastPeerStream = max(lastPeerStream, id.number)
        counters.streams += 1
        streams[id] = HTTP2Stream(id: id)
        if nextSweep == nil { nextSweep = clock.adding(Self.sweepInterval) }
        // Streams share the line evenly, whatever the client would prefer: otherwise the
        // library serves the lowest number until it is done, and a long stream of events would
        // starve the others.
        var even = nghttp2_extpri(urgency: UInt32(NGHTTP2_EXTPRI_DEFAULT_URGENCY), inc: 1)
        _ = unsafe nghttp2_session_change_extpri_stream_priority(raw, id.number, &even, 1)
    }

    func didReceiveField(
        name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>
    ) -> CInt {
        unsafe block.add(name: name, value: value, limits: limits)
        if block.isFarOver(limits) {
            counters.oversizedHeaderLists += 1
            return cut(.abuse(.headerList))
        }
        return 0
    }

    func didReceiveHeaders(_ head: nghttp2_frame_hd) {
        guard let stream = streams[HTTP2StreamID(head.stream_id)] else { return }
        let isLast = head.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
        if isLast { stream.peerEnded = true }
        if role == .server {
            if stream.isAnnounced || stream.isAbandoned {
                didReceiveTrailers(on: stream)
            } else {
                didReceiveRequest(on: stream)
            }
        } else if stream.hasResponse {
            didReceiveTrailers(on: stream)
        } else {
            didReceiveResponse(on: stream)
        }
    }

    private func didReceiveRequest(on stream: HTTP2Stream) {
        do throws(HTTP2Rejection) {
            let head = try block.request()
            stream.isAnnounced = true
            events.append(.request(stream.id, head, isLast: stream.peerEnded))
        } catch {
            counters.rejectedRequests += 1
            events.append(.rejected(stream.id, error))
            guard error != .headerListTooLarge || noteOversized() else { return }
            note(.rejectedRequest)
            stream.isAbandoned = true
            let answer = HTTPResponseHead(status: error.status)
            try? submitResponse(answer, on: stream.id, isLast: true)
        }
    }

    private func didReceiveResponse(on stream: HTTP2Stream) {
        guard let head = block.response() else {
            if block.isOversized, !noteOversized() { return }
            resetBySession(stream, .protocolError)
            return
        }
        if head.isInformational {
            counters.interimResponses += 1
            stream.interimResponses += 1
            if stream.interimResponses > limits.interimResponses {
                verdict = .abuse(.interimResponses)
            }
            return
        }
        stream.hasResponse = true
        if !stream.isAbandoned {
            events.append(.response(stream.id, head, isLast: stream.peerEnded))
        }
    }

    private func didReceiveTrailers(on stream: HTTP2Stream) {
        guard let trailers = block.trailers() else {
            if block.isOversized, !noteOversized() { return }
            resetBySession(stream, .protocolError)
            return
        }
        if !stream.isAbandoned { events.append(.end(stream.id, trailers: trailers)) }
    }

    /// Counts a header list over the limit; `false` when it was one too many.
    private func noteOversized() -> Bool {
        counters.oversizedHeaderLists += 1
        note(.oversizedHeaderList)
        guard counters.oversizedHeaderLists <= 1 else {
            verdict = verdict ?? .abuse(.headerList)
            return false
        }
        return true
    }

    func didReceiveData(_ bytes: UnsafeBufferPointer<UInt8>, on id: HTTP2StreamID) {
        guard let stream = streams[id], !stream.isAbandoned else {
            giveBack(bytes.count, on: id)
            return
        }
        stream.unconsumed += bytes.count
        stream.received += bytes.count
        unsafe events.append(.data(id, Array(bytes)))
    }

    func didReceiveDataFrame(_ frame: nghttp2_data) {
        let isLast = frame.hd.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
        if !isLast, frame.hd.length <= frame.padlen {
            counters.emptyData += 1
            emptyDataInARow += 1
            if emptyDataInARow > limits.emptyDataInARow { verdict = .abuse(.emptyData) }
            note(.emptyData)
        } else {
            emptyDataInARow = 0
        }
        let id = HTTP2StreamID(frame.hd.stream_id)
        guard isLast, let stream = streams[id] else { return }
        stream.peerEnded = true
        if !stream.isAbandoned { events.append(.end(id, trailers: [:])) }
    }

    func didReceiveReset(of id: HTTP2StreamID) {
        guard let stream = streams[id] else { return }
        if stream.resetBy == nil { stream.resetBy = .peer }
        guard role == .server, !stream.headWasSent else { return }
        counters.earlyResets += 1
        note(.earlyReset)
        if !earlyResets.take(now: clock) { verdict = verdict ?? .abuse(.earlyResets) }
    }

    func didReceiveSettings(isAck: Bool) {
        if isAck {
            settingsDeadline = nil
        } else {
            prefaceDeadline = nil
            events.append(.settings)
        }
    }

    func didReceiveWindowUpdate(_ number: Int32) {
        if number == 0 {
            resumeSmallWrites()
        } else if let stream = streams[HTTP2StreamID(number)], stream.isHeldSmall {
            stream.isHeldSmall = false
            resume(stream)
        }
    }

    typealias PingPayload = (UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8)

    func didReceivePong(_ payload: PingPayload) {
        let bytes = [
            payload.0, payload.1, payload.2, payload.3, payload.4, payload.5, payload.6, payload.7,
        ]
        events.append(.pong(bytes.reduce(0) { $0 << 8 | UInt64($1) }))
    }

    func didReceiveGoAway(last: HTTP2StreamID, _ code: HTTP2ErrorCode) {
        goAwayWasReceived = true
        events.append(.goAway(last: last, code))
    }

    func didReceiveInvalidFrame(_ head: nghttp2_frame_hd, _ error: CInt) {
        if error == NGHTTP2_ERR_REFUSED_STREAM.rawValue {
            counters.refusedStreams += 1
            note(.refusedStream)
            return
        }
        counters.invalidFrames += 1
        note(.invalidFrame)
        if !invalidFrames.take(now: clock) { verdict = verdict ?? .abuse(.invalidFrames) }
    }

    func didCloseStream(_ id: HTTP2StreamID, _ reported: HTTP2ErrorCode) {
        guard let stream = streams.removeValue(of: id) else { return }
        let code = stream.resetCode ?? reported
        if streams.isEmpty { nextSweep = nil }
        let initiator = stream.resetBy ?? (code == .noError ? .completion : .peer)
        if stream.unconsumed > 0 {
            if initiator == .completion {
                lingering[id] = stream.unconsumed
            } else {
                check(unsafe nghttp2_session_consume_connection(raw, stream.unconsumed))
            }
        }
        guard stream.isAnnounced else { return }
        let isRefused = code == .refusedStream && initiator == .peer
        let isRetryable = role == .client && (isRefused || !stream.headWasSent)
        events.append(
            .closed(
                id, HTTP2Closure(initiator: initiator, code: code, isRetryable: isRetryable)))
    }

    /// What a callback returns: once a limit is passed, the library reads no further frame.
    var goOn: CInt { verdict == nil ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE.rawValue }

    /// Notes why to stop and makes the library return at once.
    private func cut(_ error: HTTP2Error) -> CInt {
        verdict = verdict ?? error
        return NGHTTP2_ERR_CALLBACK_FAILURE.rawValue
    }
}
