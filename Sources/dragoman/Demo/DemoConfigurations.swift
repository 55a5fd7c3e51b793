// SPDX-License-Identifier: Apache-2.0
import Accounting
import Bytes
import Crypto
import IO
import JSON
import Node

/// The papers of the three companies: configurations and signed tariffs.
struct DemoConfigurations {
    let phone: DemoCompany
    let app: DemoCompany
    let inn: DemoCompany
    /// A company that the inn knows too, and that has nothing to do with the user.
    let rival: DemoCompany

    /// The entrance. `local` is where the user's own programs reach it.
    func entrance(local: String) -> String {
        """
        // The phone maker: an entrance. The user's assistant speaks A2A on the local listener.
        {
        \(head(phone)),
            "entities": [
                \(known(app)),
                // Two hops away; its offers are verified here all the same.
                \(known(inn))
            ],
            "listeners": [
                { "name": "peers", "kind": "link", "address": "\(phone.link)" },
                {
                    "name": "apps", "kind": "local", "address": "\(local)",
                    "anonymous": "user", "consent": true
                }
            ],
            "peers": [
                {
                    "entity": "\(app.entity)", "connect": "\(app.link)",
                    "tariff": "tariffs/app.json",
                    "agents": [
                        { "name": "dining", "listeners": [ "apps" ] },
                        { "name": "antiques", "listeners": [ "apps" ] },
                        { "name": "places", "listeners": [ "apps" ] }
                    ]
                }
            ],
            // What may be granted in the user's name. Before an order the user is asked all the
            // same; the second entry lets an agent read and nothing else.
            "consent": {
                "templates": [
                    {
                        "id": "order", "actions": [ "order.create" ], "currency": "CNY",
                        "per_act": "500.00", "total": "500.00", "count": 1,
                        "datatypes": [ "phone.number" ], "purpose": "fulfil-order",
                        "retention": 604800
                    },
                    {
                        "id": "look", "actions": [ "price.quote" ], "currency": "CNY",
                        "per_act": "0.00", "total": "0.00", "count": 1000
                    }
                ]
            }
        }

        """
    }

    /// The orchestrator.
    func orchestrator() -> String {
        """
        // The super-app: an orchestrator. It is called by the phone maker and calls the inn.
        {
        \(head(app)),
            "entities": [
                \(known(phone, grants: true)),
                \(known(inn))
            ],
            "listeners": [ { "name": "peers", "kind": "link", "address": "\(app.link)" } ],
            "peers": [
                {
                    "entity": "\(phone.entity)", "connect": "\(phone.link)",
                    "tariff": "tariffs/phone.json"
                },
                {
                    "entity": "\(inn.entity)", "connect": "\(inn.link)",
                    "tariff": "tariffs/inn.json",
                    "agents": [
                        {
                            "name": "dining", "listeners": [ "peers" ],
                            "callers": [ "\(phone.entity)" ]
                        },
                        {
                            "name": "antiques", "listeners": [ "peers" ],
                            "callers": [ "\(phone.entity)" ]
                        },
                        {
                            "name": "places", "listeners": [ "peers" ],
                            "callers": [ "\(phone.entity)" ]
                        }
                    ]
                }
            ]
        }

        """
    }

    /// The sidecar in front of the agents at `agents`, `host:port`.
    func sidecar(agents: String) -> String {
        """
        // The restaurant: a sidecar in front of its own agents, which speak plain A2A.
        {
        \(head(inn)),
            "entities": [
                \(known(app)),
                \(known(phone, grants: true)),
                \(known(rival))
            ],
            "listeners": [ { "name": "peers", "kind": "link", "address": "\(inn.link)" } ],
            "peers": [
                {
                    "entity": "\(app.entity)", "connect": "\(app.link)",
                    "tariff": "tariffs/app.json"
                },
                { "entity": "\(rival.entity)" }
            ],
            "agents": [
                {
                    "name": "dining", "url": "http://\(agents)/dining", "tier": "aware",
                    "skills": [
                        {
                            "id": "book", "commit": "order.create",
                            "datatypes": [ "phone.number" ], "purpose": "fulfil-order",
                            "retention": 604800
                        }
                    ]
                },
                {
                    "name": "antiques", "url": "http://\(agents)/antiques", "tier": "aware",
                    "skills": [ { "id": "appraise", "commit": "price.quote" } ]
                },
                // It answers questions and binds nobody: its small fees are drawn on blocks.
                { "name": "places", "url": "http://\(agents)/places" }
            ]
        }

        """
    }

    private func head(_ company: DemoCompany) -> String {
        """
            "entity": "\(company.entity)",
            "name": "\(company.name)",
            "data": "data",
            "control": "control.sock",
            "identity": { "certificate": "keys/cert.pem", "key": "keys/key.pem" }
        """
    }

    private func known(_ company: DemoCompany, grants: Bool = false) -> String {
        let folder = company.folder.split(separator: "/").last ?? ""
        let ceiling =
            grants
            ? """
            ,
                        "grants": {
                            "max_class": 4, "max_life": 600,
                            "max_per_act": { "CNY": 100000 }
                        }
            """ : ""
        return """
            {
                        "entity": "\(company.entity)", "name": "\(company.name)",
                        "trust": "../\(folder)/keys/trust.pem"\(ceiling)
                    }
            """
    }

    // MARK: Tariffs

    /// What a link costs: a fixed fee for the callee, a capped commission for the caller.
    struct Price {
        let fee: String
        let commission: Int64
        let cap: String
    }

    /// Writes the tariff of a link, signed by both sides, into both folders.
    static func sign(
        _ price: Price, caller: DemoCompany, callee: DemoCompany, _ shell: any Shell
    ) throws(Failure) {
        let now = SystemTime().now()
        let agreement = OperationID(at: now, random: shell.random)
        let commission: JSONNode = [
            "id": "take", "basis": "tx.net", "ppm": .int(price.commission),
            "cap": .string(price.cap), "floor": "0.00", "scope": "tx", "quantum": "minor",
            "round": "half-up",
        ]
        let node: JSONNode = [
            "v": "tariff/1", "agr": .string(agreement.text), "ver": 1, "ccy": "CNY",
            "edge": ["up": .string(caller.entity.text), "down": .string(callee.entity.text)],
            "from": .string(now.adding(seconds: -60).rfc3339),
            "charges": [["id": "call", "basis": "call", "fixed": .string(price.fee)]],
            "commissions": [commission],
            "bill_on": ["completed": ["*"], "failed": [], "canceled": [], "rejected": []],
            "hold": ["max_s": 1800, "delta_s": 30, "skew_s": 5],
            "block": ["amt": "10.00", "max_s": 3600, "renew_ppm": 500_000],
            "credit": ["up_owes": "50000.00", "down_owes": "50000.00", "warn_ppm": 800_000],
            "settle": ["period": "P1M", "tz": "+08:00", "min": "1.00", "due_d": 15],
            "dispute_d": 30,
        ]
        let payload = node.bytes
        func signature(_ company: DemoCompany) -> TariffFile.Signature {
            TariffFile.Signature(
                token: TokenSigner.sign(
                    .raw(payload), type: TariffFile.type, key: company.papers.key),
                certificates: [Base64.encode(company.papers.certificate.der)])
        }
        let file = TariffFile(versions: [
            .init([.caller: signature(caller), .callee: signature(callee)])
        ])
        let text = String(decoding: file.bytes, as: UTF8.self)
        for (own, other) in [(caller, callee), (callee, caller)] {
            let name = other.folder.split(separator: "/").last ?? ""
            try LocalFile.createAll([
                (path: "\(own.folder)/tariffs/\(name).json", text: text, readers: .everyone)
            ])
        }
    }
}
