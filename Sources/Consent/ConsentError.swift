// SPDX-License-Identifier: Apache-2.0

/// Why a delegated act was refused: the closed list of `Spec` §4.9. The raw values travel
/// as `ErrorInfo.reason`; nothing of a token's contents ever does.
package enum ConsentError: String, Error, CaseIterable, Hashable, Sendable {
    // The form of a token.
    case malformed = "consent_malformed"
    case header = "consent_header"
    case type = "consent_type"
    case algorithm = "consent_alg"
    case tooLarge = "consent_too_large"
    case unknown = "consent_unknown"
    // The chain, and what its root may grant.
    case untrusted = "consent_untrusted"
    case signature = "consent_signature"
    case link = "consent_link"
    case loop = "consent_loop"
    case depth = "consent_depth"
    case delegate = "consent_delegate"
    case widened = "consent_widened"
    case policy = "consent_policy"
    case forbidden = "consent_forbidden"
    // Who presents, and to whom.
    case holder = "consent_holder"
    case audience = "consent_audience"
    // Clocks and lifetimes.
    case notYet = "consent_not_yet"
    case expired = "consent_expired"
    case time = "consent_time"
    // Revocation.
    case revoked = "consent_revoked"
    case status = "consent_status"
    // The act against the leaf's entry.
    case action = "consent_action"
    case data = "consent_data"
    case currency = "consent_currency"
    case limit = "consent_limit"
    case actMismatch = "consent_act_mismatch"
    // The offer and the user's answer to it.
    case terms = "consent_terms"
    case confirmRequired = "consent_confirm_required"
    case confirmInvalid = "consent_confirm_invalid"
    case denied = "consent_denied"
    // Counters, and what may happen once only.
    case budget = "consent_budget"
    case disclosure = "consent_disclosure"
    case replay = "consent_replay"

    /// What a refusal is on the wire, free of any binding; `Gateway` maps it to A2A errors.
    package enum Kind: Hashable, Sendable {
        /// 400, JSON-RPC invalid params: the sender's program is at fault.
        case invalid
        /// 403: the sender may not. Log as an attack when ``ConsentError/isAttack``.
        case forbidden
        /// 409: the world has moved; another offer, reservation or confirmation may do.
        case conflict
        /// 422: an identifier is used a second time with other content.
        case unprocessable
        /// 503 with Retry-After: this side lacks fresh knowledge and fails closed.
        case unavailable
        /// No error: the task becomes AUTH_REQUIRED and carries an ask.
        case authRequired
        /// No error: the task becomes REJECTED, because the user said no.
        case rejected
    }

    /// What may help after the refusal.
    package enum Retry: Hashable, Sendable {
        case never, freshToken, otherAct, newOffer, answer, release, later
    }

    /// Exact, or at most.
    package var kind: Kind {
        switch self {
        case .malformed, .header, .type, .algorithm, .tooLarge, .unknown: .invalid
        case .untrusted, .signature, .link, .loop, .depth, .delegate, .widened, .policy,
            .forbidden, .holder, .audience, .notYet, .expired, .time, .revoked, .action, .data,
            .currency, .limit, .actMismatch, .confirmInvalid:
            .forbidden
        case .status: .unavailable
        case .terms, .budget, .disclosure: .conflict
        case .confirmRequired: .authRequired
        case .denied: .rejected
        case .replay: .unprocessable
        }
    }

    /// What may help.
    package var retry: Retry {
        switch self {
        case .notYet, .expired, .time: .freshToken
        case .action, .data, .currency, .limit, .actMismatch: .otherAct
        case .terms: .newOffer
        case .confirmRequired: .answer
        case .budget, .disclosure: .release
        case .status: .later
        default: .never
        }
    }

    /// Whether an honest peer never causes this refusal, so that it belongs in the security log.
    package var isAttack: Bool {
        switch self {
        case .untrusted, .signature, .link, .loop, .depth, .delegate, .widened, .policy,
            .forbidden:
            true
        default: false
        }
    }

    /// The HTTP status: what REST answers and what a gRPC status is derived from. 200 where the
    /// refusal is a task state.
    package var httpStatus: Int {
        switch kind {
        case .invalid: 400
        case .forbidden: 403
        case .conflict: 409
        case .unprocessable: 422
        case .unavailable: 503
        case .authRequired, .rejected: 200
        }
    }
}
