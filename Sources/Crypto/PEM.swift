// SPDX-License-Identifier: Apache-2.0
import Bytes

/// PEM armour (RFC 7468): base64 of DER in lines of 64 between BEGIN and END.
enum PEM {
    static func encode(_ bytes: [UInt8], label: String) -> String {
        var text = "-----BEGIN \(label)-----\n"
        var rest = Substring(Base64.encode(bytes))
        while !rest.isEmpty {
            text += rest.prefix(64) + "\n"
            rest = rest.dropFirst(64)
        }
        return text + "-----END \(label)-----\n"
    }

    /// The blocks with this label in order, nil for one whose base64 or end is broken. Text
    /// between blocks is a comment; other labels are passed over.
    static func decode(_ text: String, label: String) -> [[UInt8]?] {
        let begin = "-----BEGIN \(label)-----"
        let end = "-----END \(label)-----"
        var blocks: [[UInt8]?] = []
        var body: String?
        for line in text.split(whereSeparator: \.isNewline) {
            let line = line.trimmingSpaces()
            if line == begin {
                if body != nil { blocks.append(nil) }
                body = ""
            } else if line == end, let complete = body {
                blocks.append(Base64.decode(complete))
                body = nil
            } else if body != nil {
                body?.append(contentsOf: line)
            }
        }
        if body != nil { blocks.append(nil) }
        return blocks
    }
}

extension Substring {
    fileprivate func trimmingSpaces() -> Substring {
        var line = self
        while line.last?.isWhitespace == true { line.removeLast() }
        return line.drop(while: \.isWhitespace)
    }
}
