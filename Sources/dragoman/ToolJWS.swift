// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto
import JSON

/// `dragoman tool jws verify`
enum ToolJWSVerify: Command {
    static let page = HelpPage(
        words: ["tool", "jws", "verify"], operands: ["TOKEN|-"],
        options: [
            .init("--jwk", "FILE", "the public key, a JWK of P-256 or Ed25519", isRequired: true),
            .json,
        ],
        summary: "Verifies a JSON Web Signature (RFC 7515) with the key that you name.",
        details: [
            """
            Compact or flattened JSON form; keys and addresses in its header are never used. \
            Prints the payload and ends with 0, or prints the rule that refused it and ends with 1.
            """
        ],
        examples: ["dragoman tool jws verify --jwk key.json \"$TOKEN\""])

    static func run(
        _ arguments: Arguments, _ shell: any Shell
    ) async throws(Failure) -> ExitCode {
        let jwk = try arguments.required("--jwk")
        let keyBytes = try Input.bytes(jwk)
        var token = arguments.operands[0]
        if token == "-" { token = try Input.text("-") }
        while token.last?.isWhitespace == true { token.removeLast() }
        switch verify(token, keyBytes) {
        case .success(let payload) where arguments.has("--json"):
            let encoded = JSONNode.string(Base64URL.encode(payload))
            let answer: JSONNode = ["valid": true, "payload": encoded]
            shell.say(answer.text)
        case .success(let payload):
            shell.write(payload)
        case .failure(let rule) where arguments.has("--json"):
            let answer: JSONNode = ["valid": false, "rule": .string(rule.text)]
            shell.say(answer.text)
            return .no
        case .failure(let rule):
            throw .no(rule.text)
        }
        return .success
    }

    /// The rule that a key or a signature breaks; nothing of their contents.
    private struct Rule: Error { let text: String }

    private static func verify(_ token: String, _ jwk: [UInt8]) -> Result<[UInt8], Rule> {
        do {
            let document = try JSONDocument(parsing: jwk)
            let key = try VerifyingKey(jwk: JWK(published: document.root))
            guard token.hasPrefix("{") else {
                return .success(try JWS.verify(compact: token, key: key).payload)
            }
            let value = try JSONDocument(parsing: token).root
            return .success(try JWS.verify(flattened: value, key: key).payload)
        } catch let fault as KeyError {
            return .failure(Rule(text: "key: \(fault)"))
        } catch let fault as JWSFault {
            return .failure(Rule(text: "signature: \(fault)"))
        } catch {
            return .failure(Rule(text: "not JSON: \(error)"))
        }
    }
}
