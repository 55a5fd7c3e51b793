// SPDX-License-Identifier: Apache-2.0
import Accounting
import Bytes
import Synchronization

extension BlockBook {
    /// What is to be written down of one block, in one transaction.
    struct Page: Sendable {
        let checkpoint: BlockCheckpoint
        let draws: [DrawRecord]
    }

    /// Takes what changed since it was last written down.
    ///
    /// - Parameter isLast: Whether nothing is drawn any more, at an orderly end.
    func changes(isLast: Bool = false) -> [Page] {
        state.withLock { state in
            var pages: [Page] = []
            for (key, entry) in state.entries where entry.isChanged || isLast {
                pages.append(entry.page(key, isWhole: isLast))
                state.entries[key]?.isChanged = false
                state.entries[key]?.draws = [:]
            }
            return pages
        }
    }

    /// What could not be written is to be written later.
    func restore(_ pages: [Page]) {
        state.withLock { state in
            for page in pages {
                let key = Key(peer: page.checkpoint.peer, op: page.checkpoint.hold)
                state.entries[key]?.isChanged = true
                for draw in page.draws where state.entries[key]?.draws[draw.number] == nil {
                    state.entries[key]?.draws[draw.number] = draw
                }
            }
        }
    }

    /// A block that the callee posts now.
    struct Closing: Sendable {
        let key: Key
        let block: Block
        let page: Page
    }

    /// The blocks that are over, which take no more draws from now on: drawn up or followed by
    /// another and at rest, or near their end. What has not ended by then is not billed.
    func closings(now: Instant) -> [Closing] {
        state.withLock { state in
            var closings: [Closing] = []
            for (key, entry) in state.entries
            where entry.block.side == .callee && !entry.isClosing {
                let since = entry.overSince.map { now - $0 } ?? 0
                let isAtRest = since >= Self.lingerMilliseconds && entry.block.underway.isEmpty
                guard isAtRest || now > entry.block.lastDraw else { continue }
                var over = entry
                for (number, draw) in entry.open {
                    over.block.conclude(number, isBilled: false)
                    var draw = draw
                    draw.state = .free
                    draw.at = now
                    over.draws[number] = draw
                    state.forget(draw.task, on: key)
                }
                over.open = [:]
                over.isClosing = true
                state.entries[key] = over
                closings.append(
                    Closing(
                        key: key, block: over.block, page: over.page(key, isWhole: false)))
            }
            return closings
        }
    }

    /// A closing that the disk refused is tried again.
    func reopen(_ key: Key) {
        state.withLock { $0.entries[key]?.isClosing = false }
    }

    /// The block has ended.
    func remove(_ key: Key) {
        state.withLock { state in
            if state.current[key.peer] == key.op { state.current[key.peer] = nil }
            guard let entry = state.entries.removeValue(forKey: key) else { return }
            for draw in entry.open.values {
                state.forget(draw.task, on: key)
            }
        }
    }

    /// Forgets what can be posted no more, and tells which peers count more than we do.
    func sweep(now: Instant) -> [Key] {
        let (ended, inflated) = state.withLock { state in
            let inflated = state.entries.filter { $0.value.isInflated }.map(\.key)
            for key in inflated { state.entries[key]?.isInflated = false }
            let ended = state.entries
                .filter { $0.value.block.postBy < now && !$0.value.isChanged }.map(\.key)
            return (ended, inflated)
        }
        for key in ended { remove(key) }
        return inflated
    }

    /// One block as it lay on disk.
    struct Loaded: Sendable {
        let record: HoldRecord
        let tariff: Tariff
        let checkpoint: BlockCheckpoint
        let open: [DrawRecord]
    }

    /// Whether the blocks on disk are still to be read.
    var isLoaded: Bool { state.withLock { $0.isLoaded } }

    /// Takes up what was on disk when the process began, once.
    func load(_ blocks: [Loaded], now: Instant) {
        state.withLock { state in
            guard !state.isLoaded else { return }
            state.isLoaded = true
            for loaded in blocks { state.take(loaded) }
            for (key, entry) in state.entries {
                let isFollowed = state.entries.contains {
                    $0.key.peer == key.peer && $0.value.block.side == entry.block.side
                        && $0.key.op > key.op
                }
                if isFollowed || entry.block.isExhausted {
                    state.entries[key]?.overSince = now
                } else if entry.block.side == .caller {
                    state.current[key.peer] = key.op
                }
            }
        }
    }
}
