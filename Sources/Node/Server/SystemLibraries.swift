// SPDX-License-Identifier: Apache-2.0
import HTTP2

/// The libraries of the system of which this program needs more than their number tells.
package enum SystemLibraries {
    /// Why this program must not serve with what is installed; `nil` when nothing is known.
    package static func fault() -> String? {
        // Where there is no dpkg, nothing is known about packages.
        guard let packages = try? LocalFile.read("/var/lib/dpkg/status", limit: 256 << 20),
            let old = HTTP2Library.outdated(version: HTTP2Library.version, packages: packages)
        else { return nil }
        return "libnghttp2-14 \(old) is installed, which a peer can crash (CVE-2026-27135); "
            + "\(HTTP2Library.requirement) or newer is needed: apt-get install libnghttp2-14"
    }
}
