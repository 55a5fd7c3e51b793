// SPDX-License-Identifier: Apache-2.0
import A2A
import JSON
import TestSupport
import Testing

/// The translation between 1.0 and 0.3, as `Spec/vectors/a2a-0.3` has it.
@Suite struct V03VectorTests {
    @Test func eventsInBothDirections() throws {
        try run("events.json", "events") { vector, towards03 in
            if towards03 {
                return ToV03.event(try StreamEvent(wrapped: #require(vector["v10"])))
            }
            return try FromV03.event(#require(vector["v03"]))
        }
    }

    @Test func parametersOfEveryMethod() throws {
        var seen: Set<String> = []
        try run("params.json", "params") { vector, towards03 in
            let method = try method(vector)
            seen.insert(method.rawValue)
            if towards03 { return ToV03.params(try #require(vector["v10"]), of: method) }
            return FromV03.params(try #require(vector["v03"]), of: method)
        }
        #expect(seen == Set(V03Method.allCases.map(\.rawValue)))
    }

    @Test func resultsOfMethods() throws {
        try run("results.json", "results") { vector, towards03 in
            let method = try method(vector)
            if towards03 { return try ToV03.result(#require(vector["v10"]), of: method) }
            return try FromV03.result(
                #require(vector["v03"]), of: method,
                historyLength: vector["historyLength"]?.int.map { Int($0) })
        }
    }

    @Test func cards() throws {
        try run("cards.json", "cards") { vector, towards03 in
            if towards03 { return ToV03.card(try #require(vector["v10"])) }
            return FromV03.card(try #require(vector["v03"]))
        }
    }

    @Test func requirementsOfManySchemesStayFew() throws {
        let flows = ["authorizationCode", "clientCredentials", "implicit", "password"]
            .map { "\"\($0)\":{}" }.joined(separator: ",")
        let names = (0..<8).map { "s\($0)" }
        let schemes = names.map { "\"\($0)\":{\"type\":\"oauth2\",\"flows\":{\(flows)}}" }
        let needed = names.map { "\"\($0)\":[]" }
        let text = """
            {"url":"http://a.example","securitySchemes":{\(schemes.joined(separator: ","))},
            "security":[{\(needed.joined(separator: ","))}]}
            """
        let card = FromV03.card(try JSONDocument(parsing: Array(text.utf8)).root)
        let alternatives = try #require(card["securityRequirements"]?.array)
        #expect(alternatives.count == 16, "four flows of two schemes, then the first of each")
        for alternative in alternatives {
            #expect(alternative["schemes"]?.members?.count == 8)
        }
        #expect(alternatives[0]["schemes"]?.members?.map(\.name) == names)
    }

    @Test func noStrangerSaysWhatTheTranslationCarries() throws {
        let carried = #""https://dragoman.example/a2a/v1.0":{"part":true}"#
        for (given, left) in [("", nil), (#""a":1,"#, #"{"a":1}"#)] as [(String, String?)] {
            let text = """
                {"message":{"messageId":"m","role":"ROLE_USER","parts":[{"data":{"text":"x"},
                "metadata":{\(given)\(carried)}}]}}
                """
            let event = try StreamEvent(wrapped: JSONDocument(parsing: Array(text.utf8)).root)
            let part = try #require(ToV03.event(event)["parts"]?.array?.first)
            #expect(part["data"] != nil)
            #expect(part["metadata"]?.text == left)
        }
    }

    @Test func aCardForBothIsReadByBoth() throws {
        let vectors = try #require(SpecVectors.json("a2a-0.3", "cards.json")["cards"])
        let vector = try #require(
            vectors.elements.first { $0["direction"]?.string == "hybrid" })
        let published = try #require(vector["v10"])
        let url = try #require(vector["at"]?.string)
        let hybrid = ToV03.hybridCard(published, at: url)
        #expect(hybrid.sorted == vector["hybrid"]?.detached().sorted)
        let card = try AgentCard(JSONDocument(parsing: hybrid.bytes).root)
        #expect(card.jsonRPC?.url == url && card.jsonRPCInV03?.url == url)
    }

    @Test func aCardOf03HasTheInterfacesOf03() throws {
        let text = """
            {"name":"n","url":"http://127.0.0.1:1/","protocolVersion":"0.3.0","skills":[],
            "capabilities":{"streaming":true}}
            """
        let card = try AgentCard(JSONDocument(parsing: text).root)
        #expect(card.jsonRPC == nil && card.streams)
        #expect(card.jsonRPCInV03?.url == "http://127.0.0.1:1/")
    }

    @Test func streamsEndWithALastWord() throws {
        let vectors = try #require(SpecVectors.json("a2a-0.3", "streams.json")["streams"])
        #expect(vectors.count > 5)
        for vector in vectors.elements {
            let name = vector["name"]?.string ?? ""
            var stream = V03Stream()
            var sent: [JSONNode] = []
            for event in try #require(vector["events"]).elements {
                sent.append(.array(stream.receive(try StreamEvent(wrapped: event))))
            }
            #expect(JSONNode.array(sent).sorted == vector["sent"]?.detached().sorted, "\(name)")
            #expect(stream.isOver == vector["over"]?.bool, "\(name)")
            let end = JSONNode.array(stream.end())
            #expect(end.sorted == vector["end"]?.detached().sorted, "\(name)")
            #expect(stream.isOver, "\(name)")
        }
    }

    /// What is no answer of an agent.
    @Test(arguments: ["1", "{}", #"{"kind":"dance"}"#, #"{"id":"t"}"#])
    func whatIsNoEventIsTheAgentsFault(_ text: String) throws {
        let value = try JSONDocument(parsing: text).root
        let error = #expect(throws: A2AError.self) { try FromV03.event(value) }
        #expect(error?.code == .invalidAgentResponse)
    }

    private func method(_ vector: JSONValue) throws -> V03Method {
        try #require(vector["method"]?.string.flatMap(V03Method.init(rawValue:)))
    }

    /// Translates each vector in the directions it holds for, and compares every member and the
    /// text of every number.
    private func run(
        _ file: String, _ key: String, _ translate: (JSONValue, Bool) throws -> JSONNode
    ) throws {
        let vectors = try #require(SpecVectors.json("a2a-0.3", file)[key])
        #expect(vectors.count > 2)
        for vector in vectors.elements {
            let direction = try #require(vector["direction"]?.string)
            let name = "\(vector["name"]?.string ?? ""), \(direction)"
            for towards03 in [true, false]
            where direction == "both" || direction == (towards03 ? "1.0 to 0.3" : "0.3 to 1.0") {
                let node = try translate(vector, towards03)
                let got = try JSONDocument(parsing: node.bytes).root.detached().sorted
                let expected = try #require(vector[towards03 ? "v03" : "v10"]).detached().sorted
                #expect(got.text == expected.text, "\(name)")
            }
        }
    }
}

extension JSONNode {
    /// The same value with the members of each object in the order of their names.
    var sorted: JSONNode {
        switch self {
        case .array(let elements): .array(elements.map(\.sorted))
        case .object(let members):
            .object(
                members.map { Member($0.name, $0.value.sorted) }.sorted { $0.name < $1.name })
        case .raw(let bytes):
            (try? JSONDocument(parsing: bytes).root.detached().sorted) ?? self
        default: self
        }
    }
}
