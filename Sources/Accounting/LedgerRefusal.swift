// SPDX-License-Identifier: Apache-2.0

/// Why an accounting operation was refused. Closed: the wire mapping is exhaustive.
///
/// The raw value is the `reason` of the error on the wire, with the extension's URI as `domain`.
/// - SeeAlso: Spec §5.10.
package enum LedgerRefusal: String, Error, CaseIterable, Sendable {
    /// The object is not of the specified form; ``FormatFault`` says where.
    case malformed = "ACCT_MALFORMED"
    /// An amount is not canonical text.
    case amountSyntax = "ACCT_AMOUNT_SYNTAX"
    /// Amounts of a currency that is not the tariff's or the hold's.
    case currency = "ACCT_CURRENCY"
    /// A sum would leave the range of amounts.
    case overflow = "ACCT_OVERFLOW"
    /// The signature of an accounting object does not verify, or another's key made it.
    case signature = "ACCT_SIGNATURE"
    /// The id is older than the memory of ids, or lies in the future.
    case operationExpired = "ACCT_OP_EXPIRED"
    /// The id was used for another request.
    case idempotencyConflict = "ACCT_IDEMPOTENCY_CONFLICT"
    /// The operation refers to one that was itself refused.
    case alreadyFailed = "ACCT_ALREADY_FAILED"
    /// The tariff is not known here, not between these two, or not in force.
    case tariffUnknown = "ACCT_TARIFF_UNKNOWN"
    /// The quote is no longer valid.
    case quoteExpired = "ACCT_QUOTE_EXPIRED"
    /// The amounts are not what the tariff makes of the sale.
    case price = "ACCT_PRICE"
    /// The hold does not leave the time that the tariff demands, or would live too long.
    case deadline = "ACCT_DEADLINE"
    /// The caller's own budget does not admit it.
    case budget = "ACCT_BUDGET"
    /// The user consented to less.
    case consentExceeded = "ACCT_CONSENT_EXCEEDED"
    /// What one peer may owe the other would be exceeded.
    case creditExceeded = "ACCT_CREDIT_EXCEEDED"
    /// No hold has this id. Nothing is remembered about the question.
    case holdUnknown = "ACCT_HOLD_UNKNOWN"
    /// Posted after the hold's end.
    case holdExpired = "ACCT_HOLD_EXPIRED"
    /// The hold was already posted, voided or replaced; the first resolution stands.
    case holdResolved = "ACCT_HOLD_RESOLVED"
    /// More is posted than is held.
    case postExceedsHold = "ACCT_POST_EXCEEDS_HOLD"
    /// The tariff has a fee, and the message neither holds it nor draws it on a block.
    case holdRequired = "ACCT_HOLD_REQUIRED"
    /// The draw lies beyond its block.
    case blockExhausted = "ACCT_BLOCK_EXHAUSTED"
    /// Only the side that does the work may post and void, and only the other may hold.
    case wrongSide = "ACCT_WRONG_SIDE"
    /// More is refunded than was posted.
    case refundExceedsPost = "ACCT_REFUND_EXCEEDS_POST"
    /// A share of an amount is asked for that the payer did not disclose.
    case baseNotDisclosed = "ACCT_BASE_NOT_DISCLOSED"
    /// The books cannot be written now; nothing happened.
    case unavailable = "ACCT_UNAVAILABLE"

    /// What the refused side may try.
    package enum Retry: String, CaseIterable, Sendable {
        /// Nothing: the same request will always be refused.
        case final
        /// The same id, later: nothing was decided.
        case sameID = "retry-same-id"
        /// A new id with a new or changed request; this id stays refused.
        case newID = "retry-new-id"
    }

    /// What the refused side may try.
    package var retry: Retry {
        switch self {
        case .malformed, .amountSyntax, .currency, .overflow, .signature, .wrongSide, .budget,
            .consentExceeded, .holdExpired, .holdResolved, .refundExceedsPost, .baseNotDisclosed:
            .final
        case .holdUnknown, .unavailable:
            .sameID
        case .operationExpired, .idempotencyConflict, .alreadyFailed, .tariffUnknown,
            .quoteExpired, .price, .deadline, .creditExceeded, .postExceedsHold, .holdRequired,
            .blockExhausted:
            .newID
        }
    }

    /// Whether the ledger remembers the refusal and repeats it for this id whatever changes.
    ///
    /// It does for every decision about the business. What is refused before a request is
    /// understood, or because its id cannot be used, or about unknown holds, leaves no trace: a
    /// stranger's nonsense must not fill the books.
    package var isSticky: Bool {
        switch self {
        case .malformed, .amountSyntax, .signature, .operationExpired, .idempotencyConflict,
            .holdUnknown, .unavailable, .holdRequired, .blockExhausted:
            false
        case .currency, .overflow, .alreadyFailed, .tariffUnknown, .quoteExpired, .price, .deadline,
            .budget, .consentExceeded, .creditExceeded, .holdExpired, .holdResolved,
            .postExceedsHold, .wrongSide, .refundExceedsPost, .baseNotDisclosed:
            true
        }
    }

    /// The refusal of an object that could not be read.
    package init(_ fault: FormatFault) {
        self = fault.rule == .amount ? .amountSyntax : .malformed
    }

    /// The refusal for an amount that could not be computed.
    package init(_ fault: MoneyFault) {
        switch fault {
        case .syntax, .negative, .fraction: self = .amountSyntax
        case .currency: self = .currency
        case .overflow: self = .overflow
        }
    }
}
