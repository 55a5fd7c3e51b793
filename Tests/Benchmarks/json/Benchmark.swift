// SPDX-License-Identifier: Apache-2.0

import Bytes
import Glibc
import JSON

@_silgen_name("allocation_count")
func allocationCount() -> UInt64

/// How fast texts are read, looked into, canonicalised, written and spliced, and what each
/// allocates. `run` holds the lines against `thresholds`.
@main
enum Benchmark {
    static func main() throws {
        for (label, turns) in [("send 0.5 KB", 1), ("task 18 KB", 52), ("task 1 MB", 2300)] {
            try measure(label, Array(taskText(turns).utf8))
        }
    }

    private static func measure(_ label: String, _ bytes: [UInt8]) throws {
        print("\(label): \(bytes.count) bytes")
        var parser = JSONParser()
        let document = try parser.parse(bytes)
        try row("check", bytes.count) { try parser.check(bytes) }
        try row("parse", bytes.count) { _ = try parser.parse(bytes) }
        try row("parse alone", bytes.count) { _ = try JSONDocument(parsing: bytes) }
        row("look up 4 members", bytes.count) {
            let task = document.root["result"]?["task"]
            invariant(task?["id"]?.string(equals: "task-1") == true, "the id is there")
        }
        try row("canonical", bytes.count) { _ = try JSONCanonical.encode(document.root) }
        row("detached", bytes.count) { _ = document.root.detached() }
        let tree = document.root.detached()
        row("write", bytes.count) { _ = tree.bytes }
        row("splice two ids", bytes.count) {
            var splice = JSONSplice(document)
            guard let task = document.root["result"]?["task"], let id = task["id"],
                let context = task["contextId"]
            else { return }
            splice.replace(id, with: "t-2")
            splice.replace(context, with: "c-2")
            _ = splice.applied()
        }
    }

    /// The best of fifteen rounds of about 40 ms each.
    private static func row(_ label: String, _ size: Int, _ body: () throws -> Void) rethrows {
        try body()
        let before = allocationCount()
        try body()
        let allocations = allocationCount() - before
        let rounds = max(1, 40_000_000 / max(1, try time(1, body)))
        var best = Double.infinity
        for _ in 0..<15 { best = min(best, Double(try time(rounds, body)) / Double(rounds)) }
        let nanoseconds = Int(best)
        let speed = Int(Double(size) * 1000 / best)
        print("  \(label): \(nanoseconds) ns, \(speed) MB/s, \(allocations) allocations")
    }

    private static func time(_ rounds: Int, _ body: () throws -> Void) rethrows -> Int {
        let start = now()
        for _ in 0..<rounds { try body() }
        return now() - start
    }

    /// Time of the processor, so that other programs on it do not count.
    private static func now() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }

    /// A JSON-RPC answer with a task of `turns` messages: Chinese, English, escapes, numbers.
    private static func taskText(_ turns: Int) -> String {
        var text = #"{"jsonrpc":"2.0","id":17,"result":{"task":{"id":"task-1","contextId":"ctx-1","#
        text +=
            #""status":{"state":"TASK_STATE_INPUT_REQUIRED","timestamp":"2026-11-21T01:02:03Z"},"#
        text += #""history":["#
        text += (0..<turns).map { turn in
            let user = turn % 2 == 0
            return #"{"messageId":"m-\#(turn)","role":"\#(user ? "ROLE_USER" : "ROLE_AGENT")","#
                + #""parts":[{"text":"\#(user ? question : answer)"},{"data":{"price":"#
                + #"\#(turn * 137).50,"currency":"CNY","seats":[\#(turn),\#(turn + 1)],"#
                + #""confirmed":false,"note":null},"mediaType":"application/json"}],"#
                + #""metadata":{"https://dragoman.example/ext/acct/v1":{"op":"01J\#(turn)"}}}"#
        }.joined(separator: ",")
        return text + "]}}}"
    }

    private static let question = #"请帮我订两张明天上午从上海虹桥到北京南的高铁票，二等座，靠窗。😀 \"谢谢\"\n"#
    private static let answer =
        #"Two seats on G2 at 07:00 are available.\nTotal: 1,106.00 CNY. 是否确认？\u00e9"#
}
