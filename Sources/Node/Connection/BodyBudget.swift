// SPDX-License-Identifier: Apache-2.0

/// Memory for request bodies, shared by the connections of one worker: what is taken is given back
/// when the request is answered.
final class BodyBudget {
    private let limit: Int
    private(set) var used = 0

    init(limit: Int) { self.limit = limit }

    /// Takes `count` bytes if there are so many; otherwise the request is answered 503.
    func take(_ count: Int) -> Bool {
        guard used + count <= limit else { return false }
        used += count
        return true
    }

    func give(_ count: Int) { used -= count }
}

/// What one connection has taken of its own limit and of its worker's.
struct BodyAllowance {
    private let worker: BodyBudget
    private let limit: Int
    private var used = 0

    init(_ worker: BodyBudget, limit: Int) {
        self.worker = worker
        self.limit = limit
    }

    mutating func take(_ count: Int) -> Bool {
        guard used + count <= limit, worker.take(count) else { return false }
        used += count
        return true
    }

    mutating func give(_ count: Int) {
        used -= count
        worker.give(count)
    }
}
