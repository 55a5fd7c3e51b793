// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto
import JSON

/// A first configuration for people to go on from: complete, valid, with a comment where a choice
/// is to be made.
struct ConfigurationText {
    /// What the gateway is for.
    enum Role: String, CaseIterable {
        case entrance
        case orchestrator
        case sidecar
    }

    /// What differs from one organisation to the next.
    struct Plan {
        let role: Role
        let entity: EntityID
        var name = ""
        var link = "0.0.0.0:8443"
        var local = "127.0.0.1:8080"
        var observe = "127.0.0.1:9090"
        var agentName = "agent"
        var agentURL: String?

        init(role: Role, entity: EntityID) {
            self.role = role
            self.entity = entity
        }
    }

    /// Where an entrance keeps the key that signs for a user who said yes, from the file's folder.
    static let confirmationKey = "keys/confirmation-key.pem"
    /// Names of the listeners.
    static let linkListener = "peers"
    static let localListener = "apps"

    let plan: Plan
    /// The token of an entrance's own programs; only its hash is written.
    let token: String?

    /// The file.
    var text: String {
        let members = [head, identity, entities, listeners, peers] + roleMembers
        return members.joined(separator: ",\n\n") + "\n}\n"
    }

    private var head: String {
        """
        // Configuration of a Dragoman gateway: JSON with comments. Paths are relative to this file.
        // 'dragoman check FILE' says what is wrong with it, 'dragoman serve --config FILE' runs it.
        {
            // Who this gateway is: the one URI in its certificate.
            "entity": \(quoted(plan.entity.text)),
            "name": \(quoted(plan.name)),
            // Tasks, grants and books. Back it up; two gateways cannot share it.
            "data": "data",
            // Commands to the running gateway.
            "control": "control.sock",
            // The access log, JSON lines; "-" is standard output.
            "log": { "access": "-" }
        """
    }

    private var identity: String {
        """
            // Renew with 'dragoman tool pki make'. New files are taken up within seconds; ones that
            // cannot be used are named by 'dragoman status', and the last good ones stay.
            "identity": {
                "certificate": "keys/\(CertificateFiles.certificateFile)",
                "key": "keys/\(CertificateFiles.keyFile)"
            }
        """
    }

    private var entities: String {
        """
            // Companies that are known here, near or two hops away: who vouches for each, and for
            // nobody else. "grants" says the most that grants of its users may allow here.
            // 'dragoman peer add' adds to it.
            "entities": [
                {
                    "entity": \(quoted(plan.entity.text)),
                    "name": \(quoted(plan.name)),
                    "trust": "keys/\(CertificateFiles.authorityFile)"
                }
            ]
        """
    }

    private var listeners: String {
        var lines = [
            """
                    {
                        "name": "\(Self.linkListener)",
                        "kind": "link",
                        "address": \(quoted(plan.link))
                    }
            """
        ]
        if let token {
            lines.append(
                """
                        {
                            "name": "\(Self.localListener)",
                            "kind": "local",
                            "address": \(quoted(plan.local)),
                            // Who speaks for a user. A token's hash: printf %s TOKEN | sha256sum
                            "principals": [
                                {
                                    "name": "assistant",
                                    "token_sha256": "\(Self.hash(token))"
                                }
                            ],
                            // The user's questions are read and answered here too.
                            "consent": true
                        }
                """)
        }
        lines.append(
            """
                    { "name": "observe", "kind": "observe", "address": \(quoted(plan.observe)) }
            """)
        return """
                // "link": between gateways, mutual TLS. "local": clear text, this machine only.
                // "observe": /live, /ready and /metrics.
                "listeners": [
            \(lines.joined(separator: ",\n"))
                ]
            """
    }

    private var peers: String {
        """
            // Companies that this gateway calls or is called by. 'dragoman peer add' adds to it.
            "peers": []
        """
    }

    private var roleMembers: [String] {
        switch plan.role {
        case .entrance: [consent]
        case .orchestrator: []
        case .sidecar: [agents]
        }
    }

    private var agents: String {
        """
            // Agents of this organisation. An "unchanged" agent may only be read from. One that
            // sells answers with a draft and acts on a commit part; then write "tier": "aware"
            // and what its skills do:
            //     "skills": [ { "id": "book", "commit": "order.create" } ]
            "agents": [
                {
                    "name": \(quoted(plan.agentName)),
                    "url": \(quoted(plan.agentURL ?? "")),
                    // Every peer may call it; "callers": [ "https://…" ] says which alone.
                    "tier": "unchanged"
                }
            ]
        """
    }

    private var consent: String {
        """
            // What may be granted in the user's name; before each order the user is asked all
            // the same.
            "consent": {
                "confirmation_key": "\(Self.confirmationKey)",
                "templates": [
                    {
                        "id": "order",
                        "actions": [ "order.create" ],
                        "currency": "CNY",
                        "per_act": "500.00",
                        "total": "500.00",
                        "count": 1
                    }
                ]
            }
        """
    }

    /// How a configuration knows a token: its SHA-256, lower-case hex.
    static func hash(_ token: String) -> String { Hex.encode(Digest.sha256(Array(token.utf8))) }

    private func quoted(_ text: String) -> String { JSONNode.string(text).text }
}
