// SPDX-License-Identifier: Apache-2.0

/// Finds what a person probably meant to write.
package enum NearestName {
    /// The name among `names` that is at most two edits away from `name`, the nearest first; nil
    /// when none is, and then a suggestion would only mislead.
    package static func find(_ name: String, among names: some Sequence<String>) -> String? {
        var best: (name: String, distance: Int)?
        for candidate in names {
            let found = distance(candidate, name)
            guard found <= 2, found < candidate.utf8.count else { continue }
            if found < best?.distance ?? .max { best = (candidate, found) }
        }
        return best?.name
    }

    /// Levenshtein's distance in bytes; names are short.
    private static func distance(_ a: String, _ b: String) -> Int {
        let b = Array(b.utf8.prefix(64))
        var row = Array(0...b.count)
        for (i, x) in a.utf8.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, y) in b.enumerated() {
                let above = row[j + 1]
                row[j + 1] = min(above + 1, row[j] + 1, diagonal + (x == y ? 0 : 1))
                diagonal = above
            }
        }
        return row[b.count]
    }
}
