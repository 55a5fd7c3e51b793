// SPDX-License-Identifier: Apache-2.0
import A2A
import JSON
import TestSupport
import Testing

@Suite struct EventVectorTests {
    @Test func eventsAreRewrittenAsWritten() throws {
        let vectors = try #require(SpecVectors.json("a2a", "events.json")["events"])
        #expect(vectors.count >= 4)
        for vector in vectors.elements {
            let event = try StreamEvent(wrapped: #require(vector["event"]))
            let rendered = event.rewritten(alias: Alias(taskID: "T", contextID: "C"))
            let expected = try JSONCanonical.encode(#require(vector["expect"]))
            let got = try JSONCanonical.encode(JSONDocument(parsing: rendered.bytes).root)
            #expect(
                String(decoding: got, as: UTF8.self) == String(decoding: expected, as: UTF8.self),
                "\(vector["name"]?.string ?? "")")
        }
    }

    @Test func numbersAndUnknownMembersPassByteForByte() throws {
        let text = #"{"task":{"id":"u","x":1.50e0,"status":{"state":"TASK_STATE_WORKING"}}}"#
        let event = try StreamEvent(wrapped: JSONDocument(parsing: text).root)
        let rendered = event.rewritten(alias: Alias(taskID: "T", contextID: "C"))
        #expect(String(decoding: rendered.bytes, as: UTF8.self).contains(#""x":1.50e0"#))
    }

    @Test(arguments: [
        #"{}"#, #"{"task":{}}"#, #"{"task":{"id":"a"}}"#, #"{"message":{"role":"ROLE_AGENT"}}"#,
        #"{"task":{"id":"a","status":{}},"message":{"parts":[]}}"#, #"{"statusUpdate":{}}"#,
        #"{"artifactUpdate":{"taskId":"t"}}"#, #"{"task":1}"#,
    ])
    func brokenEventsAreTheAgentsFault(_ text: String) throws {
        let value = try JSONDocument(parsing: text).root
        let error = #expect(throws: A2AError.self) { try StreamEvent(wrapped: value) }
        #expect(error?.code == .invalidAgentResponse)
    }

    @Test func aRequestLeavesWithTheNextHopsIdsAndOurMetadata() throws {
        let text = """
            {"message":{"messageId":"m","role":"ROLE_USER","parts":[{"text":"hi"}],"taskId":"T",
            "contextId":"C","metadata":{"\(ExtensionURI.consent.rawValue)":{"act":"forged"},"k":1}},
            "metadata":{"\(ExtensionURI.accounting.rawValue)":{}}}
            """
        let request = try SendMessageRequest(JSONDocument(parsing: text).root)
        let edit = MetadataEdit(put: [(.consent, Array(#"{"chain":[]}"#.utf8))])
        let bytes = request.rewritten(
            taskID: nil, contextID: "U", referenceTaskIDs: [], messageMetadata: edit,
            requestMetadata: .strip)
        let read = try SendMessageRequest(JSONDocument(parsing: bytes).root)
        #expect(read.message.taskID == nil)
        #expect(read.message.contextID == "U")
        #expect(read.message.metadata(.consent)?["act"] == nil)
        #expect(read.message.metadata(.consent)?["chain"]?.count == 0)
        #expect(read.message.value["metadata"]?["k"]?.int == 1)
        #expect(read.metadata(.accounting) == nil)
    }
}

@Suite struct VersionTests {
    @Test(arguments: [
        ("1.0", true), ("1.1", true), ("1.0.1", true), ("0.3", false), ("2.0", false),
    ])
    func aMajorVersionIsServed(_ text: String, _ served: Bool) throws {
        #expect(try #require(ProtocolVersion(text)).isServedAs1 == served)
    }

    @Test func anAbsentVersionMeans03() {
        #expect(ProtocolVersion(nil) == .v0_3)
        #expect(ProtocolVersion("") == .v0_3)
        #expect(ProtocolVersion("one") == nil)
        #expect(ProtocolVersion("1.") == nil)
    }
}

@Suite struct CardTests {
    private let text = """
        {"name":"a","supportedInterfaces":[{"url":"http://127.0.0.1:1/","protocolBinding":"JSONRPC",
        "protocolVersion":"1.0"}],"capabilities":{"streaming":true,"pushNotifications":true},
        "signatures":[{"protected":"x"}],"skills":[],"future":{"n":1.0}}
        """

    @Test func aPublishedCardNamesTheGatewayAndPromisesNoMore() throws {
        let card = try AgentCard(JSONDocument(parsing: text).root)
        let offered = ["JSONRPC", "HTTP+JSON"].map {
            AgentCard.Interface(url: "https://g.example/agents/a", binding: $0, version: "1.0")
        }
        let bytes = card.published(
            at: offered,
            extensions: [CardExtension(uri: .accounting, description: "d")])
        let read = try JSONDocument(parsing: bytes).root
        let published = try AgentCard(read)
        #expect(published.interfaces == offered)
        #expect(read["signatures"] == nil)
        #expect(read["capabilities"]?["pushNotifications"] == nil)
        #expect(published.streams)
        #expect(published.declares(.accounting))
        #expect(read["future"]?.rawText == #"{"n":1.0}"#)
    }

    @Test(arguments: [
        "{}", #"{"name":"a"}"#, #"{"name":"a","supportedInterfaces":[]}"#,
        #"{"name":"a","supportedInterfaces":[{"url":"x"}]}"#,
    ])
    func aBrokenCardIsRefused(_ text: String) throws {
        let value = try JSONDocument(parsing: text).root
        #expect(throws: A2AError.self) { try AgentCard(value) }
    }
}
