// SPDX-License-Identifier: Apache-2.0
import A2A
import Bytes
import Gateway
import HTTP

/// What an operator can ask for or do, as a method, a path and its query say it.
///
/// Read strictly: a path has one spelling, a parameter that is not known or stands twice is a
/// fault, because an operator's misspelt filter must not silently show everything.
enum ControlResource: Sendable, Equatable {
    case status
    case explain(id: String, asText: Bool)
    case accounts
    case statement(StatementQuery)
    case audit
    case tasks(TaskSearch)
    case reload
    case drain
    case suspend(EntityID)
    case resume(EntityID)

    /// Which statement, and how it is written.
    struct StatementQuery: Sendable, Equatable {
        var peer: EntityID
        /// `2026-11`; `nil` is the month that runs.
        var month: String?
        var isHTML: Bool
    }

    /// Why a request names nothing here.
    enum Fault: Error, Equatable {
        case notFound
        /// Only this method is served.
        case method(HTTPMethod)
        /// A parameter, and what is wrong with it.
        case parameter(String)
    }

    init(_ head: HTTPRequestHead) throws(Fault) {
        guard let segments = head.target.segments, segments.count >= 2, segments[0] == "v1" else {
            throw .notFound
        }
        guard let parameters = head.target.parameters else {
            throw .parameter("the query cannot be decoded")
        }
        var query = try Query(parameters)
        let (resource, method) = try Self.resource(Array(segments.dropFirst()), &query)
        guard head.method == method else { throw .method(method) }
        try query.finish()
        self = resource
    }

    private static func resource(
        _ path: [String], _ query: inout Query
    ) throws(Fault) -> (ControlResource, HTTPMethod) {
        switch (path[0], path.count) {
        case ("status", 1): return (.status, .get)
        case ("accounts", 1): return (.accounts, .get)
        case ("audit", 1): return (.audit, .get)
        case ("statement", 1): return (.statement(try statement(&query)), .get)
        case ("tasks", 1): return (.tasks(try search(&query)), .get)
        case ("explain", 2) where !path[1].isEmpty:
            let format = try query.word("format", ["json", "text"]) ?? "json"
            return (.explain(id: path[1], asText: format == "text"), .get)
        case ("reload", 1): return (.reload, .post)
        case ("drain", 1): return (.drain, .post)
        case ("peers", 3):
            guard let peer = peer(path[1]) else { throw .notFound }
            switch path[2] {
            case "suspend": return (.suspend(peer), .post)
            case "resume": return (.resume(peer), .post)
            default: throw .notFound
            }
        default: throw .notFound
        }
    }

    private static func statement(_ query: inout Query) throws(Fault) -> StatementQuery {
        guard let text = query.take("peer") else { throw .parameter("peer is missing") }
        guard let peer = peer(text) else { throw .parameter("peer is not an entity id") }
        let month = query.take("period")
        if let month, Self.firstInstant(ofMonth: month) == nil {
            throw .parameter("period must be a month, as 2026-11")
        }
        return StatementQuery(
            peer: peer, month: month,
            isHTML: try query.word("format", ["json", "html"]) == "html")
    }

    /// An entity id; people may leave its `https://` out.
    private static func peer(_ text: String) -> EntityID? {
        EntityID(text) ?? EntityID("https://" + text)
    }

    /// The first instant of `YYYY-MM` in UTC.
    static func firstInstant(ofMonth text: String) -> Instant? {
        guard text.utf8.count == 7 else { return nil }
        return Instant(rfc3339: text + "-01T00:00:00Z")
    }

    private static func search(_ query: inout Query) throws(Fault) -> TaskSearch {
        var search = TaskSearch()
        if let text = query.take("state") {
            let name = "TASK_STATE_" + text.uppercased()
            guard let state = TaskState(rawValue: name) ?? TaskState(rawValue: text) else {
                throw .parameter("state is not a state of a task")
            }
            search.state = state
        }
        search.party = query.take("party")
        search.before = query.take("before")
        if let text = query.take("limit") {
            guard let limit = Int(text), (1...TaskSearch.limitMax).contains(limit) else {
                throw .parameter("limit must be 1 to \(TaskSearch.limitMax)")
            }
            search.limit = limit
        }
        return search
    }

    /// The name in the access log.
    var name: String {
        switch self {
        case .status: "status"
        case .explain: "explain"
        case .accounts: "accounts"
        case .statement: "statement"
        case .audit: "audit"
        case .tasks: "tasks"
        case .reload: "reload"
        case .drain: "drain"
        case .suspend: "suspend"
        case .resume: "resume"
        }
    }

    /// The parameters of a query, each asked for by name.
    private struct Query {
        private var values: [String: String] = [:]

        init(_ parameters: [(name: String, value: String)]) throws(Fault) {
            for (name, value) in parameters {
                if values.updateValue(value, forKey: name) != nil {
                    throw .parameter("a parameter stands twice")
                }
            }
        }

        mutating func take(_ name: String) -> String? { values.removeValue(forKey: name) }

        mutating func word(_ name: String, _ words: [String]) throws(Fault) -> String? {
            guard let value = take(name) else { return nil }
            guard words.contains(value) else {
                throw .parameter("\(name) must be \(words.joined(separator: " or "))")
            }
            return value
        }

        func finish() throws(Fault) {
            if !values.isEmpty { throw .parameter("a parameter is not known here") }
        }
    }
}
