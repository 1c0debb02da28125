internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore

/// Lets pages of the configured origins call the service (CORS). Without origins it is not installed.
///
/// Hummingbird's own leaves errors that are thrown past it without headers and answers every `OPTIONS`; this one is
/// outside of `ProblemMiddleware`, and answers only preflights of known origins.
struct CrossOriginMiddleware: RouterMiddleware {
    /// `*` for all.
    let origins: [String]

    func handle(
        _ request: Request,
        context: ServiceContext,
        next: (Request, ServiceContext) async throws -> Response
    ) async throws -> Response {
        let origin = request.headers[.origin]
        let allowed: String? =
            if origins.contains("*") { "*" } else { origin.flatMap { origins.contains($0) ? $0 : nil } }
        var response: Response
        if request.method == .options, allowed != nil, request.headers[.accessControlRequestMethod] != nil {
            response = Response(
                status: .noContent,
                headers: [
                    .accessControlAllowMethods: "GET, HEAD, POST, DELETE",
                    .accessControlAllowHeaders: "Authorization, Content-Type, X-Request-ID",
                    .accessControlMaxAge: "600",
                ]
            )
        } else {
            response = try await next(request, context)
        }
        if !origins.contains("*") { response.headers[.vary] = "Origin" }
        if origin != nil, let allowed {
            response.headers[.accessControlAllowOrigin] = allowed
            response.headers[.accessControlExposeHeaders] = "Server-Timing, X-Request-ID, Retry-After"
        }
        return response
    }
}
