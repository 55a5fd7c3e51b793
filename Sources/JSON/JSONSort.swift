// SPDX-License-Identifier: Apache-2.0

extension Array {
    /// Sorts the elements from `base` on, in place and without memory, which the standard
    /// library's sort takes. A strict order makes the result the same as that of a stable sort.
    ///
    /// A few elements are sorted by insertion, which costs one comparison each when they are in
    /// order already; many by a heap, which is n·log n for any input.
    mutating func sortInPlace(from base: Int, _ precedes: (Element, Element) -> Bool) {
        if count - base <= 16 {
            insertionSort(from: base, precedes)
        } else {
            heapSort(from: base, precedes)
        }
    }

    private mutating func insertionSort(
        from base: Int, _ precedes: (Element, Element) -> Bool
    ) {
        for index in base..<count {
            var place = index
            while place > base, precedes(self[place], self[place - 1]) {
                swapAt(place, place - 1)
                place -= 1
            }
        }
    }

    private mutating func heapSort(from base: Int, _ precedes: (Element, Element) -> Bool) {
        let size = count - base
        for start in stride(from: size / 2 - 1, through: 0, by: -1) {
            sift(start, size, base, precedes)
        }
        for end in stride(from: size - 1, to: 0, by: -1) {
            swapAt(base, base + end)
            sift(0, end, base, precedes)
        }
    }

    /// Lets the element at `start` sink until no child of it comes after it.
    private mutating func sift(
        _ start: Int, _ end: Int, _ base: Int, _ precedes: (Element, Element) -> Bool
    ) {
        var root = start
        while 2 * root + 1 < end {
            var child = 2 * root + 1
            if child + 1 < end, precedes(self[base + child], self[base + child + 1]) {
                child += 1
            }
            guard precedes(self[base + root], self[base + child]) else { return }
            swapAt(base + root, base + child)
            root = child
        }
    }
}
