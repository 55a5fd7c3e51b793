// SPDX-License-Identifier: Apache-2.0
import A2A
import Bindings
import JSON
import TestSupport
import Testing

@Suite struct RequestVectorTests {
    @Test func everyRequestIsUnderstoodOrRefusedAsWritten() throws {
        let vectors = try #require(SpecVectors.json("a2a", "requests.json")["requests"])
        #expect(vectors.count > 30)
        for vector in vectors.elements {
            let name = try #require(vector["name"]?.string)
            let body = Array(try #require(vector["body"]?.string).utf8)
            let outcome = Result { () throws(JSONRPC.Failure) in try JSONRPC.decode(body) }
            switch outcome {
            case .success(let call):
                #expect(call.operation.method == vector["method"]?.string, "\(name)")
            case .failure(let failure):
                let code = vector["code"]?.int.map { Int($0) }
                #expect(failure.error.code.jsonRPC == code, "\(name)")
                if let field = vector["field"]?.string {
                    #expect(failure.error.violations.first?.field == field, "\(name)")
                }
            }
        }
    }

    @Test func theIdOfARefusedRequestIsRepeated() throws {
        let body = Array(#"{"jsonrpc":"2.0","id":"a\u0062","method":"Nope"}"#.utf8)
        #expect(throws: JSONRPC.Failure.self) { try JSONRPC.decode(body) }
        do {
            _ = try JSONRPC.decode(body)
        } catch {
            #expect(String(decoding: error.id, as: UTF8.self) == #""a\u0062""#)
        }
    }
}

@Suite struct ErrorTests {
    @Test(arguments: A2AError.Code.allCases)
    func errorsCrossTheWireAndBack(_ code: A2AError.Code) throws {
        var error = A2AError(code, "why", metadata: ["a": "b"], retryAfter: 7)
        error.violations = [.init(field: "x.y", description: "is odd")]
        let body = JSONRPC.response(id: [0x31], error: error)
        let read = #expect(throws: A2AError.self) { try JSONRPC.result(body) }
        #expect(read == error)
    }

    @Test func aRefusalKeepsItsDomainAndReason() throws {
        let error = A2AError(
            refusal: .notAuthorized, by: .consent, reason: "consent_holder", message: "no")
        let read = #expect(throws: A2AError.self) {
            try JSONRPC.result(JSONRPC.response(id: [0x31], error: error))
        }
        #expect(read?.reason == "consent_holder")
        #expect(read?.domain == ExtensionURI.consent.rawValue)
        #expect(read?.code == .notAuthorized)
    }

    @Test func codesOfTheTableAreUnique() {
        let numbers = A2AError.Code.allCases.map(\.jsonRPC)
        #expect(Set(numbers).count == numbers.count)
    }

    @Test func arraysInMetadataAreToleratedAsText() throws {
        let body = """
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"m","data":[{"@type":
            "type.googleapis.com/google.rpc.ErrorInfo","reason":"INVALID_PARAMS","domain":
            "a2a-protocol.org","metadata":{"errors":[1]}}]}}
            """
        let read = #expect(throws: A2AError.self) { try JSONRPC.result(Array(body.utf8)) }
        #expect(read?.metadata["errors"] == "[1]")
    }
}
