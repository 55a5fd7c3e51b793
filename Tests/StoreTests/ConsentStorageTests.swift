// SPDX-License-Identifier: Apache-2.0
import Bytes
import Consent
import TestSupport
import Testing

/// Every method of `ConsentStorage`, over both implementations.
@Suite(.serialized) struct ConsentStorageTests {
    let holder: EntityID
    let other: EntityID

    init() throws {
        holder = try #require(EntityID("https://s.example"))
        other = try #require(EntityID("https://h.example"))
    }

    private func act(_ id: String, result: [UInt8]? = nil, retained: Int64 = 100) -> ActRecord {
        ActRecord(
            holder: holder, id: id, hash: "hash of \(id)", root: "root", committed: 5,
            retained: retained, result: result)
    }

    @Test(arguments: Backend.allCases) func actsAreKeyedByHolderAndID(_ backend: Backend) throws {
        let tables = try backend.consent().storage
        #expect(try tables.act(holder: holder, id: "a") == nil)
        try tables.put(act("a"))
        try tables.put(act("b", result: []))
        #expect(try tables.act(holder: holder, id: "a") == act("a"))
        #expect(try tables.act(holder: holder, hash: "hash of b") == act("b", result: []))
        #expect(try tables.act(holder: other, id: "a") == nil)
        #expect(try tables.act(holder: other, hash: "hash of a") == nil)
        try tables.put(act("a", result: [1, 0, 2]))
        #expect(try tables.act(holder: holder, id: "a") == act("a", result: [1, 0, 2]))
    }

    @Test(arguments: Backend.allCases) func asksAreKeyedByNonce(_ backend: Backend) throws {
        let tables = try backend.consent().storage
        var ask = AskRecord(
            nonce: "n", root: "root", entry: "e", terms: "t", expires: 7, retained: 100)
        #expect(try tables.ask(nonce: "n") == nil)
        try tables.put(ask)
        #expect(try tables.ask(nonce: "n") == ask)
        ask.isClosed = true
        try tables.put(ask)
        #expect(try tables.ask(nonce: "n") == ask)
    }

    @Test(arguments: Backend.allCases) func aConfirmationIsUsed(_ backend: Backend) throws {
        let tables = try backend.consent().storage
        let key = UsedConfirmation.Key(issuer: holder, id: "c")
        #expect(try !tables.isUsed(key))
        try tables.put(UsedConfirmation(key: key, retained: 100))
        #expect(try tables.isUsed(key))
        // Issuers choose their ids, so one cannot use up another's.
        #expect(try !tables.isUsed(UsedConfirmation.Key(issuer: other, id: "c")))
    }

    @Test(arguments: Backend.allCases) func slicesAreKeyedByTheirStart(_ backend: Backend) throws {
        let tables = try backend.consent().storage
        func slice(_ lower: Int64, _ upper: Int64, _ entry: String = "e") -> SliceUse {
            SliceUse(
                root: "root", entry: entry, lower: lower, upper: upper, act: "a", retained: 100)
        }
        try tables.put(slice(10, 20))
        try tables.put(slice(0, 10))
        try tables.put(slice(0, 5, "other"))
        #expect(
            try Set(tables.slices(root: "root", entry: "e")) == [slice(0, 10), slice(10, 20)])
        try tables.put(slice(10, 15))
        #expect(
            try Set(tables.slices(root: "root", entry: "e")) == [slice(0, 10), slice(10, 15)])
        #expect(try tables.slices(root: "another", entry: "e").isEmpty)
    }

    @Test(arguments: Backend.allCases) func countersStartAtZero(_ backend: Backend) throws {
        let tables = try backend.consent().storage
        func key(_ book: CounterKey.Book, _ link: String) -> CounterKey {
            CounterKey(book: book, root: "root", link: link, entry: "e")
        }
        #expect(try tables.counter(key(.slices, "l")) == .zero)
        for spent in [1, 2] as [Int64] {
            let counter = Counter(spent: spent, uses: 1, retained: 100)
            try tables.put(counter, for: key(.slices, "l"))
            #expect(try tables.counter(key(.slices, "l")) == counter)
        }
        #expect(try tables.counter(key(.reservations, "l")) == .zero)
        #expect(try tables.counter(key(.slices, "m")) == .zero)
    }

    private func reservation(
        _ act: String, _ sequence: Int64, value: Int64?, retained: Int64 = 100
    ) -> ReservationRecord {
        ReservationRecord(
            key: ReservationKey(
                chain: "chain", entry: "e", act: act, audience: other, value: value,
                currency: value == nil ? nil : "CNY"), id: "r\(sequence)", sequence: sequence,
            root: "root", holder: holder,
            charges: [CounterKey(book: .reservations, root: "root", link: "l", entry: "e")],
            issued: 1, expires: 2, retained: retained, state: .reserved, charged: value ?? 0)
    }

    @Test(arguments: Backend.allCases) func reservationsAreKeyedByRequest(
        _ backend: Backend
    ) throws {
        let tables = try backend.consent().storage
        let priced = reservation("a", try tables.nextReservationSequence(), value: 32_800)
        let free = reservation("a", try tables.nextReservationSequence(), value: nil)
        #expect((priced.sequence, free.sequence) == (1, 2))
        try tables.put(free)
        try tables.put(priced)
        #expect(try tables.reservation(priced.key) == priced)
        #expect(try tables.reservation(free.key) == free)
        #expect(try tables.reservations(act: "a", audience: other) == [priced, free])
        #expect(try tables.reservations(act: "b", audience: other).isEmpty)
        var released = priced
        released.state = .released
        released.charged = 0
        try tables.put(released)
        #expect(try tables.reservation(priced.key) == released)
        #expect(try tables.reservations(act: "a", audience: other).count == 2)
    }

    @Test(arguments: Backend.allCases) func numbersNeverComeTwice(_ backend: Backend) throws {
        let tables = try backend.consent().storage
        try tables.put(
            reservation("a", try tables.nextReservationSequence(), value: 1, retained: 1))
        try tables.removeConsentRecords(retainedBefore: 50)
        #expect(try tables.reservations(act: "a", audience: other).isEmpty)
        #expect(try tables.nextReservationSequence() == 2)
        #expect(try tables.nextReservationSequence() == 3)
    }

    @Test(arguments: Backend.allCases) func recordsGoWhenTheirTimeHasPassed(
        _ backend: Backend
    ) throws {
        let tables = try backend.consent().storage
        let key = UsedConfirmation.Key(issuer: holder, id: "c")
        let counter = CounterKey(book: .slices, root: "root", link: "l", entry: "e")
        try tables.put(act("a"))
        try tables.put(
            AskRecord(nonce: "n", root: "root", entry: "e", terms: "t", expires: 7, retained: 100))
        try tables.put(UsedConfirmation(key: key, retained: 100))
        try tables.put(
            SliceUse(root: "root", entry: "e", lower: 0, upper: 1, act: "a", retained: 100))
        try tables.put(Counter(spent: 1, uses: 1, retained: 100), for: counter)
        let reservation = reservation("a", try tables.nextReservationSequence(), value: 1)
        try tables.put(reservation)
        func isThere() throws -> [Bool] {
            try [
                tables.act(holder: holder, id: "a") != nil, tables.ask(nonce: "n") != nil,
                tables.isUsed(key), !tables.slices(root: "root", entry: "e").isEmpty,
                tables.counter(counter) != .zero, tables.reservation(reservation.key) != nil,
            ]
        }
        try tables.removeConsentRecords(retainedBefore: 100)
        #expect(try isThere() == Array(repeating: true, count: 6))
        try tables.removeConsentRecords(retainedBefore: 101)
        #expect(try isThere() == Array(repeating: false, count: 6))
    }

    private struct Stop: Error {}

    @Test(arguments: Backend.allCases) func aThrownErrorUndoesAll(_ backend: Backend) throws {
        let tables = try backend.consent()
        #expect(throws: Stop.self) {
            try tables.transaction { storage in
                try storage.put(act("a"))
                _ = try storage.nextReservationSequence()
                throw Stop()
            }
        }
        #expect(try tables.storage.act(holder: holder, id: "a") == nil)
        #expect(try tables.storage.nextReservationSequence() == 1)
    }
}
