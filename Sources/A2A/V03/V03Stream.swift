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
    /// Whether the client was told that nothing follows.
    package private(set) var isOver = false

    package init() {}

    /// What to send for the next event of the agent; perhaps nothing yet.
    package mutating func receive(_ event: StreamEvent) -> [JSONNode] {
        if isOver { return [] }
        var out = release(isFinal: false)
        switch event.kind {
        case .statusUpdate:
            told = nil
            switch event.state {
            case .authRequired:
                held = event
                return out
            case .inputRequired: isOver = true
            default: isOver = event.state?.isTerminal ?? false
            }
            out.append(ToV03.event(event, isFinal: isOver))
        case .task:
            out.append(ToV03.event(event))
            told = event
            if event.state?.isTerminal ?? false {
                out += lastWord()
                isOver = true
            }
        case .message, .artifactUpdate: out.append(ToV03.event(event))
        }
        return out
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

    private mutating func release(isFinal: Bool) -> [JSONNode] {
        held.take().map { [ToV03.event($0, isFinal: isFinal)] } ?? []
    }

    private func lastWord() -> [JSONNode] {
        told.flatMap { ToV03.statusUpdate(of: $0, isFinal: true) }.map { [$0] } ?? []
    }
}
