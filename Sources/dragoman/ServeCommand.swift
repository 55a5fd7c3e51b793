// SPDX-License-Identifier: Apache-2.0
import Bytes
import Glibc
import IO
import Node

/// `dragoman serve`
enum ServeCommand: Command {
    static let page = HelpPage(
        words: ["serve"],
        options: [
            .init("--config", "FILE", "the configuration", isRequired: true),
            .init("--workers", "N", "loops; default: one per core"),
            ControlSocket.dataOption,
        ],
        summary: "Runs the gateway until it is told to stop.",
        details: [
            """
            SIGTERM and SIGINT drain it: half-sent requests are answered, then it ends with status \
            0. SIGHUP reads the configuration again; one with a fault is named and the old one \
            stays in force.
            """,
            """
            The files of keys and certificates that the configuration names are watched: new ones \
            are taken up within seconds and drop no stream. While one cannot be used, the log, \
            'dragoman status' and the metrics say so and the last good one stays in force.
            """,
        ],
        examples: ["dragoman serve --config dragoman.json"])

    static func run(
        _ arguments: Arguments, _ shell: any Shell
    ) async throws(Failure) -> ExitCode {
        let file = try arguments.required("--config")
        let workers =
            try arguments.value("--workers", "a number from 1 to 16") { text in
                Int(text).flatMap { (1...16).contains($0) ? $0 : nil }
            } ?? cores
        if let fault = SystemLibraries.fault() { throw .no(fault) }
        var signals = StopSignals()
        var assembly = try assembly(file, shell)
        if let folder = try ControlSocket.dataFolder(arguments) {
            assembly.configuration.keepData(in: folder)
        }
        let time = SystemTime()
        let entity = assembly.configuration.entity
        let log = try log(assembly.configuration, file, time)
        defer { log.close() }
        let control: ServerControl
        let server: Server
        do {
            control = try ServerControl(
                read: {
                    log.reopen()
                    return Self.read(file, time)
                }, end: { _ = kill(getpid(), SIGTERM) })
            server = try await Server.start(
                assembly, folder: folder(of: file), workers: workers, sink: log, time: time,
                random: shell.random, version: Program.version, control: control)
        } catch let fault as Server.Fault {
            throw .no(fault.description)
        } catch {
            throw .no("\(error)")
        }
        defer { control.close() }
        for (name, address) in server.addresses.sorted(by: { $0.key < $1.key }) {
            shell.complain("\(entity): \(name) at \(address)")
        }
        while true {
            switch signals.next() {
            case .stop:
                shell.complain("\(entity): draining")
                await server.stop()
                return .success
            case .reload:
                let faults = await control.reload()
                for fault in faults { shell.complain("\(file):\(fault)") }
                shell.complain(
                    "\(entity): " + (faults.isEmpty ? "configuration reloaded" : "not reloaded"))
            }
        }
    }

    /// The access log; its path is relative to the configuration's folder.
    private static func log(
        _ configuration: Configuration, _ file: String, _ time: any TimeSource
    ) throws(Failure) -> FileLog {
        let path = configuration.accessLog
        do {
            return try FileLog(
                path == "-" ? path : LocalFile.resolve(path, besides: file), time: time)
        } catch {
            throw .no("the log \(path) cannot be opened: \(error)")
        }
    }

    /// The configuration and its files once more.
    private static func read(
        _ file: String, _ time: any TimeSource
    ) -> Result<Assembly, ConfigurationFaults> {
        do throws(LocalFile.Fault) {
            let text = try LocalFile.read(file)
            do throws(ConfigurationFaults) {
                return .success(try Assembly(parsing: text, from: file, now: time.now()))
            } catch {
                return .failure(error)
            }
        } catch {
            return .failure(
                ConfigurationFaults([
                    ConfigurationFault(
                        line: 1, column: 1, path: "", rule: "cannot be read: \(error.reason)",
                        mend: "")
                ]))
        }
    }

    /// The configuration and its files, or every fault said.
    static func assembly(_ file: String, _ shell: any Shell) throws(Failure) -> Assembly {
        let text = try Input.bytes(file)
        do {
            return try Assembly(parsing: text, from: file, now: shell.time.now())
        } catch {
            for fault in error.faults { shell.complain("\(file):\(fault)") }
            throw .no("\(file) has \(error.faults.count) fault(s)")
        }
    }

    private static func folder(of file: String) -> String {
        guard let slash = file.lastIndex(of: "/") else { return "." }
        return String(file[..<slash])
    }

    private static var cores: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }
}

/// The signals that a running gateway obeys, taken one at a time.
///
/// Handlers write to a pipe, because a blocked signal is no way: the runtime's own threads have
/// masks of their own, and one that is not blocked there would end the process.
struct StopSignals {
    enum Wish {
        case stop
        case reload
    }

    private let reader: Int32

    /// The writing end, for handlers, which can be given nothing. Set once, before the handlers.
    private nonisolated(unsafe) static var writer: Int32 = -1

    init() {
        var ends: [Int32] = [-1, -1]
        let result = unsafe pipe(&ends)
        invariant(result == 0, "a pipe can be made")
        reader = ends[0]
        unsafe Self.writer = ends[1]
        for number in [SIGTERM, SIGINT, SIGHUP] {
            signal(number) { number in
                // Only async-signal-safe calls may stand here; a full pipe has a wish already.
                var byte = UInt8(truncatingIfNeeded: number)
                _ = unsafe write(StopSignals.writer, &byte, 1)
            }
        }
    }

    /// Waits for the next one.
    mutating func next() -> Wish {
        var byte: UInt8 = 0
        while unsafe read(reader, &byte, 1) != 1 {}
        return Int32(byte) == SIGHUP ? .reload : .stop
    }
}
