// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Lines that several threads write.
final class SharedLines: Sendable {
    private let lines = Mutex<[String]>([])

    func append(_ line: String) { lines.withLock { $0.append(line) } }

    var all: [String] { lines.withLock { $0 } }
}
