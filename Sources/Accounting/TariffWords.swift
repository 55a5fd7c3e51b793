// SPDX-License-Identifier: Apache-2.0

import Bytes

/// A language in which the program speaks to people about money.
package enum TariffLanguage: String, CaseIterable, Sendable {
    /// English.
    case english = "en"
    /// Simplified Chinese.
    case chinese = "zh-CN"
}

extension Tariff {
    /// The tariff in sentences, for two people who agree on it over the telephone. Everything that
    /// can cost money is said; nothing is left to "as usual".
    /// - SeeAlso: Spec §5.3.5.
    package func words(_ language: TariffLanguage) -> [String] {
        language == .english ? english : chinese
    }

    private var english: [String] {
        var words = [
            "Version \(version), from \(from.rfc3339)\(to.map { " to " + $0.rfc3339 } ?? ""). "
                + "\(caller) sends tasks to \(callee)."
        ]
        if let charge {
            var due = "completed"
            if billsFailed { due += " or failed" }
            if billsCanceled { due += " or cancelled" }
            words.append(
                "For each \(due) task \(caller) pays \(callee) \(charge.fixed) (\(charge.id)). "
                    + "A rejected task costs nothing.")
        } else {
            words.append("Tasks cost \(caller) nothing.")
        }
        if let commission {
            words.append(
                "For each sale \(callee) pays \(caller) "
                    + english(commission.rule) + " (\(commission.id)).")
        } else {
            words.append("\(callee) pays no commission.")
        }
        words.append(
            "Money for a task is set aside for at most \(hold.longest) s; what is posted later "
                + "is not owed.")
        if let block {
            words.append(
                "Small fees are drawn on \(block.amount) set aside at a time. After a crash the "
                    + "side that crashed bears what it forgot, at most that amount.")
        }
        words.append(
            "\(caller) may owe at most \(credit.callerOwes), \(callee) at most "
                + "\(credit.calleeOwes), amounts set aside included.")
        words.append(
            "Settled monthly (UTC\(settlement.offset)), due after \(settlement.dueDays) days, "
                + "from \(settlement.least). Lines may be disputed for \(disputeDays) days.")
        return words
    }

    private func english(_ rule: FeeRule) -> String {
        var text = "\(rule.rate.percent) of the price"
        if rule.fixed.micros > 0 { text += " plus \(rule.fixed)" }
        if rule.floor.micros > 0 { text += ", at least \(rule.floor)" }
        if let cap = rule.cap { text += ", at most \(cap)" }
        let rounded =
            switch rule.mode {
            case .halfUp: ", rounded half up"
            case .halfEven: ", rounded half to even"
            case .down: ", rounded down"
            case .up: ", rounded up"
            }
        let step = Money(micros: rule.quantum.micros(currency), currency)
        return text + rounded + " to \(step), never more than the price"
    }

    private var chinese: [String] {
        var words = [
            "第 \(version) 版，自 \(from.rfc3339)\(to.map { " 至 " + $0.rfc3339 } ?? "")。"
                + "\(caller) 向 \(callee) 发送任务。"
        ]
        if let charge {
            var due = "完成"
            if billsFailed { due += "或失败" }
            if billsCanceled { due += "或取消" }
            words.append(
                "每个\(due)的任务，\(caller) 付给 \(callee) \(charge.fixed)（\(charge.id)）。"
                    + "被拒绝的任务不收费。")
        } else {
            words.append("任务不向 \(caller) 收费。")
        }
        if let commission {
            words.append(
                "每笔成交，\(callee) 付给 \(caller) "
                    + chinese(commission.rule) + "（\(commission.id)）。")
        } else {
            words.append("\(callee) 不付佣金。")
        }
        words.append("每个任务的预留款最长保留 \(hold.longest) 秒，逾期入账无效。")
        if let block {
            words.append(
                "小额费用从一次预留的 \(block.amount) 中扣取。若一方崩溃，遗失的计数由该方承担，"
                    + "最多为该金额。")
        }
        words.append(
            "\(caller) 最多可欠 \(credit.callerOwes)，\(callee) 最多可欠 \(credit.calleeOwes)，"
                + "均含预留款。")
        words.append(
            "按月结算（UTC\(settlement.offset)），\(settlement.dueDays) 天内付款，"
                + "\(settlement.least) 起付；\(disputeDays) 天内可提出异议。")
        return words
    }

    private func chinese(_ rule: FeeRule) -> String {
        var text = "成交价的 \(rule.rate.percent)"
        if rule.fixed.micros > 0 { text += " 另加 \(rule.fixed)" }
        if rule.floor.micros > 0 { text += "，最低 \(rule.floor)" }
        if let cap = rule.cap { text += "，最高 \(cap)" }
        let step = Money(micros: rule.quantum.micros(currency), currency)
        let rounded =
            switch rule.mode {
            case .halfUp: "，四舍五入到 \(step)"
            case .halfEven: "，四舍六入五成双到 \(step)"
            case .down: "，向下取整到 \(step)"
            case .up: "，向上取整到 \(step)"
            }
        return text + rounded + "，不超过成交价"
    }
}
