// SPDX-License-Identifier: Apache-2.0
import Bytes
import HTTP

/// The `date` field, written anew once a second (RFC 9110 §6.6.1).
final class DateStamp {
    private let time: any TimeSource
    private var second: Int64 = .min
    private var text: HTTPFieldValue = ""

    init(_ time: any TimeSource) { self.time = time }

    var value: HTTPFieldValue {
        let now = time.now()
        if now.seconds != second, let fresh = try? HTTPFieldValue(now.httpDate) {
            second = now.seconds
            text = fresh
        }
        return text
    }
}
