// SPDX-License-Identifier: Apache-2.0

import JSON
import Testing

@Suite struct UTF8Tests {
    /// Every lead byte with trailing bytes at the edges of their ranges, alone and beside Chinese,
    /// which the reader checks two characters at a time: the verdict is the standard library's.
    @Test(arguments: UInt8(0x80)...0xFF) func verdictIsThatOfTheStandardLibrary(lead: UInt8) {
        let seconds: [UInt8] = [0x20, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xE4]
        let thirds: [UInt8] = [0x41, 0x80, 0xBF, 0xC0]
        let fourths: [[UInt8]] = [[], [0x80], [0xBF]]
        let before = ["\"", "\"a", "\"中"].map { Array($0.utf8) }
        let after = ["\"", "中文 and more\""].map { Array($0.utf8) }
        for prefix in before {
            for suffix in after {
                for second in seconds {
                    for third in thirds {
                        for fourth in fourths {
                            let text = prefix + [lead, second, third] + fourth + suffix
                            let isValid = String(validating: text, as: UTF8.self) != nil
                            if isAccepted(text) != isValid { Issue.record("\(text)") }
                        }
                    }
                }
            }
        }
    }

    private func isAccepted(_ text: [UInt8]) -> Bool {
        do {
            _ = try JSONDocument(parsing: text)
            return true
        } catch {
            return false
        }
    }
}
