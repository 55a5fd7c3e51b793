// SPDX-License-Identifier: Apache-2.0

import Bytes

extension Statement {
    /// The statement as one page for people, in Chinese and English side by side.
    ///
    /// One file without scripts, fonts, images or anything else to fetch; readable on a phone and
    /// on A4 paper. `issuerName` and `peerName` are the configured names of the companies; they
    /// and everything else that came from outside are escaped.
    package func html(issuerName: String, peerName: String) -> String {
        var page = HTMLPage()
        page.raw(StatementStyle.head)
        page.tag("title", "结算单 Statement · \(peerName) · \(month)")
        page.raw("</head>\n<body>\n<main>\n")
        page.tag("h1", "结算单 Statement")
        page.raw("<dl class=\"parties\">\n")
        page.pair("出具方 Issued by", "\(issuerName) (\(issuer.text))")
        page.pair("对方 With", "\(peerName) (\(peer.text))")
        page.pair(
            "期间 Period", "\(local(period.from)) – \(local(period.to)) (UTC\(offset))")
        page.pair("币种 Currency", currency.code)
        page.raw("</dl>\n")
        writePayable(to: &page, issuerName, peerName)
        writeTotals(to: &page, issuerName, peerName)
        writeRows(to: &page)
        writeHolds(to: &page)
        page.raw(StatementStyle.notes)
        page.raw("</main>\n</body>\n</html>\n")
        return page.text
    }

    private func writePayable(to page: inout HTMLPage, _ issuerName: String, _ peerName: String) {
        page.raw("<section class=\"payable\">\n")
        if payable.micros == 0 {
            page.tag("p", "本期无需付款 Nothing to pay for this period", "sum")
        } else {
            let debtor = payable.micros > 0 ? peerName : issuerName
            let creditor = payable.micros > 0 ? issuerName : peerName
            page.tag("p", "\(debtor) 应付 pays \(creditor)")
            page.tag("p", "\(currency.code) \(size(payable))", "sum")
            if let due { page.tag("p", "付款期限 Due by \(local(due))") }
        }
        page.raw("</section>\n")
    }

    private func writeTotals(to page: inout HTMLPage, _ issuerName: String, _ peerName: String) {
        page.tag("h2", "汇总 Summary")
        page.raw("<table>\n")
        page.header([
            "项目 Item", "笔数 Lines", "应收 Due to issuer", "应付 Due to peer",
        ])
        page.raw("<tbody>\n")
        writeBalance("期初余额 Opening balance", opening, to: &page)
        for total in totals {
            page.row([
                (label(total.kind, total.name), ""), ("\(total.count)", "number"),
                (total.isOwedToUs ? total.amount.text : "", "number"),
                (total.isOwedToUs ? "" : total.amount.text, "number"),
            ])
        }
        writeBalance("期末余额 Closing balance", closing, to: &page)
        writeBalance("本期应结 Payable now", payable, to: &page)
        writeBalance("结转下期 Carried forward", residue, to: &page)
        page.raw("</tbody>\n</table>\n")
    }

    private func writeBalance(_ label: String, _ balance: Money, to page: inout HTMLPage) {
        page.row([
            (label, ""), ("", "number"), (balance.micros >= 0 ? size(balance) : "", "number"),
            (balance.micros < 0 ? size(balance) : "", "number"),
        ])
    }

    private func writeRows(to page: inout HTMLPage) {
        page.tag("h2", "明细 Lines")
        if rows.isEmpty {
            page.tag("p", "本期无明细 No lines in this period")
            return
        }
        page.raw("<div class=\"wide\">\n<table>\n")
        page.header([
            "#", "时间 Booked", "项目 Item", "交易额 Sale", "费率 Rate", "应收 Due to issuer",
            "应付 Due to peer", "余额 Balance", "证据 Evidence", "编号 Reference",
        ])
        page.raw("<tbody>\n")
        for (index, row) in rows.enumerated() {
            let line = row.line
            let amount = line.amount.text
            page.row([
                ("\(index + 1)", "number"), (local(line.booked), ""),
                (label(line), ""), (line.basis?.text ?? "", "number"),
                (row.rate?.percent ?? "", "number"), (line.isOwedToUs ? amount : "", "number"),
                (line.isOwedToUs ? "" : amount, "number"), (row.balance.text, "number"),
                (row.evidence.rawValue, ""), (line.op.text, "id"),
            ])
        }
        page.raw("</tbody>\n</table>\n</div>\n")
    }

    private func writeHolds(to page: inout HTMLPage) {
        if openHolds.isEmpty { return }
        page.tag("h2", "未结预留 Open holds")
        page.tag(
            "p", "尚未入账，不计入余额。 Not booked yet and in no balance above.", "note")
        page.raw("<div class=\"wide\">\n<table>\n")
        page.header([
            "预留至 Held until", "费用 Charge", "佣金 Commission", "编号 Reference",
        ])
        page.raw("<tbody>\n")
        for hold in openHolds {
            page.row([
                (local(hold.postBy), ""), (hold.charge.text, "number"),
                (hold.commission.text, "number"), (hold.op.text, "id"),
            ])
        }
        page.raw("</tbody>\n</table>\n</div>\n")
    }

    private func label(_ line: StatementLine) -> String {
        guard let calls = line.calls else { return label(line.kind, line.name) }
        return "\(label(line.kind, line.name)) · \(calls) 次 calls"
    }

    private func label(_ kind: StatementLine.Kind, _ name: String) -> String {
        switch kind {
        case .charge: "服务费 Fee · \(name)"
        case .commission: "佣金 Commission · \(name)"
        case .payment: "付款 Payment"
        }
    }

    private func size(_ balance: Money) -> String {
        balance.micros < 0 ? Money(micros: -balance.micros, currency).text : balance.text
    }

    private var offset: String { Tariff.Settlement.offset(minutes: period.offsetMinutes) }

    private var month: String { String(local(period.from).prefix(7)) }

    /// Date and time to the minute, by the clock of the period.
    private func local(_ instant: Instant) -> String {
        let text = instant.adding(seconds: period.offsetMinutes * 60).rfc3339
        return text.prefix(10) + " " + text.dropFirst(11).prefix(5)
    }
}

/// A page in the making: text is escaped, markup is not.
private struct HTMLPage {
    private(set) var text = ""

    mutating func raw(_ markup: String) { text += markup }

    mutating func tag(_ name: String, _ content: String, _ style: String = "") {
        text += style.isEmpty ? "<\(name)>" : "<\(name) class=\"\(style)\">"
        text += HTMLPage.escaped(content) + "</\(name)>\n"
    }

    mutating func pair(_ term: String, _ value: String) {
        tag("dt", term)
        tag("dd", value)
    }

    mutating func header(_ names: [String]) {
        raw("<thead><tr>")
        for name in names { raw("<th scope=\"col\">" + HTMLPage.escaped(name) + "</th>") }
        raw("</tr></thead>\n")
    }

    mutating func row(_ cells: [(text: String, style: String)]) {
        raw("<tr>")
        for cell in cells {
            raw(cell.style.isEmpty ? "<td>" : "<td class=\"\(cell.style)\">")
            raw(HTMLPage.escaped(cell.text) + "</td>")
        }
        raw("</tr>\n")
    }

    /// The five characters that mean something in HTML, in text and in quoted attributes.
    static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            // Marks that turn the direction of text around could show 10.00 as 00.01.
            case "\u{202A}"..."\u{202E}", "\u{2066}"..."\u{2069}": escaped += "\u{FFFD}"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}

/// The parts of the page that never change.
private enum StatementStyle {
    static let head = """
        <!DOCTYPE html>
        <html lang="zh-CN">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; \
        style-src 'unsafe-inline'">
        <style>
        :root { color-scheme: light; }
        body { margin: 0; background: #fff; color: #1a1a1a; line-height: 1.5;
          font-family: system-ui, "PingFang SC", "Noto Sans CJK SC", "Microsoft YaHei",
            sans-serif; }
        main { max-width: 72rem; margin: 0 auto; padding: 1rem; }
        h1 { font-size: 1.5rem; margin: 0 0 .75rem; }
        h2 { font-size: 1.1rem; margin: 1.75rem 0 .5rem; }
        dl.parties { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; }
        dt { color: #595959; } dd { margin: 0; overflow-wrap: anywhere; }
        .payable { border: 1px solid #1a1a1a; border-radius: .5rem; padding: .75rem 1rem; }
        .payable p { margin: 0; } .payable .sum { font-size: 1.6rem; font-weight: 600; }
        .wide { overflow-x: auto; }
        table { border-collapse: collapse; width: 100%; font-size: .9rem; }
        th, td { padding: .35rem .6rem; border-bottom: 1px solid #d0d0d0; text-align: left;
          vertical-align: top; }
        th { font-weight: 600; border-bottom-color: #1a1a1a; }
        td.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
        td.id { font-family: ui-monospace, monospace; font-size: .8rem; }
        .note { color: #595959; font-size: .85rem; }
        @page { size: A4; margin: 12mm; }
        @media print {
          main { padding: 0; max-width: none; } body { font-size: 9pt; }
          .wide { overflow: visible; } thead { display: table-header-group; }
          tr { break-inside: avoid; } td.id { font-size: 7pt; word-break: break-all; }
        }
        @media (max-width: 34rem) {
          dl.parties { grid-template-columns: 1fr; } dd { margin-bottom: .4rem; }
        }
        </style>

        """

    static let notes = """
        <section class="note">
        <p>应收：对方欠出具方；应付：出具方欠对方。余额为正表示对方欠出具方。\
        费率仅在未触及上限或下限时等于实收。
        Due to issuer: the peer owes it. Due to peer: the issuer owes it. A positive balance is owed
        by the peer. The rate is what was charged unless a cap or floor applied.</p>
        <p>证据 Evidence: E0 仅本方账簿 own books only; E1 服务方已签名 signed by the party that did
        the work; E2 双方已签名 signed by both.</p>
        </section>

        """
}
