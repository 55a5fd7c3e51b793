// SPDX-License-Identifier: Apache-2.0

/// Values by stream, in the order of the streams' numbers.
///
/// A connection has at most some hundred streams, their numbers only grow, and each frame looks
/// several times for its own: a search among sorted numbers costs a tenth of a hash.
struct StreamTable<Value> {
    private var keys: [HTTP2StreamID] = []
    private(set) var values: [Value] = []

    var count: Int { keys.count }
    var isEmpty: Bool { keys.isEmpty }

    /// The value of a stream; setting nil takes it out.
    subscript(id: HTTP2StreamID) -> Value? {
        get {
            let place = place(of: id)
            return place < keys.count && keys[place] == id ? values[place] : nil
        }
        set {
            guard let newValue else {
                removeValue(of: id)
                return
            }
            let place = place(of: id)
            if place < keys.count, keys[place] == id {
                values[place] = newValue
            } else {
                keys.insert(id, at: place)
                values.insert(newValue, at: place)
            }
        }
    }

    /// Takes the value of a stream out.
    @discardableResult
    mutating func removeValue(of id: HTTP2StreamID) -> Value? {
        let place = place(of: id)
        guard place < keys.count, keys[place] == id else { return nil }
        keys.remove(at: place)
        return values.remove(at: place)
    }

    /// Takes all out.
    mutating func removeAll() {
        keys = []
        values = []
    }

    /// The first place whose number is not below `id`.
    private func place(of id: HTTP2StreamID) -> Int {
        var low = 0
        var high = keys.count
        while low < high {
            let middle = (low + high) / 2
            if keys[middle] < id { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
