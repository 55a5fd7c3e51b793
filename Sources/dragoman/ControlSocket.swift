// SPDX-License-Identifier: Apache-2.0
import HTTP
import IO
import JSON
import Node

/// A running gateway as the commands of its operator reach it.
struct ControlSocket {
    var client: ControlClient

    /// The options by which a command finds the gateway.
    static let options: [HelpPage.Option] = [
        .init("--config", "FILE", "the gateway's configuration; default: dragoman.json here"),
        .init("--control", "SOCKET", "its control socket, where the file is not at hand"),
        dataOption,
    ]

    /// The option that moves what a gateway keeps.
    static let dataOption = HelpPage.Option(
        "--data-dir", "DIR",
        "the folder of its data instead of the file's \"data\"; a relative \"control\" is in it too"
    )

    /// The folder that `--data-dir` names, from the root.
    static func dataFolder(_ arguments: Arguments) throws(Failure) -> String? {
        guard let folder = arguments["--data-dir"] else { return nil }
        do { return try LocalFile.absolute(folder) } catch {
            throw .misuse("--data-dir: \(error)")
        }
    }

    /// What `--config` is without a word.
    private static let defaultFile = "dragoman.json"

    /// Finds the socket; nothing is connected yet.
    init(_ arguments: Arguments) throws(Failure) {
        let path: String
        if let socket = arguments["--control"] {
            guard arguments["--config"] == nil, arguments["--data-dir"] == nil else {
                throw .misuse("--control names the gateway alone, without --config and --data-dir")
            }
            path = socket
        } else {
            let file = arguments["--config"] ?? Self.defaultFile
            let written = try Self.path(in: file)
            let folder = try Self.dataFolder(arguments)
            path =
                folder.map { Configuration.control(written, in: $0) }
                ?? LocalFile.resolve(written, besides: file)
        }
        guard let address = SocketAddress("unix:\(path)") else {
            throw .misuse(
                "\(path) is longer than a socket's path may be, "
                    + "\(SocketAddress.longestUnixPath) bytes")
        }
        client = ControlClient(address: address)
    }

    /// What a configuration says of its socket. The rest is not read: a file with a fault may well
    /// be that of a gateway which runs and is to be asked or ended.
    private static func path(in file: String) throws(Failure) -> String {
        let text = JSONComments.strip(try Input.bytes(file))
        do {
            let root = try JSONDocument(parsing: text).root
            return root["control"]?.string ?? Configuration.standardControl
        } catch {
            throw .misuse("\(file) is not JSON; see: dragoman check \(file)")
        }
    }

    /// Reads a page of text or JSON.
    func get(_ path: String) throws(Failure) -> ControlClient.Response {
        try checked(client.send(.init(path: path)))
    }

    /// Has something done; returns what the gateway says.
    func post(_ path: String) throws(Failure) -> ControlClient.Response {
        try checked(client.send(.init(method: .post, path: path)))
    }

    /// As ``get(_:)``, as JSON.
    func json(_ path: String) throws(Failure) -> JSONValue {
        try Self.json(try get(path))
    }

    /// The JSON of an answer.
    static func json(_ response: ControlClient.Response) throws(Failure) -> JSONValue {
        do { return try JSONDocument(parsing: response.body).root } catch {
            throw .no("the gateway's answer is not JSON: \(error)")
        }
    }

    /// 422 is an answer too: the configuration has faults, which stand in the body.
    private func checked(
        _ response: ControlClient.Response
    ) throws(Failure) -> ControlClient.Response {
        if response.status < 300 || response.status == 422 { return response }
        let error = try? JSONDocument(parsing: response.body).root["error"]
        let words =
            error?["message"]?.string ?? response.text.split(separator: "\n").first
            .map { String($0) } ?? "status \(response.status)"
        throw .no(words)
    }
}

extension HelpPage {
    /// The page of a command that speaks to a running gateway.
    static func control(
        _ words: [String], operands: [String] = [], options: [Option] = [], summary: String,
        details: [String] = [], examples: [String]
    ) -> HelpPage {
        HelpPage(
            words: words, operands: operands, options: options + ControlSocket.options,
            summary: summary, details: details, examples: examples)
    }
}
