// SPDX-License-Identifier: Apache-2.0

/// Which version of A2A a request asks for (A2A §3.6): `Major.Minor`, a patch is ignored, and an
/// absent or empty value means 0.3.
package struct ProtocolVersion: Equatable, Sendable {
    package let major: Int
    package let minor: Int

    package init(major: Int, minor: Int) {
        self.major = major
        self.minor = minor
    }

    /// What a request without a version means (A2A §3.6.1).
    package static let v0_3 = ProtocolVersion(major: 0, minor: 3)
    /// The version that gateways speak among themselves.
    package static let v1_0 = ProtocolVersion(major: 1, minor: 0)

    /// The name of the header and of the query parameter.
    package static let parameter = "A2A-Version"

    /// Reads the value of the header or query parameter; `nil` when it is not a version at all.
    package init?(_ text: String?) {
        guard let text, !text.isEmpty else {
            self = .v0_3
            return
        }
        if text == "1.0" {
            self = .v1_0
            return
        }
        let numbers = text.split(separator: ".", omittingEmptySubsequences: false)
        guard numbers.count == 2 || numbers.count == 3 else { return nil }
        var read: [Int] = []
        for number in numbers {
            guard !number.isEmpty, number.utf8.count <= 4,
                number.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }), let value = Int(number)
            else { return nil }
            read.append(value)
        }
        major = read[0]
        minor = read[1]
    }

    /// Whether this gateway's 1.0 faces serve it: additions of a later minor version are optional.
    package var isServedAs1: Bool { major == 1 }

    /// `Major.Minor`, as it is sent.
    package var text: String { "\(major).\(minor)" }
}
