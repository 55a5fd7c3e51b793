// SPDX-License-Identifier: Apache-2.0

/// Whether a child is narrower than its parent in every dimension (`Spec` §4.6). A child
/// that passes permits no act that its parent forbids; `AttenuationTests` samples that claim.
enum Attenuation {
    /// Every entry of the child has a parent of the same id and is narrower; entries may be
    /// dropped, none added.
    static func check(_ children: [Entry], under parents: [Entry]) throws(Refusal) {
        for child in children {
            guard let parent = parents.first(where: { $0.id == child.id }) else {
                throw Refusal(.widened, "7.entry.added")
            }
            try check(child, under: parent)
        }
    }

    private static func check(_ child: Entry, under parent: Entry) throws(Refusal) {
        try require(
            child.actions.allSatisfy(parent.actions.contains), .widened, "7.entry.actions")
        try require(
            parent.locations.includes(child.locations), .widened, "7.entry.locations")
        try require(
            parent.identifier == nil || child.identifier == parent.identifier, .widened,
            "7.entry.identifier")
        try require(
            parent.terms == nil || child.terms == parent.terms, .widened, "7.entry.terms")
        try checkData(child.data, under: parent.data)
        try checkLimits(child, under: parent)
        try require(child.confirm >= parent.confirm, .widened, "7.entry.confirm")
        try require(parent.standing || !child.standing, .widened, "7.entry.standing")
    }

    private static func checkData(
        _ child: Entry.DataScope?, under parent: Entry.DataScope?
    ) throws(Refusal) {
        guard let child else { return }
        guard let parent else { throw Refusal(.widened, "7.entry.data.added") }
        try require(
            child.types.allSatisfy(parent.types.contains), .widened, "7.entry.data.types")
        try require(child.purpose == parent.purpose, .widened, "7.entry.data.purpose")
        try require(child.retention <= parent.retention, .widened, "7.entry.data.retention")
    }

    /// Hidden limits cannot be compared here: the budget keeper does, which gets the
    /// disclosures. What can be seen is that a hidden limit was not dropped.
    private static func checkLimits(_ child: Entry, under parent: Entry) throws(Refusal) {
        if !parent.hidden.isEmpty {
            try require(
                !child.hidden.isEmpty || child.limits != nil, .widened, "7.entry.limits.hidden")
            return
        }
        guard let parentLimits = parent.limits else { return }
        if !child.hidden.isEmpty {
            // A slice is spent without the budget keeper, which alone sees hidden limits.
            try require(parentLimits.slice == nil, .widened, "7.entry.limits.slice.hidden")
            return
        }
        guard let childLimits = child.limits else {
            throw Refusal(.widened, "7.entry.limits.dropped")
        }
        try check(childLimits, under: parentLimits)
    }

    /// Also the budget keeper's comparison of disclosed limits.
    static func check(_ child: Limits, under parent: Limits) throws(Refusal) {
        try require(child.currency == parent.currency, .widened, "7.entry.limits.currency")
        try require(
            narrower(child.perAct, parent.perAct), .widened, "7.entry.limits.per_act")
        try require(narrower(child.total, parent.total), .widened, "7.entry.limits.total")
        try require(narrower(child.count, parent.count), .widened, "7.entry.limits.count")
        if let cut = parent.slice {
            guard let slice = child.slice else {
                throw Refusal(.widened, "7.entry.limits.slice.dropped")
            }
            try require(cut.contains(slice), .widened, "7.entry.limits.slice")
        } else if let slice = child.slice, let total = parent.total {
            try require(slice.upper <= total, .widened, "7.entry.limits.slice")
        }
    }

    private static func narrower(_ child: Int64?, _ parent: Int64?) -> Bool {
        guard let parent else { return true }
        guard let child else { return false }
        return child <= parent
    }
}

extension Entry.Locations {
    /// Whether every executor of `other` is also here.
    func includes(_ other: Entry.Locations) -> Bool {
        switch (self, other) {
        case (.anywhere, _): true
        case (.named, .anywhere): false
        case (.named(let mine), .named(let others)): others.allSatisfy(mine.contains)
        }
    }
}
