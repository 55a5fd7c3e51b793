// SPDX-License-Identifier: Apache-2.0

/// Which module may name which, and why. `Package.swift` lists the modules in the same order, so
/// that an import always points up that list; everyone may import `Bytes` without a word.
///
/// A C module is imported by the one module that wraps it and by nobody else. Policy modules
/// (Consent, Accounting, Discovery) never import each other: they meet in Gateway.
enum Imports {
    static let sources: [String: [String: String]] = [
        "Bytes": ["Glibc": "invariant() writes its message before it traps"],
        "JSON": [:],
        "HTTP": [:],
        "Crypto": [
            "COpenSSL": "it is the wrapper of libcrypto",
            "JSON": "JWK, token headers and claims are JSON",
            "Glibc": "the C types and memory functions that libcrypto's calls need",
            "Synchronization": "keys are shared by threads",
        ],
        "TLS": [
            "COpenSSL": "it is the wrapper of libssl",
            "CLoopBIO": "the memory BIO between libssl and the loop",
            "Crypto": "certificates, keys, path rules",
            "Glibc": "the C types and memory functions that libssl's calls need",
            "Synchronization": "a context is shared by the connections of all loops",
        ],
        "HTTP2": [
            "CNghttp2": "it is the wrapper of libnghttp2",
            "HTTP": "heads and fields are the same in every version of HTTP",
            "Glibc": "the C types and memory functions that nghttp2's calls need",
        ],
        "IO": [
            "CLinux": "it is the wrapper of epoll, timerfd, eventfd and signalfd",
            "Glibc": "sockets and files",
            "Synchronization": "jobs arrive at a loop from other threads",
        ],
        "A2A": ["JSON": "the model is a lossless JSON tree"],
        "Bindings": [
            "A2A": "what a binding carries", "HTTP": "what carries it",
            "JSON": "both bindings write JSON",
        ],
        "Consent": [
            "Crypto": "grants are signed and bound to keys", "JSON": "terms and claims are JSON",
        ],
        "Accounting": [
            "JSON": "tariffs, statements and records are JSON",
            "Synchronization": "tariffs parsed once serve the threads that read and write",
        ],
        "Discovery": [
            "A2A": "cards", "Crypto": "cards are signed", "JSON": "cards are rewritten as JSON",
        ],
        "Gateway": [
            "A2A": "operations", "Consent": "a policy", "Accounting": "a policy",
            "Discovery": "a policy", "JSON": "metadata of messages",
            "Crypto": "signs what the policies word, and the books' objects (decision 0005)",
            "Synchronization": "exchanges of several loops share the registry of live tasks",
        ],
        "Store": [
            "CSQLite": "it is the wrapper of libsqlite3",
            "A2A": "keeps tasks", "Consent": "keeps grants and acts",
            "Accounting": "keeps the books", "Gateway": "implements its journal",
            "JSON": "records hold JSON",
            "Glibc": "the lock file, the writer's thread", "Synchronization": "the writer's queue",
        ],
        "Node": [
            "JSON": "configuration, log", "HTTP": "connections", "Crypto": "keys, certificates",
            "TLS": "connections", "HTTP2": "connections", "IO": "loops", "A2A": "operations",
            "Bindings": "connections", "Consent": "the consent service",
            "Accounting": "the accounting endpoints", "Discovery": "cards",
            "Gateway": "runs exchanges", "Store": "opens the journal",
            "Glibc": "files, clock", "Synchronization": "state shared by loops",
        ],
        "dragoman": [
            "Node": "serve, check, init", "JSON": "answers for programs", "HTTP": "call",
            "Crypto": "tool jws, tool pki", "TLS": "call, tool load", "HTTP2": "tool load",
            "IO": "call, tool load", "A2A": "call", "Bindings": "call",
            "Consent": "grant, explain", "Accounting": "ledger, explain", "Discovery": "card",
            "Gateway": "explain", "Store": "explain, ledger",
            "Glibc": "terminal, files, exit status",
            "Synchronization": "state shared by loops",
        ],
    ]

    /// What every test target may import beside the module it tests and what that may import.
    static let tests: [String: String] = [
        "Testing": "Swift Testing is the only test framework",
        "TestSupport": "seeded randomness, virtual time, vectors",
        "FaultDisk": "a disk that loses power",
        "Glibc": "tests open files and sockets", "Synchronization": "tests wait for threads",
    ]

    /// Targets under Tests that are not named after one module.
    static let otherTests: [String: [String: String]] = [
        "Support": [
            "Accounting": "the ledger in memory", "Consent": "its records in memory",
            "Crypto": "authorities and certificates in memory", "JSON": "vectors are JSON",
        ],
        "TidyTests": [:],
        "BooksWriter": [
            "Accounting": "it books", "Store": "on a journal, until a test kills it",
        ],
        "FaultDisk": ["CFaultDisk": "the layer beneath SQLite is written in C"],
        "DragomanTests": [
            "dragoman": "its subject", "Node": "files", "Accounting": "tariffs",
            "Crypto": "keys to sign with", "JSON": "answers for programs",
            "HTTP": "what the control socket is asked", "IO": "addresses",
        ],
        "Benchmarks": [
            "JSON": "how fast texts are read", "TLS": "what handshakes and records cost",
            "Crypto": "the certificates for that, signatures of holds and posts",
            "Accounting": "what holds and posts cost", "Gateway": "the journal they are kept in",
            "Store": "the same on disk", "CRecorder": "the same calls of SQLite in C",
            "Node": "an agent behind a gateway that is measured", "IO": "its time",
            "HTTP": "its answers", "Consent": "who asks it",
        ],
        "Fuzz": [
            "Crypto": "signatures and certificates that a stranger made",
            "HTTP": "messages and events that a stranger wrote",
            "HTTP2": "frames that a stranger wrote", "JSON": "texts that a stranger wrote",
        ],
    ]

    static let wrapped: Set<String> = ["CLinux", "CLoopBIO", "COpenSSL", "CNghttp2", "CSQLite"]

    /// What `module`, a folder under Sources or Tests, may import; nil when no table has it.
    static func allowed(to module: String, inTests: Bool) -> Set<String>? {
        guard inTests else {
            guard let table = sources[module] else { return nil }
            return Set(table.keys).union(module == "Bytes" ? [] : ["Bytes"])
        }
        let everywhere = Set(tests.keys).union(["Bytes"])
        if let table = otherTests[module] { return everywhere.union(table.keys) }
        guard module.hasSuffix("Tests") else { return nil }
        let subject = String(module.dropLast("Tests".count))
        guard sources[subject] != nil else { return nil }
        return everywhere.union(closure(of: subject)).subtracting(wrapped)
    }

    /// `module` and all that it reaches through the table.
    private static func closure(of module: String) -> Set<String> {
        (sources[module] ?? [:]).keys.reduce(into: [module]) { $0.formUnion(closure(of: $1)) }
    }

    /// Modules named by the import statements of a file, with their lines.
    static func statements(in source: SwiftSource) -> [(module: String, line: Int)] {
        let tokens = source.tokens
        return tokens.indices.compactMap { index in
            guard tokens[index].text == "import", isStatement(at: index, in: tokens) else {
                return nil
            }
            var name = index + 1
            if name < tokens.count, kinds.contains(tokens[name].text) { name += 1 }
            return name < tokens.count ? (tokens[name].text, tokens[name].line) : nil
        }
    }

    static func findings(in source: SwiftSource) -> [Finding] {
        guard let module = source.module else { return [] }
        let inTests = source.path.hasPrefix("Tests/")
        guard let allowed = allowed(to: module, inTests: inTests) else {
            let message = "module \(module) is in no table: add it to Imports.swift, with reasons"
            return [Finding(path: source.path, line: 1, message: message)]
        }
        return statements(in: source).filter { !allowed.contains($0.module) }.map {
            let hint = replacements[$0.module].map { "; " + $0 } ?? ""
            let message = "\(module) may not import \($0.module)\(hint)"
            return Finding(path: source.path, line: $0.line, message: message)
        }
    }

    /// `import` begins a line, or follows access and attributes on the same line.
    private static func isStatement(at index: Int, in tokens: [SwiftSource.Token]) -> Bool {
        if tokens[index].startsLine { return true }
        let before = tokens[index - 1]
        return modifiers.contains(before.text) && before.line == tokens[index].line
    }

    private static let modifiers: Set<String> = [
        "package", "public", "internal", "fileprivate", "private", "testable", "preconcurrency",
        "_exported", "_implementationOnly",
    ]

    private static let kinds: Set<String> = [
        "struct", "class", "enum", "protocol", "typealias", "func", "let", "var",
    ]

    private static let replacements = [
        "Foundation": "the standard library, Glibc and Synchronization suffice",
        "FoundationEssentials": "the standard library, Glibc and Synchronization suffice",
        "Dispatch": "run it on an IO loop or a worker thread of IO",
        "XCTest": "write it with Swift Testing",
    ]
}
