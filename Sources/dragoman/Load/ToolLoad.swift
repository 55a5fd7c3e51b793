// SPDX-License-Identifier: Apache-2.0
import JSON
import Node

/// `dragoman tool load`
enum ToolLoad: Command {
    static let page = HelpPage(
        words: ["tool", "load"], operands: ["URL"],
        options: [
            .init("--method", "NAME", "default: GET, with a body POST"),
            .init("--header", "FIELD", "as \"name: value\"; more than once", mayRepeat: true),
            .init("--body", "FILE", "what is sent in each request"),
            .init(
                "--fill", nil,
                "{{uuid}} in the body becomes a new UUID in each request, {{number}} its number"),
            .init("--requests", "N", "ends after so many requests"),
            .init("--duration", "SECONDS", "begins no request later than this; default: 10"),
            .init("--connections", "N", "default: 1"),
            .init("--streams", "N", "requests at a time on each connection; default: 1"),
            .init("--rate", "PER-SECOND", "open loop: requests begin at this rate, come what may"),
            .init("--threads", "N", "that share the connections; default: 1"),
            .init("--warm-up", "SECONDS", "sent first and not counted; default: 0"),
            .init("--timeout", "SECONDS", "then a request is given up; default: 10"),
            .init("--hold", "SECONDS", "keeps the idle connections after the report; default: 0"),
            .init("--expect-status", "LIST", "as 200,202 or 200-299, the default"),
            .init("--expect-text", "TEXT", "that the body of every answer holds"),
            .init(
                "--expect-json", "POINTER",
                "a value that it has, as /result, which an error of JSON-RPC lacks"),
            .init("--cert", "FILE", "shown to the server: PEM, leaf first"),
            .init("--key", "FILE", "the key of that certificate, PEM"),
            .init("--ca", "FILE", "the authorities that may vouch for the server, PEM"),
            .init("--entity", "ENTITY", "who the server must prove to be; default: its host"),
            .init(
                "--config", "FILE",
                "a gateway's configuration, instead of those four: its certificate, its partners"),
            .init("--connect", "HOST:PORT", "where to connect instead of the URL's host"),
            .init("--http1", nil, "HTTP/1.1 under TLS"),
            .init("--http2", nil, "HTTP/2 in clear text, by prior knowledge"), .json,
        ],
        summary: "Sends requests to a server of your own and measures how it answers.",
        details: [
            """
            Load only what you run yourself: to a server of others this is an attack. It sends to \
            this one URL and follows nothing.
            """,
            """
            An https:// URL is asked in HTTP/2 over TLS 1.3, its certificate judged as a gateway \
            judges it. An http:// or unix: URL, which must be on this machine, is asked in HTTP/1.1.
            """,
            """
            Without --rate the loop is closed: a request begins when one before it has ended, so \
            that a slow server is asked less. With --rate it is open: times are taken from the \
            moment at which a request should have begun, so that a server that stalls shows in \
            all requests that it kept waiting.
            """,
            """
            Times are of the requests that ended as they should and, as long as they were waited \
            for, of those that were given up. p50, p90 and p99 are up to 0.8 % above the truth. \
            Any failed request makes the exit status 1.
            """,
        ],
        examples: [
            """
            dragoman tool load https://gw.inn.example:8443/agents/table --config dragoman.json \\
                --body message.json --fill --header "content-type: application/json" \\
                --expect-json /result --connections 8 --streams 16
            """,
            "dragoman tool load http://127.0.0.1:8080/ready --rate 1000 --duration 30 --json",
        ])

    static func run(
        _ arguments: Arguments, _ shell: any Shell
    ) async throws(Failure) -> ExitCode {
        let plan = try await LoadArguments(arguments, shell).plan()
        let hold = try LoadArguments.seconds(arguments, "--hold", upTo: LoadLimits.duration)
        let report: LoadReport
        shell.progress("making \(plan.connections) connections")
        do throws(LoadFault) {
            let run = try await LoadRun(connecting: plan)
            shell.progress(LoadText.outlook(plan))
            do throws(LoadFault) {
                report = try await run.report()
            } catch {
                await run.close(after: .zero)
                throw error
            }
            if arguments.has("--json") {
                shell.say(LoadText.json(report, plan).text)
            } else {
                for line in LoadText.lines(report, plan) { shell.say(line) }
            }
            if let hold { shell.progress("keeping the connections for \(hold)") }
            await run.close(after: hold ?? .zero)
        } catch {
            throw .no(error.description)
        }
        return report.failed == 0 && report.requests > 0 ? .success : .no
    }
}
