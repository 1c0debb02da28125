import HTTPTypes
import Hummingbird
import HummingbirdCore

/// Refuses requests that HTTP allows and this service does not support, with the status that says so, instead of ignoring them.
struct RequestRulesMiddleware: RouterMiddleware {
    /// Browsers and proxies allow about as much.
    private static let longestTarget = 8 << 10

    /// - Parameter length: Its length, in words.
    static func longTarget(_ length: String) -> String {
        "The request's address has \(length); the service takes up to \(longestTarget) bytes. Send parameters as a form."
    }

    func handle(
        _ request: Request,
        context: ServiceContext,
        next: (Request, ServiceContext) async throws -> Response
    ) async throws -> Response {
        let length = request.uri.string.utf8.count
        guard length <= Self.longestTarget else {
            throw Problem(.uriTooLong, Self.longTarget("\(length) bytes"))
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
        if let coding = request.headers[.transferEncoding], coding.lowercased() != "chunked" {
            throw Problem(
                .notImplemented,
                "The service does not know the transfer coding '\(coding.shortened)'. Send the body with its Content-Length, or chunked."
            )
        }
        return try await next(request, context)
    }
}
