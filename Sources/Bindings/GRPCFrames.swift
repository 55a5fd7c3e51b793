// SPDX-License-Identifier: Apache-2.0

extension GRPC {
    /// A message in its frame: one byte for the compression, which is none, four for the length.
    package static func frame(_ message: [UInt8]) -> [UInt8] {
        let count = UInt32(message.count)
        var out: [UInt8] = [0]
        out.reserveCapacity(message.count + frameHeadBytes)
        for shift in [24, 16, 8, 0] {
            out.append(UInt8(truncatingIfNeeded: count >> UInt32(shift)))
        }
        return out + message
    }

    static let frameHeadBytes = 5

    /// Why a stream of frames cannot be read on.
    package enum FrameFault: String, Error, CaseIterable, Sendable {
        /// A message that says it is compressed: no compression was agreed on.
        case compressed
        /// A message longer than the limit.
        case tooLarge = "too-large"
        /// The end within a message.
        case truncated
    }

    /// Takes messages out of bytes, however these were cut.
    package struct FrameReader: Sendable {
        private let limit: Int
        private var buffer: [UInt8] = []
        private var fault: FrameFault?

        /// - Parameter limit: The longest message, in bytes; its length is checked before any of
        ///   it is kept.
        package init(limit: Int) { self.limit = limit }

        /// The messages that are complete with `bytes`.
        ///
        /// - Throws: ``FrameFault``, again each time after the first. The messages before the
        ///   fault are in `messages`.
        package mutating func receive(
            _ bytes: some Collection<UInt8>, into messages: inout [[UInt8]]
        ) throws(FrameFault) {
            if let fault { throw fault }
            buffer += bytes
            var start = 0
            defer { buffer.removeFirst(start) }
            while buffer.count - start >= frameHeadBytes {
                guard buffer[start] == 0 else { throw stop(.compressed) }
                let length = buffer[start + 1...start + 4].reduce(0) { $0 << 8 | Int($1) }
                guard length <= limit else { throw stop(.tooLarge) }
                let end = start + frameHeadBytes + length
                guard end <= buffer.count else { return }
                messages.append(Array(buffer[start + frameHeadBytes..<end]))
                start = end
            }
        }

        /// The end of the bytes.
        /// - Throws: ``FrameFault/truncated`` within a message.
        package func finish() throws(FrameFault) {
            if let fault { throw fault }
            if !buffer.isEmpty { throw .truncated }
        }

        private mutating func stop(_ fault: FrameFault) -> FrameFault {
            self.fault = fault
            return fault
        }
    }
}

extension GRPC {
    /// The duration of `grpc-timeout`: at most eight digits and a unit. `nil` for anything else.
    package static func timeout(_ text: String) -> Duration? {
        let digits = text.utf8.dropLast()
        guard (1...8).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = Int64(text.dropLast())
        else { return nil }
        switch text.last {
        case "H": return .seconds(number * 3600)
        case "M": return .seconds(number * 60)
        case "S": return .seconds(number)
        case "m": return .milliseconds(number)
        case "u": return .microseconds(number)
        case "n": return .nanoseconds(number)
        default: return nil
        }
    }

    /// A duration as `grpc-timeout` has it, in milliseconds where these fit, else in seconds; at
    /// least one millisecond and at most what eight digits can say.
    package static func timeoutText(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        guard seconds < 99_999 else { return "\(min(seconds, 99_999_999))S" }
        return "\(max(seconds * 1000 + attoseconds / 1_000_000_000_000_000, 1))m"
    }
}
