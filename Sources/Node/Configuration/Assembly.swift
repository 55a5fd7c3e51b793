// SPDX-License-Identifier: Apache-2.0
package import Bytes
package import Crypto
package import Gateway
import JSON

/// A configuration together with what the files that it names hold: all that a gateway runs on.
package struct Assembly: Sendable {
    package var configuration: Configuration
    /// What the exchange needs.
    package let settings: GatewaySettings
    package let identity: IdentityTexts
    /// Who vouches for each company that this gateway is linked to; nobody else may connect.
    package let links: [EntityID: TrustAnchors]
    /// What it was read from, to read the files of keys and certificates again.
    let source: Source

    /// Where an assembly comes from.
    struct Source: Sendable {
        /// The configuration file.
        let text: [UInt8]
        let path: String
        /// What each file of a key or certificate held, by the member that names it. Secret.
        let files: [String: String]
    }

    /// What this gateway proves itself with on its links.
    package struct IdentityTexts: Sendable {
        /// PEM, leaf first.
        package let certificates: String
        /// PEM. Secret.
        package let key: String
    }

    /// Reads a configuration and its files.
    ///
    /// - Parameters:
    ///   - text: The file.
    ///   - path: Where it is; the paths in it are relative to its folder.
    ///   - now: When certificates must be valid.
    /// - Throws: ``ConfigurationFaults``, all of them. Faults of form come first and alone: files
    ///   are not read on the word of a configuration that is not understood.
    package init(
        parsing text: [UInt8], from path: String, now: Instant
    ) throws(ConfigurationFaults) {
        var configuration = try Configuration(parsing: text)
        configuration.resolveSockets(besides: path)
        let faults = FaultCollector(text)
        let assembler = Assembler(configuration, path: path, now: now, faults: faults)
        let assembly = assembler.assemble()
        guard faults.isEmpty, let assembly else { throw faults.sorted }
        self = assembly
    }

    init(
        configuration: Configuration, settings: GatewaySettings, identity: IdentityTexts,
        links: [EntityID: TrustAnchors], source: Source
    ) {
        self.configuration = configuration
        self.settings = settings
        self.identity = identity
        self.links = links
        self.source = source
    }
}

/// The texts of files of keys and certificates, by the member that names each: given beforehand, or
/// as they were read.
final class FileTexts {
    private(set) var all: [String: String]

    init(_ given: [String: String] = [:]) { all = given }

    subscript(_ member: String) -> String? {
        get { all[member] }
        set { all[member] = newValue }
    }
}

/// Collects faults by the paths of members, as `entities[0].trust`.
final class FaultCollector {
    /// The configuration.
    let text: [UInt8]
    private let root: JSONValue?
    private let reader: ConfigurationReader
    private var noted: Set<String> = []

    /// - Parameter text: A configuration that was read before.
    init(_ text: [UInt8]) {
        self.text = text
        let stripped = JSONComments.strip(text)
        root = (try? JSONDocument(parsing: stripped))?.root
        reader = ConfigurationReader(stripped, root)
    }

    var isEmpty: Bool { reader.faults.isEmpty }

    /// In the order of the file.
    var sorted: ConfigurationFaults {
        ConfigurationFaults(reader.faults.sorted { ($0.line, $0.column) < ($1.line, $1.column) })
    }

    /// Notes a fault at the member with this path, or at the nearest one around it that is there.
    func note(_ path: String, _ rule: String, _ mend: String = "") {
        // A file that two steps need is missing once.
        guard var value = root, noted.insert(path + ": " + rule).inserted else { return }
        for step in path.split(whereSeparator: { ".[]".contains($0) }) {
            guard let next = Int(step).flatMap({ value[$0] }) ?? value[String(step)] else { break }
            value = next
        }
        reader.fault(value, path, rule, mend)
    }
}
