// SPDX-License-Identifier: Apache-2.0
import Bytes
import Glibc
import Node

/// `dragoman demo`
enum DemoCommand: Command {
    static let page = HelpPage(
        words: ["demo"],
        options: [
            .init("--yes", nil, "says yes in the user's place"),
            .init("--keep", "DIR", "leaves configurations, keys, books and a statement there"),
        ],
        summary: "Three organisations on this machine make a booking, and refuse four frauds.",
        details: [
            """
            You are asked once, as the user. Without a terminal and without --yes the answer is \
            no, and nothing is booked. It ends with 0 only if everything that it says was checked.
            """
        ],
        examples: ["dragoman demo --yes", "dragoman demo --yes --keep /tmp/demo"])

    static func run(
        _ arguments: Arguments, _ shell: any Shell
    ) async throws(Failure) -> ExitCode {
        let kept = arguments["--keep"]
        let folder: String
        if let kept {
            folder = kept
            try LocalFile.folder(kept)
        } else {
            folder = try TemporaryDirectory.make()
        }
        defer { if kept == nil { TemporaryDirectory.remove(folder) } }
        let network = try await DemoNetwork(in: folder, shell)
        let result: Result<ExitCode, Failure>
        do {
            let story = DemoStory(network, shell, saysYes: arguments.has("--yes"))
            let isBooked = try await story.book()
            if isBooked { try await DemoRefusals(network, shell, story).run() }
            try await story.balance(isBooked: isBooked)
            if let kept { try await story.leave(in: kept) }
            // A no that booked nothing is as right as a yes that booked one table.
            result = .success(.success)
        } catch {
            result = .failure(error)
        }
        await network.stop()
        return try result.get()
    }
}

/// A folder that goes when its user is done.
enum TemporaryDirectory {
    /// Makes one below TMPDIR, for this account alone.
    static func make() throws(Failure) -> String {
        let parent = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
        var template = Array("\(parent)/dragoman-XXXXXX".utf8CString)
        let made = unsafe mkdtemp(&template) != nil
        guard made else { throw .no("no folder can be made in \(parent)") }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Removes it with all that is in it.
    static func remove(_ path: String) {
        guard let folder = unsafe opendir(path) else {
            _ = unsafe unlink(path)
            return
        }
        var names: [String] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        unsafe closedir(folder)
        for name in names {
            let inner = "\(path)/\(name)"
            let result = unsafe unlink(inner)
            if result != 0 { remove(inner) }
        }
        _ = unsafe rmdir(path)
    }
}
