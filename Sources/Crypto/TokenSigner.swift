// SPDX-License-Identifier: Apache-2.0
import Bytes
package import JSON

/// Makes tokens of the closed profile, `Spec/signatures.md` §2.
package enum TokenSigner {
    /// The compact JWS of `claims` under the header `alg`, `typ`, `kid`, in this order.
    ///
    /// The caller answers for the claims: that they are an object within ``JSONLimits/token`` and
    /// that the token is not over ``UnverifiedToken/maximumBytes``. A verifier refuses the rest.
    package static func sign(_ claims: JSONNode, type: String, key: SigningKey) -> String {
        sign(payload: claims.bytes, type: type, key: key)
    }

    /// As ``sign(_:type:key:)``, over a payload that is already text: a second party signs the
    /// very bytes that the first signed.
    package static func sign(payload: [UInt8], type: String, key: SigningKey) -> String {
        let header: JSONNode = [
            "alg": .string(key.algorithm.name), "typ": .string(type),
            "kid": .string(key.verifying.thumbprint),
        ]
        let input = Base64URL.encode(header.bytes) + "." + Base64URL.encode(payload)
        return input + "." + Base64URL.encode(key.sign(Array(input.utf8)))
    }
}
