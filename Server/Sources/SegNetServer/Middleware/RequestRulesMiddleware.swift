import HTTPTypes
import Hummingbird
import HummingbirdCore

/// What HTTP lets a client ask and this service does not do gets the status that says so, instead of being passed over.
struct RequestRulesMiddleware: RouterMiddleware {
    /// Browsers and proxies allow about as much.
    private static let longestTarget = 8 << 10

    func handle(
        _ request: Request,
        context: ServiceContext,
        next: (Request, ServiceContext) async throws -> Response
    ) async throws -> Response {
        let length = request.uri.string.utf8.count
        guard length <= Self.longestTarget else {
            throw Problem(
                .uriTooLong,
                "The request's address has \(length) bytes; the service takes up to \(Self.longestTarget). Send parameters as a form."
            )
        }
        if let expectation = request.headers[.expect], expectation.lowercased() != "100-continue" {
            throw Problem(
                .expectationFailed,
                "The service cannot fulfil 'Expect: \(expectation.shortened)'. Leave it out, or send 100-continue."
            )
        }
        if let coding = request.headers[.contentEncoding], coding.lowercased() != "identity" {
            throw Problem(
                .unsupportedMediaType,
                "The body is encoded as '\(coding.shortened)'. Send the picture as it is, without Content-Encoding."
            )
        }
        return try await next(request, context)
    }
}
