// SPDX-License-Identifier: Apache-2.0
import Accounting
import Bytes
import Node

/// A file of tariffs on its way between two people.
struct TariffPaper {
    let path: String
    var file: TariffFile

    init(_ path: String) throws(Failure) {
        self.path = path
        let bytes = try Input.bytes(path)
        do { file = try TariffFile(parsing: bytes) } catch { throw .no("\(path): \(error)") }
    }

    /// The newest version under its name, which needs the caller's signature.
    func last() throws(Failure) -> (name: HashName, tariff: Tariff) {
        let version = file.versions[file.versions.count - 1]
        guard let name = version.name else {
            throw .no("\(path): its last version is not signed by both")
        }
        return (name, try draft(version).tariff)
    }

    /// What a version says, unverified.
    func draft(
        _ version: TariffFile.Version
    ) throws(Failure) -> (payload: [UInt8], tariff: Tariff) {
        do { return try version.draft() } catch { throw .no("\(path): \(error)") }
    }
}
