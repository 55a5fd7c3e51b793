// SPDX-License-Identifier: Apache-2.0

import Consent
import JSON
import Testing

/// What travels in metadata, and the text that ties an act to its message.
@Suite struct MetadataTests {
    private func value(_ text: String) throws -> JSONValue {
        try JSONDocument(parsing: text).root
    }

    @Test func everythingComesBack() throws {
        var metadata = ConsentMetadata()
        metadata.chain = ["a.b.c", "d.e.f"]
        metadata.act = "g.h.i"
        metadata.terms = "j.k.l"
        metadata.body = "{}"
        metadata.confirm = "m.n.o"
        metadata.reservation = "p.q.r"
        metadata.certificates = ["MIIB"]
        metadata.receipt = "s.t.u"
        metadata.entry = "order"
        metadata.action = "order.create"
        metadata.disclosures = ["WyJ4Il0"]
        metadata.ask = Ask(
            level: .each, root: "019a9f00-0000-7000-8000-000000000005", entry: "order",
            nonce: "FH1Kc_GfGXmFrqvFmQebfA", expires: 1_795_161_780, terms: "j.k.l",
            certificates: ["MIIB"])
        let read = try ConsentMetadata(JSONDocument(parsing: metadata.node.bytes).root)
        #expect(read == metadata)
        #expect(metadata.node["ask"]?["exp"] == "1795161780")
        #expect(try ConsentMetadata(value("{}")) == ConsentMetadata())
    }

    @Test(arguments: [
        (#"{"chain":"a.b.c"}"#, ConsentError.malformed), (#"{"chain":[]}"#, .tooLarge),
        (#"{"chain":["a","b","c","d","e","f","g","h","i"]}"#, .tooLarge),
        (#"{"chain":[{"iss":"x"}]}"#, .malformed), (#"{"act":{}}"#, .malformed),
        (#"{"act":""}"#, .malformed), (#"{"approve":true}"#, .unknown), ("[]", .malformed),
        (#"{"ask":{"level":"each"}}"#, .malformed),
        (
            #"{"ask":{"level":"each","root":"019a9f00-0000-7000-8000-000000000005","ad":"o","#
                + #""nonce":"FH1Kc_GfGXmFrqvFmQebfA","exp":1795161780,"terms":"t"}}"#, .malformed
        ),
        (
            #"{"ask":{"level":"each","root":"019a9f00-0000-7000-8000-000000000005","ad":"o","#
                + #""nonce":"FH1Kc_GfGXmFrqvFmQebfA","exp":"01","terms":"t"}}"#, .malformed
        ),
    ])
    func otherShapesAreRefused(_ text: String, _ error: ConsentError) throws {
        let value = try value(text)
        #expect(refusal { try ConsentMetadata(value) }?.error == error)
    }

    @Test func sizesAreBounded() throws {
        let token = String(repeating: "a", count: 6000)
        let chain = (0..<6).map { _ in "\"\(token)\"" }.joined(separator: ",")
        let long = try value("{\"chain\":[\(chain)]}")
        #expect(refusal { try ConsentMetadata(long) }?.rule == "metadata.chain")
        let huge = try value("{\"body\":\"\(String(repeating: "a", count: 65_536))\"}")
        #expect(refusal { try ConsentMetadata(huge) }?.rule == "metadata.bytes")
    }

    @Test func theBodyIsTheCanonicalTextOfThreeMembers() throws {
        let message = try value(
            #"{"taskId":"t","parts":[{"text":"订","n":1.0}],"messageId":"m","role":"ROLE_USER"}"#)
        let bytes = try RequestBody.bytes(of: message)
        #expect(
            String(decoding: bytes, as: UTF8.self)
                == #"{"parts":[{"n":1,"text":"订"}],"taskId":"t"}"#)
        #expect(
            RequestBody.hash(of: []) == "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU")
        let reordered = try value(
            #"{"messageId":"other","parts":[{"n":1,"text":"订"}],"taskId":"t"}"#)
        #expect(try RequestBody.bytes(of: reordered) == bytes)
        #expect(refusal { try RequestBody.bytes(of: value("[]")) }?.error == .malformed)
    }
}
