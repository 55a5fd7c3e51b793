// SPDX-License-Identifier: Apache-2.0
package import A2A
import Discovery
import JSON

extension GatewayState {
    /// What this gateway declares in the card of `agent`.
    ///
    /// Skills that bind the user are declared by the executor; the parameters of another's agent
    /// are repeated unchanged, so that the entrance sees the executor whatever lies between.
    package func cardExtensions(_ agent: AgentSettings, _ card: AgentCard) -> [CardExtension] {
        var extensions: [CardExtension] = []
        switch agent.destination {
        case .local:
            if !agent.skills.isEmpty {
                let offered = OfferedSkills(executor: settings.entity, skills: agent.skills)
                extensions.append(Self.consent(offered.node.bytes))
            }
        case .peer:
            if let parameters = card.parameters(of: .consent) {
                extensions.append(Self.consent(Array(parameters.raw)))
            }
        }
        extensions.append(
            CardExtension(
                uri: .accounting,
                description: "Quotes, holds and signed records of what a task costs per hop"))
        return extensions
    }

    private static func consent(_ parameters: [UInt8]) -> CardExtension {
        CardExtension(
            uri: .consent,
            description: "The user's delegated consent: grants, terms, confirmations, receipts",
            parameters: parameters)
    }
}
