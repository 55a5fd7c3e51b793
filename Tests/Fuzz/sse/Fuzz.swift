// SPDX-License-Identifier: Apache-2.0

import Bytes
import HTTP

/// What must hold for any bytes at all; libFuzzer looks for bytes for which it does not.
@c(LLVMFuzzerTestOneInput)
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    let whole = read(bytes, cut: max(1, count))
    for cut in [1, 2, 7] {
        invariant(read(bytes, cut: cut) == whole, "the cut of the bytes changed the events")
    }
    checkWritten(whole.events)
    return 0
}

private struct Reading: Equatable {
    var events: [SSEEvent] = []
    var fault: SSEFault?
    var retry: Int?
}

private func read(_ bytes: [UInt8], cut: Int) -> Reading {
    var limits = SSELimits()
    limits.eventBytes = 300
    limits.commentsBetweenEvents = 20
    var parser = SSEParser(limits: limits)
    var reading = Reading()
    do throws(SSEFault) {
        for start in stride(from: 0, to: bytes.count, by: cut) {
            try parser.receive(
                bytes[start..<min(start + cut, bytes.count)], into: &reading.events)
        }
    } catch {
        reading.fault = error
    }
    for event in reading.events {
        invariant(event.data.count <= limits.eventBytes, "an event over the limit")
    }
    reading.retry = parser.retryMilliseconds
    return reading
}

/// As many events come out of the writer as went in, or it refuses.
private func checkWritten(_ events: [SSEEvent]) {
    var output: [UInt8] = []
    var written: [SSEEvent] = []
    for event in events {
        do throws(SSEFault) {
            try SSEWriter.write(
                data: event.data, event: event.type, id: event.lastEventID, into: &output)
            written.append(event)
        } catch {
            invariant(
                event.data.contains { $0 == 0x0A || $0 == 0 } || event.type.contains("\0"),
                "a line was refused")
        }
    }
    var parser = SSEParser()
    guard let again = try? parser.receive(output) else {
        invariant(false, "what was written cannot be read")
        return
    }
    invariant(again == written, "what was written is read otherwise")
}
