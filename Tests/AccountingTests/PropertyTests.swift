// SPDX-License-Identifier: Apache-2.0

import Accounting
import Bytes
import TestSupport
import Testing

/// What must hold for all amounts, tried on many; a failure names its seed.
@Suite struct MoneyPropertyTests {
    static let seeds: [UInt64] = [1, 2, 3, 4]

    private func amount(_ random: inout SeededRandom) -> Int64 {
        // Small, odd, round and huge amounts alike.
        let bits = Int.random(in: 1...62, using: &random)
        let value = Int64.random(in: 0...(1 << bits - 1), using: &random)
        return Bool.random(using: &random) ? value : value / 10_000 * 10_000
    }

    private func currencies() throws -> [Currency] {
        try ["CNY", "JPY", "KWD", "CLF"].map { try #require(Currency($0)) }
    }

    @Test(arguments: seeds) func textAndValueAreOne(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let currencies = try currencies()
        for _ in 0..<2000 {
            let currency = try #require(currencies.randomElement(using: &random))
            let money = Money(micros: amount(&random), currency)
            #expect(try Money(text: money.text, currency) == money)
            let isWhole = !money.text.contains(".")
            if !isWhole {
                #expect(throws: MoneyFault.self) { try Money(text: money.text + "0", currency) }
            }
            #expect(throws: MoneyFault.self) { try Money(text: "0" + money.text, currency) }
        }
    }

    @Test(arguments: seeds) func percentagesStayWithinAStep(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let currencies = try currencies()
        for _ in 0..<2000 {
            let currency = try #require(currencies.randomElement(using: &random))
            let base = Money(micros: amount(&random) / 4, currency)
            let rate = try #require(
                PartsPerMillion(Int64.random(in: 0...1_000_000, using: &random)))
            let quantum = try #require(Quantum.allCases.randomElement(using: &random))
            let mode = try #require(RoundingMode.allCases.randomElement(using: &random))
            let step = Int128(quantum.micros(currency))
            let result = try pct(base, rate, quantum: quantum, mode: mode)
            #expect(Int128(result.micros) % step == 0)
            // Everything times 10⁶, so that the exact value is whole.
            let exact = Int128(base.micros) * Int128(rate.value)
            let error = Int128(result.micros) * 1_000_000 - exact
            switch mode {
            case .halfUp, .halfEven: #expect(error.magnitude * 2 <= (step * 1_000_000).magnitude)
            case .down: #expect(error <= 0 && -error < step * 1_000_000)
            case .up: #expect(error >= 0 && error < step * 1_000_000)
            }
        }
    }

    @Test(arguments: seeds) func feesAreMonotone(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for _ in 0..<1000 {
            let floor = Int64.random(in: 0...500, using: &random) * 10_000
            let rule = FeeRule(
                rate: try #require(
                    PartsPerMillion(Int64.random(in: 0...1_000_000, using: &random))),
                fixed: Money(micros: Int64.random(in: 0...500, using: &random) * 10_000, .cny),
                floor: Money(micros: floor, .cny),
                cap: Bool.random(using: &random)
                    ? Money(
                        micros: floor + Int64.random(in: 0...5000, using: &random) * 10_000, .cny)
                    : nil,
                quantum: try #require(Quantum.allCases.randomElement(using: &random)),
                mode: try #require(RoundingMode.allCases.randomElement(using: &random)))
            let a = Money(micros: Int64.random(in: 0...1_000_000, using: &random) * 10_000, .cny)
            let b = Money(
                micros: a.micros + Int64.random(in: 0...1000, using: &random) * 10_000, .cny)
            let (lower, higher) = (try rule.fee(a), try rule.fee(b))
            #expect(lower.isAtMost(higher))
            #expect(lower.isAtMost(a) && lower.micros >= 0)
            #expect(try rule.fee(.zero(.cny)).micros == 0)
            if let cap = rule.cap { #expect(higher.isAtMost(cap)) }
        }
    }

    @Test(arguments: seeds) func partsAreThePot(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for _ in 0..<1000 {
            let quantum = try #require(Quantum.allCases.randomElement(using: &random))
            let step = quantum.micros(.cny)
            let pot = Money(micros: amount(&random) / step * step, .cny)
            let weights = (0..<Int.random(in: 1...8, using: &random)).map { _ in
                Bool.random(using: &random) ? 0 : amount(&random)
            }
            let total = weights.reduce(Int128(0)) { $0 + Int128($1) }
            if total == 0 { continue }
            let parts = try allocate(pot, weights: weights, quantum: quantum)
            #expect(parts.reduce(Int128(0)) { $0 + Int128($1.micros) } == Int128(pot.micros))
            for (part, weight) in zip(parts, weights) {
                if weight == 0 { #expect(part.micros == 0) }
                let error =
                    Int128(part.micros / step) * total
                    - Int128(pot.micros / step) * Int128(weight)
                #expect(error.magnitude < total.magnitude)
            }
        }
    }

    @Test(arguments: seeds) func splittingGainsNothingInMicros(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for _ in 0..<300 {
            let rate = try #require(
                PartsPerMillion(Int64.random(in: 0...1_000_000, using: &random)))
            let pieces = (0..<Int.random(in: 2...30, using: &random)).map { _ in
                Money(micros: Int64.random(in: 1...10_000, using: &random) * 10_000, .cny)
            }
            let fees = try pieces.map {
                try pct($0, rate, quantum: .micro, mode: .halfUp).micros
            }
            let whole = Money(micros: pieces.reduce(0) { $0 + $1.micros }, .cny)
            let fee = try pct(whole, rate, quantum: .micro, mode: .halfUp).micros
            let difference = fees.reduce(0, +) - fee
            #expect(difference.magnitude * 2 <= UInt64(pieces.count) + 1)
        }
    }
}

/// The books of two companies under random operations, repetitions, losses and lateness.
@Suite struct LedgerPropertyTests {
    /// A request that was made, with its hash, for repeating.
    private enum Made {
        case place(HoldRequest)
        case extend(HoldExtension)
        case post(Post)
        case void(HoldVoid)
    }

    private struct Run {
        let link: Link
        var random: SeededRandom
        var made: [(what: Made, hash: HashName, isRefused: Bool)] = []
        var holds: [HoldRequest] = []

        init(seed: UInt64) throws {
            link = try Link(credit: "100.00", seed: seed)
            random = SeededRandom(seed: seed &* 7919)
        }

        /// One of the latest holds, which may have ended.
        mutating func hold() -> HoldRequest? { holds.suffix(4).randomElement(using: &random) }

        mutating func sale() -> String {
            Money(micros: Int64.random(in: 0...40_000, using: &random) * 10_000, .cny).text
        }

        func run(_ what: Made, _ hash: HashName) throws -> LedgerResult {
            try link.us.ledger { ledger in
                let own = try link.maker.call(link.peer, .us, hash)
                let theirs = try link.maker.call(link.peer, .peer, hash)
                return switch what {
                case .place(let request): try ledger.place(request, link.context, own)
                case .extend(let request): try ledger.extend(request, link.context, own)
                case .post(let post): try ledger.post(post, theirs)
                case .void(let void): try ledger.void(void, theirs)
                }
            }
        }

        /// A new request, sensible or not.
        mutating func next() throws -> Made? {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<4: return .place(try link.request(sale(), life: 300))
            case 4: return try hold().map { .extend(try growth($0.op)) }
            case 5..<8:
                guard let hold = hold() else { return nil }
                var post = try link.post(hold)
                if Int.random(in: 0..<4, using: &random) == 0 {
                    let sale = try cny(sale())
                    let price = try link.tariff.tariff.price(sale: sale)
                    (post.sale, post.commission) = (sale, price.commission)
                }
                return .post(post)
            default:
                return hold().map {
                    .void(HoldVoid(op: link.maker.op(), hold: $0.op, reason: .failed))
                }
            }
        }

        /// Pays what is owed, which gives credit back.
        func settle() throws {
            let theyOwe = try link.us.balance(.receivable, link.peer).posted(.receivable)
            let weOwe = try link.us.balance(.payable, link.peer).posted(.payable)
            let owed = Money(micros: theyOwe - weOwe, .cny).swept.payable
            if owed.micros == 0 { return }
            let payment = Payment(
                op: link.maker.op(), amount: Money(micros: abs(owed.micros), .cny),
                isReceived: owed.micros > 0)
            let refusal = try link.us.ledger {
                try $0.pay(payment, try link.maker.call(link.peer, .us))
            }
            #expect(refusal == nil)
        }

        private mutating func growth(_ hold: OperationID) throws -> HoldExtension {
            HoldExtension(hold: hold, request: try link.request(sale(), life: 300))
        }
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6] as [UInt64]) func booksStaySound(seed: UInt64) throws {
        var run = try Run(seed: seed)
        var done = 0
        for step in 0..<600 {
            run.link.maker.now = run.link.maker.now.adding(
                milliseconds: Int64.random(in: 0...5000, using: &run.random))
            if step % 25 == 0 {
                _ = try run.link.us.ledger {
                    try $0.expire(now: run.link.maker.now, limit: 100)
                }
                try run.settle()
            }
            // A message that comes again changes nothing, and a refusal stays one.
            if let old = run.made.randomElement(using: &run.random), step % 3 == 0 {
                let before = run.link.us.books.snapshot
                let again = try run.run(old.what, old.hash)
                #expect(run.link.us.books.snapshot == before, "seed \(seed) step \(step)")
                #expect((again.refusal != nil) == old.isRefused, "seed \(seed) step \(step)")
            }
            guard let made = try run.next() else { continue }
            let hash = try run.link.maker.hash()
            let before = run.link.us.books.snapshot
            let result = try run.run(made, hash)
            if let refusal = result.refusal {
                #expect(run.link.us.books.snapshot == before, "seed \(seed) step \(step)")
                if !refusal.isSticky { continue }
            } else {
                done += 1
                switch made {
                case .place(let request): run.holds.append(request)
                case .extend(let request): run.holds.append(request.request)
                case .post, .void: break
                }
            }
            run.made.append((made, hash, result.refusal != nil))
        }
        // The run did something, and left nothing behind.
        #expect(done > 100)
        run.link.maker.now = run.link.maker.now.adding(seconds: 3600)
        _ = try run.link.us.ledger { try $0.expire(now: run.link.maker.now, limit: 10_000) }
        try run.link.expectNothingHeld()
        try run.link.expectSoundBooks()
    }

    @Test(arguments: [1, 2, 3] as [UInt64]) func mirroredBooksAgree(seed: UInt64) throws {
        let link = try Link(seed: seed)
        var random = SeededRandom(seed: seed)
        for _ in 0..<100 {
            link.maker.now = link.maker.now.adding(seconds: 1)
            let sale = Money(
                micros: Int64.random(in: 0...40_000, using: &random) * 10_000, .cny)
            let request = try link.request(sale.text, life: 60)
            let hash = try link.maker.hash()
            _ = try link.place(request, hash: hash).get()
            for _ in 0..<Int.random(in: 1...2, using: &random) {
                _ = try link.peer.ledger {
                    try $0.place(
                        request, link.context, try link.maker.call(link.us, .peer, hash))
                }.get()
            }
            let post = try link.post(request)
            let postHash = try link.maker.hash()
            if Bool.random(using: &random) {
                _ = try link.peer.ledger {
                    try $0.post(post, try link.maker.call(link.us, .us, postHash))
                }.get()
                for _ in 0..<Int.random(in: 1...3, using: &random) {
                    _ = try link.receive(post, hash: postHash).get()
                }
            } else {
                let void = HoldVoid(op: link.maker.op(), hold: request.op, reason: .rejected)
                _ = try link.peer.ledger {
                    try $0.void(void, try link.maker.call(link.us, .us, postHash))
                }.get()
                _ = try link.us.ledger {
                    try $0.void(void, try link.maker.call(link.peer, .peer, postHash))
                }.get()
            }
        }
        #expect(
            try link.us.posted(.receivable, link.peer) == link.peer.posted(.payable, link.us))
        #expect(
            try link.us.posted(.payable, link.peer) == link.peer.posted(.receivable, link.us))
        try link.expectNothingHeld()
        try link.expectSoundBooks()
    }
}
