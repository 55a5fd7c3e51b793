// SPDX-License-Identifier: Apache-2.0
import A2A
import Bindings
import JSON
import TestSupport
import Testing

/// JSON-RPC of A2A 0.3.
@Suite struct V03BindingTests {
    @Test func errorsInBothDirections() throws {
        let vectors = try #require(SpecVectors.json("a2a-0.3", "errors.json")["errors"])
        #expect(vectors.count > 15)
        let id: [UInt8] = [0x31]
        for vector in vectors.elements {
            let name = "\(vector["name"]?.string ?? "")"
            let current = try #require(vector["v10"])
            let older = try #require(vector["v03"])
            if vector["direction"]?.string != "0.3 to 1.0" {
                let read = try error { try JSONRPC.result(answer(current)) }
                let written = JSONRPCV03.response(id: id, error: read)
                #expect(try canonical(written) == canonical(older), "\(name)")
            }
            if vector["direction"]?.string != "1.0 to 0.3" {
                let read = try error { try JSONRPCV03.result(answer(older), of: .getTask) }
                let written = JSONRPC.response(id: id, error: read)
                #expect(try canonical(written) == canonical(current), "\(name)")
            }
        }
    }

    @Test func aRequestIsReadAsOneOf10() throws {
        let body = """
            {"jsonrpc":"2.0","id":"a","method":"message/stream","params":{"message":{"kind":
            "message","messageId":"m","role":"user","parts":[{"kind":"text","text":"hi"}]},
            "configuration":{"blocking":false}}}
            """
        let call = try JSONRPCV03.decode(Array(body.utf8))
        #expect(call.method == .sendStreamingMessage)
        guard case .sendStreamingMessage(let request) = call.operation else {
            Issue.record("another operation")
            return
        }
        #expect(request.returnImmediately && request.message.parts.first?.text == "hi")
    }

    @Test(arguments: [
        (#"{"jsonrpc":"2.0","id":1,"method":"SendMessage","params":{}}"#, -32601),
        (#"{"jsonrpc":"2.0","id":1,"method":"message/send"}"#, -32602),
        (#"{"jsonrpc":"2.0","id":1,"method":"message/send","params":[]}"#, -32602),
        (#"{"jsonrpc":"2.0","id":1,"method":"tasks/get","params":{}}"#, -32602),
        (
            #"""
            {"jsonrpc":"2.0","id":1,"method":"message/send","params":{"message":{"kind":"message",
            "messageId":"m","role":"user","parts":[{"kind":"form"}]}}}
            """#, -32602
        ),
        (#"[]"#, -32600), ("{", -32700),
    ])
    func aBadRequestIsRefused(_ body: String, _ code: Int) throws {
        do {
            _ = try JSONRPCV03.decode(Array(body.utf8))
            Issue.record("it was understood")
        } catch {
            #expect(error.error.code.jsonRPCInV03 == code)
        }
    }

    @Test func aRequestIsWrittenAs03() throws {
        let params = #"{"tenant":"x","message":{"messageId":"m","role":"ROLE_USER","parts":[]}}"#
        let body = try JSONRPCV03.request(id: 1, method: .sendMessage, params: Array(params.utf8))
        let root = try JSONDocument(parsing: body).root
        #expect(root["method"]?.string == "message/send")
        #expect(root["params"]?["message"]?["role"]?.string == "user")
        #expect(root["params"]?["tenant"] == nil)
    }

    @Test func anEmptyResultMayBeLeftOut() throws {
        let body = Array(#"{"jsonrpc":"2.0","id":1}"#.utf8)
        #expect(try JSONRPCV03.result(body, of: .deletePushConfig).value.isNull)
        #expect(throws: A2AError.self) { try JSONRPCV03.result(body, of: .getTask) }
    }

    private func answer(_ error: JSONValue) -> [UInt8] {
        Array(#"{"jsonrpc":"2.0","id":1,"error":\#(error.rawText)}"#.utf8)
    }

    private func error<T>(_ body: () throws -> T) throws -> A2AError {
        try #require(#expect(throws: A2AError.self) { try body() })
    }

    private func canonical(_ body: [UInt8]) throws -> [UInt8] {
        try canonical(#require(JSONDocument(parsing: body).root["error"]))
    }

    private func canonical(_ value: JSONValue) throws -> [UInt8] {
        try JSONCanonical.encode(value)
    }
}
