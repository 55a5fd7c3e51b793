// SPDX-License-Identifier: Apache-2.0
import Bytes

/// One thing that `dragoman` does: its help, and its doing.
protocol Command: SendableMetatype {
    static var page: HelpPage { get }
    /// Does it. What it says goes through `shell`, and nowhere else.
    static func run(_ arguments: Arguments, _ shell: any Shell) async throws(Failure) -> ExitCode
}

/// How the process ends, for scripts.
enum ExitCode: Int32, Error {
    /// Done; the answer is yes.
    case success = 0
    /// The question was understood and the answer is no.
    case no = 1
    /// The question was not: a wrong option, a file that is not there.
    case misuse = 2
}

/// Why a command stopped: one sentence, without a full stop, and the status that goes with it.
struct Failure: Error, Equatable {
    let message: String
    let status: ExitCode

    static func misuse(_ message: String) -> Failure { Failure(message: message, status: .misuse) }
    static func no(_ message: String) -> Failure { Failure(message: message, status: .no) }
}

/// All that a command has of the world beside files, so that tests can stand in for it.
protocol Shell: AnyObject {
    /// A line on standard output.
    func say(_ line: String)
    /// Bytes on standard output, as they are.
    func write(_ bytes: [UInt8])
    /// A line on standard error.
    func complain(_ line: String)
    /// A line for a person who waits at a terminal; nothing where standard error is none.
    func progress(_ line: String)
    /// What a person answers to a question; nil where nobody sits at a terminal.
    func answer(to question: String) -> String?
    var time: any TimeSource { get }
    var random: any RandomBytes { get }
}
