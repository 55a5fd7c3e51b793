// SPDX-License-Identifier: Apache-2.0
import Bytes
import TLS
import TestSupport
import Testing

@Suite struct TransferTests {
    /// Bytes that differ along the way, so that a piece lost or swapped is seen.
    private func sample(_ count: Int) -> [UInt8] {
        let random = SeededRandom(seed: UInt64(count))
        return (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }

    @Test(arguments: [1, 100, 16 << 10, 16 << 10 + 1, 1 << 20])
    func aWriteArrivesWhole(_ count: Int) throws {
        let network = try Network()
        var link = try network.established()
        let data = sample(count)
        try link.client.write(data)
        try link.server.receive(link.client.takeAll().span)
        #expect(try link.server.readAll() == (data, .wantsCiphertext))
        try link.server.write(data)
        try link.client.receive(link.server.takeAll().span)
        #expect(try link.client.readAll(room: 1000) == (data, .wantsCiphertext))
    }

    @Test(arguments: [1, 3, 21, 4096, 100_000])
    func ciphertextMayComeInPieces(_ chunk: Int) throws {
        let network = try Network()
        var link = try network.established()
        let data = sample(60_000)
        for piece in data.pieces(of: 7000) { try link.client.write(piece) }
        var received: [UInt8] = []
        for piece in link.client.takeAll().pieces(of: chunk) {
            try link.server.receive(piece.span)
            let (bytes, reading) = try link.server.readAll()
            #expect(reading == .wantsCiphertext)
            received += bytes
        }
        #expect(received == data)
    }

    /// Two records cut in two at every place: nothing is lost, and nothing is read before its time.
    @Test func everyCutOfTheStreamGivesTheSame() throws {
        let network = try Network()
        var link = try network.established()
        let (first, second) = (sample(40), sample(60))
        var cut = 0
        while true {
            try link.client.write(first)
            let end = link.client.ciphertextCount
            try link.client.write(second)
            let wire = link.client.takeAll()
            try link.server.receive(Array(wire[..<cut]).span)
            let (before, _) = try link.server.readAll()
            #expect(before == (cut < end ? [] : cut < wire.count ? first : first + second))
            try link.server.receive(Array(wire[cut...]).span)
            let (after, reading) = try link.server.readAll()
            #expect(before + after == first + second && reading == .wantsCiphertext)
            guard cut < wire.count else { break }
            cut += 1
        }
        #expect(cut == 2 * (5 + 1 + 16) + 100)
    }

    @Test func anEmptyWriteSaysNothing() throws {
        let network = try Network()
        var link = try network.established()
        try link.client.write([])
        #expect(link.client.ciphertextCount == 0)
    }

    @Test func whoDoesNotReadLosesNothing() throws {
        let network = try Network()
        var link = try network.established()
        let data = sample(200_000)
        try link.client.write(data)
        let wire = link.client.takeAll()
        try link.server.receive(wire.span)
        #expect(link.server.unreadCiphertextCount == wire.count)
        var (received, reading) = try link.server.readOnce(room: 10)
        #expect(received.count == 10 && reading == .plaintext(10))
        // One record has been decrypted, the others wait.
        #expect(link.server.unreadCiphertextCount > 180_000)
        try link.client.write([1, 2, 3])
        try link.server.receive(link.client.takeAll().span)
        let rest: [UInt8]
        (rest, reading) = try link.server.readAll()
        received += rest
        #expect(received == data + [1, 2, 3] && reading == .wantsCiphertext)
        #expect(link.server.unreadCiphertextCount == 0)
    }

    /// Writes, drains, deliveries and reads of random sizes in a random order: the reader gets what
    /// the writer wrote, however the queues between them grow, shrink and move.
    @Test(arguments: UInt64(1)...20)
    func anyOrderOfStepsDeliversTheSame(_ seed: UInt64) throws {
        let random = SeededRandom(seed: seed)
        func upTo(_ bound: UInt64) -> Int { Int(random.next() % (bound + 1)) }
        var link = try Network().established()
        var (written, wire, received): ([UInt8], [UInt8], [UInt8]) = ([], [], [])
        for step in 0..<400 {
            switch step < 300 ? random.next() % 4 : 1 + random.next() % 3 {
            case 0:
                let data = random.bytes(upTo(random.next() % 4 == 0 ? 40_000 : 300))
                try link.client.write(data)
                written += data
            case 1:
                link.client.drainCiphertext { waiting in
                    let count = upTo(UInt64(waiting.count))
                    for index in 0..<count { wire.append(waiting[index]) }
                    return count
                }
            case 2:
                let count = upTo(UInt64(wire.count))
                try link.server.receive(Array(wire[..<count]).span)
                wire.removeFirst(count)
            default: received += try link.server.readOnce(room: 1 + upTo(20_000)).0
            }
        }
        link.client.takeCiphertext(appendingTo: &wire)
        try link.server.receive(wire.span)
        received += try link.server.readAll().0
        #expect(received == written)
        #expect(link.client.ciphertextCount == 0 && link.server.unreadCiphertextCount == 0)
    }

    @Test func aSlowSocketIsDrainedInParts() throws {
        let network = try Network()
        var link = try network.established()
        let data = sample(50_000)
        try link.client.write(data)
        var total = link.client.ciphertextCount
        link.client.drainCiphertext { _ in 0 }
        #expect(link.client.ciphertextCount == total)
        while total > 0 {
            var piece: [UInt8] = []
            link.client.drainCiphertext { waiting in
                piece = (0..<min(999, waiting.count)).map { waiting[$0] }
                return piece.count
            }
            total -= piece.count
            #expect(link.client.ciphertextCount == total)
            try link.server.receive(piece.span)
        }
        #expect(try link.server.readAll() == (data, .wantsCiphertext))
        link.client.drainCiphertext { _ in
            Issue.record("nothing is left to lend")
            return 0
        }
    }
}

@Suite struct EndTests {
    @Test func bothSidesSayGoodbye() throws {
        let network = try Network()
        var link = try network.established()
        try link.client.write([1, 2])
        link.client.close()
        #expect(throws: TLSError.closed) { try link.client.write([3]) }
        try link.server.receive(link.client.takeAll().span)
        #expect(try link.server.readAll() == ([1, 2], .closed))
        // The other direction is still open.
        try link.server.write([4])
        link.server.close()
        try link.client.receive(link.server.takeAll().span)
        #expect(try link.client.readAll() == ([4], .closed))
        try link.client.receiveEnd()
        try link.server.receiveEnd()
        link.client.close()
        #expect(link.client.ciphertextCount == 0)
    }

    @Test func anEndWithoutGoodbyeIsACut() throws {
        let network = try Network()
        var link = try network.established()
        try link.client.write([1, 2, 3])
        let cut = Array(link.client.takeAll().dropLast())
        try link.server.receive(cut.span)
        #expect(try link.server.readAll() == ([], .wantsCiphertext))
        #expect(throws: TLSError.truncated) { try link.server.receiveEnd() }
        #expect(throws: TLSError.truncated) { _ = try link.server.readOnce() }
        var fresh = try TLSSession(accepting: network.server())
        #expect(throws: TLSError.truncated) { try fresh.receiveEnd() }
    }

    @Test func aChangedRecordEndsTheSession() throws {
        let network = try Network()
        var link = try network.established()
        try link.client.write([1, 2, 3])
        var wire = link.client.takeAll()
        wire[wire.count - 1] ^= 1
        try link.server.receive(wire.span)
        var error: TLSError?
        do throws(TLSError) { _ = try link.server.readOnce() } catch let thrown { error = thrown }
        guard case .violation(let reason) = error else {
            Issue.record("not a violation: \(String(describing: error))")
            return
        }
        #expect(reason == "decryption failed or bad record mac")
        try link.client.receive(link.server.takeAll().span)
        #expect(throws: TLSError.alert(.badRecordMAC)) { _ = try link.client.readOnce() }
        #expect(throws: TLSError.violation(reason: reason)) { try link.server.write([1]) }
        #expect(throws: TLSError.violation(reason: reason)) { try link.server.receive([1].span) }
    }

    @Test(arguments: [
        Array("GET / HTTP/1.1\r\nHost: hotel.example\r\n\r\n".utf8),
        Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8),
        [UInt8](repeating: 0, count: 300),
        [UInt8](repeating: 0xFF, count: 300),
        [22, 3, 1, 0xFF, 0xFF] + [UInt8](repeating: 1, count: 100),
    ])
    func whatIsNotTLSIsRefused(_ garbage: [UInt8]) throws {
        let network = try Network()
        var server = try TLSSession(accepting: network.server())
        try server.receive(garbage.span)
        var error: TLSError?
        do throws(TLSError) { _ = try server.handshake() } catch let thrown { error = thrown }
        guard case .violation(let reason) = error else {
            Issue.record("not a violation: \(String(describing: error))")
            return
        }
        #expect(reason != "unknown")
    }

    @Test func alertsHaveTheirNames() {
        #expect(TLSAlert.unknownCA.description == "unknown CA")
        #expect(TLSAlert(code: 200).description == "alert 200")
    }
}
