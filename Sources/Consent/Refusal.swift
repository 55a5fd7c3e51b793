// SPDX-License-Identifier: Apache-2.0
package import Bytes

/// One refusal: the code that travels, and the rule and link that only the log sees.
package struct Refusal: Error, Hashable, Sendable, CustomStringConvertible {
    /// The code that travels.
    package let error: ConsentError
    /// Which check refused, as `step.name` with the step of `Spec` §4.8; never contents.
    package let rule: String
    /// The link of the chain at fault, root first from 0; nil when no single link is.
    package private(set) var link: Int?
    /// Whether the same act is being worked on at this moment: 409 with Retry-After, not 422.
    package let isInFlight: Bool

    /// A refusal by one rule.
    package init(
        _ error: ConsentError, _ rule: String, link: Int? = nil, isInFlight: Bool = false
    ) {
        self.error = error
        self.rule = rule
        self.link = link
        self.isInFlight = isInFlight
    }

    /// The HTTP status of this refusal.
    package var httpStatus: Int { isInFlight ? 409 : error.httpStatus }

    package var description: String {
        let place = link.map { " [link \($0)]" } ?? ""
        return "\(error.rawValue) \(rule)\(place)"
    }

    func at(link: Int) -> Refusal {
        var copy = self
        copy.link = link
        return copy
    }
}

/// A refusal, or the storage's own failure; the caller rolls back for either.
package enum ConsentFault: Error, Equatable, Sendable, CustomStringConvertible {
    case refused(Refusal)
    case storage(StorageFault)

    package var description: String {
        switch self {
        case .refused(let refusal): refusal.description
        case .storage(let fault): "storage: \(fault)"
        }
    }
}

/// Refuses unless `holds`. Every refusal that a check can be silenced for passes here, so that
/// mutation tests can silence them one by one through ``RefusalMask``.
func require(
    _ holds: Bool, _ error: ConsentError, _ rule: @autoclosure () -> String
) throws(Refusal) {
    if holds { return }
    let rule = rule()
    #if DEBUG
    if RefusalMask.rule == rule { return }
    #endif
    throw Refusal(error, rule)
}

#if DEBUG
/// Silences one rule for the current task. Exists in debug builds only, for mutation tests.
package enum RefusalMask {
    /// The silenced rule.
    @TaskLocal package static var rule: String?
}
#endif
