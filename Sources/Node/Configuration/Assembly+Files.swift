// SPDX-License-Identifier: Apache-2.0
package import Bytes
import Gateway

extension Assembly {
    /// A file whose last contents are not used, and why.
    package struct RefusedFile: Equatable, Sendable {
        /// The member that names it, as `identity.key`.
        package let member: String
        package let path: String
        /// One sentence without its full stop.
        package let reason: String
    }

    /// What came of reading the files of keys and certificates again.
    package struct Refreshed: Sendable {
        /// What is to be in force now; `nil` when nothing usable has changed.
        package let assembly: Assembly?
        /// The members whose files have new contents that are in force.
        package let taken: [String]
        /// In the order of the configuration; for each of them the last good contents stay.
        package let refused: [RefusedFile]
    }

    /// The files of keys and certificates, by the member that names each. The configuration itself
    /// and its tariffs are not among them: these are contracts, and wait for the operator's word.
    package var keyFiles: [(member: String, path: String)] { parts.flatMap { $0 } }

    /// Reads the files of keys and certificates again under the same configuration.
    ///
    /// Files that only make sense together are taken together or not at all: this gateway's
    /// certificate, its keys and its own authorities; everybody else's trust alone. What has grown
    /// old elsewhere is no reason to refuse something new. Blocks.
    package func refreshed(now: Instant) -> Refreshed {
        var files = source.files
        var taken: [String] = []
        var refused: [RefusedFile] = []
        let known = Set(assemble(files, now).faults)
        for part in parts {
            var fresh = files
            var unread: [RefusedFile] = []
            for (member, path) in part {
                do {
                    fresh[member] = try LocalFile.text(path)
                } catch {
                    unread.append(
                        .init(member: member, path: path, reason: "cannot be read: \(error.reason)")
                    )
                }
            }
            let changed = part.filter { fresh[$0.member] != files[$0.member] }
            if unread.isEmpty {
                if changed.isEmpty { continue }
                unread = assemble(fresh, now).faults.filter { fault in
                    part.contains { $0.member == fault.path } || !known.contains(fault)
                }.map { fault in
                    let file = part.first { $0.member == fault.path } ?? changed[0]
                    return .init(
                        member: file.member, path: file.path,
                        reason: fault.path == file.member
                            ? fault.rule : "\(fault.path) \(fault.rule)")
                }
            }
            refused += unread
            if unread.isEmpty {
                files = fresh
                taken += changed.map(\.member)
            }
        }
        let assembly = taken.isEmpty ? nil : assemble(files, now).assembly
        return Refreshed(
            assembly: assembly, taken: assembly == nil ? [] : taken, refused: refused)
    }

    /// The same configuration with these contents of its files, and every fault in them.
    private func assemble(
        _ files: [String: String], _ now: Instant
    ) -> (assembly: Assembly?, faults: [Fault]) {
        let faults = FaultCollector(source.text)
        let assembler = Assembler(
            configuration, path: source.path, now: now, faults: faults, texts: FileTexts(files),
            tariffsInForce: settings.parties.compactMapValues(\.tariffs))
        let assembly = assembler.assemble()
        return (assembly, faults.sorted.faults.map { Fault(path: $0.path, rule: $0.rule) })
    }

    private struct Fault: Hashable {
        let path: String
        let rule: String
    }

    /// The files that are taken together.
    private var parts: [[(member: String, path: String)]] {
        func file(_ member: String, _ name: String) -> (member: String, path: String) {
            (member, LocalFile.resolve(name, besides: source.path))
        }
        let identity = configuration.identity
        var own = [
            file("identity.certificate", identity.certificate), file("identity.key", identity.key),
        ]
        if let name = identity.signingKey { own.append(file("identity.signing_key", name)) }
        var others: [[(member: String, path: String)]] = []
        for (index, known) in configuration.entities.enumerated() {
            let trust = file("entities[\(index)].trust", known.trust)
            if known.entity == configuration.entity {
                own.append(trust)
            } else {
                others.append([trust])
            }
        }
        let confirmation = configuration.consent.confirmationKey.map {
            [file("consent.confirmation_key", $0)]
        }
        return [own] + others + (confirmation.map { [$0] } ?? [])
    }
}
