// SPDX-License-Identifier: Apache-2.0

import Consent
import JSON
import TestSupport
import Testing

/// The closed lists: actions and their classes, errors and what they become.
@Suite struct RegistryTests {
    @Test func theTableIsTheOneOfTheSpec() throws {
        let text = try Files.bytes(Files.repository + "/Spec/actions.json")
        let table = try JSONDocument(parsing: text).root
        var names: [String] = []
        for row in try #require(table["classes"]).elements {
            let kind = try #require(row["class"]?.int.flatMap { ActionClass(rawValue: Int($0)) })
            #expect(row["level"]?.string == kind.floor.rawValue)
            for action in try #require(row["actions"]).elements {
                let name = try #require(action.string)
                #expect(ActionRegistry.standard[name] == kind, "\(name)")
                names.append(name)
            }
        }
        #expect(names.sorted() == ActionRegistry.standard.names)
        #expect(ActionRegistry.standard["order.magic"] == nil)
    }

    @Test func aConfigurationOnlyRaises() throws {
        let standard = ActionRegistry.standard
        let extended = try standard.extended(
            with: ["table.book": .contractual, "cart.update": .effectOnOthers])
        #expect(extended["table.book"] == .contractual)
        #expect(extended["cart.update"] == .effectOnOthers)
        #expect(extended["order.create"] == .contractual)
        #expect(
            throws: ActionRegistry.ExtensionError.lowered(
                "order.create", from: .contractual, to: .publicRead)
        ) { try standard.extended(with: ["order.create": .publicRead]) }
        #expect(throws: ActionRegistry.ExtensionError.name("table book")) {
            try standard.extended(with: ["table book": .contractual])
        }
    }

    @Test func standingGrantsNeverBindAnew() {
        let allowed = ActionRegistry.standard.names.filter(ActionRegistry.standard.allowsStanding)
        #expect(allowed.contains("order.create") && allowed.contains("payment.pay"))
        for action in [
            "listing.publish", "terms.accept", "subscription.start", "review.publish",
            "data.disclose", "autopay.enable", "identity.verify",
        ] {
            #expect(!allowed.contains(action), "\(action)")
        }
    }

    @Test func levelsAreOrdered() {
        #expect(ConfirmLevel.allCases == ConfirmLevel.allCases.sorted())
        #expect(ConfirmLevel.allCases.filter(\.needsConfirmation) == [.each, .eachVerified])
        #expect(ActionClass.allCases == ActionClass.allCases.sorted())
    }

    @Test func errorsBecomeTheirStatus() {
        for error in ConsentError.allCases {
            #expect(error.rawValue.hasPrefix("consent_"))
            switch error.kind {
            case .invalid: #expect(error.httpStatus == 400)
            case .forbidden: #expect(error.httpStatus == 403)
            case .conflict: #expect(error.httpStatus == 409)
            case .unprocessable: #expect(error.httpStatus == 422)
            case .unavailable: #expect(error.httpStatus == 503)
            case .authRequired, .rejected: #expect(error.httpStatus == 200)
            }
            if error.isAttack { #expect(error.retry == .never) }
        }
        #expect(ConsentError.confirmRequired.kind == .authRequired)
        #expect(ConsentError.denied.kind == .rejected)
        #expect(ConsentError.status.retry == .later)
        #expect(Refusal(.replay, "0.in_flight", isInFlight: true).httpStatus == 409)
        #expect(Refusal(.replay, "12.jti").httpStatus == 422)
    }
}
