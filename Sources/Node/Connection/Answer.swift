// SPDX-License-Identifier: Apache-2.0
import Bytes
import Consent
import HTTP
import IO

/// How an answer is written, by one version of HTTP.
protocol ResponseWriter: AnyObject {
    /// Writes a whole answer.
    func respond(_ head: HTTPResponseHead, body: [UInt8])
    /// Begins an answer that comes in pieces.
    func begin(_ head: HTTPResponseHead)
    /// Writes a piece, and waits while the client is behind; `false` when it has left.
    func write(_ piece: [UInt8]) async -> Bool
    /// Writes a piece if the client is not behind.
    func writeNow(_ piece: [UInt8])
    /// Ends an answer that came in pieces.
    func finish()
}

/// One request from the moment it is complete until its answer is written or nobody wants it.
///
/// The answer is made by a task of the worker. When the client leaves, three things stop it: the
/// calls to next hops, the stream of events, and the task's own cancellation for whatever else it
/// waits for.
final class Answer {
    private let serving: Serving
    private let scope: RequestUpstreams
    private var writer: (any ResponseWriter)?
    private var task: Task<Void, Never>?
    private var events: (any ServiceEvents)?
    private var lastPiece = MonotonicInstant(nanoseconds: 0)
    private lazy var alarm = Alarm(on: serving.loop) { [weak self] in self?.keepAlive() }
    /// Memory of what was read for it and of what is written.
    let share: AnswerShare

    /// - Parameter peer: Whose request it is; `nil` on this side of the gateway.
    init(_ serving: Serving, to writer: any ResponseWriter, for peer: Presenter?) {
        self.serving = serving
        self.writer = writer
        share = AnswerShare(serving.parts.answers, for: serving.answerHolder(peer))
        scope = RequestUpstreams(serving.upstreams, share)
    }

    /// Has the service answer.
    func begin(_ request: ServiceRequest) {
        serving.requestBegan()
        task = serving.worker.spawn((self, request)) { await $0.0.serve($0.1) }
    }

    /// Gives an answer that is known already.
    func give(_ response: ServiceResponse) {
        if case .bytes(let body) = response.body {
            writer.take()?.respond(serving.head(of: response), body: body)
        } else {
            serving.requestBegan()
            task = serving.worker.spawn((self, response)) { await $0.0.write($0.1) }
        }
    }

    /// Nobody waits for the answer any more.
    func abandon() {
        guard writer.take() != nil else { return }
        alarm.cancel()
        task?.cancel()
        scope.cancel()
        events?.cancel()
    }

    private func serve(_ request: ServiceRequest) async {
        await write(await serving.service.respond(to: request, through: scope))
    }

    private func write(_ response: ServiceResponse) async {
        switch response.body {
        case .bytes(let body): respond(response, body)
        case .events(let events):
            if let writer {
                await relay(events, serving.head(of: response), to: writer)
            } else {
                events.cancel()
            }
        }
        serving.requestEnded()
    }

    private func respond(_ response: ServiceResponse, _ body: [UInt8]) {
        guard let writer = writer.take() else { return share.release() }
        if share.becomes(body.count, isForced: serving.settings.kind.isForOperators) {
            writer.respond(serving.head(of: response), body: body)
        } else {
            writer.respond(serving.head(of: .busy), body: ServiceResponse.busyBytes)
        }
    }

    private func relay(
        _ events: any ServiceEvents, _ head: HTTPResponseHead, to writer: any ResponseWriter
    ) async {
        self.events = events
        writer.begin(head)
        notePiece()
        while let piece = await events.next() {
            notePiece()
            guard self.writer != nil, await writer.write(piece) else { break }
        }
        alarm.cancel()
        self.events = nil
        if self.writer.take() != nil { writer.finish() }
    }

    private func notePiece() {
        lastPiece = serving.loop.now
        alarm.set(lastPiece.adding(serving.limits.keepAlive))
    }

    /// Says that the stream lives although there is nothing to say.
    private func keepAlive() {
        guard let writer, events != nil else { return }
        let due = lastPiece.adding(serving.limits.keepAlive)
        guard due <= serving.loop.now else { return alarm.set(due) }
        writer.writeNow(Self.comment)
        notePiece()
    }

    private static let comment = Array(": keep-alive\n\n".utf8)
}
