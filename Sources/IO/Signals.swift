// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// A signal that the process is told of.
package enum Signal: CaseIterable, Hashable, Sendable {
    /// SIGTERM: drain and end.
    case terminate
    /// SIGINT: the same, from the terminal.
    case interrupt
    /// SIGHUP: read the configuration again.
    case hangUp
    /// SIGUSR1.
    case user1
    /// SIGUSR2.
    case user2
    /// SIGKILL; can be sent, never received.
    case kill

    var number: Int32 {
        switch self {
        case .terminate: SIGTERM
        case .interrupt: SIGINT
        case .hangUp: SIGHUP
        case .user1: SIGUSR1
        case .user2: SIGUSR2
        case .kill: SIGKILL
        }
    }
}

/// Signals as events of a loop (signalfd), so that nothing ever runs inside a signal handler.
///
/// First in `main`, before any thread exists, call ``block(_:)``: a thread inherits the mask of its
/// creator, and one thread without it would take the default action for the whole process.
package final class Signals: ReadinessHandler {
    private let loop: EventLoop
    private let descriptor: Descriptor
    private let expected: [Signal]
    private var registration: Registration?
    private var onSignal: ((Signal) -> Void)?

    /// Holds `signals` back from their default action in the calling thread and all it creates, and
    /// ignores SIGPIPE, which a broken connection would otherwise raise in some library.
    package static func block(_ signals: [Signal]) throws(SystemError) {
        let numbers = signals.map(\.number)
        try SystemError.check(
            "pthread_sigmask", unsafe cl_signals_block(numbers, Int32(numbers.count)))
        try SystemError.check("signal", cl_ignore_broken_pipe())
    }

    /// Calls `onSignal` on the loop for each of `signals` that the process receives. Signals of one
    /// kind that come faster than they are taken count once.
    package init(
        _ signals: [Signal], on loop: EventLoop, _ onSignal: @escaping (Signal) -> Void
    ) throws(SystemError) {
        let numbers = signals.map(\.number)
        descriptor = Descriptor(
            owning: try SystemError.check(
                "signalfd", unsafe cl_signals_descriptor(numbers, Int32(numbers.count))))
        self.loop = loop
        expected = signals
        self.onSignal = onSignal
        registration = try loop.register(descriptor.number, self)
    }

    /// Stops listening; the signals stay blocked.
    package func close() {
        guard let registration = registration.take() else { return }
        loop.deregister(registration)
        _ = cl_epoll_delete(loop.epoll.number, descriptor.number)
        onSignal = nil
    }

    func ready(_ readiness: Readiness) {
        while let onSignal {
            let number = cl_signals_take(descriptor.number)
            guard number > 0 else { return }
            if let signal = expected.first(where: { $0.number == number }) { onSignal(signal) }
        }
    }

    func revisit() {}

    func loopStopped() { close() }
}
