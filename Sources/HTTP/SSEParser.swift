// SPDX-License-Identifier: Apache-2.0

/// One event of `text/event-stream` (WHATWG HTML §9.2).
package struct SSEEvent: Sendable, Equatable {
    /// The `event:` name, `message` when there was none.
    package var type: String
    /// The `data:` lines, joined by line feeds; not checked to be UTF-8, its reader does that.
    package var data: [UInt8]
    /// The last `id:` seen so far on the stream, empty before the first.
    package var lastEventID: String

    package init(type: String = "message", data: [UInt8], lastEventID: String = "") {
        self.type = type
        self.data = data
        self.lastEventID = lastEventID
    }
}

/// Why a stream of events cannot be read or written on.
package enum SSEFault: String, Error, CaseIterable, Sendable {
    /// An event, or a line of another kind, over ``SSELimits``.
    case eventTooLarge = "event-too-large"
    case nameTooLong = "name-too-long"
    /// More comments than ``SSELimits/commentsBetweenEvents`` without an event.
    case tooManyComments = "too-many-comments"
    /// An `event:` name or `id:` that is not UTF-8.
    case encoding
    /// A line break or NUL where one would end the line early (writer only).
    case lineBreak = "line-break"
}

/// What one stream of events may make us keep.
package struct SSELimits: Sendable {
    /// Bytes of the data of one event, and of one line: 10 MiB, what the Go SDK reads.
    package var eventBytes = 10 << 20
    /// Bytes of an `event:` name or an `id:`; ids are kept for the life of the stream.
    package var nameBytes = 1 << 10
    /// Comments without an event between them: at one each 15 s more than ten hours, and a
    /// flood of them is cut early.
    package var commentsBetweenEvents = 2_500
    /// The longest `retry:` that is obeyed, so that a server cannot put us to sleep.
    package var retryMilliseconds = 60_000

    package init() {}
}

/// Takes events out of bytes, however these were cut.
///
/// Lines end with LF, CR or CRLF, even when CR and LF arrive apart. Comments are skipped and
/// counted; unknown fields are skipped; an event without data is none; an event that the end of
/// the stream cuts is dropped.
package struct SSEParser: Sendable {
    private let limits: SSELimits
    private var line: [UInt8] = []
    private var data: [UInt8] = []
    private var hasData = false
    private var type = ""
    private var lastEventID = ""
    private var lastWasCR = false
    private var isFirstLine = true
    private var commentsSinceEvent = 0
    private var fault: SSEFault?

    /// Comments seen in all, so that an owner can tell a quiet stream from a dead one.
    package private(set) var commentCount = 0
    /// The last `retry:` in milliseconds, cut to the limit.
    package private(set) var retryMilliseconds: Int?

    package init(limits: SSELimits = SSELimits()) {
        self.limits = limits
    }

    /// Reads all of `bytes` and appends the events that they complete.
    /// - Throws: The fault, again on each further call; the events before it were appended.
    package mutating func receive(
        _ bytes: ArraySlice<UInt8>, into events: inout [SSEEvent]
    ) throws(SSEFault) {
        if let fault { throw fault }
        do {
            try read(bytes, into: &events)
        } catch {
            fault = error
            throw error
        }
    }

    /// Reads all of `bytes` and gives the events that they complete.
    package mutating func receive(_ bytes: [UInt8]) throws(SSEFault) -> [SSEEvent] {
        var events: [SSEEvent] = []
        try receive(bytes[...], into: &events)
        return events
    }

    /// Whether the stream may end here without cutting an event in two.
    package var isBetweenEvents: Bool { line.isEmpty && !hasData && type.isEmpty }

    private mutating func read(
        _ bytes: ArraySlice<UInt8>, into events: inout [SSEEvent]
    ) throws(SSEFault) {
        var start = bytes.startIndex
        while start < bytes.endIndex {
            if lastWasCR {
                lastWasCR = false
                if bytes[start] == 0x0A {
                    start += 1
                    continue
                }
            }
            var end = start
            while end < bytes.endIndex, bytes[end] != 0x0A, bytes[end] != 0x0D { end += 1 }
            guard line.count + (end - start) <= limits.eventBytes + Self.fieldNameRoom else {
                throw .eventTooLarge
            }
            guard end < bytes.endIndex else {
                line.append(contentsOf: bytes[start...])
                return
            }
            lastWasCR = bytes[end] == 0x0D
            if line.isEmpty {
                try take(bytes[start..<end], into: &events)
            } else {
                line.append(contentsOf: bytes[start..<end])
                let whole = line
                line.removeAll(keepingCapacity: line.capacity <= Self.keptCapacity)
                try take(whole[...], into: &events)
            }
            start = end + 1
        }
    }

    private mutating func take(
        _ whole: ArraySlice<UInt8>, into events: inout [SSEEvent]
    ) throws(SSEFault) {
        var line = whole
        if isFirstLine {
            isFirstLine = false
            if line.starts(with: [0xEF, 0xBB, 0xBF]) { line = line.dropFirst(3) }
        }
        guard let first = line.first else {
            dispatch(into: &events)
            return
        }
        guard first != UInt8(ascii: ":") else {
            commentCount += 1
            commentsSinceEvent += 1
            guard commentsSinceEvent <= limits.commentsBetweenEvents else {
                throw .tooManyComments
            }
            return
        }
        let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
        var value = line[colon...].dropFirst()
        if value.first == 0x20 { value = value.dropFirst() }
        try set(line[..<colon], to: value)
    }

    private mutating func set(
        _ name: ArraySlice<UInt8>, to value: ArraySlice<UInt8>
    ) throws(SSEFault) {
        if name.elementsEqual("data".utf8) {
            // The line feed that joins two lines is data like any other.
            let joint = hasData ? 1 : 0
            guard data.count + joint + value.count <= limits.eventBytes else {
                throw .eventTooLarge
            }
            if hasData { data.append(0x0A) }
            data.append(contentsOf: value)
            hasData = true
        } else if name.elementsEqual("event".utf8) {
            type = try text(value)
        } else if name.elementsEqual("id".utf8) {
            // An id with NUL is ignored, says the standard.
            if !value.contains(0) { lastEventID = try text(value) }
        } else if name.elementsEqual("retry".utf8) {
            if (1...9).contains(value.count), value.allSatisfy(HTTPCharacters.isDigit) {
                let number = value.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
                retryMilliseconds = min(number, limits.retryMilliseconds)
            }
        }
    }

    private func text(_ value: ArraySlice<UInt8>) throws(SSEFault) -> String {
        guard value.count <= limits.nameBytes else { throw .nameTooLong }
        guard let text = String(validating: value, as: UTF8.self) else { throw .encoding }
        return text
    }

    private mutating func dispatch(into events: inout [SSEEvent]) {
        if hasData {
            events.append(
                SSEEvent(
                    type: type.isEmpty ? "message" : type, data: data, lastEventID: lastEventID))
            commentsSinceEvent = 0
        }
        type = ""
        data = []
        hasData = false
    }

    /// The longest field name before the value, with its colon and space.
    private static let fieldNameRoom = 8
    /// Capacity kept for the next line; more was for one large event.
    private static let keptCapacity = 64 << 10
}
