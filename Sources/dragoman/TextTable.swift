// SPDX-License-Identifier: Apache-2.0

/// Rows in columns, for people: numbers to the right, everything else to the left.
struct TextTable {
    private var rows: [[String]]
    private let numbers: Set<Int>

    /// - Parameter numbers: The columns that hold amounts.
    init(_ header: [String], numbers: Set<Int> = []) {
        rows = [header]
        self.numbers = numbers
    }

    /// Whether there is no row but the header.
    var isEmpty: Bool { rows.count == 1 }

    /// Adds a row, shown without what would move the cursor of a terminal.
    mutating func add(_ cells: [String]) { rows.append(cells.map(Self.clean)) }

    /// The rows with two spaces between columns, without a line feed at the end.
    var text: String {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        return rows.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                let gap = String(repeating: " ", count: widths[column] - cell.count)
                line += numbers.contains(column) ? gap + cell : cell + gap
                if column < row.count - 1 { line += "  " }
            }
            while line.last == " " { line.removeLast() }
            return line
        }.joined(separator: "\n")
    }

    private static func clean(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    switch scalar.value {
                    case 0..<0x20, 0x7F..<0xA0, 0x200B...0x200F, 0x2028...0x202E, 0x2066...0x2069:
                        "\u{FFFD}"
                    default: scalar
                    }
                }))
    }
}
