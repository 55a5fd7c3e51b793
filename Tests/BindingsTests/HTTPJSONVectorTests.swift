// SPDX-License-Identifier: Apache-2.0
import A2A
import Bindings
import HTTP
import JSON
import TestSupport
import Testing

/// HTTP+JSON against `Spec/vectors/http-json`, read and written.
@Suite struct HTTPJSONVectorTests {
    /// A vector's request line taken apart.
    private struct Request {
        let method: HTTPMethod
        let target: HTTPPath
        let body: [UInt8]

        init(_ vector: JSONValue) throws {
            let words = try #require(vector["request"]?.string).split(separator: " ")
            method = try HTTPMethod(String(words[0]))
            target = HTTPPath(String(words[1]))
            body = Array((vector["body"]?.string ?? "").utf8)
        }
    }

    private func vectors(_ file: String, _ list: String) throws -> [JSONValue] {
        let found = try SpecVectors.json("http-json", file)[list]?.elements.map { $0 } ?? []
        try #require(!found.isEmpty)
        return found
    }

    @Test func requestsAreUnderstoodOrRefusedAsWritten() throws {
        let vectors = try vectors("requests.json", "requests")
        #expect(vectors.count > 60)
        for vector in vectors {
            let name = try #require(vector["name"]?.string)
            let request = try Request(vector)
            let route = request.target.segments.flatMap { HTTPJSON.Route($0) }
            let status = vector["status"]?.int.map { Int($0) }
            guard let route else {
                #expect(status == 404, "\(name)")
                continue
            }
            guard let method = route.operationName(request.method) else {
                #expect(status == 405, "\(name)")
                let allow = route.methods.map(\.text).joined(separator: ", ")
                #expect(allow == vector["allow"]?.string, "\(name)")
                continue
            }
            let parameters = request.target.parameters
            do throws(A2AError) {
                let operation = try route.operation(
                    request.method, parameters: parameters, body: request.body)
                #expect(operation.method == vector["operation"]?.string, "\(name)")
                let params = try route.params(method, request.method, parameters, request.body)
                #expect(params.rawText == Self.compact(vector["params"]), "\(name)")
            } catch {
                #expect(error.code.httpStatus == status, "\(name)")
                #expect(error.reason == vector["reason"]?.string, "\(name)")
                if let field = vector["field"]?.string {
                    #expect(error.violations.first?.field == field, "\(name)")
                }
            }
        }
    }

    @Test func aClientWritesTheCanonicalForm() throws {
        var count = 0
        for vector in try vectors("requests.json", "requests")
        where vector["canonical"]?.bool == true {
            let name = try #require(vector["name"]?.string)
            let call = try HTTPJSON.call(
                try #require(vector["operation"]?.string), params: try #require(vector["params"]))
            let expected = try #require(vector["request"]?.string)
            #expect("\(call.method) \(call.path)" == expected, "\(name)")
            let body = (try? JSONDocument(parsing: call.body).root).map(Self.compact) ?? ""
            #expect(body == vector["body"]?.string ?? "", "\(name)")
            count += 1
        }
        #expect(count > 20)
    }

    @Test(arguments: [".", ".."])
    func anIdThatWouldClimbThePathIsNotSent(_ id: String) throws {
        let params = try JSONDocument(parsing: #"{"id":"\#(id)"}"#).root
        let error = #expect(throws: A2AError.self) {
            try HTTPJSON.call("GetTask", params: params)
        }
        #expect(error?.violations.first?.field == "id")
    }

    @Test func aCallNeedsItsId() throws {
        let params = try JSONDocument(parsing: #"{"id":""}"#).root
        #expect(throws: A2AError.invalid("id", "is required")) {
            try HTTPJSON.call("CancelTask", params: params)
        }
        #expect(throws: A2AError(.methodNotFound)) { try HTTPJSON.call("Sing", params: params) }
    }

    @Test func subscribingIsTriedTheOtherWayWhereTheFirstIsUnknown() throws {
        let params = try JSONDocument(parsing: #"{"id":"t"}"#).root
        let call = try HTTPJSON.call("SubscribeToTask", params: params)
        let other = HTTPJSON.Call(method: .get, path: "/tasks/t:subscribe", body: [])
        #expect(HTTPJSON.retried(call, status: 405, []) == other)
        #expect(HTTPJSON.retried(call, status: 404, Array("Not Found".utf8)) == other)
        let gone = HTTPJSON.body(of: A2AError(.taskNotFound))
        #expect(HTTPJSON.retried(call, status: 404, gone) == nil)
        #expect(HTTPJSON.retried(call, status: 400, []) == nil)
        #expect(HTTPJSON.retried(other, status: 405, []) == nil)
        let cancel = try HTTPJSON.call("CancelTask", params: params)
        #expect(HTTPJSON.retried(cancel, status: 405, []) == nil)
    }

    @Test func errorsAreWrittenAsTheVectorsSay() throws {
        let vectors = try vectors("errors.json", "written")
        var seen: Set<String> = []
        for vector in vectors {
            let name = try #require(vector["name"]?.string)
            let error = try Self.error(try #require(vector["error"]))
            seen.insert(error.code.rawValue)
            #expect(error.code.httpStatus == vector["status"]?.int.map { Int($0) }, "\(name)")
            let body = HTTPJSON.body(of: error)
            #expect(
                String(decoding: body, as: UTF8.self) == Self.compact(vector["body"]), "\(name)")
            #expect(HTTPJSON.error(try JSONDocument(parsing: body).root) == error, "\(name)")
        }
        #expect(seen.count == A2AError.Code.allCases.count)
    }

    @Test func errorsOfOthersAreReadAsTheVectorsSay() throws {
        for vector in try vectors("errors.json", "read") {
            let name = try #require(vector["name"]?.string)
            let body = try #require(vector["body"])
            let read = try #require(HTTPJSON.error(body), "\(name)")
            #expect(read.reason == vector["reason"]?.string, "\(name)")
            if let message = vector["message"]?.string { #expect(read.message == message) }
        }
    }

    @Test func resultsAreObjectsAndErrorsAmongEventsAreErrors() throws {
        #expect(try HTTPJSON.result([]).rawText == "{}")
        #expect(try HTTPJSON.result(Array(#"{"id":"t"}"#.utf8))["id"]?.string == "t")
        let gone = A2AError(.taskNotFound, "gone")
        #expect(throws: gone) { try HTTPJSON.result(HTTPJSON.body(of: gone)) }
        for text in ["[]", "{", "null"] {
            let error = #expect(throws: A2AError.self) { try HTTPJSON.result(Array(text.utf8)) }
            #expect(error?.code == .invalidAgentResponse)
        }
    }

    /// A vector's value without the spaces between its tokens, numbers as they are written.
    private static func compact(_ value: JSONValue?) -> String {
        value?.detached().text ?? ""
    }

    private static func error(_ vector: JSONValue) throws -> A2AError {
        let reason = try #require(vector["reason"]?.string)
        var error = A2AError(try #require(A2AError.Code(rawValue: reason)))
        if let message = vector["message"]?.string { error.message = message }
        for member in vector["metadata"]?.members.map({ $0 }) ?? [] {
            error.metadata[member.name] = member.value.string
        }
        for item in vector["violations"]?.elements.map({ $0 }) ?? [] {
            error.violations.append(
                .init(
                    field: item["field"]?.string ?? "",
                    description: item["description"]?.string ?? ""))
        }
        error.retryAfter = vector["retryAfter"]?.int.map { Int($0) }
        return error
    }
}
