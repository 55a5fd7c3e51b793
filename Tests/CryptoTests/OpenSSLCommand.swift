// SPDX-License-Identifier: Apache-2.0
import Glibc

/// The `openssl` command, a reader of certificates that is not ours.
enum OpenSSLCommand {
    static let isPresent = run(["version"]) == 0

    /// Runs it without output; its status, or nil when it did not run or end by itself.
    static func run(_ arguments: [String]) -> Int32? {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        for descriptor: Int32 in 0...2 {
            unsafe posix_spawn_file_actions_addopen(
                &actions, descriptor, "/dev/null", O_RDWR, 0)
        }
        var texts = unsafe (["openssl"] + arguments).map { unsafe strdup($0) } + [nil]
        defer { for index in unsafe texts.indices { unsafe free(texts[index]) } }
        var process: pid_t = 0
        guard unsafe posix_spawnp(&process, "openssl", &actions, nil, &texts, environ) == 0 else {
            return nil
        }
        var status: Int32 = 0
        guard unsafe waitpid(process, &status, 0) == process, status & 0x7F == 0 else {
            return nil
        }
        return status >> 8 & 0xFF
    }
}

/// A folder of one test, which removes it.
struct TemporaryFolder {
    struct Failure: Error {}

    private let path: String

    init() throws {
        var template = Array("/tmp/dragoman-crypto-XXXXXX\0".utf8.map { CChar(bitPattern: $0) })
        guard unsafe mkdtemp(&template) != nil else { throw Failure() }
        path = String(
            decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Writes a file and gives its path.
    func write(_ text: String, to name: String) throws -> String {
        let file = path + "/" + name
        guard let stream = unsafe fopen(file, "w") else { throw Failure() }
        let written = unsafe fwrite(text, 1, text.utf8.count, stream)
        guard unsafe fclose(stream) == 0, written == text.utf8.count else { throw Failure() }
        return file
    }

    func remove() {
        for name in ["root.pem", "middle.pem", "leaf.pem", "key.pem"] {
            unsafe unlink(path + "/" + name)
        }
        unsafe rmdir(path)
    }
}
