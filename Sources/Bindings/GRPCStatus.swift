// SPDX-License-Identifier: Apache-2.0
package import A2A
import Bytes
package import HTTP
import JSON

extension GRPC {
    /// The names of the status codes by their numbers.
    private static let statuses = [
        "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND",
        "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
        "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS",
        "UNAUTHENTICATED",
    ]

    /// The trailers of a call that was carried out.
    package static let success: HTTPFields = [.grpcStatus: "0"]

    /// The trailers of a call that failed (A2A §10.6): number, message, and the details as a
    /// `google.rpc.Status` in base64 without padding, as gRPC wants binary fields written.
    package static func trailers(of error: A2AError) -> HTTPFields {
        let number = statuses.firstIndex(of: error.code.status) ?? 2
        var fields: HTTPFields = [.grpcStatus: HTTPFieldValue(number)]
        if let message = try? HTTPFieldValue(percentEncoded(error.message)) {
            fields.append(.grpcMessage, message)
        }
        if let details = details(of: error, number),
            let value = try? HTTPFieldValue(unpadded(Base64.encode(details)))
        {
            fields.append(.grpcStatusDetails, value)
        }
        return fields
    }

    private static func details(of error: A2AError, _ number: Int) -> [UInt8]? {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("code", number)
        writer.member("message", error.message)
        writer.name("details")
        ErrorDetails.write(error, to: &writer)
        writer.endObject()
        guard let status = try? JSONDocument(parsing: writer.bytes).root else { return nil }
        return try? ProtobufEncoder.bytes(status, as: .status)
    }

    /// Reads the trailers of a call.
    ///
    /// - Returns: `nil` for success; `INVALID_AGENT_RESPONSE` for an end that says nothing.
    package static func error(_ trailers: HTTPFields) -> A2AError? {
        guard let text = trailers[.grpcStatus], (1...3).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(text)
        else {
            return A2AError(.invalidAgentResponse, "The agent's answer has no grpc-status")
        }
        if number == 0 { return nil }
        let name = statuses.indices.contains(number) ? statuses[number] : "UNKNOWN"
        let code = A2AError.Code(status: name) ?? .internalError
        let message = trailers[.grpcMessage].map(percentDecoded)
        let status = trailers[.grpcStatusDetails].flatMap { Base64.decodeLenient($0) }
            .flatMap { try? ProtobufDecoder.json($0[...], as: .status) }
            .flatMap { try? JSONDocument(parsing: $0).root }
        return ErrorDetails.read(
            details: status?["details"], number: Int64(code.jsonRPC), message: message)
    }

    // MARK: Text in fields

    /// Everything but printable ASCII, and the percent sign, in escapes (gRPC over HTTP/2,
    /// Status-Message).
    static func percentEncoded(_ text: String) -> String {
        let bytes = Array(text.utf8)
        var out = ""
        for (index, byte) in bytes.enumerated() {
            // A field's value neither begins nor ends with a space.
            let isInnerSpace = byte == 0x20 && index > 0 && index < bytes.count - 1
            let isPlain = byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "%")
            if isPlain || isInnerSpace {
                out.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                out += "%" + Hex.encode([byte]).uppercased()
            }
        }
        return out
    }

    /// The inverse. An escape that is none stays as it is, as gRPC has it.
    static func percentDecoded(_ text: String) -> String {
        let bytes = Array(text.utf8)
        var out: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
                let byte = Hex.decode(String(decoding: bytes[index + 1...index + 2], as: UTF8.self))
            {
                out += byte
                index += 3
            } else {
                out.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    private static func unpadded(_ base64: String) -> String {
        String(base64.prefix { $0 != "=" })
    }
}

extension HTTPFieldName {
    /// Details of an error as `google.rpc.Status`.
    package static let grpcStatusDetails: HTTPFieldName = "grpc-status-details-bin"
}
