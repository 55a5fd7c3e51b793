// SPDX-License-Identifier: Apache-2.0
import Accounting
import Bytes
import Consent
import Crypto
import Gateway
import IO
import Node
import TLS

/// One organisation of the demo: a folder as `dragoman init` and a partner's papers would leave it,
/// and the gateway that runs on it.
final class DemoCompany {
    /// One letter, for the lines on the terminal.
    let letter: String
    let name: String
    let entity: EntityID
    /// Its folder, with `dragoman.json`, `keys/`, `tariffs/` and `data/`.
    let folder: String
    let papers: CertificateFiles
    /// Where its link listener accepts.
    var link = ""
    private(set) var server: Server?
    let log = DemoLog()

    init(
        _ letter: String, _ name: String, _ entity: EntityID, in parent: String,
        _ shell: any Shell
    ) throws(Failure) {
        self.letter = letter
        self.name = name
        self.entity = entity
        folder = "\(parent)/\(entity.host.prefix { $0 != "." })"
        papers = try CertificateFiles.make(entity: entity, shell)
        for path in [folder, "\(folder)/keys", "\(folder)/data", "\(folder)/tariffs"] {
            try LocalFile.folder(path)
        }
        var files = papers.files(withAuthority: true).map {
            (path: "\(folder)/keys/\($0.name)", text: $0.text, readers: $0.readers)
        }
        // What partners are given: the authority, and the certificate whose key signs grants.
        let trust = papers.authority.certificate.pem + papers.certificate.pem
        files.append((path: "\(folder)/keys/trust.pem", text: trust, readers: .everyone))
        try LocalFile.createAll(files)
    }

    var configurationFile: String { "\(folder)/dragoman.json" }

    /// What this company is to another on the wire.
    var presenter: Presenter {
        Presenter(
            entity: entity, certificate: papers.certificate.thumbprint,
            key: papers.key.verifying.thumbprint)
    }

    /// What its peers believe it by.
    var anchors: TrustAnchors { TrustAnchors(certificates: [papers.authority.certificate]) }

    /// Writes the configuration and starts the gateway on it.
    func start(_ configuration: String, _ shell: any Shell) async throws(Failure) {
        try LocalFile.createAll([
            (path: configurationFile, text: configuration, readers: .everyone)
        ])
        let assembly = try ServeCommand.assembly(configurationFile, shell)
        do {
            server = try await Server.start(
                assembly, folder: folder, workers: 1, sink: log, time: SystemTime(),
                random: shell.random)
        } catch {
            throw .no("\(entity): \(error)")
        }
    }

    func stop() async {
        await server?.stop()
        server = nil
    }

    /// Reads this company's journal.
    func read<Value: Sendable>(
        _ body: @escaping @Sendable (any JournalTransaction) throws -> Value
    ) async throws(Failure) -> Value {
        guard let server else { throw .no("\(entity) does not run") }
        do { return try await server.gateway.journal.read(body) } catch {
            throw .no("\(entity): the journal cannot be read: \(error)")
        }
    }

    // MARK: Books

    /// What `peer` owes us; negative is what we owe.
    func owed(by peer: DemoCompany) async throws(Failure) -> Money {
        let other = peer.entity
        let end = shellEnd
        let micros = try await read { try $0.statementBalance(other, .cny, before: end) }
        return Money(micros: micros, .cny)
    }

    /// What the books have wrong, in words; empty when debits equal credits everywhere.
    func findings() async throws(Failure) -> [String] {
        let entity = entity
        return try await read { try Ledger($0, of: entity).audit().map(\.description) }
    }

    /// Sums of all posted debits and credits.
    func trialBalance() async throws(Failure) -> (debits: Money, credits: Money) {
        let sums = try await read { tx in
            var debits: Int64 = 0
            var credits: Int64 = 0
            for (_, balance) in try tx.accountBalances() {
                debits += balance.debitsPosted
                credits += balance.creditsPosted
            }
            return [debits, credits]
        }
        return (Money(micros: sums[0], .cny), Money(micros: sums[1], .cny))
    }

    /// Holds that are still open.
    func pendingHolds() async throws(Failure) -> Int {
        let end = shellEnd
        return try await read { tx in
            try tx.overdueHolds(before: end, limit: 100).count { $0.kind == .task }
        }
    }

    /// Later than anything that the demo books.
    private var shellEnd: Instant { SystemTime().now().adding(seconds: 86_400) }
}

/// Keeps the access log of a company, to see how requests came.
final class DemoLog: LogSink {
    private let lines = SharedLines()

    func write(_ line: [UInt8]) { lines.append(String(decoding: line, as: UTF8.self)) }

    var all: [String] { lines.all }
}
