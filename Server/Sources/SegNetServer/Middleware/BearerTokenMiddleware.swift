internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore

/// Lets only requests with the token pass.
struct BearerTokenMiddleware: RouterMiddleware {
    let token: BearerToken

    func handle(
        _ request: Request,
        context: ServiceContext,
        next: (Request, ServiceContext) async throws -> Response
    ) async throws -> Response {
        let header = request.headers[.authorization]
        guard token.accepts(header) else {
            let detail =
                header == nil
                ? "This service requires a token. Send it as 'Authorization: Bearer TOKEN'."
                : "The token is wrong. Send the right one as 'Authorization: Bearer TOKEN'."
            throw Problem(.unauthorized, detail, headers: [.wwwAuthenticate: "Bearer"])
        }
        return try await next(request, context)
    }
}
