// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// The map of the program. Targets are listed from bytes, to meaning, to decision, to the running
// process; a target imports only from earlier lines (Tests/TidyTests holds the table).
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6), .strictMemorySafety(), .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InferIsolatedConformances"),
]

func module(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(
        name: name, dependencies: ["TestSupport"] + dependencies, swiftSettings: strict)
}

let package = Package(
    name: "dragoman",
    products: [.executable(name: "dragoman", targets: ["dragoman"])],
    targets: [
        // system: what C gives, behind one module map each
        .systemLibrary(
            name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(
            name: "CNghttp2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
        .systemLibrary(
            name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .target(name: "CLinux"),
        .target(name: "CLoopBIO", dependencies: ["COpenSSL"]),

        // mechanism: values and transducers, no effects but in IO
        module("Bytes", []),
        module("JSON", ["Bytes"]),
        module("HTTP", ["Bytes"]),
        module("Crypto", ["Bytes", "COpenSSL", "JSON"]),
        module("TLS", ["Bytes", "COpenSSL", "CLoopBIO", "Crypto"]),
        module("HTTP2", ["Bytes", "CNghttp2", "HTTP"]),
        module("IO", ["Bytes", "CLinux"]),

        // language: what is said
        module("A2A", ["Bytes", "JSON"]),
        module("Bindings", ["Bytes", "A2A", "HTTP", "JSON"]),

        // policy: what may be done, what it costs, who can do it
        module("Consent", ["Bytes", "Crypto", "JSON"]),
        module("Accounting", ["Bytes", "JSON"]),
        module("Discovery", ["Bytes", "A2A", "Crypto", "JSON"]),

        // exchange: the life of one call at this hop
        module("Gateway", ["Bytes", "A2A", "Consent", "Accounting", "Discovery", "JSON"]),

        // running: effects
        module(
            "Store", ["Bytes", "CSQLite", "A2A", "Consent", "Accounting", "Gateway", "JSON"]),
        module(
            "Node",
            [
                "Bytes", "JSON", "HTTP", "Crypto", "TLS", "HTTP2", "IO", "A2A", "Bindings",
                "Consent", "Accounting", "Discovery", "Gateway", "Store",
            ]),
        .executableTarget(
            name: "dragoman",
            dependencies: [
                "Node", "Bytes", "JSON", "HTTP", "Crypto", "TLS", "A2A", "Consent", "Accounting",
                "Discovery", "Gateway", "Store", "IO",
            ], swiftSettings: strict),

        // tests
        .target(
            name: "TestSupport",
            dependencies: ["Bytes", "Accounting", "Consent", "Crypto", "JSON"],
            path: "Tests/Support", swiftSettings: strict),
        .target(
            name: "CFaultDisk", dependencies: ["CSQLite"], path: "Tests/FaultDisk/C"),
        .target(
            name: "FaultDisk", dependencies: ["CFaultDisk"], path: "Tests/FaultDisk/Swift",
            swiftSettings: strict),
        .executableTarget(
            name: "books-writer", dependencies: ["Bytes", "Accounting", "Store", "TestSupport"],
            path: "Tests/BooksWriter", swiftSettings: strict),
        .executableTarget(
            name: "proxy-upstream",
            dependencies: ["Bytes", "Consent", "Gateway", "HTTP", "IO", "Node", "TLS"],
            path: "Tests/Benchmarks/proxy/Upstream", swiftSettings: strict),
        tests("BytesTests", ["Bytes"]),
        tests("JSONTests", ["Bytes", "JSON"]),
        tests("HTTPTests", ["Bytes", "HTTP"]),
        tests("CryptoTests", ["Bytes", "Crypto", "JSON"]),
        tests("TLSTests", ["Bytes", "Crypto", "TLS"]),
        tests("HTTP2Tests", ["Bytes", "HTTP", "HTTP2"]),
        tests("IOTests", ["Bytes", "IO"]),
        tests("A2ATests", ["Bytes", "A2A", "JSON"]),
        tests("BindingsTests", ["Bytes", "A2A", "Bindings", "HTTP", "JSON"]),
        tests("ConsentTests", ["Bytes", "Consent", "Crypto", "JSON"]),
        tests("AccountingTests", ["Bytes", "Accounting", "JSON"]),
        tests("DiscoveryTests", ["Bytes", "A2A", "Crypto", "Discovery", "JSON"]),
        tests(
            "GatewayTests",
            ["Bytes", "A2A", "Consent", "Accounting", "Crypto", "Discovery", "Gateway", "JSON"]),
        tests(
            "StoreTests",
            [
                "Bytes", "A2A", "Accounting", "Consent", "Crypto", "Discovery", "Gateway", "JSON",
                "Store", "FaultDisk",
            ]),
        tests(
            "NodeTests",
            [
                "Bytes", "A2A", "Accounting", "Consent", "Crypto", "Gateway", "HTTP", "HTTP2", "IO",
                "JSON", "Node", "Store", "TLS",
            ]),
        tests(
            "DragomanTests",
            ["Bytes", "Accounting", "Crypto", "HTTP", "IO", "JSON", "Node", "dragoman"]),
        tests("TidyTests", []),
    ],
    swiftLanguageModes: [.v6]
)
