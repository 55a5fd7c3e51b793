// SPDX-License-Identifier: Apache-2.0
import Bytes
import JSON
import TestSupport
import Testing

@testable import Bindings

/// The protobuf codec against `Spec/vectors/grpc` and against another implementation's vectors.
@Suite struct ProtobufVectorTests {
    private static let types: [String: ProtobufMessage] = [
        "AgentCard": .agentCard, "CancelTaskRequest": .cancelTaskRequest,
        "DeleteTaskPushNotificationConfigRequest": .deleteTaskPushNotificationConfigRequest,
        "GetTaskPushNotificationConfigRequest": .getTaskPushNotificationConfigRequest,
        "GetTaskRequest": .getTaskRequest,
        "ListTaskPushNotificationConfigsRequest": .listTaskPushNotificationConfigsRequest,
        "ListTaskPushNotificationConfigsResponse": .listTaskPushNotificationConfigsResponse,
        "ListTasksRequest": .listTasksRequest, "ListTasksResponse": .listTasksResponse,
        "Message": .message, "OAuth2SecurityScheme": .oauth2SecurityScheme, "Part": .part,
        "SendMessageRequest": .sendMessageRequest, "SendMessageResponse": .sendMessageResponse,
        "Status": .status, "StreamResponse": .streamResponse,
        "SubscribeToTaskRequest": .subscribeToTaskRequest, "Task": .task,
        "TaskArtifactUpdateEvent": .taskArtifactUpdateEvent,
        "TaskPushNotificationConfig": .taskPushNotificationConfig, "TaskStatus": .taskStatus,
    ]

    private struct Vector {
        let name: String
        let type: ProtobufMessage
        let json: JSONValue?
        let bytes: [UInt8]
        let fault: ProtobufFault?

        init(_ value: JSONValue) throws {
            name = try #require(value["name"]?.string)
            type = try #require(ProtobufVectorTests.types[value["message"]?.string ?? ""])
            json = value["json"]
            bytes = try #require(Hex.decode(value["hex"]?.string ?? ""))
            fault = value["rule"]?.string.flatMap { ProtobufFault.Rule(rawValue: $0) }
                .map { ProtobufFault(place: value["place"]?.string ?? "", rule: $0) }
        }
    }

    private func vectors(_ list: String) throws -> [Vector] {
        let found = try SpecVectors.json("grpc", "messages.json")[list]?.elements.map { $0 } ?? []
        #expect(found.count > 8)
        return try found.map { try Vector($0) }
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test(arguments: ["equal", "read"])
    func bytesBecomeTheirJSON(_ list: String) throws {
        for vector in try vectors(list) {
            let json = try ProtobufDecoder.json(vector.bytes[...], as: vector.type)
            #expect(Self.text(json) == vector.json?.detached().text, "\(vector.name)")
        }
    }

    @Test(arguments: ["equal", "written"])
    func jsonBecomesItsBytes(_ list: String) throws {
        for vector in try vectors(list) {
            let json = try #require(vector.json)
            let bytes = try ProtobufEncoder.bytes(json, as: vector.type)
            #expect(Hex.encode(bytes) == Hex.encode(vector.bytes), "\(vector.name)")
        }
    }

    @Test func bytesThatBreakARuleAreRefusedByItsName() throws {
        for vector in try vectors("refusedBytes") {
            let fault = #expect(throws: ProtobufFault.self, "\(vector.name)") {
                try ProtobufDecoder.json(vector.bytes[...], as: vector.type)
            }
            #expect(fault == vector.fault, "\(vector.name)")
        }
    }

    @Test func jsonThatContradictsItsTypeIsRefused() throws {
        for vector in try vectors("refusedJSON") {
            let json = try #require(vector.json)
            let fault = #expect(throws: ProtobufFault.self, "\(vector.name)") {
                try ProtobufEncoder.bytes(json, as: vector.type)
            }
            #expect(fault == vector.fault, "\(vector.name)")
        }
    }

    @Test func noPrefixAndNoChangedByteDoesHarm() throws {
        for vector in try vectors("equal") {
            for end in vector.bytes.indices {
                _ = try? ProtobufDecoder.json(vector.bytes[..<end], as: vector.type)
                for change: UInt8 in [0x01, 0x80, 0xFF] {
                    var bytes = vector.bytes
                    bytes[end] ^= change
                    guard let json = try? ProtobufDecoder.json(bytes[...], as: vector.type) else {
                        continue
                    }
                    // What is read is JSON, under our own limits.
                    #expect(throws: Never.self) { try JSONDocument(parsing: json) }
                }
            }
        }
    }

    @Test(
        "the vectors of another implementation",
        .enabled(if: Shared.path(ProtobufVectorTests.foreign) != nil))
    func foreignVectors() throws {
        let path = try #require(Shared.path(Self.foreign))
        let vectors = try JSONDocument(parsing: try Files.bytes(path)).root
        #expect(vectors.count > 15)
        for vector in vectors.elements {
            let name = try #require(vector["message"]?.string?.split(separator: " ").first)
            let type = try #require(Self.types[String(name.split(separator: ".").last ?? "")])
            let bytes = try #require(Base64.decodeLenient(vector["proto_b64"]?.string ?? ""))
            let json = try JSONDocument(parsing: ProtobufDecoder.json(bytes[...], as: type)).root
            let expected = try #require(vector["json_out"])
            #expect(try JSONCanonical.encode(json) == JSONCanonical.encode(expected), "\(name)")
            guard let source = vector["json_in"] else { continue }
            let written = try ProtobufEncoder.bytes(source, as: type)
            let again = try JSONDocument(parsing: ProtobufDecoder.json(written[...], as: type))
            #expect(
                try JSONCanonical.encode(again.root) == JSONCanonical.encode(expected), "\(name)")
        }
    }

    private static let foreign = "a2a/vectors/proto-v1.json"
}

/// What a message may make us do.
@Suite struct ProtobufLimitTests {
    /// `metadata: {"": {"": … null}}` with so many objects.
    private func nested(_ levels: Int) throws -> [UInt8] {
        var text = "null"
        for _ in 0..<levels { text = #"{"a":\#(text)}"# }
        var limits = JSONLimits()
        limits.depth = 1024
        let json = try JSONDocument(
            parsing: Array(#"{"id":"t","metadata":\#(text)}"#.utf8), limits: limits)
        return try ProtobufEncoder.bytes(json.root, as: .cancelTaskRequest)
    }

    @Test func depthIsThatOfTheJSONThatItBecomes() throws {
        let deepest = try nested(63)
        let json = try ProtobufDecoder.json(deepest[...], as: .cancelTaskRequest)
        #expect(throws: Never.self) { try JSONDocument(parsing: json) }
        let deeper = try nested(64)
        let fault = #expect(throws: ProtobufFault.self) {
            try ProtobufDecoder.json(deeper[...], as: .cancelTaskRequest)
        }
        #expect(fault?.rule == .tooDeep)
    }

    @Test func fieldsAreCountedWhereverTheyAre() throws {
        var limits = ProtobufLimits()
        limits.fields = 4
        let bytes: [UInt8] = [0x12, 0x01, 0x61, 0x98, 0x06, 0x01, 0x98, 0x06, 0x01, 0x18, 0x01]
        #expect(throws: Never.self) {
            try ProtobufDecoder.json(bytes[...], as: .getTaskRequest, limits: limits)
        }
        limits.fields = 3
        let fault = #expect(throws: ProtobufFault.self) {
            try ProtobufDecoder.json(bytes[...], as: .getTaskRequest, limits: limits)
        }
        #expect(fault?.rule == .tooManyFields)
    }

    @Test func piecesOfMessagesAreCopiedUpToALimit() throws {
        var limits = ProtobufLimits()
        limits.mergedBytes = 6
        let pieces: [UInt8] = [0x12, 0x03, 0x0A, 0x01, 0x61, 0x12, 0x03, 0x12, 0x01, 0x62]
        let json = try ProtobufDecoder.json(pieces[...], as: .sendMessageRequest, limits: limits)
        #expect(
            String(decoding: json, as: UTF8.self)
                == #"{"message":{"messageId":"a","contextId":"b"}}"#)
        limits.mergedBytes = 5
        let fault = #expect(throws: ProtobufFault.self) {
            try ProtobufDecoder.json(pieces[...], as: .sendMessageRequest, limits: limits)
        }
        #expect(fault == ProtobufFault(place: "message", rule: .mergedTooLarge))
    }
}
