// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import JSON

/// What must hold for any bytes at all; libFuzzer looks for bytes for which it does not. The same
/// bytes are read as everything that this module reads from strangers.
@c(LLVMFuzzerTestOneInput)
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    let text = String(decoding: bytes, as: UTF8.self)
    checkToken(text)
    checkJWS(text)
    checkKey(bytes)
    checkCertificate(bytes)
    if let chain = try? Certificate.chain(pem: text) {
        for certificate in chain { checkCertificate(certificate.der) }
    }
    _ = try? SigningKey(pem: text)
    _ = try? SigningKey(der: bytes)
    return 0
}

private let key = SigningKey.generate(.ed25519)

/// A token that is accepted has one spelling, and none is signed by a key of this very run.
private func checkToken(_ text: String) {
    guard let token = try? UnverifiedToken(compact: text) else { return }
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    invariant(parts.count == 3, "a token has three parts")
    invariant(Base64URL.encode(token.payload) == parts[1], "the payload has another spelling")
    invariant(Base64URL.encode(token.signature) == parts[2], "the signature has another spelling")
    invariant(token.signingInput == Array("\(parts[0]).\(parts[1])".utf8), "wrong signing input")
    invariant(
        (try? token.verified(by: key.verifying, type: token.type)) == nil, "a forged token")
    invariant(!key.verifying.verify(token.signature, of: token.signingInput), "a forgery")
    guard let claims = try? token.peekClaims() else { return }
    checkProfile(claims.root, depth: 1)
}

/// The payload keeps the rules of the profile, seen from outside the reader.
private func checkProfile(_ value: JSONValue, depth: Int) {
    invariant(depth <= 9 && value.count <= 64 && !value.isNull, "outside the profile")
    switch value.kind {
    case .number:
        let isSafe = value.int.map { 0...(1 << 53 - 1) ~= $0 } ?? false
        invariant(isSafe && value.rawText.utf8.allSatisfy { 0x30...0x39 ~= $0 }, "no safe integer")
    case .string:
        let isShort = (value.string?.utf8.count ?? .max) <= 2048
        invariant(isShort, "a long string")
    default:
        for element in value.elements { checkProfile(element, depth: depth + 1) }
        for (_, member) in value.members { checkProfile(member, depth: depth + 1) }
    }
}

private func checkJWS(_ text: String) {
    invariant((try? JWS.verify(compact: text, key: key.verifying)) == nil, "a forged JWS")
    _ = try? JWS.Header(protected: text)
    if let document = try? JSONDocument(parsing: text) {
        let verified = try? JWS.verify(flattened: document.root, key: key.verifying)
        invariant(verified == nil, "a forged flattened JWS")
    }
}

/// A key that is accepted can be written and read again, and can verify.
private func checkKey(_ bytes: [UInt8]) {
    guard let document = try? JSONDocument(parsing: bytes) else { return }
    _ = try? SigningKey(privateJWK: document.root)
    _ = try? JWK(published: document.root)
    guard let jwk = try? JWK(document.root) else { return }
    let again = try? JWK(JSONDocument(parsing: jwk.node.bytes).root)
    invariant(again == jwk, "a key changed on its way")
    invariant((try? VerifyingKey(jwk: jwk)) != nil, "a key that cannot verify")
}

/// A certificate that is accepted has one encoding; without an anchor no path leads anywhere.
private func checkCertificate(_ bytes: [UInt8]) {
    guard let certificate = try? Certificate(der: bytes) else { return }
    invariant(certificate.der == bytes, "another certificate")
    let again = try? Certificate.chain(pem: certificate.pem)
    invariant(again == [certificate], "a certificate changed on its way")
    let anchors = TrustAnchors(certificates: [])
    let path = try? CertificatePath.verify(
        chain: [certificate], anchors: anchors, purpose: .server, host: "a.example",
        at: certificate.notBefore)
    invariant(path == nil, "trusted without an anchor")
    _ = try? CertificatePath.identity(of: certificate)
}
