// SPDX-License-Identifier: Apache-2.0

/// Comments in configuration files. Nothing that came from a peer passes through here.
package enum JSONComments {
    /// `bytes` with every `// …` up to its line's end and every `/* … */` outside strings replaced
    /// by spaces. The length and the line ends stay, so that a fault found afterwards is at its
    /// true line and column. A `/*` without its end reaches to the end of the text.
    package static func strip(_ bytes: [UInt8]) -> [UInt8] {
        var text = bytes
        var at = 0
        var isInString = false
        while at < text.count {
            if isInString {
                if text[at] == UInt8(ascii: "\\") {
                    at += 1
                } else if text[at] == UInt8(ascii: "\"") {
                    isInString = false
                }
                at += 1
            } else if text[at] == UInt8(ascii: "/"), at + 1 < text.count,
                let end = commentEnd(text, at)
            {
                for index in at..<end where text[index] != 0x0A && text[index] != 0x0D {
                    text[index] = 0x20
                }
                at = end
            } else {
                isInString = text[at] == UInt8(ascii: "\"")
                at += 1
            }
        }
        return text
    }

    /// The index after the comment that starts at `start`, or nil when none does.
    private static func commentEnd(_ text: [UInt8], _ start: Int) -> Int? {
        switch text[start + 1] {
        case UInt8(ascii: "/"):
            return text[start...].firstIndex(of: 0x0A) ?? text.count
        case UInt8(ascii: "*"):
            var at = start + 2
            while at + 1 < text.count {
                if text[at] == UInt8(ascii: "*"), text[at + 1] == UInt8(ascii: "/") {
                    return at + 2
                }
                at += 1
            }
            return text.count
        default:
            return nil
        }
    }
}
