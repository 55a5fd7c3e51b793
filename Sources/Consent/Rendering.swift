// SPDX-License-Identifier: Apache-2.0
import Bytes
package import JSON

/// What a user sees of terms: rows made by a frozen template and nothing else (`Spec` consent
/// §7). The rows are signed in the confirmation and made again by the executor, so that the
/// screen, the offer and the proof cannot differ.
package struct Rendering: Hashable, Sendable {
    /// One line.
    package struct Row: Hashable, Sendable {
        /// A fixed token; only ``Rendering/label(_:language:)`` depends on the language.
        package let key: Key
        /// What is read.
        package let text: String
    }

    /// What a row is about; the raw value is signed.
    package enum Key: String, CaseIterable, Sendable {
        case action, with, payee, item, total
        case atMost = "at most"
        case discloses, cancel, visibility, recurs, order
    }

    /// A template is frozen once published; another wording is another case.
    package enum Template: String, CaseIterable, Sendable {
        case act1 = "act/1"
    }

    /// The rendering template.
    package let template: Template
    /// The rows, in order.
    package let rows: [Row]

    /// The rows of these terms.
    package init(_ terms: Terms, template: Template = .act1) {
        self.template = template
        switch template {
        case .act1: rows = Self.act1(terms)
        }
    }

    /// `[[key, text], …]`, the form in which a confirmation carries the rows.
    package var node: JSONNode {
        .array(rows.map { [.string($0.key.rawValue), .string($0.text)] })
    }

    private static func act1(_ terms: Terms) -> [Row] {
        var rows = [
            Row(key: .action, text: terms.action), Row(key: .with, text: terms.issuer.text),
        ]
        func add(_ key: Key, _ text: String?) {
            if let text { rows.append(Row(key: key, text: text)) }
        }
        add(.payee, terms.payee)
        if let total = terms.total {
            for item in terms.items {
                let price = Amount(value: item.unit, currency: total.amount.currency)
                add(.item, "\(item.quantity) × “\(item.title)” @ \(price)")
            }
            add(total.kind == .exact ? .total : .atMost, total.amount.description)
        }
        for disclosure in terms.data {
            let kept = disclosure.retention.map { ", \($0 / 3600) h" } ?? ""
            add(
                .discloses,
                "\(disclosure.type) → \(disclosure.recipient) (\(disclosure.purpose)\(kept))")
        }
        add(.cancel, terms.cancel)
        add(.visibility, terms.visibility)
        add(.recurs, terms.recurs)
        add(.order, terms.order)
        return rows
    }

    /// The word beside a row for a reader of `language` (a BCP 47 tag); English when unknown.
    package static func label(_ key: Key, language: String) -> String {
        let primary = language.prefix { $0 != "-" }.lowercased()
        return primary == "zh" ? chinese(key) : english(key)
    }

    private static func english(_ key: Key) -> String {
        switch key {
        case .action: "Action"
        case .with: "With"
        case .payee: "Payee"
        case .item: "Item"
        case .total: "Total"
        case .atMost: "At most"
        case .discloses: "Discloses"
        case .cancel: "Cancellation"
        case .visibility: "Visibility"
        case .recurs: "Recurs"
        case .order: "Order"
        }
    }

    private static func chinese(_ key: Key) -> String {
        switch key {
        case .action: "操作"
        case .with: "对方"
        case .payee: "收款方"
        case .item: "项目"
        case .total: "合计"
        case .atMost: "最高金额"
        case .discloses: "提供信息"
        case .cancel: "取消规则"
        case .visibility: "可见范围"
        case .recurs: "续期"
        case .order: "订单"
        }
    }
}
