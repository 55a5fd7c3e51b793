// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import HTTP2

@Suite struct StreamTableTests {
    @Test func aTableIsADictionaryInOrder() {
        var random = SeededRandom(seed: 3)
        var table = StreamTable<Int>()
        var model: [HTTP2StreamID: Int] = [:]
        for step in 0..<5000 {
            let id = HTTP2StreamID(Int32.random(in: 1...60, using: &random))
            if Bool.random(using: &random) {
                table[id] = step
                model[id] = step
            } else if Bool.random(using: &random) {
                #expect(table.removeValue(of: id) == model.removeValue(forKey: id))
            } else {
                table[id] = nil
                model[id] = nil
            }
            #expect(table[id] == model[id])
            #expect(table.count == model.count && table.isEmpty == model.isEmpty)
        }
        #expect(table.values == model.sorted { $0.key < $1.key }.map(\.value))
        table.removeAll()
        #expect(table.isEmpty && table.values.isEmpty)
    }
}
