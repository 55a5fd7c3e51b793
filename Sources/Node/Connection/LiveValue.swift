// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// A value that all workers read and a reload replaces whole.
package final class LiveValue<Value: Sendable>: Sendable {
    private let value: Mutex<Value>

    /// A value in force from the start.
    package init(_ value: Value) { self.value = Mutex(value) }

    /// The value now; whoever needs it twice for one decision reads it once.
    package var current: Value { value.withLock { $0 } }

    /// Puts another value in force for whoever asks from now on.
    package func replace(with value: Value) { self.value.withLock { $0 = value } }
}
