// SPDX-License-Identifier: Apache-2.0
import JSON

/// One thing wrong with a configuration file: where, which rule, and what mends it.
package struct ConfigurationFault: Error, Equatable, Sendable, CustomStringConvertible {
    /// From 1.
    package let line: Int
    /// From 1, in Unicode scalars.
    package let column: Int
    /// The member, as `listeners[0].address`.
    package let path: String
    /// The JSON Pointer (RFC 6901) of the value at this place, as `/listeners/0/address`. Of a
    /// missing member it is that of the object; empty is the whole file.
    package let pointer: String
    package let rule: String
    /// What to write instead.
    package let mend: String

    package init(
        line: Int, column: Int, path: String, pointer: String = "", rule: String, mend: String
    ) {
        self.line = line
        self.column = column
        self.path = path
        self.pointer = pointer
        self.rule = rule
        self.mend = mend
    }

    /// `12:5: listeners[0].address: must be host:port. Write "127.0.0.1:8443".`
    package var description: String {
        let place = path.isEmpty ? "" : "\(path): "
        let end = mend.hasSuffix("?") ? "" : "."
        return "\(line):\(column): \(place)\(rule)." + (mend.isEmpty ? "" : " \(mend)\(end)")
    }
}

/// Every fault of one file, so that all can be mended in one go.
package struct ConfigurationFaults: Error, Equatable, Sendable {
    package let faults: [ConfigurationFault]

    package init(_ faults: [ConfigurationFault]) { self.faults = faults }
}
