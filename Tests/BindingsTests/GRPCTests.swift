// SPDX-License-Identifier: Apache-2.0
import A2A
import Bytes
import HTTP
import JSON
import TestSupport
import Testing

@testable import Bindings

/// gRPC without a connection: messages of each method, frames, and the fields of a call.
@Suite struct GRPCTests {
    private static let methods = [
        "SendMessage", "SendStreamingMessage", "GetTask", "ListTasks", "CancelTask",
        "SubscribeToTask", "CreateTaskPushNotificationConfig", "GetTaskPushNotificationConfig",
        "ListTaskPushNotificationConfigs", "DeleteTaskPushNotificationConfig",
        "GetExtendedAgentCard",
    ]

    // MARK: Messages

    @Test(arguments: methods)
    func everyOperationHasItsMessages(_ method: String) throws {
        let params: JSONNode = [
            "id": "i", "taskId": "t", "url": "u",
            "message": [
                "messageId": "m", "role": "ROLE_USER", "parts": [["text": "hi"]],
            ],
        ]
        let object = try JSONDocument(parsing: params.bytes).root
        let message = try GRPC.request(of: method, object)
        let read = try GRPC.params(of: method, message)
        let operation = try Operation(method: method, params: read)
        #expect(operation.method == method)
        #expect(try GRPC.request(of: method, read) == message)
    }

    @Test func aMethodOfNobodyIsNotFound() throws {
        let object = try JSONDocument(parsing: "{}").root
        #expect(throws: A2AError(.methodNotFound)) { try GRPC.params(of: "Sing", []) }
        #expect(throws: A2AError(.methodNotFound)) { try GRPC.request(of: "Sing", object) }
        #expect(throws: A2AError(.methodNotFound)) { try GRPC.answer(to: "Sing", []) }
        #expect(throws: A2AError(.methodNotFound)) { try GRPC.result(of: "Sing", []) }
    }

    @Test func answersCrossAndComeBack() throws {
        let task = #"{"task":{"id":"t","status":{"state":"TASK_STATE_COMPLETED"}}}"#
        let message = try GRPC.answer(to: "SendMessage", Array(task.utf8))
        #expect(try GRPC.result(of: "SendMessage", message).rawText == task)
        #expect(try GRPC.answer(to: "DeleteTaskPushNotificationConfig", Array("null".utf8)) == [])
        #expect(try GRPC.result(of: "DeleteTaskPushNotificationConfig", []).rawText == "{}")
    }

    @Test func faultsNameTheirPlaceAndWhoMadeThem() throws {
        let asked = #expect(throws: A2AError.self) {
            try GRPC.params(of: "SendMessage", [0x12, 0x03, 0x0A, 0x01, 0xFF])
        }
        #expect(asked?.code == .invalidParams)
        #expect(asked?.violations.first?.field == "message.messageId")
        let answered = #expect(throws: A2AError.self) { try GRPC.result(of: "GetTask", [0x0A]) }
        #expect(answered?.code == .invalidAgentResponse)
        for text in [#"{"id":7}"#, "{"] {
            let given = #expect(throws: A2AError.self) {
                try GRPC.answer(to: "GetTask", Array(text.utf8))
            }
            #expect(given?.code == .invalidAgentResponse)
        }
    }

    // MARK: Frames

    @Test func messagesComeOutHoweverTheBytesAreCut() throws {
        let messages: [[UInt8]] = [[], [1], Array(repeating: 7, count: 300)]
        let bytes = messages.flatMap { GRPC.frame($0) }
        #expect(GRPC.frame([9, 8]) == [0, 0, 0, 0, 2, 9, 8])
        for step in [1, 2, 5, 6, 100, bytes.count] {
            var reader = GRPC.FrameReader(limit: 300)
            var read: [[UInt8]] = []
            for start in stride(from: 0, to: bytes.count, by: step) {
                try reader.receive(bytes[start..<min(start + step, bytes.count)], into: &read)
            }
            try reader.finish()
            #expect(read == messages, "\(step)")
        }
    }

    @Test func framesThatCannotBeReadAreRefusedForGood() throws {
        for (bytes, fault) in [
            ([1, 0, 0, 0, 0], .compressed), ([0, 0, 0, 0, 4], .tooLarge),
            ([0, 0xFF, 0xFF, 0xFF, 0xFF], .tooLarge),
        ] as [([UInt8], GRPC.FrameFault)] {
            var reader = GRPC.FrameReader(limit: 3)
            var read: [[UInt8]] = []
            #expect(throws: fault) { try reader.receive(GRPC.frame([5]) + bytes, into: &read) }
            #expect(read == [[5]], "what came before the fault is good")
            #expect(throws: fault) { try reader.receive(GRPC.frame([6]), into: &read) }
            #expect(throws: fault) { try reader.finish() }
            #expect(read.count == 1)
        }
        var reader = GRPC.FrameReader(limit: 3)
        var read: [[UInt8]] = []
        try reader.receive([0, 0, 0, 0, 2, 1], into: &read)
        #expect(throws: GRPC.FrameFault.truncated) { try reader.finish() }
    }

    // MARK: Times

    @Test(
        "grpc-timeout",
        arguments: [
            ("1H", Duration.seconds(3600)), ("2M", .seconds(120)), ("3S", .seconds(3)),
            ("40m", .milliseconds(40)), ("5u", .microseconds(5)),
            ("99999999n", .nanoseconds(99_999_999)),
            ("0m", .zero),
        ])
    func timeouts(text: String, duration: Duration) {
        #expect(GRPC.timeout(text) == duration)
    }

    @Test(arguments: ["", "1", "S", "1s", "-1S", "+1S", "1.5S", "123456789S", " 1S", "1S "])
    func whatIsNoTimeout(_ text: String) {
        #expect(GRPC.timeout(text) == nil)
    }

    @Test func timeoutsAreWrittenSoThatTheyFit() {
        #expect(GRPC.timeoutText(.seconds(60)) == "60000m")
        #expect(GRPC.timeoutText(.microseconds(1)) == "1m")
        #expect(GRPC.timeoutText(.seconds(99_999)) == "99999S")
        #expect(GRPC.timeoutText(.seconds(1 << 40)) == "99999999S")
    }

    // MARK: Ends

    @Test(arguments: A2AError.Code.allCases)
    func errorsCrossTheTrailersAndBack(_ code: A2AError.Code) throws {
        var error = A2AError(code, "100% 订座 \u{7F}", metadata: ["a": "b"], retryAfter: 7)
        error.violations = [.init(field: "x.y", description: "is odd")]
        let fields = GRPC.trailers(of: error)
        #expect(GRPC.error(fields) == error)
    }

    @Test func theTrailersOfAnErrorAreThoseOfTheVector() throws {
        let vectors = try #require(SpecVectors.json("grpc", "trailers.json")["trailers"])
        #expect(vectors.count > 5)
        for vector in vectors.elements {
            let name = try #require(vector["name"]?.string)
            var fields: HTTPFields = [:]
            for member in try #require(vector["fields"]).members {
                fields.append(
                    try HTTPFieldName(member.name),
                    try HTTPFieldValue(member.value.string ?? ""))
            }
            let error = GRPC.error(fields)
            #expect(error?.reason == vector["reason"]?.string, "\(name)")
            #expect(error?.message == vector["text"]?.string, "\(name)")
            if vector["written"]?.bool == true {
                #expect(GRPC.trailers(of: try #require(error)) == fields, "\(name)")
            }
        }
        #expect(GRPC.error(GRPC.success) == nil)
    }

    @Test(arguments: ["", " ", "%", "%4", "%zz", " a ", "a b", "\n", "é%41"])
    func messagesSurviveTheirEscapes(_ text: String) throws {
        let encoded = GRPC.percentEncoded(text)
        #expect(throws: Never.self) { try HTTPFieldValue(encoded) }
        #expect(GRPC.percentDecoded(encoded) == text)
    }

    @Test func brokenEscapesAreLeftAsTheyAre() {
        #expect(GRPC.percentDecoded("%4") == "%4")
        #expect(GRPC.percentDecoded("%zz%41") == "%zzA")
    }
}
