// SPDX-License-Identifier: Apache-2.0
package import Bytes
package import JSON

/// What one skill of an agent needs of the user's consent.
package struct SkillConsent: Sendable, Equatable {
    /// The skill's id in the card.
    package let skill: String
    /// The action of drafting, of class 0 or 1.
    package let draft: String
    /// The action that takes effect.
    package let commit: String
    /// The kinds of personal data that the act discloses to the executor.
    package let dataTypes: [String]
    /// What the data is for; present with data types only.
    package let purpose: String?
    /// How long the executor keeps them, in seconds.
    package let retention: Int64?

    package init(
        skill: String, draft: String, commit: String, dataTypes: [String] = [],
        purpose: String? = nil, retention: Int64? = nil
    ) {
        self.skill = skill
        self.draft = draft
        self.commit = commit
        self.dataTypes = dataTypes
        self.purpose = purpose
        self.retention = retention
    }
}

/// The parameters of the consent extension in a card: who takes effect, and what each skill that
/// binds the user needs. A gateway that offers another's agent repeats them unchanged (Spec §1.4).
package struct OfferedSkills: Sendable, Equatable {
    /// The gateway at which acts take effect.
    package let executor: EntityID
    /// In the order of the card.
    package let skills: [SkillConsent]

    package init(executor: EntityID, skills: [SkillConsent]) {
        self.executor = executor
        self.skills = skills
    }

    /// Why the parameters are not read: the member and the rule.
    package struct Fault: Error, Equatable, Sendable {
        package let member: String
        package let rule: String

        package init(_ member: String, _ rule: String) {
            self.member = member
            self.rule = rule
        }
    }

    /// Most skills that one card may mark; a person cannot tell more apart.
    package static let skillsMax = 64

    /// Reads `{executor, skills: {id: {draft, commit, datatypes, purpose, retention}}}`.
    package init(_ value: JSONValue) throws(Fault) {
        guard let text = value["executor"]?.string, let executor = EntityID(text) else {
            throw Fault("executor", "is not an entity id")
        }
        guard let members = value["skills"], members.kind == .object,
            members.count <= Self.skillsMax
        else { throw Fault("skills", "must be an object of at most \(Self.skillsMax) skills") }
        var skills: [SkillConsent] = []
        for (id, skill) in members.members {
            guard let draft = skill["draft"]?.string, let commit = skill["commit"]?.string else {
                throw Fault("skills", "each needs a draft and a commit action")
            }
            let types = skill["datatypes"]?.elements.compactMap(\.string) ?? []
            let purpose = skill["purpose"]?.string
            let retention = skill["retention"]?.int
            if !types.isEmpty, purpose == nil || retention == nil {
                throw Fault("skills", "personal data needs a purpose and a retention")
            }
            skills.append(
                SkillConsent(
                    skill: id, draft: draft, commit: commit, dataTypes: types, purpose: purpose,
                    retention: retention))
        }
        self.executor = executor
        self.skills = skills
    }

    /// The parameters as they stand in a card; no member is empty, so that every way of
    /// normalising a card before it is signed gives the same bytes.
    package var node: JSONNode {
        var members: JSONNode = [:]
        for skill in skills {
            var node: JSONNode = [
                "draft": .string(skill.draft), "commit": .string(skill.commit),
            ]
            if !skill.dataTypes.isEmpty {
                node["datatypes"] = .array(skill.dataTypes.map { .string($0) })
                node["purpose"] = skill.purpose.map { .string($0) }
                node["retention"] = skill.retention.map { .int($0) }
            }
            members[skill.skill] = node
        }
        return ["executor": .string(executor.text), "skills": members]
    }
}
