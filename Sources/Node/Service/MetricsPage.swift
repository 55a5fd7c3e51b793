// SPDX-License-Identifier: Apache-2.0

/// Something that counts and can say so.
package protocol MetricSource: Sendable {
    /// Whole lines in the text format of Prometheus. Values of labels come from closed lists of
    /// this program or from the configuration, never from a client: a stranger's word would be a
    /// time series of its own.
    var exposition: String { get }
}

extension RequestCounters: MetricSource {}

extension ConnectionCounters: MetricSource {}

/// The metrics page in the making.
struct MetricsPage {
    private(set) var text = ""

    /// What a figure does over time.
    enum Kind: String {
        case counter, gauge
    }

    /// A figure with its explanation.
    mutating func add(
        _ name: StaticString, _ kind: Kind, _ help: StaticString, _ value: some BinaryInteger
    ) {
        head(name, kind, help)
        text += "\(name) \(value)\n"
    }

    /// A fact: always 1, what matters are its labels.
    mutating func fact(
        _ name: StaticString, _ help: StaticString, _ labels: [(name: StaticString, value: String)]
    ) {
        head(name, .gauge, help)
        let pairs = labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }
        text += "\(name){\(pairs.joined(separator: ","))} 1\n"
    }

    /// The lines of another source.
    mutating func add(_ source: any MetricSource) { text += source.exposition }

    private mutating func head(_ name: StaticString, _ kind: Kind, _ help: StaticString) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    }

    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n": escaped += "\\n"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
