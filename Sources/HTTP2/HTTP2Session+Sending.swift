// SPDX-License-Identifier: Apache-2.0
package import Bytes
import CNghttp2
package import HTTP

extension HTTP2Session {
    /// Sends a request (client). With `isLast` false the body follows by ``write(_:on:)`` and
    /// ``finish(_:trailers:)``.
    /// - Throws: ``HTTP2SubmitError``; another connection, or later.
    package func submitRequest(
        _ head: HTTPRequestHead, isLast: Bool
    ) throws(HTTP2SubmitError) -> HTTP2StreamID {
        precondition(role == .client, "a server sends no requests")
        guard !isGoingAway else { throw .goingAway }
        guard availableStreams > 0 else { throw .noCapacity }
        var packed = FieldPack()
        packed.add(":method", head.method.text)
        packed.add(":scheme", head.scheme.rawValue)
        packed.add(":authority", head.authority)
        packed.add(":path", head.path)
        packed.add(head.fields)
        let number = unsafe packed.withEntries { entries, count in
            if isLast { return unsafe nghttp2_submit_request(raw, nil, entries, count, nil, nil) }
            var provider = unsafe NGHTTP2.bodyProvider()
            return unsafe nghttp2_submit_request(raw, nil, entries, count, &provider, nil)
        }
        // The numbers of a connection are used up after a billion requests.
        guard number > 0 else { throw .goingAway }
        let stream = HTTP2Stream(id: HTTP2StreamID(number))
        stream.isAnnounced = true
        stream.isSubmitted = true
        if isLast { stream.body.end(trailers: [:]) }
        streams[stream.id] = stream
        counters.streams += 1
        if nextSweep == nil { nextSweep = clock.adding(Self.sweepInterval) }
        return stream.id
    }

    /// Sends the head of the final response (server). With `isLast` false the body follows by
    /// ``write(_:on:)`` and ``finish(_:trailers:)``.
    /// - Throws: ``HTTP2SubmitError/noSuchStream``.
    package func submitResponse(
        _ head: HTTPResponseHead, on id: HTTP2StreamID, isLast: Bool
    ) throws(HTTP2SubmitError) {
        precondition(role == .server && !head.isInformational, "not a final response")
        guard let stream = streams[id], stream.resetBy == nil, !isDead else {
            throw .noSuchStream
        }
        invariant(!stream.isSubmitted, "a second response on a stream")
        let result = unsafe Self.packed(head).withEntries { entries, count in
            if isLast { return unsafe nghttp2_submit_response(raw, id.number, entries, count, nil) }
            var provider = unsafe NGHTTP2.bodyProvider()
            return unsafe nghttp2_submit_response(raw, id.number, entries, count, &provider)
        }
        guard result == 0 else { throw .noSuchStream }
        stream.isSubmitted = true
        if isLast { stream.body.end(trailers: [:]) }
    }

    /// Sends an interim head such as 100 or 103 (server).
    /// - Throws: ``HTTP2SubmitError/noSuchStream``, also after the final response.
    package func submitInformational(
        _ head: HTTPResponseHead, on id: HTTP2StreamID
    ) throws(HTTP2SubmitError) {
        precondition(role == .server && head.isInformational, "not an interim response")
        guard let stream = streams[id], stream.resetBy == nil, !stream.isSubmitted, !isDead
        else { throw .noSuchStream }
        let result = unsafe Self.packed(head).withEntries { entries, count in
            unsafe nghttp2_submit_headers(
                raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), id.number, nil, entries, count, nil)
        }
        guard result == 0 else { throw .noSuchStream }
    }

    /// Adds bytes to the body. They are kept until the peer's windows let them go.
    package func write(_ bytes: [UInt8], on id: HTTP2StreamID) -> HTTP2Backlog {
        guard let stream = streams[id], stream.resetBy == nil, !isDead else { return .gone }
        invariant(stream.isSubmitted && !stream.body.isEnded, "a body out of turn")
        if !bytes.isEmpty {
            stream.body.append(bytes)
            resume(stream)
        }
        stream.isFull = stream.body.count >= limits.highWater
        return stream.isFull ? .full : .room
    }

    /// Ends the body, with trailers if there are any.
    package func finish(_ id: HTTP2StreamID, trailers: HTTPFields = [:]) {
        guard let stream = streams[id], stream.resetBy == nil, !isDead else { return }
        invariant(stream.isSubmitted && !stream.body.isEnded, "an end out of turn")
        stream.body.end(trailers: trailers)
        resume(stream)
    }

    /// Gives the peer the window of `count` bytes back, of the stream and of the connection. What
    /// is not consumed holds the sender up: that is the back-pressure.
    package func consume(_ count: Int, on id: HTTP2StreamID) {
        guard !isDead, count > 0 else { return }
        if let stream = streams[id] {
            // All of it was given back already, by the owner or because the session reset the
            // stream while its events still waited for the owner.
            if stream.isAbandoned { return }
            invariant(count <= stream.unconsumed, "more consumed than came")
            stream.unconsumed -= count
            giveBack(count, on: id)
        } else if let held = lingering[id] {
            invariant(count <= held, "more consumed than came")
            lingering[id] = held == count ? nil : held - count
            giveBack(count, on: id)
        }
    }

    /// The owner reads no more of this stream: what it did not consume, and what still comes, is
    /// dropped. A server's stream is then reset with NO_ERROR after its response (RFC 9113 §8.1).
    package func abandon(_ id: HTTP2StreamID) {
        guard !isDead else { return }
        if let stream = streams[id] {
            stream.isAbandoned = true
            giveBack(stream.unconsumed, on: id)
            stream.unconsumed = 0
        } else if let held = lingering.removeValue(of: id) {
            giveBack(held, on: id)
        }
    }

    /// Ends a stream at once. With `isPeerAtFault` it counts as one of the resets that the peer
    /// made us send (``HTTP2Limits/sentResets``).
    package func reset(
        _ id: HTTP2StreamID, _ code: HTTP2ErrorCode, isPeerAtFault: Bool = false
    ) {
        guard !isDead, let stream = streams[id], stream.resetBy == nil else { return }
        stream.resetBy = isPeerAtFault ? .session : .owner
        submitReset(stream, code)
    }

    /// Asks the peer for a sign of life; ``HTTP2Event/pong(_:)`` brings the number back.
    package func ping(_ number: UInt64) {
        guard !isDead else { return }
        let payload = stride(from: 56, through: 0, by: -8).map {
            UInt8(truncatingIfNeeded: number >> UInt64($0))
        }
        frameGuard.expectedPongs += 1
        check(unsafe nghttp2_submit_ping(raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), payload))
    }

    /// Appends what is to be sent, at most `limit` bytes; the rest stays for the next call. An
    /// owner whose socket is full does not call, and so bodies stay in their bounded queues.
    package func takeOutput(
        into output: inout [UInt8], atMost limit: Int, now: MonotonicInstant
    ) {
        clock = max(clock, now)
        var room = limit
        func give(_ bytes: ArraySlice<UInt8>) {
            output.append(contentsOf: bytes.prefix(room))
            carried = bytes.dropFirst(room)
            room -= min(room, bytes.count)
        }
        give(carried)
        while room > 0, !isDead, verdict == nil {
            var frame: UnsafePointer<UInt8>?
            let count = unsafe nghttp2_session_mem_send(raw, &frame)
            guard count >= 0 else {
                verdict = verdict ?? libraryError(CInt(count))
                break
            }
            guard count > 0, let start = unsafe frame else { break }
            let bytes = unsafe UnsafeBufferPointer(start: start, count: count)
            if count <= room {
                unsafe output.append(contentsOf: bytes)
                room -= count
            } else {
                give(unsafe Array(bytes)[...])
            }
        }
        if let verdict, !isDead {
            end(verdict)
            give(carried)
        } else if !isDead, carried.isEmpty, isFinished {
            isDead = true
            closeAll()
        }
    }

    private static func packed(_ head: HTTPResponseHead) -> FieldPack {
        var packed = FieldPack()
        packed.add(":status", String(head.status))
        packed.add(head.fields)
        return packed
    }

    func resume(_ stream: HTTP2Stream) {
        guard stream.isDeferred, !stream.isHeldSmall else { return }
        stream.isDeferred = false
        // It fails only when the stream is closing, and then there is nothing to resume.
        _ = unsafe nghttp2_session_resume_data(raw, stream.id.number)
    }

    /// Returns window of bytes that nobody holds any more.
    func giveBack(_ count: Int, on id: HTTP2StreamID) {
        guard count > 0 else { return }
        check(unsafe nghttp2_session_consume(raw, id.number, count))
    }

    /// Resets a stream for a fault of the peer.
    func resetBySession(_ stream: HTTP2Stream, _ code: HTTP2ErrorCode) {
        guard stream.resetBy == nil else { return }
        stream.resetBy = .session
        submitReset(stream, code)
    }

    private func submitReset(_ stream: HTTP2Stream, _ code: HTTP2ErrorCode) {
        stream.resetCode = code
        abandon(stream.id)
        check(
            unsafe nghttp2_submit_rst_stream(
                raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream.id.number, code.rawValue))
    }

    /// Sends again what was held back because the window had been opened by a few bytes.
    func resumeSmallWrites() {
        nextSmallWrite = nil
        for stream in streams.values where stream.isHeldSmall {
            stream.isHeldSmall = false
            resume(stream)
        }
    }
}

// MARK: What the library asks for and reports while it sends

extension HTTP2Session {
    /// Fills a DATA frame.
    func readBody(
        of id: HTTP2StreamID, into buffer: UnsafeMutablePointer<UInt8>, atMost length: Int,
        flags: UnsafeMutablePointer<UInt32>
    ) -> Int {
        guard let stream = streams[id] else {
            return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
        }
        let waiting = stream.body.count
        if waiting == 0 && !stream.body.isEnded || holdsSmallWrite(stream, length) {
            stream.isDeferred = true
            return Int(NGHTTP2_ERR_DEFERRED.rawValue)
        }
        let count = min(length, waiting)
        unsafe stream.body.take(count, into: buffer)
        if stream.body.isEmpty {
            stream.writeMark = nil
            if stream.body.isEnded {
                unsafe flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
                if !stream.body.trailers.isEmpty { unsafe sendTrailers(of: stream, flags) }
            }
        }
        if stream.isFull, stream.body.count < limits.lowWater, !stream.body.isEnded {
            stream.isFull = false
            events.append(.writable(id))
        }
        return count
    }

    private func sendTrailers(of stream: HTTP2Stream, _ flags: UnsafeMutablePointer<UInt32>) {
        unsafe flags.pointee |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
        var packed = FieldPack()
        packed.add(stream.body.trailers)
        let result = unsafe packed.withEntries { entries, count in
            unsafe nghttp2_submit_trailer(raw, stream.id.number, entries, count)
        }
        check(result)
    }

    /// Whether the window is so small that the frame should wait for more of it, or for the tick.
    private func holdsSmallWrite(_ stream: HTTP2Stream, _ length: Int) -> Bool {
        guard length < stream.body.count, length < limits.smallWrite else { return false }
        if let last = stream.lastSmallWrite {
            let due = last.adding(limits.smallWriteInterval)
            if due > clock {
                counters.smallWritesHeld += 1
                stream.isHeldSmall = true
                nextSmallWrite = min(nextSmallWrite ?? due, due)
                return true
            }
        }
        stream.lastSmallWrite = clock
        return false
    }

    func didSend(_ frame: nghttp2_frame) {
        let head = unsafe frame.hd
        switch head.type {
        case FrameHead.headers:
            guard let stream = streams[HTTP2StreamID(head.stream_id)] else { return }
            if stream.isSubmitted { stream.headWasSent = true }
            didSendEnd(head, stream)
        case FrameHead.data:
            counters.dataFramesSent += 1
            guard let stream = streams[HTTP2StreamID(head.stream_id)] else { return }
            didSendEnd(head, stream)
        case FrameHead.resetStream:
            didSendReset(unsafe frame.rst_stream)
        case FrameHead.settings:
            settingsWereSent = true
            if head.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) == 0 {
                settingsDeadline = clock.adding(limits.settingsAck)
            }
        case FrameHead.goAway:
            let code = unsafe HTTP2ErrorCode(rawValue: frame.goaway.error_code)
            if code != .noError, failure == nil { failure = .violation(code) }
        default:
            break
        }
    }

    /// A response that was complete before its abandoned request: the client need not go on.
    private func didSendEnd(_ head: nghttp2_frame_hd, _ stream: HTTP2Stream) {
        guard head.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0, role == .server,
            stream.isAbandoned, !stream.peerEnded, stream.resetBy == nil
        else { return }
        stream.resetBy = .owner
        check(
            unsafe nghttp2_submit_rst_stream(
                raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream.id.number,
                HTTP2ErrorCode.noError.rawValue))
    }

    private func didSendReset(_ frame: nghttp2_rst_stream) {
        let stream = streams[HTTP2StreamID(frame.hd.stream_id)]
        if stream?.resetBy == .owner || stream?.resetBy == .peer { return }
        stream?.resetBy = .session
        counters.sentResets += 1
        note(.sentReset)
        if !sentResets.take(now: clock) { verdict = verdict ?? .abuse(.sentResets) }
    }
}
