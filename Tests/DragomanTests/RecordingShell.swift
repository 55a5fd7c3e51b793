// SPDX-License-Identifier: Apache-2.0
import Bytes
import TestSupport

@testable import dragoman

/// A shell that keeps what a command says, with a clock and randomness of its own.
final class RecordingShell: Shell {
    private(set) var output: [UInt8] = []
    private(set) var complaints: [String] = []
    private(set) var progressLines: [String] = []
    let time: any TimeSource
    let random: any RandomBytes = SeededRandom(seed: 1)

    init(time: any TimeSource = VirtualTime()) { self.time = time }

    var text: String { String(decoding: output, as: UTF8.self) }

    func say(_ line: String) { output += Array((line + "\n").utf8) }
    func write(_ bytes: [UInt8]) { output += bytes }
    func answer(to question: String) -> String? { nil }
    func progress(_ line: String) { progressLines.append(line) }
    func complain(_ line: String) { complaints.append(line) }

    /// Runs the words as `dragoman WORDS` would.
    static func run(_ words: String...) async -> (ExitCode, RecordingShell) {
        let shell = RecordingShell()
        let status = await Program(groups: Commands.groups, shell: shell).run(words)
        return (status, shell)
    }
}
