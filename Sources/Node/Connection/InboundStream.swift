// SPDX-License-Identifier: Apache-2.0
import Bytes
import HTTP
import HTTP2
import IO

/// One request over HTTP/2, from its head to the end of its answer.
final class InboundStream: ResponseWriter {
    private unowned let conversation: InboundHTTP2
    private let id: HTTP2StreamID
    private let head: HTTPRequestHead
    private var body: [UInt8] = []
    private var isAnswered = false
    private var isGone = false
    private var answer: Answer?
    private let room = Arrival()

    init(_ conversation: InboundHTTP2, _ id: HTTP2StreamID, _ head: HTTPRequestHead) {
        self.conversation = conversation
        self.id = id
        self.head = head
    }

    /// The version as logs name it.
    static let version = "HTTP/2"

    private var serving: Serving { conversation.serving }
    private var session: HTTP2Session { conversation.session }

    // MARK: The request

    /// Answers by the head alone, or waits for the body.
    func admit(isLast: Bool) {
        if let refusal = serving.refusal(of: head, from: conversation.peer) {
            return refuse(refusal, bodyFollows: !isLast)
        }
        if let length = head.fields[.contentLength].flatMap({ Int($0) }),
            length > serving.bodyLimit
        {
            return refuse(.tooLarge, bodyFollows: !isLast)
        }
        if isLast { return receiveEnd() }
        if head.fields[.expect]?.lowercased() == "100-continue" {
            // It only tells the client sooner what it would find out by waiting.
            try? session.submitInformational(HTTPResponseHead(status: 100), on: id)
            conversation.touched()
        }
    }

    func receive(_ bytes: [UInt8]) {
        guard !isAnswered else { return }
        guard body.count + bytes.count <= serving.bodyLimit else {
            return refuse(.tooLarge, bodyFollows: true)
        }
        guard conversation.allowance.take(bytes.count) else {
            serving.parts.counters.refused(.body)
            return refuse(.busy, bodyFollows: true)
        }
        body += bytes
        session.consume(bytes.count, on: id)
    }

    func receiveEnd() {
        guard !isAnswered else { return }
        isAnswered = true
        let request = ServiceRequest(
            head: head, body: body, listener: serving.settings, peer: conversation.peer,
            httpVersion: Self.version)
        let answer = Answer(serving, to: self, for: conversation.peer)
        self.answer = answer
        answer.begin(request)
    }

    /// Answers without the body, and has the client send no more of it.
    private func refuse(_ response: ServiceResponse, bodyFollows: Bool) {
        isAnswered = true
        if bodyFollows { session.abandon(id) }
        releaseBody()
        serving.noteRefusal(response, of: head, from: conversation.peer, over: Self.version)
        let answer = Answer(serving, to: self, for: conversation.peer)
        self.answer = answer
        answer.give(response)
    }

    private func releaseBody() {
        conversation.allowance.give(body.count)
        body = []
    }

    /// The stream is over: whatever still works for it stops.
    func close() {
        guard !isGone else { return }
        isGone = true
        releaseBody()
        answer?.abandon()
        answer?.share.release()
        answer = nil
        room.resume()
    }

    // MARK: The answer

    func hasRoom() { room.resume() }

    func respond(_ head: HTTPResponseHead, body: [UInt8]) {
        guard !isGone else { return }
        releaseBody()
        var head = head
        if head.status != 204, head.status != 304 {
            head.fields.set(.contentLength, HTTPFieldValue(body.count))
        }
        let isLast = body.isEmpty || self.head.method == .head
        guard submit(head, isLast: isLast) else { return }
        if !isLast {
            _ = session.write(body, on: id)
            session.finish(id)
        }
        conversation.touched()
    }

    func begin(_ head: HTTPResponseHead) {
        guard !isGone else { return }
        releaseBody()
        if submit(head, isLast: false) { conversation.touched() }
    }

    /// Sends the head; `false` when the stream takes none, and then it takes nothing at all.
    private func submit(_ head: HTTPResponseHead, isLast: Bool) -> Bool {
        do {
            try session.submitResponse(head, on: id, isLast: isLast)
            return true
        } catch {
            session.reset(id, .internalError)
            return false
        }
    }

    func write(_ piece: [UInt8]) async -> Bool {
        guard !isGone else { return false }
        // A wake from before has nothing to do with this piece.
        room.forget()
        let backlog = session.write(piece, on: id)
        conversation.touched()
        if backlog == .full { await room.wait() }
        return !isGone && backlog != .gone
    }

    func writeNow(_ piece: [UInt8]) {
        guard !isGone, session.pendingBytes(on: id) == 0 else { return }
        _ = session.write(piece, on: id)
        conversation.touched()
    }

    func finish() {
        guard !isGone else { return }
        session.finish(id)
        conversation.touched()
    }
}

extension ServiceResponse {
    /// The body is larger than this listener takes.
    static var tooLarge: ServiceResponse { .plain(413, "The request body is too large") }

    private static let busyWords = "This gateway is busy"

    /// The body of ``busy``.
    static var busyBytes: [UInt8] { Array((busyWords + "\n").utf8) }

    /// There is no memory for another body or answer now.
    static var busy: ServiceResponse {
        var response = ServiceResponse.plain(503, busyWords)
        response.fields.append(.retryAfter, HTTPFieldValue(1))
        return response
    }
}
