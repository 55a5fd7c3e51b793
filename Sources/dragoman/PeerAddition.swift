// SPDX-License-Identifier: Apache-2.0
import Accounting
import Bytes
import Crypto
import Gateway
import JSON
import Node

/// What a new peer adds to a configuration and to its folder.
struct PeerAddition {
    /// The tariff in force, or the newest.
    let tariff: PinnedTariff?
    /// Files of its own, to be made beside the configuration.
    let files: [(path: String, text: String, readers: LocalFile.Readers)]
    private let entity: JSONNode
    private let peer: JSONNode?

    init(
        _ own: OwnOrganisation, _ descriptor: PeerDescriptor, _ arguments: Arguments,
        _ shell: any Shell
    ) throws(Failure) {
        let stem =
            "peers/"
            + descriptor.entity.authority.split(separator: ":")
            .joined(separator: "_")
        var files = [
            (
                path: own.besides("\(stem).pem"),
                text: descriptor.authorities.map(\.pem).joined(),
                readers: LocalFile.Readers.everyone
            )
        ]
        var entity: JSONNode = [
            "entity": .string(descriptor.entity.text),
            "name": .string(arguments["--name"] ?? descriptor.name),
            "trust": .string("\(stem).pem"),
        ]
        if descriptor.isKeySeparate { entity["key"] = descriptor.key.node }
        entity["grants"] = try Self.grants(descriptor, arguments)
        self.entity = entity

        let isLinked = !arguments.has("--known-only")
        let text = try arguments["--tariff"].map { path throws(Failure) in try Input.text(path) }
        tariff =
            if let text { try Self.tariff(text, own, descriptor, shell.time.now()) } else { nil }
        if let text { files.append((own.besides("\(stem).tariff.json"), text, .everyone)) }
        if !isLinked {
            for name in ["--connect", "--tariff"] where arguments[name] != nil {
                throw .misuse("\(name) is for a link, and --known-only makes none")
            }
            peer = nil
        } else {
            var peer: JSONNode = ["entity": .string(descriptor.entity.text)]
            let connect = try arguments.value("--connect", "host:port") {
                PeerDescriptor.isAddress($0) ? $0 : nil
            }
            peer["connect"] = (connect ?? descriptor.address).map { .string($0) }
            if tariff != nil { peer["tariff"] = .string("\(stem).tariff.json") }
            peer["agents"] = try Self.agents(own, descriptor, arguments)
            self.peer = peer
        }
        self.files = files
    }

    /// The configuration with the additions; nil where they cannot be spliced in.
    func edited(_ own: OwnOrganisation) -> [UInt8]? {
        var text = ConfigurationEdit.append(entity, to: "entities", in: own.text)
        if let peer { text = text.flatMap { ConfigurationEdit.append(peer, to: "peers", in: $0) } }
        // What was written must be read as what was meant, or nothing is written.
        guard let text, let read = try? Configuration(parsing: text),
            read.entities.count == own.configuration.entities.count + 1,
            read.peers.count == own.configuration.peers.count + (peer == nil ? 0 : 1)
        else { return nil }
        return text
    }

    /// The additions for people to paste.
    var members: String {
        var text = "in \"entities\":\n" + ConfigurationEdit.pretty(entity, indent: 0)
        if let peer { text += "\nin \"peers\":\n" + ConfigurationEdit.pretty(peer, indent: 0) }
        return text
    }

    private static func grants(
        _ descriptor: PeerDescriptor, _ arguments: Arguments
    ) throws(Failure) -> JSONNode? {
        let highest = try arguments.value("--grants", "a class of action from 0 to 7") {
            Int($0).flatMap { (0...7).contains($0) ? $0 : nil }
        }
        var amounts: [JSONNode.Member] = []
        for text in arguments.all("--per-act") {
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2, let currency = Currency(parts[0]),
                let units = try? Money(text: parts[1], currency).minorUnits()
            else { throw .misuse("--per-act must be as CNY=1000.00, not \"\(text)\"") }
            amounts.append(.init(parts[0], .int(units)))
        }
        guard let highest else {
            if amounts.isEmpty { return nil }
            throw .misuse("--per-act belongs to --grants CLASS")
        }
        return [
            "max_class": .int(highest), "max_life": 600, "max_per_act": .object(amounts),
            "keys": [descriptor.key.node],
        ]
    }

    /// The peer's agents under names that are free here.
    private static func agents(
        _ own: OwnOrganisation, _ descriptor: PeerDescriptor, _ arguments: Arguments
    ) throws(Failure) -> JSONNode? {
        var callers: [JSONNode] = []
        for text in arguments.all("--caller") {
            guard let caller = EntityID(text) else {
                throw .misuse("--caller must be an entity id, not \"\(text)\"")
            }
            callers.append(.string(caller.text))
        }
        let local = own.configuration.listeners.filter { $0.kind == .local }.map(\.name)
        var taken = Set(own.assembly.settings.agents.keys)
        let agents = descriptor.agents.map { name in
            var alias = name
            if taken.contains(alias) {
                let label = descriptor.entity.host.split(separator: ".")[0]
                alias = String("\(label)-\(name)".prefix(64))
            }
            taken.insert(alias)
            var agent: JSONNode = ["name": .string(name)]
            if alias != name { agent["as"] = .string(alias) }
            agent["listeners"] = .array(local.map { .string($0) })
            agent["callers"] = .array(callers)
            return agent
        }
        return agents.isEmpty ? nil : .array(agents)
    }

    private static func tariff(
        _ text: String, _ own: OwnOrganisation, _ descriptor: PeerDescriptor, _ now: Instant
    ) throws(Failure) -> PinnedTariff? {
        do {
            let versions = try TariffFile(parsing: Array(text.utf8))
                .verified(by: own.signatories(and: descriptor), now: now)
            guard versions.versions.allSatisfy({ $0.tariff.side(of: descriptor.entity) != nil })
            else { throw Failure.no("the tariff is not with \(descriptor.entity)") }
            return versions.inForce(at: now) ?? versions.versions.last
        } catch let failure as Failure {
            throw failure
        } catch {
            throw .no("the tariff: \(error)")
        }
    }
}
