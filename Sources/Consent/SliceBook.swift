// SPDX-License-Identifier: Apache-2.0
import Bytes

/// The executor's own table of spent slices: the counter of entries whose budget was cut into
/// `[lower, upper)` parts, each for one executor. The same table at the budget keeper settles
/// them later and finds parts that were handed out twice.
package struct SliceBook {
    private let storage: any ConsentStorage

    /// A book over one transaction.
    package init(storage: any ConsentStorage) {
        self.storage = storage
    }

    /// Takes `range` of an entry's budget for one act, and one use of every link that counts.
    ///
    /// - Parameter grants: The chain's grants, root first.
    /// - Throws: `budget` when the range overlaps one that was taken, by whichever sibling, or a
    ///   count is used up.
    package func take(
        _ range: Range<Int64>, of entry: String, act: String, in grants: [Grant]
    ) throws(ConsentFault) {
        guard let root = grants.first else { return }
        let taken = try stored { () throws(StorageFault) in
            try storage.slices(root: root.id, entry: entry)
        }
        let overlaps = taken.contains { $0.lower < range.upperBound && range.lowerBound < $0.upper }
        try refusing { () throws(Refusal) in
            try require(!overlaps, .budget, "22.slice.overlap")
        }
        let retained = root.expires + EnforcementPoint.retention
        for grant in grants {
            let key = CounterKey(book: .slices, root: root.id, link: grant.id, entry: entry)
            var counter = try stored { () throws(StorageFault) in try storage.counter(key) }
            if let count = grant.entry(entry)?.limits?.count {
                try refusing { () throws(Refusal) in
                    try require(counter.uses < count, .budget, "22.slice.count")
                }
            }
            counter.spent += range.upperBound - range.lowerBound
            counter.uses += 1
            counter.retained = retained
            try stored { () throws(StorageFault) in try storage.put(counter, for: key) }
        }
        if range.isEmpty { return }
        try stored { () throws(StorageFault) in
            try storage.put(
                SliceUse(
                    root: root.id, entry: entry, lower: range.lowerBound,
                    upper: range.upperBound, act: act, retained: retained))
        }
    }
}
