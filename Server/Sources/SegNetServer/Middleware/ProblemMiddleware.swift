internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import Logging
internal import NIOHTTP1

/// Turns errors of endpoints into problem documents. Unexpected errors are logged and answered with a 500 without
/// details.
struct ProblemMiddleware: RouterMiddleware {
    let routes: RouteTable

    func handle(
        _ request: Request,
        context: ServiceContext,
        next: (Request, ServiceContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch {
            return problem(error, request, context).response(requestID: context.requestID)
        }
    }

    private func problem(_ error: any Error, _ request: Request, _ context: ServiceContext) -> Problem {
        switch error {
        case let problem as Problem: return problem
        case let error as MultipartError: return Problem(.badRequest, "\(error)")
        case let error as HTTPError where error.status == .notFound:
            let allowed = routes.methods(at: request.uri.path)
            return allowed.isEmpty
                ? .notFound(request.uri.path) : .methodNotAllowed(request.method, request.uri.path, allowed: allowed)
        case is CancellationError:
            return .unavailable("The service is shutting down. Try again in a moment.", retryAfter: 1)
        default:
            context.logger.error("request failed", metadata: ["error": "\(error)"])
            return Problem(
                .internalServerError,
                "The service failed on this request; its log has more under the request's id. This is a fault of the service: please report it."
            )
        }
    }
}
