// SPDX-License-Identifier: Apache-2.0

/// The shared libraries that the program needs are those that README's table names, no more and no
/// fewer. They are read from the ELF file itself, so that no tool need be installed.
enum Linked {
    /// What every Swift program on Linux needs, and so says nothing about this one.
    static func isRuntime(_ library: String) -> Bool {
        [
            "libc.so", "libm.so", "libgcc_s.so", "libstdc++.so", "ld-linux", "libpthread.so",
            "libdl.so",
        ]
        .contains { library.hasPrefix($0) } || library.hasPrefix("libswift")
    }

    /// Names between backquotes that begin with `lib` and hold `.so`: `` `libssl.so.3` ``.
    static func named(in markdown: String) -> Set<String> {
        let quoted = markdown.split(separator: "`", omittingEmptySubsequences: false)
        return Set(
            quoted.indices.filter { $0 % 2 == 1 }.map { String(quoted[$0]) }
                .filter { $0.hasPrefix("lib") && $0.contains(".so") })
    }

    /// The DT_NEEDED entries of a little-endian ELF64 file; nil when it is not one.
    static func needed(by file: [UInt8]) -> [String]? {
        let elf = ELF(file)
        guard let sections = elf.sections(),
            let dynamic = sections.first(where: { $0.type == ELF.dynamicTable }),
            dynamic.link < sections.count
        else { return nil }
        let names = sections[dynamic.link].offset
        return stride(from: dynamic.offset, to: dynamic.offset + dynamic.size, by: 16).compactMap {
            guard elf.number(at: $0, bytes: 8) == ELF.neededTag,
                let name = elf.number(at: $0 + 8, bytes: 8)
            else { return nil }
            return elf.string(at: names + name)
        }
    }
}

/// As much of the ELF64 format as the list of needed libraries takes (System V ABI, chapters 4, 5).
private struct ELF {
    struct Section {
        let type: Int
        let offset: Int
        let size: Int
        let link: Int
    }

    static let dynamicTable = 6
    static let neededTag = 1

    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func sections() -> [Section]? {
        guard bytes.starts(with: [0x7F, 0x45, 0x4C, 0x46, 2, 1]),
            let table = number(at: 0x28, bytes: 8), let size = number(at: 0x3A, bytes: 2),
            let count = number(at: 0x3C, bytes: 2)
        else { return nil }
        let sections = (0..<count).compactMap { index -> Section? in
            let header = table + index * size
            guard let type = number(at: header + 4, bytes: 4),
                let offset = number(at: header + 0x18, bytes: 8),
                let length = number(at: header + 0x20, bytes: 8),
                let link = number(at: header + 0x28, bytes: 4)
            else { return nil }
            return Section(type: type, offset: offset, size: length, link: link)
        }
        return sections.count == count ? sections : nil
    }

    func number(at offset: Int, bytes count: Int) -> Int? {
        guard offset >= 0, offset + count <= bytes.count else { return nil }
        return Int(
            truncatingIfNeeded: bytes[offset..<offset + count].reversed()
                .reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }

    func string(at offset: Int) -> String? {
        guard bytes.indices.contains(offset) else { return nil }
        return String(decoding: bytes[offset...].prefix { $0 != 0 }, as: UTF8.self)
    }
}
