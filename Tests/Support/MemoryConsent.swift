// SPDX-License-Identifier: Apache-2.0

package import Bytes
package import Consent

/// Consent's storage in dictionaries, with transactions that undo on a thrown error.
package final class MemoryConsent: ConsentStorage {
    private struct ActKey: Hashable {
        let holder: EntityID
        let id: String
    }

    private struct State {
        var acts: [ActKey: ActRecord] = [:]
        var asks: [String: AskRecord] = [:]
        var confirmations: [UsedConfirmation.Key: UsedConfirmation] = [:]
        var slices: [SliceUse] = []
        var counters: [CounterKey: Counter] = [:]
        var reservations: [ReservationKey: ReservationRecord] = [:]
        var sequence: Int64 = 0
    }

    private var state = State()
    /// Thrown by every call while set, to see that faults come through.
    package var fault: StorageFault?

    /// Nothing stored.
    package init() {}

    /// Runs `body`; what it wrote is undone when it throws.
    package func transaction<Value, Failure: Error>(
        _ body: (MemoryConsent) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let before = state
        do throws(Failure) { return try body(self) } catch {
            state = before
            throw error
        }
    }

    /// How many records there are, to see that a refusal left none.
    package var recordCount: Int {
        state.acts.count + state.asks.count + state.confirmations.count + state.slices.count
            + state.counters.count + state.reservations.count
    }

    /// Every reservation, by sequence.
    package var allReservations: [ReservationRecord] {
        state.reservations.values.sorted { $0.sequence < $1.sequence }
    }

    package func act(holder: EntityID, hash: String) throws(StorageFault) -> ActRecord? {
        try check()
        return state.acts.values.first { $0.holder == holder && $0.hash == hash }
    }

    package func act(holder: EntityID, id: String) throws(StorageFault) -> ActRecord? {
        try check()
        return state.acts[ActKey(holder: holder, id: id)]
    }

    package func put(_ act: ActRecord) throws(StorageFault) {
        try check()
        state.acts[ActKey(holder: act.holder, id: act.id)] = act
    }

    package func ask(nonce: String) throws(StorageFault) -> AskRecord? {
        try check()
        return state.asks[nonce]
    }

    package func put(_ ask: AskRecord) throws(StorageFault) {
        try check()
        state.asks[ask.nonce] = ask
    }

    package func isUsed(_ confirmation: UsedConfirmation.Key) throws(StorageFault) -> Bool {
        try check()
        return state.confirmations[confirmation] != nil
    }

    package func put(_ confirmation: UsedConfirmation) throws(StorageFault) {
        try check()
        state.confirmations[confirmation.key] = confirmation
    }

    package func slices(root: String, entry: String) throws(StorageFault) -> [SliceUse] {
        try check()
        return state.slices.filter { $0.root == root && $0.entry == entry }
    }

    package func put(_ slice: SliceUse) throws(StorageFault) {
        try check()
        state.slices.removeAll {
            ($0.root, $0.entry, $0.lower) == (slice.root, slice.entry, slice.lower)
        }
        state.slices.append(slice)
    }

    package func counter(_ key: CounterKey) throws(StorageFault) -> Counter {
        try check()
        return state.counters[key] ?? .zero
    }

    package func put(_ counter: Counter, for key: CounterKey) throws(StorageFault) {
        try check()
        state.counters[key] = counter
    }

    package func reservation(
        _ request: ReservationKey
    ) throws(StorageFault) -> ReservationRecord? {
        try check()
        return state.reservations[request]
    }

    package func reservations(
        act: String, audience: EntityID
    ) throws(StorageFault) -> [ReservationRecord] {
        try check()
        return allReservations.filter { $0.key.act == act && $0.key.audience == audience }
    }

    package func put(_ reservation: ReservationRecord) throws(StorageFault) {
        try check()
        state.reservations[reservation.key] = reservation
    }

    package func nextReservationSequence() throws(StorageFault) -> Int64 {
        try check()
        state.sequence += 1
        return state.sequence
    }

    package func removeConsentRecords(retainedBefore time: Int64) throws(StorageFault) {
        try check()
        state.acts = state.acts.filter { $0.value.retained >= time }
        state.asks = state.asks.filter { $0.value.retained >= time }
        state.confirmations = state.confirmations.filter { $0.value.retained >= time }
        state.slices.removeAll { $0.retained < time }
        state.counters = state.counters.filter { $0.value.retained >= time }
        state.reservations = state.reservations.filter { $0.value.retained >= time }
    }

    private func check() throws(StorageFault) {
        if let fault { throw fault }
    }
}
