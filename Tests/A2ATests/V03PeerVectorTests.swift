// SPDX-License-Identifier: Apache-2.0
import A2A
import JSON
import TestSupport
import Testing

/// Pairs that the A2A SDK for Python 1.3.0 made. Where ours differ, it is on purpose, and here is
/// why; everything else must be equal.
@Suite struct V03PeerVectorTests {
    private static let path = Shared.path("a2a/vectors/translate-sdk-1.3.0.json")

    @Test(.enabled(if: path != nil, "the SDK's pairs are not here"))
    func pairsOfTheSDK() throws {
        let pairs = try JSONDocument(parsing: Files.bytes(try #require(Self.path))).root
        #expect(pairs.count == 21)
        var deviations: Set<Deviation> = []
        for (number, pair) in pairs.elements.enumerated() {
            let is03 = pair["dir"]?.string == "0.3->v1"
            let input = try #require(pair[is03 ? "v03" : "v1"])
            let output = try #require(pair[is03 ? "v1" : "v03_jsonrpc_shape"])
            let type = try #require(pair[is03 ? "v03_type" : "v1_type"]?.string)
            let ours = is03 ? try from(input, type) : try to(input, type)
            let theirs = output["result"] ?? output["params"] ?? output
            var found: [String] = []
            Self.compare(try plain(ours), try plain(theirs.detached()), "", &found)
            for difference in found {
                let known = Self.known.first { difference.hasPrefix($0.path) && $0.pair == number }
                if let known {
                    deviations.insert(known)
                } else {
                    Issue.record("pair \(number) (\(type)): \(difference)")
                }
            }
        }
        #expect(deviations == Set(Self.known), "a deviation is gone, or its path is wrong")
    }

    struct Deviation: Hashable {
        let pair: Int
        /// How the path of the difference begins.
        let path: String
        let why: String

        init(_ pair: Int, _ path: String, _ why: String) {
            self.pair = pair
            self.path = path
            self.why = why
        }
    }

    private static let known: [Deviation] = [
        .init(0, "/artifacts/0/parts/2/metadata", "a data part's media type is carried"),
        .init(6, "/final", "who waits for its caller ends the stream, as agents of 0.3 do"),
        .init(10, "/append", "what was left out stays so: 0.3 reads it as false"),
        .init(10, "/lastChunk", "what was left out stays so: 0.3 reads it as false"),
        .init(10, "/artifact/parts/0/metadata", "a text's media type and name are carried"),
        .init(11, "/configuration/historyLength", "0 means all of it to 0.3"),
        .init(12, "/historyLength", "0 means all of it to 0.3"),
        .init(14, "/", "a card without an interface of 0.3 is refused there, without address here"),
        .init(15, "/protocolVersion", "0.3 has three numbers in its cards"),
        .init(19, "/status/state", "a required member is written"),
        .init(20, "/securityRequirements/2", "each OAuth flow is a scheme of its own"),
        .init(20, "/securitySchemes/o", "each OAuth flow is a scheme of its own"),
        .init(20, "/skills/0/securityRequirements/1", "each OAuth flow is a scheme of its own"),
        .init(20, "/supportedInterfaces/0/protocolVersion", "1.0 has two numbers everywhere"),
        .init(20, "/supportedInterfaces/1", "the main address is not repeated"),
        .init(20, "/supportedInterfaces/2", "the main address is not repeated"),
    ]

    private func to(_ value: JSONValue, _ type: String) throws -> JSONNode {
        switch type {
        case "StreamResponse":
            let event = try StreamEvent(wrapped: value)
            var stream = V03Stream()
            return stream.receive(event).first ?? ToV03.event(event)
        case "SendMessageRequest": return ToV03.params(value, of: .sendMessage)
        case "GetTaskRequest": return ToV03.params(value, of: .getTask)
        case "TaskPushNotificationConfig":
            return try ToV03.result(value, of: .getPushConfig)
        case "AgentCard": return ToV03.card(value)
        default: return try #require(nil, "no translation of \(type)")
        }
    }

    private func from(_ value: JSONValue, _ type: String) throws -> JSONNode {
        switch type {
        case "SendMessageRequest":
            return FromV03.params(try #require(value["params"]), of: .sendMessage)
        case "TaskStatusUpdateEvent":
            return try #require(try FromV03.event(value)["statusUpdate"])
        case "AgentCard": return FromV03.card(value)
        default: return try #require(nil, "no translation of \(type)")
        }
    }

    /// The value with numbers as doubles, which is what the SDK makes of them.
    private func plain(_ node: JSONNode) throws -> JSONNode {
        func plain(_ node: JSONNode) -> JSONNode {
            switch node {
            case .array(let elements): .array(elements.map(plain))
            case .object(let members): .object(members.map { .init($0.name, plain($0.value)) })
            case .number: .number("\(node.double ?? 0)")
            default: node
            }
        }
        return plain(try JSONDocument(parsing: node.bytes).root.detached())
    }

    private static func compare(
        _ ours: JSONNode?, _ theirs: JSONNode?, _ path: String, _ found: inout [String]
    ) {
        switch (ours, theirs) {
        case (.object(let a)?, .object(let b)?):
            for name in Set(a.map(\.name) + b.map(\.name)).sorted() {
                compare(ours?[name], theirs?[name], "\(path)/\(name)", &found)
            }
        case (.array(let a)?, .array(let b)?):
            for index in 0..<max(a.count, b.count) {
                compare(
                    index < a.count ? a[index] : nil, index < b.count ? b[index] : nil,
                    "\(path)/\(index)", &found)
            }
        default:
            if ours != theirs {
                found.append(
                    "\(path): ours \(ours?.text ?? "nothing"), theirs \(theirs?.text ?? "nothing")")
            }
        }
    }
}
