// SPDX-License-Identifier: Apache-2.0
import HTTP2
import Testing

/// The package of the library is read from what dpkg writes.
@Suite struct LibraryTests {
    private static func status(
        _ version: String, _ state: String = "install ok installed"
    )
        -> [UInt8]
    {
        Array(
            """
            Package: libnghttp2-dev
            Status: install ok installed
            Version: 1.52.0-1

            Package: libnghttp2-14
            Status: \(state)
            Priority: optional
            Architecture: amd64
            Source: nghttp2
            Version: \(version)
            Description: library
             Version: 1.52.0-1 is no field

            Package: libnghttp2-14-other
            Status: install ok installed
            Version: 1.52.0-1

            """.utf8)
    }

    @Test(arguments: ["1.52.0-1", "1.52.0-1+deb12u1", "1.52.0-1+deb12u2"])
    func anOldPackageIsFound(package: String) {
        let packages = Self.status(package)
        #expect(HTTP2Library.outdated(version: "1.52.0", packages: packages) == package)
        // Another library is loaded than Debian's.
        #expect(HTTP2Library.outdated(version: "1.68.1", packages: packages) == nil)
        // Of two architectures one is new.
        let both = packages + Self.status(HTTP2Library.requirement)
        #expect(HTTP2Library.outdated(version: "1.52.0", packages: both) == nil)
        let removed = Self.status(package, "deinstall ok config-files")
        #expect(HTTP2Library.outdated(version: "1.52.0", packages: removed) == nil)
    }

    @Test(arguments: ["1.52.0-1+deb12u3", "1.52.0-1+deb12u12", "1.52.0-2", "1.64.0-1", ""])
    func othersAreNot(package: String) {
        #expect(
            HTTP2Library.outdated(version: "1.52.0", packages: Self.status(package)) == nil)
    }

    @Test func theLoadedOneSaysWhatItIs() {
        #expect(HTTP2Library.version.split(separator: ".").count == 3)
        #expect(HTTP2Library.outdated(version: "1.52.0", packages: []) == nil)
    }
}
