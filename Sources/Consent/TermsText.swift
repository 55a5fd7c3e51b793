// SPDX-License-Identifier: Apache-2.0

/// What a seller may write where a user reads: printable text that looks like what it is. Text
/// that breaks a rule is refused, never cleaned, so that what was signed is what is shown.
package enum TermsText {
    /// Code points of an item's title.
    package static let titleLength = 60
    /// Code points of any other text.
    package static let textLength = 80

    /// Whether `text` is non-empty, at most `length` code points, in NFC and free of characters
    /// that draw nothing or reorder their neighbours.
    package static func isShowable(_ text: String, length: Int) -> Bool {
        let count = text.unicodeScalars.count
        guard (1...length).contains(count) else { return false }
        return text.unicodeScalars.allSatisfy(isVisible) && Composition.isNormalized(text)
    }

    private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.value < 0x7F { return scalar.value >= 0x20 }
        let properties = scalar.properties
        // Zero-width and bidi controls, fillers, variation selectors, tags.
        if properties.isDefaultIgnorableCodePoint { return false }
        switch properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
            .paragraphSeparator:
            return false
        default:
            return true
        }
    }
}
