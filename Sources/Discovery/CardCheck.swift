// SPDX-License-Identifier: Apache-2.0
package import A2A
package import Bytes
import JSON

/// What a card must keep to before anybody is shown it, apart from its form.
package enum CardCheck {
    /// Why a card is not taken.
    package enum Fault: String, Error, CaseIterable, Sendable {
        /// An interface is not under the entity that served the card: calls would go elsewhere.
        case foreignInterface = "foreign-interface"
        /// A text is longer than ``textMax``.
        case textTooLong = "text-too-long"
        /// A text has control, bidirectional or zero-width characters, which make it read
        /// differently from what it is.
        case hiddenCharacters = "hidden-characters"
        /// Two skills have one id.
        case duplicateSkill = "duplicate-skill"
        /// More skills than ``skillsMax``.
        case tooManySkills = "too-many-skills"
    }

    /// Longest name or description, in characters: a card is read by people and by models.
    package static let textMax = 2048
    /// Most skills of one card.
    package static let skillsMax = 256

    /// Checks the card that `entity` served for one of its agents.
    package static func check(_ card: AgentCard, servedBy entity: EntityID) throws(Fault) {
        for interface in card.interfaces where !isUnder(interface.url, entity) {
            throw .foreignInterface
        }
        try checkTexts(card)
    }

    /// Checks the texts of a card, whoever served it.
    package static func checkTexts(_ card: AgentCard) throws(Fault) {
        let skills = card.value["skills"]?.elements.map { $0 } ?? []
        if skills.count > skillsMax { throw .tooManySkills }
        var ids: Set<String> = []
        for skill in skills {
            if let id = skill["id"]?.string, !ids.insert(id).inserted { throw .duplicateSkill }
            try checkText(skill["name"]?.string)
            try checkText(skill["description"]?.string)
        }
        try checkText(card.value["name"]?.string)
        try checkText(card.value["description"]?.string)
    }

    private static func checkText(_ text: String?) throws(Fault) {
        guard let text else { return }
        if text.count > textMax { throw .textTooLong }
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x09, 0x0A, 0x0D: continue
            case 0..<0x20, 0x7F..<0xA0, 0x200B...0x200F, 0x202A...0x202E, 0x2060...0x2064,
                0x2066...0x206F, 0xFEFF:
                throw .hiddenCharacters
            default: continue
            }
        }
    }

    /// Whether `url` is `entity` itself or a path below it. A port or host that merely begins
    /// alike is another's.
    static func isUnder(_ url: String, _ entity: EntityID) -> Bool {
        guard url.hasPrefix(entity.text) else { return false }
        let rest = url.dropFirst(entity.text.count)
        return rest.isEmpty || rest.first == "/"
    }
}
