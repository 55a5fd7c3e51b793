// SPDX-License-Identifier: Apache-2.0
import Glibc

/// The checked-out tree as these tests see it: names of files and their bytes, nothing else.
struct Repository: Sendable {
    /// Absolute path of the folder that holds `Package.swift`.
    let root: String

    /// The tree that this very file is part of: `<root>/Tests/TidyTests/Repository.swift`.
    static let this = Repository(root: parent(parent(parent(#filePath))))

    /// Every file under `folder`, as paths relative to the root, in order. What git ignores is left
    /// out by name, for it differs from machine to machine.
    func files(under folder: String) -> [String] {
        var found: [String] = []
        for entry in entries(of: folder).sorted(by: { $0.name < $1.name })
        where !Self.ignored.contains(entry.name) {
            let path = folder.isEmpty ? entry.name : folder + "/" + entry.name
            if entry.isFolder { found += files(under: path) } else { found.append(path) }
        }
        return found
    }

    /// The bytes of a file, or nil when there is none of this name.
    func bytes(of path: String) -> [UInt8]? {
        let descriptor = unsafe open(root + "/" + path, O_RDONLY)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var all: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes {
                unsafe read(descriptor, $0.baseAddress, $0.count)
            }
            guard count > 0 else { return count == 0 ? all : nil }
            all += chunk[..<count]
        }
    }

    /// The text of a file, or the empty string when there is none of this name.
    func text(of path: String) -> String {
        String(decoding: bytes(of: path) ?? [], as: UTF8.self)
    }

    /// Whether there is a file or folder of this name.
    func exists(_ path: String) -> Bool { unsafe access(root + "/" + path, F_OK) == 0 }

    /// Names directly inside `folder`, in no order.
    func entries(of folder: String) -> [(name: String, isFolder: Bool)] {
        guard let directory = unsafe opendir(root + "/" + folder) else { return [] }
        defer { unsafe _ = closedir(directory) }
        var entries: [(name: String, isFolder: Bool)] = []
        while let entry = unsafe readdir(directory) {
            let isFolder = unsafe entry.pointee.d_type == UInt8(DT_DIR)
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) {
                unsafe String(decoding: $0.prefix { byte in byte != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { entries.append((name, isFolder)) }
        }
        return entries
    }

    /// What a build, an editor or git itself leaves beside the sources.
    static let ignored: Set<String> = [
        ".build", ".git", ".swiftpm", ".venv", ".vscode", ".idea", ".DS_Store", "__pycache__",
        "Package.resolved",
    ]

    private static func parent(_ path: String) -> String {
        String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    }
}

/// One place that breaks a rule.
struct Finding: Equatable, Sendable, CustomStringConvertible {
    let path: String
    let line: Int
    let message: String

    var description: String { "\(path):\(line): \(message)" }
}
