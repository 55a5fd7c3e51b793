// SPDX-License-Identifier: Apache-2.0

// The agent card and what it is made of (A2A 1.0.1, a2a.proto).

extension ProtobufMessage {
    static let agentInterface = ProtobufMessage(
        .init(1, "url", .string),
        .init(2, "protocolBinding", .string),
        .init(3, "tenant", .string),
        .init(4, "protocolVersion", .string))
    static let agentCard = ProtobufMessage(
        .init(1, "name", .string),
        .init(2, "description", .string),
        .init(3, "supportedInterfaces", .message(.agentInterface), .repeated),
        .init(4, "provider", .message(.agentProvider)),
        .init(5, "version", .string),
        .init(6, "documentationUrl", .string, .optional),
        .init(7, "capabilities", .message(.agentCapabilities)),
        .init(8, "securitySchemes", .message(.securityScheme), .map),
        .init(9, "securityRequirements", .message(.securityRequirement), .repeated),
        .init(10, "defaultInputModes", .string, .repeated),
        .init(11, "defaultOutputModes", .string, .repeated),
        .init(12, "skills", .message(.agentSkill), .repeated),
        .init(13, "signatures", .message(.agentCardSignature), .repeated),
        .init(14, "iconUrl", .string, .optional))
    static let agentProvider = ProtobufMessage(
        .init(1, "url", .string),
        .init(2, "organization", .string))
    static let agentCapabilities = ProtobufMessage(
        .init(1, "streaming", .bool, .optional),
        .init(2, "pushNotifications", .bool, .optional),
        .init(3, "extensions", .message(.agentExtension), .repeated),
        .init(4, "extendedAgentCard", .bool, .optional))
    static let agentExtension = ProtobufMessage(
        .init(1, "uri", .string),
        .init(2, "description", .string),
        .init(3, "required", .bool),
        .init(4, "params", .structure))
    static let agentSkill = ProtobufMessage(
        .init(1, "id", .string),
        .init(2, "name", .string),
        .init(3, "description", .string),
        .init(4, "tags", .string, .repeated),
        .init(5, "examples", .string, .repeated),
        .init(6, "inputModes", .string, .repeated),
        .init(7, "outputModes", .string, .repeated),
        .init(8, "securityRequirements", .message(.securityRequirement), .repeated))
    static let agentCardSignature = ProtobufMessage(
        .init(1, "protected", .string),
        .init(2, "signature", .string),
        .init(3, "header", .structure))
    static let stringList = ProtobufMessage(
        .init(1, "list", .string, .repeated))
    static let securityRequirement = ProtobufMessage(
        .init(1, "schemes", .message(.stringList), .map))
    static let securityScheme = ProtobufMessage(
        .init(1, "apiKeySecurityScheme", .message(.apiKeySecurityScheme), .oneof),
        .init(2, "httpAuthSecurityScheme", .message(.httpAuthSecurityScheme), .oneof),
        .init(3, "oauth2SecurityScheme", .message(.oauth2SecurityScheme), .oneof),
        .init(4, "openIdConnectSecurityScheme", .message(.openIdConnectSecurityScheme), .oneof),
        .init(5, "mtlsSecurityScheme", .message(.mutualTlsSecurityScheme), .oneof))
    static let apiKeySecurityScheme = ProtobufMessage(
        .init(1, "description", .string),
        .init(2, "location", .string),
        .init(3, "name", .string))
    static let httpAuthSecurityScheme = ProtobufMessage(
        .init(1, "description", .string),
        .init(2, "scheme", .string),
        .init(3, "bearerFormat", .string))
    static let oauth2SecurityScheme = ProtobufMessage(
        .init(1, "description", .string),
        .init(2, "flows", .message(.oauthFlows)),
        .init(3, "oauth2MetadataUrl", .string))
    static let openIdConnectSecurityScheme = ProtobufMessage(
        .init(1, "description", .string),
        .init(2, "openIdConnectUrl", .string))
    static let mutualTlsSecurityScheme = ProtobufMessage(
        .init(1, "description", .string))
    static let oauthFlows = ProtobufMessage(
        .init(1, "authorizationCode", .message(.authorizationCodeOAuthFlow), .oneof),
        .init(2, "clientCredentials", .message(.clientCredentialsOAuthFlow), .oneof),
        .init(3, "implicit", .message(.implicitOAuthFlow), .oneof),
        .init(4, "password", .message(.passwordOAuthFlow), .oneof),
        .init(5, "deviceCode", .message(.deviceCodeOAuthFlow), .oneof))
    static let authorizationCodeOAuthFlow = ProtobufMessage(
        .init(1, "authorizationUrl", .string),
        .init(2, "tokenUrl", .string),
        .init(3, "refreshUrl", .string),
        .init(4, "scopes", .string, .map),
        .init(5, "pkceRequired", .bool))
    static let clientCredentialsOAuthFlow = ProtobufMessage(
        .init(1, "tokenUrl", .string),
        .init(2, "refreshUrl", .string),
        .init(3, "scopes", .string, .map))
    static let implicitOAuthFlow = ProtobufMessage(
        .init(1, "authorizationUrl", .string),
        .init(2, "refreshUrl", .string),
        .init(3, "scopes", .string, .map))
    static let passwordOAuthFlow = ProtobufMessage(
        .init(1, "tokenUrl", .string),
        .init(2, "refreshUrl", .string),
        .init(3, "scopes", .string, .map))
    static let deviceCodeOAuthFlow = ProtobufMessage(
        .init(1, "deviceAuthorizationUrl", .string),
        .init(2, "tokenUrl", .string),
        .init(3, "refreshUrl", .string),
        .init(4, "scopes", .string, .map))
}
