internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import Logging

/// Counts each request and writes a line about it to the log.
struct ObservationMiddleware: RouterMiddleware {
    let metrics: ServiceMetrics

    func handle(
        _ request: Request,
        context: ServiceContext,
        next: (Request, ServiceContext) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        metrics.requestBegan()
        defer { metrics.requestEnded() }
        let response = try await next(request, context)
        let duration = ContinuousClock.now - start
        // The template, not the path: a scanner must not make a thousand time series.
        let route = context.endpointPath.flatMap { $0 == "NotFound" ? nil : $0 } ?? "other"
        metrics.answered(route: route, method: request.method, status: response.status.code, duration: duration)
        metrics.sent(bytes: response.body.contentLength ?? 0)
        context.logger.log(
            level: response.status.code >= 500 ? .warning : .info,
            "request",
            metadata: [
                "method": "\(request.method.rawValue.shortened)", "path": "\(request.uri.path.shortened)",
                "status": "\(response.status.code)", "bytes": "\(response.body.contentLength ?? 0)",
                "ms": "\((duration.milliseconds * 10).rounded() / 10)",
            ]
        )
        return response
    }
}
