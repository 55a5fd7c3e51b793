// SPDX-License-Identifier: Apache-2.0
import Bytes
import Consent
import HTTP
import IO

/// The server's side of HTTP/1.1 on one connection: one request after the other, however many the
/// client has sent ahead.
final class InboundHTTP1: Conversation {
    private enum Phase {
        /// Waiting for a request, or for the rest of its head.
        case idle
        case collecting
        case answering
        /// The last answer is on its way.
        case closing
    }

    private let serving: Serving
    private let channel: Channel
    private let peer: Presenter?
    private var parser: HTTP1RequestParser
    private var allowance: BodyAllowance
    private var phase = Phase.idle
    private var isWorking = false
    private var closesAfter = false
    private var isGone = false
    private var hasPeerFinished = false

    // The request.
    private var head: HTTP1RequestParser.Head?
    private var body: [UInt8] = []
    private var received = 0
    private var refusal: ServiceResponse?

    // The answer.
    private var answer: Answer?
    private var isStreaming = false
    private var output = HTTP1Output()
    private let room = Arrival()
    /// Memory of the last answer while it is not written.
    private var unwritten: AnswerShare?
    /// The next request waits until that is nearly so, or a client that reads nothing could have
    /// one answer after the other made for it.
    private var isHeldUp = false

    // Deadlines.
    private var idleSince: MonotonicInstant
    private var headSince: MonotonicInstant?
    private var bodyMark: (since: MonotonicInstant, received: Int)?

    init(_ serving: Serving, _ channel: Channel, peer: Presenter?) {
        self.serving = serving
        self.channel = channel
        self.peer = peer
        var limits = HTTP1Limits()
        limits.body = serving.bodyLimit
        parser = HTTP1RequestParser(scheme: channel.isSecure ? .https : .http, limits: limits)
        allowance = BodyAllowance(serving.budget, limit: serving.limits.connectionBodyBytes)
        idleSince = serving.loop.now
    }

    // MARK: The request

    func receive(_ bytes: ArraySlice<UInt8>) {
        parser.append(bytes)
        switch phase {
        case .idle, .collecting: work()
        case .answering:
            // Requests sent ahead wait in the kernel.
            if parser.buffered > Self.aheadBytes { channel.pauseReading() }
        case .closing: break
        }
    }

    private func work() {
        guard !isWorking, !isHeldUp else { return }
        isWorking = true
        do throws(HTTP1Fault) {
            while phase == .idle || phase == .collecting, let event = try parser.next() {
                take(event)
            }
        } catch {
            closesAfter = true
            reply(.plain(error.status, "This is not HTTP/1.1 (RFC 9112): \(error.rawValue)"))
        }
        isWorking = false
        mark()
    }

    private func take(_ event: HTTP1RequestParser.Event) {
        switch event {
        case .head(let head):
            self.head = head
            phase = .collecting
            closesAfter = closesAfter || !head.keepsAlive
            refusal = serving.refusal(of: head.request, from: peer)
            guard head.framing != .none, head.framing != .length(0) else { return }
            if let refusal {
                // Nobody knows whether the body will come, so nothing can follow it.
                closesAfter = true
                reply(refusal)
            } else if head.expectsContinue {
                output.append(HTTP1Serializer.continueResponse)
                channel.wantsToSend()
            }
        case .body(let bytes):
            received += bytes.count
            if allowance.take(bytes.count) {
                body += bytes
            } else {
                serving.parts.counters.refused(.body)
                closesAfter = true
                reply(.busy)
            }
        case .end:
            if let refusal { reply(refusal) } else { begin() }
        }
    }

    private func begin() {
        guard let head else { return }
        phase = .answering
        let answer = Answer(serving, to: self, for: peer)
        self.answer = answer
        answer.begin(
            ServiceRequest(
                head: head.request, body: body, listener: serving.settings, peer: peer,
                httpVersion: Self.version))
    }

    private func reply(_ response: ServiceResponse) {
        phase = .answering
        serving.noteRefusal(response, of: head?.request, from: peer, over: Self.version)
        let answer = Answer(serving, to: self, for: peer)
        self.answer = answer
        answer.give(response)
    }

    private func releaseBody() {
        allowance.give(body.count)
        body = []
    }

    /// The answer is written: the next request, or the end.
    private func answered() {
        releaseBody()
        unwritten = answer?.share
        answer = nil
        head = nil
        refusal = nil
        received = 0
        isStreaming = false
        guard !closesAfter else {
            phase = .closing
            return channel.close()
        }
        parser.responseDone()
        phase = .idle
        idleSince = serving.loop.now
        isHeldUp = output.count >= serving.limits.highWater
        if isHeldUp { channel.pauseReading() } else { goOn() }
    }

    private func goOn() {
        isHeldUp = false
        channel.resumeReading()
        work()
    }

    // MARK: Bytes out

    func fill(_ out: inout [UInt8], atMost limit: Int) {
        output.take(atMost: limit, into: &out)
        guard output.count < serving.limits.lowWater else { return }
        unwritten = nil
        room.resume()
        if isHeldUp { goOn() }
    }

    // MARK: Ending

    func peerFinished() {
        hasPeerFinished = true
        closesAfter = true
        switch phase {
        case .idle, .collecting: channel.close()
        case .answering where isStreaming: leave()
        // One answer is still written for a client that only finished its own side.
        case .answering, .closing: break
        }
    }

    /// Whoever closes while events come does not listen any more.
    private func leave() {
        channel.close()
        abandon()
    }

    func drain() {
        closesAfter = true
        if phase == .idle, !parser.isInsideRequest { channel.close() }
    }

    func cut() {
        abandon()
        channel.abort()
    }

    func end() { abandon() }

    private func abandon() {
        guard !isGone else { return }
        isGone = true
        releaseBody()
        answer?.abandon()
        answer = nil
        unwritten = nil
        room.resume()
    }

    // MARK: Deadlines

    var nextDeadline: MonotonicInstant? {
        switch phase {
        case .idle:
            headSince?.adding(serving.limits.headers) ?? idleSince.adding(serving.limits.idle)
        case .collecting: bodyMark?.since.adding(serving.limits.progress)
        case .answering, .closing: nil
        }
    }

    func expire(now: MonotonicInstant) {
        guard let nextDeadline, nextDeadline <= now else { return }
        guard phase == .collecting || headSince != nil else { return channel.close() }
        serving.parts.counters.refused(.headers)
        closesAfter = true
        reply(.plain(408, "The request did not come in time"))
    }

    /// Notes since when the request in hand has made no progress.
    private func mark() {
        let now = serving.loop.now
        let isBegun = phase == .idle && parser.isInsideRequest
        headSince = isBegun ? headSince ?? now : nil
        guard phase == .collecting else {
            bodyMark = nil
            return
        }
        if let mark = bodyMark, received - mark.received < serving.limits.progressBytes { return }
        bodyMark = (now, received)
    }

    /// The version as logs name it.
    private static let version = "HTTP/1.1"

    /// Bytes of requests sent ahead that are kept here.
    private static let aheadBytes = 64 << 10
}

// MARK: The answer

extension InboundHTTP1: ResponseWriter {
    func respond(_ response: HTTPResponseHead, body: [UInt8]) {
        guard !isGone else { return }
        let isBodiless = response.status == 204 || response.status == 304
        output.write { bytes in
            HTTP1Serializer.write(
                response, framing: isBodiless ? .none : .length(body.count),
                closes: closesAfter, into: &bytes)
        }
        if head?.request.method != .head, !isBodiless { output.append(body) }
        channel.wantsToSend()
        answered()
    }

    func begin(_ response: HTTPResponseHead) {
        guard !isGone else { return }
        isStreaming = true
        releaseBody()
        if hasPeerFinished { return leave() }
        let isOld = head?.isOldVersion ?? true
        if isOld { closesAfter = true }
        output.write { bytes in
            HTTP1Serializer.write(
                response, framing: isOld ? .untilClose : .chunked, closes: closesAfter,
                into: &bytes)
        }
        channel.wantsToSend()
    }

    func write(_ piece: [UInt8]) async -> Bool {
        guard !isGone else { return false }
        put(piece)
        while output.count >= serving.limits.highWater, !isGone { await room.wait() }
        return !isGone
    }

    func writeNow(_ piece: [UInt8]) {
        if !isGone, output.isEmpty { put(piece) }
    }

    func finish() {
        guard !isGone else { return }
        if head?.isOldVersion == false {
            output.write { HTTP1Serializer.writeEnd(into: &$0) }
            channel.wantsToSend()
        }
        answered()
    }

    private func put(_ piece: [UInt8]) {
        if head?.isOldVersion ?? true {
            output.append(piece)
        } else {
            output.write { HTTP1Serializer.writeChunk(piece[...], into: &$0) }
        }
        channel.wantsToSend()
    }
}
