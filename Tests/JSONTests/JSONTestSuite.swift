// SPDX-License-Identifier: Apache-2.0

import JSON
import TestSupport
import Testing

/// The files of nst/JSONTestSuite, which are not part of the repository.
@Suite(
    "JSONTestSuite",
    .enabled(if: Suite.folder != nil, "JSONTestSuite is not in the shared folder"))
struct JSONTestSuiteTests {
    @Test func everyValidTextIsAccepted() throws {
        let names = try Suite.names("y_")
        #expect(names.count == 95)
        for name in names {
            let fault = try Suite.fault(name, .grammar)
            #expect(fault == nil, "\(name): \(fault?.description ?? "")")
        }
    }

    /// RFC 8259 lets a name occur twice; these limits do not, and refuse nothing else of the 95.
    @Test func standardLimitsRefuseOnlyDuplicateNames() throws {
        let refused = try Suite.names("y_").filter { try Suite.fault($0, .standard) != nil }
        #expect(
            refused == ["y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json"])
        for name in refused {
            #expect(try Suite.fault(name, .standard)?.rule == .duplicateName)
        }
    }

    @Test func everyInvalidTextIsRefused() throws {
        let names = try Suite.names("n_")
        #expect(names.count == 188)
        for name in names {
            #expect(try Suite.fault(name, .grammar) != nil, "\(name)")
        }
    }

    /// RFC 8259 leaves these open; RFC 7493 and `Spec/vectors/json/README.md` decide them.
    @Test func openTextsAreDecided() throws {
        let accepted: Set<String> = [
            "i_number_double_huge_neg_exp.json", "i_number_huge_exp.json",
            "i_number_neg_int_huge_exp.json", "i_number_pos_double_huge_exp.json",
            "i_number_real_neg_overflow.json", "i_number_real_pos_overflow.json",
            "i_number_real_underflow.json", "i_number_too_big_neg_int.json",
            "i_number_too_big_pos_int.json", "i_number_very_big_negative_int.json",
        ]
        let names = try Suite.names("i_")
        #expect(names.count == 35)
        #expect(try Set(names.filter { try Suite.fault($0, .standard) == nil }) == accepted)
    }
}

private enum Suite {
    static let folder = Shared.path("vectors/json-test-suite")

    static func names(_ prefix: String) throws -> [String] {
        Files.names(in: try #require(folder)).filter { $0.hasPrefix(prefix) }
    }

    static func fault(_ name: String, _ limits: JSONLimits) throws -> JSONFault? {
        let bytes = try Files.bytes(#require(folder) + "/" + name)
        do {
            _ = try JSONDocument(parsing: bytes, limits: limits)
            return nil
        } catch {
            return error
        }
    }
}
