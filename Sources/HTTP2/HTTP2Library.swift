// SPDX-License-Identifier: Apache-2.0
import CNghttp2

/// The library beneath this module, as it is loaded on this machine.
package enum HTTP2Library {
    /// Its own version, as `1.52.0`.
    package static var version: String {
        guard let information = unsafe nghttp2_version(0) else { return "" }
        return unsafe String(cString: information.pointee.version_str)
    }

    /// The first package of Debian 12 that a peer cannot crash (CVE-2026-27135).
    package static let requirement = "1.52.0-1+deb12u3"

    /// The installed package, if it is one of Debian 12 that is older than ``requirement``.
    ///
    /// Debian mended 1.52.0 and kept its number, so that only the package's own version tells. Of
    /// other systems nothing is known here, and nothing is said.
    ///
    /// - Parameters:
    ///   - version: The library's own.
    ///   - packages: What dpkg knows, `/var/lib/dpkg/status` (deb-control(5)).
    package static func outdated(version: String, packages: [UInt8]) -> String? {
        guard version == "1.52.0" else { return nil }
        let installed = installed(packages)
        // Of two architectures one may be behind; it is not told which of them is loaded.
        guard let first = installed.first, installed.allSatisfy(isOutdated) else { return nil }
        return first
    }

    private static func isOutdated(_ package: String) -> Bool {
        let original = "1.52.0-1"
        let update = original + "+deb12u"
        guard package.hasPrefix(update) else { return package == original }
        return Int(package.dropFirst(update.count)).map { $0 < 3 } ?? false
    }

    /// The versions of the installed packages of this name, one for each architecture.
    private static func installed(_ packages: [UInt8]) -> [String] {
        var versions: [String] = []
        var isMeant = false
        var isInstalled = false
        for line in packages.split(separator: UInt8(ascii: "\n")) {
            if line.starts(with: "Package: ".utf8) {
                isMeant = line.elementsEqual("Package: libnghttp2-14".utf8)
                isInstalled = false
            } else if isMeant, line.starts(with: "Status: ".utf8) {
                isInstalled = line.elementsEqual("Status: install ok installed".utf8)
            } else if isMeant, isInstalled, line.starts(with: "Version: ".utf8) {
                versions.append(String(decoding: line.dropFirst(9), as: UTF8.self))
            }
        }
        return versions
    }
}
