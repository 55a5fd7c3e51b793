// SPDX-License-Identifier: Apache-2.0

package import JSON

/// Our own vectors, under `Spec/vectors/<area>/`.
package enum SpecVectors {
    /// The folder of an area.
    package static func folder(_ area: String) -> String {
        Files.repository + "/Spec/vectors/" + area
    }

    /// The paths of an area's files, sorted by name. An area without files is a mistake in the
    /// test, which would assert nothing.
    package static func files(in area: String) -> [String] {
        let names = Files.names(in: folder(area))
        precondition(!names.isEmpty, "no vectors under Spec/vectors/\(area)")
        return names.map { folder(area) + "/" + $0 }
    }

    /// The bytes of one file of an area.
    package static func bytes(_ area: String, _ name: String) throws -> [UInt8] {
        try Files.bytes(folder(area) + "/" + name)
    }

    /// One file of an area, read as JSON.
    package static func json(_ area: String, _ name: String) throws -> JSONValue {
        try JSONDocument(parsing: bytes(area, name)).root
    }
}
