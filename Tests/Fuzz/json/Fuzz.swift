// SPDX-License-Identifier: Apache-2.0

import Bytes
import JSON

/// What must hold for any bytes at all; libFuzzer looks for bytes for which it does not.
@c(LLVMFuzzerTestOneInput)
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    var parser = JSONParser()
    do {
        let document = try parser.parse(bytes)
        invariant(document.root.range.upperBound <= count, "a range leaves the text")
        invariant(isAccepted(bytes, .grammar), "grammar refuses what standard accepts")
        checkCanonical(document)
        checkTree(document)
    } catch {
        invariant((0...count).contains(error.offset), "a fault lies outside the text")
        invariant(error.line > 0 && error.column > 0, "lines and columns start at 1")
        invariant(!isAccepted(bytes, .token), "token accepts what standard refuses")
    }
    checkKept(&parser, bytes)
    let stripped = JSONComments.strip(bytes)
    invariant(stripped.count == count, "stripping comments moved the rest")
    invariant(JSONComments.strip(stripped).count == count, "stripping twice moved the rest")
    return 0
}

/// Canonical text is JSON, is its own canonical text, and is that of the tree as well.
private func checkCanonical(_ document: JSONDocument) {
    guard let canonical = try? JSONCanonical.encode(document.root) else { return }
    guard let again = try? JSONDocument(parsing: canonical),
        let twice = try? JSONCanonical.encode(again.root),
        let tree = try? JSONCanonical.encode(document.root.detached())
    else {
        invariant(false, "canonical text is not JSON")
        return
    }
    invariant(twice == canonical, "canonical text is not its own")
    invariant(tree == canonical, "a tree has another canonical text")
}

/// A tree written and read again is the same tree, and each member is found by its name.
private func checkTree(_ document: JSONDocument) {
    let tree = document.root.detached()
    guard let again = try? JSONDocument(parsing: tree.bytes) else {
        invariant(false, "a written tree is not JSON")
        return
    }
    invariant(again.root.detached() == tree, "a tree changed on its way")
    for (name, value) in document.root.members.prefix(40) {
        invariant(document.root[name]?.range == value.range, "a name leads elsewhere")
        var splice = JSONSplice(document)
        splice.replace(value, with: .null)
        invariant(isAccepted(splice.applied(), .standard), "a splice broke the text")
    }
}

/// A parser that has read other texts gives the verdict of a fresh one.
private func checkKept(_ parser: inout JSONParser, _ bytes: [UInt8]) {
    let kept: Bool
    do {
        try parser.check(bytes)
        kept = true
    } catch { kept = false }
    invariant(kept == isAccepted(bytes, .standard), "a kept parser remembers")
}

private func isAccepted(_ bytes: [UInt8], _ limits: JSONLimits) -> Bool {
    (try? JSONDocument(parsing: bytes, limits: limits)) != nil
}
