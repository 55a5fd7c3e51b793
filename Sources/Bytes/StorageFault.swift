// SPDX-License-Identifier: Apache-2.0

/// Why durable state could not be read or written. It lives here because the modules that define a
/// storage protocol (Accounting, Consent, Gateway) and the one that implements them (Store) share
/// no other.
package enum StorageFault: Error, Equatable, Sendable {
    /// No room is left on the device; nothing of the transaction was kept.
    case full
    /// More waits than the store can do, or memory is short; nothing was done. Trying again later
    /// may succeed.
    case busy
    /// The device or the file system failed; the text is the engine's own, without row contents.
    case io(String)
    /// What was read cannot be what was written.
    case corrupt(String)
    /// A uniqueness or check rule of the schema refused the write; the text names the rule.
    case constraint(String)
}
