// SPDX-License-Identifier: Apache-2.0
import Bytes
import HTTP
import IO
import JSON
import TestSupport
import Testing

@testable import Node

/// What a load run decides without a socket: when requests begin, what they hold, which answers are
/// right.
@Suite struct LoadPlanTests {
    private let origin = MonotonicInstant(nanoseconds: 1_000_000_000)

    private func plan(
        _ amount: LoadPlan.Amount, _ pace: LoadPlan.Pace,
        _ change: (inout LoadPlan) -> Void = { _ in }
    ) -> LoadPlan {
        let target = LoadTarget(clear: "localhost", at: .ip(.loopback, port: 1), .http1)
        var plan = LoadPlan(target: target, request: request(""), amount: amount)
        plan.pace = pace
        change(&plan)
        return plan
    }

    private func request(_ body: String, isFilled: Bool = false) -> LoadRequest {
        LoadRequest(
            method: .post, path: "/", fields: [:], body: Array(body.utf8), isFilled: isFilled,
            random: SeededRandom(seed: 1), time: VirtualTime())
    }

    private func pacer(_ plan: LoadPlan, _ index: Int = 0, of count: Int = 1) -> LoadPacer {
        LoadPacer(plan, share: LoadShare(index: index, count: count), begin: origin)
    }

    private func at(_ milliseconds: Int) -> MonotonicInstant {
        origin.adding(.milliseconds(milliseconds))
    }

    @Test("an open loop's requests begin at even distances, also when they are taken late")
    func evenDistances() {
        var pacer = pacer(plan(.requests(4), .open(perSecond: 100)))
        #expect(pacer.next(at(0))?.start == at(0))
        #expect(pacer.next(at(9)) == nil)
        #expect(pacer.start(at(9)) == at(10))
        // Held up for two: both are still due at their own times.
        #expect(pacer.next(at(25))?.start == at(10))
        #expect(pacer.next(at(25))?.start == at(20))
        #expect(pacer.next(at(25)) == nil)
        #expect(pacer.next(at(30))?.number == 4)
        #expect(pacer.start(at(1000)) == nil, "four were asked for")
    }

    @Test("what an open loop cannot send before its deadline is given up, one by one")
    func unsent() {
        var pacer = pacer(
            plan(.duration(.seconds(1)), .open(perSecond: 10)) { $0.timeout = .milliseconds(500) })
        #expect(pacer.nextUnsent(at(499)) == nil)
        #expect(pacer.nextUnsent(at(600))?.start == at(0))
        #expect(pacer.nextUnsent(at(600))?.start == at(100))
        #expect(pacer.nextUnsent(at(600)) == nil)
        var rest = 0
        while pacer.nextUnsent(at(9000)) != nil { rest += 1 }
        #expect(rest == 8, "ten in one second, the last at 0.9 s")
        #expect(pacer.start(at(9000)) == nil)
    }

    @Test("a closed loop begins at once, until its end; it gives nothing up unsent")
    func closed() {
        var pacer = pacer(plan(.duration(.seconds(1)), .closed) { $0.warmUp = .milliseconds(100) })
        #expect(pacer.next(at(5))?.start == at(5))
        #expect(pacer.nextUnsent(at(900)) == nil)
        #expect(pacer.next(at(1099)) != nil)
        #expect(pacer.next(at(1100)) == nil, "a second after the warm-up")
    }

    @Test("the warm-up's requests do not count, and are not of the number that was asked for")
    func warmUp() {
        var pacer = pacer(
            plan(.requests(3), .open(perSecond: 100)) { $0.warmUp = .milliseconds(45) })
        var counted: [Bool] = []
        while let order = pacer.next(at(10_000)) { counted.append(order.isCounted) }
        #expect(counted == [false, false, false, false, false, true, true, true])
    }

    @Test("loops share a run: their requests interleave, and none has another's number")
    func shares() {
        let plan = plan(.requests(10), .open(perSecond: 100))
        var orders: [LoadOrder] = []
        for index in 0..<3 {
            var pacer = pacer(plan, index, of: 3)
            while let order = pacer.next(at(10_000)) { orders.append(order) }
        }
        #expect(orders.map(\.number).sorted() == Array(1...10))
        let starts = orders.map(\.start).sorted()
        for (index, start) in starts.enumerated() {
            let distance = abs(start.duration(since: at(10 * index)) / .nanoseconds(1))
            #expect(distance <= 1)
        }
    }

    @Test("a filled body has a new UUID and its own number; another stays as it is")
    func filled() {
        let text = #"{"id":"{{uuid}}","n":{{number}},"x":"{{other}} {{uuid}}"}"#
        let filled = request(text, isFilled: true)
        let bodies = (1...2).map { String(decoding: filled.body($0), as: UTF8.self) }
        #expect(bodies[0].contains(#""n":1,"x":"{{other}} 0"#))
        #expect(bodies[1].contains(#""n":2,"#))
        let ids = bodies.map { $0.dropFirst(7).prefix(36) }
        #expect(ids[0] != ids[1] && ids.allSatisfy { UUID.isCanonical($0) })
        #expect(request(text).body(1) == Array(text.utf8))
        #expect(request("", isFilled: true).body(1).isEmpty)
    }

    @Test("a body is right when it holds the text and has the value")
    func expectations() {
        var expectation = LoadExpectation()
        #expect(!expectation.readsBody)
        expectation.text = Array("needle".utf8)
        #expect(expectation.accepts(Array("hay needle".utf8)))
        #expect(!expectation.accepts(Array("needl".utf8)))
        #expect(!expectation.accepts([]))
        expectation.text = nil
        expectation.pointer = JSONPointer("/result/items/1")
        #expect(expectation.accepts(Array(#"{"result":{"items":[0,null]}}"#.utf8)))
        #expect(!expectation.accepts(Array(#"{"result":{"items":[0]}}"#.utf8)))
        #expect(!expectation.accepts(Array(#"{"error":{"code":1}}"#.utf8)))
        #expect(!expectation.accepts(Array("not JSON".utf8)))
    }

    @Test("pointers are those of RFC 6901 §5")
    func pointers() throws {
        let document = try JSONDocument(
            parsing: #"{"foo":["bar","baz"],"":0,"a/b":1,"m~n":8," ":7,"01":2}"#)
        let values = [
            "": nil, "/foo/0": #""bar""#, "/": "0", "/a~1b": "1", "/m~0n": "8", "/ ": "7",
            "/01": "2",
        ]
        for (text, expected) in values {
            let value = try #require(JSONPointer(text)?.value(in: document.root), "\(text)")
            if let expected { #expect(value.rawText == expected) }
        }
        for text in ["/foo/2", "/foo/-", "/foo/00", "/nowhere", "/foo/0/x"] {
            #expect(try #require(JSONPointer(text)).value(in: document.root) == nil, "\(text)")
        }
        for text in ["foo", "/~2", "/~"] { #expect(JSONPointer(text) == nil) }
    }
}
