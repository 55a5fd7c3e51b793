// SPDX-License-Identifier: Apache-2.0
package import JSON

/// The events of a 1.0 stream as a 0.3 client wants them: the last one is a status update that says
/// so, with `final`, and nothing follows it.
///
/// A task that has ended or waits for its caller ends the stream. One that waits for an authority
/// may go on by itself, so its update is held until it is known whether something follows.
package struct V03Stream {
    private var held: StreamEvent?
    /// The task as it was last told whole, when no update of its status came after.
    private var told: StreamEvent?
    /// Clients take one task in a stream; another is told by what became of it.
    private var hasTold = false
    /// Whether the client was told that nothing follows.
    package private(set) var isOver = false

    package init() {}

    /// What to send for the next event of the agent; perhaps nothing yet.
    package mutating func receive(_ event: StreamEvent) -> [JSONNode] {
        if isOver { return [] }
        var out = release(isFinal: false)
        switch event.kind {
        case .statusUpdate: out += update(event)
        case .task where hasTold:
            out += event.artifactUpdates
            guard let status = event.statusUpdate else { break }
            if event.state == .authRequired {
                // The stream may stay open, and the client is to know of the question now.
                out.append(ToV03.event(status))
                told = event
            } else {
                out += update(status)
            }
        case .task:
            hasTold = true
            told = event
            out.append(ToV03.event(event))
            if event.state?.isTerminal ?? false {
                out += lastWord()
                isOver = true
            }
        case .message, .artifactUpdate: out.append(ToV03.event(event))
        }
        return out
    }

    private mutating func update(_ event: StreamEvent) -> [JSONNode] {
        told = nil
        switch event.state {
        case .authRequired:
            held = event
            return []
        case .inputRequired: isOver = true
        default: isOver = event.state?.isTerminal ?? false
        }
        return [ToV03.event(event, isFinal: isOver)]
    }

    /// What to send when the agent has ended its stream. A task that goes on has no last word: its
    /// client can ask or subscribe again.
    package mutating func end() -> [JSONNode] {
        if isOver { return [] }
        var out = release(isFinal: true)
        if out.isEmpty, told?.state?.isInterrupted ?? false { out = lastWord() }
        isOver = true
        return out
    }

    /// What to send before the error with which the stream ends.
    package mutating func fail() -> [JSONNode] {
        isOver = true
        return release(isFinal: false)
    }

    private mutating func release(isFinal: Bool) -> [JSONNode] {
        held.take().map { [ToV03.event($0, isFinal: isFinal)] } ?? []
    }

    private func lastWord() -> [JSONNode] {
        told?.statusUpdate.map { [ToV03.event($0, isFinal: true)] } ?? []
    }
}

extension StreamEvent {
    /// The status of a task as an update of it.
    fileprivate var statusUpdate: StreamEvent? {
        guard let status else { return nil }
        return StreamEvent(.statusUpdate, "status", status, of: self)
    }

    /// The artifacts of a task as updates of it, each with the whole artifact.
    fileprivate var artifactUpdates: [JSONNode] {
        let artifacts = value.field(.artifacts)?.elements.map { $0 } ?? []
        return artifacts.compactMap {
            StreamEvent(.artifactUpdate, "artifact", $0, of: self).map { ToV03.event($0) }
        }
    }

    private init?(_ kind: Kind, _ name: String, _ part: JSONValue, of task: StreamEvent) {
        var node: JSONNode = ["taskId": .string(task.taskID ?? "")]
        node["contextId"] = task.contextID.map { .string($0) }
        node[name] = part.copied
        guard let event = try? RenderedEvent(kind: kind, bytes: node.bytes).read() else {
            return nil
        }
        self = event
    }
}

extension RenderedEvent {
    /// The event to look into.
    ///
    /// - Throws: ``A2AError`` when its bytes are no such event.
    package func read() throws(A2AError) -> StreamEvent {
        let value: JSONValue
        do {
            value = try JSONDocument(parsing: bytes).root
        } catch {
            throw A2AError(.internalError, "The event is not JSON: \(error.description)")
        }
        return try StreamEvent(kind: kind, value: value)
    }
}
