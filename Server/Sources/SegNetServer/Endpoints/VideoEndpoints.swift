internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import NIOCore
internal import SegNetToolkit

/// `/v1/videos`: clients send a video, ask for its progress and fetch its result.
struct VideoEndpoints: Sendable {
    let service: ServiceState
    private var videos: VideoService { service.videos }

    func register(on router: Router<ServiceContext>) {
        router.get("/v1/videos") { _, _ in Response(json: document) }
        // All but the list above need the token. The page asks the list what to offer.
        let group = router.group("/v1/videos")
        if let token = service.configuration.token { group.add(middleware: BearerTokenMiddleware(token: token)) }
        group.post { request, context in try await add(request, context) }
        group.get("{id}") { _, context in Response(json: try job(context).document) }
        group.delete("{id}") { _, context in
            videos.remove(try job(context))
            return Response(status: .noContent)
        }
        group.get("{id}/result") { request, context in try result(request, context) }
    }

    /// The answer to `GET /v1/videos`.
    struct Document: Codable, Sendable, Hashable {
        /// Whether videos are accepted.
        var isAvailable: Bool
        /// Why not.
        var reason: String?
        var maximumBytes: Int
        var maximumSeconds: Int
        var maximumFrames: Int
        var maximumPixels: Int
        /// How many videos have a place now.
        var count: Int
        /// How many places there are.
        var maximumCount: Int
    }

    private var document: Document {
        Document(
            isAvailable: videos.isAvailable,
            reason: videos.isAvailable ? nil : videos.reason,
            maximumBytes: videos.limits.bytes,
            maximumSeconds: videos.limits.seconds,
            maximumFrames: videos.limits.frames,
            maximumPixels: videos.limits.pixels,
            count: videos.count,
            maximumCount: videos.limits.count
        )
    }

    private func job(_ context: ServiceContext) throws -> VideoJob {
        try videos.job(context.parameters.get("id") ?? "")
    }

    // MARK: Receiving

    private func add(_ request: Request, _ context: ServiceContext) async throws -> Response {
        // Refuse what can be refused before the body is sent.
        let parameters = try VideoParameters(QueryParameters(request.uri.query))
        let model = try service.catalog.model(parameters.model)
        let place = try videos.place(bytes: request.headers[.contentLength].flatMap { Int($0) } ?? 0)
        var limits = service.configuration.limits
        limits.bytes = videos.limits.bytes
        let start = ContinuousClock.now
        let body: BodyReader.Body
        do {
            body = try await BodyReader(limits: limits, budget: service.budget, memory: service.memory)
                .read(request, context)
        } catch var problem as Problem {
            problem.detail = problem.detail.replacing("picture", with: "video")
            throw problem
        }
        service.metrics.received(bytes: body.bytes.count, in: .now - start)
        guard !body.bytes.isEmpty else {
            throw Problem(.badRequest, "The request's body is empty. Send the video's bytes.")
        }
        let client = context.channel.remoteAddress?.ipAddress ?? ""
        let job = try await videos.add(body.bytes, parameters, model, client: client, place: place)
        var response = Response(json: job.document)
        response.status = .accepted
        response.headers[.location] = "/v1/videos/\(job.id)"
        response.headers[.cacheControl] = "no-store"
        return response
    }

    // MARK: Sending

    private static let pieceBytes = 64 << 10

    private func result(_ request: Request, _ context: ServiceContext) throws -> Response {
        let job = try job(context)
        let document = job.document
        guard job.state == .done, let bytes = job.resultBytes else {
            throw Problem(
                .conflict,
                job.state == .failed
                    ? "The video has no result: \(document.error ?? "it failed.")"
                    : "The video is not done yet. Ask for it at /v1/videos/\(job.id) until its state is 'done'."
            )
        }
        guard let file = ResultFile(job.result) else {
            throw Problem.unavailable("The result cannot be read. Send the video again.", retryAfter: 1)
        }
        return Response(
            status: .ok,
            headers: [
                .contentType: job.parameters.output.contentType,
                .contentDisposition:
                    "attachment; filename=\"video.\(job.parameters.output.rawValue).\(job.parameters.output.ending)\"",
                .cacheControl: "no-store",
            ],
            body: ResponseBody(contentLength: bytes) { writer in
                // A few pieces at a time: the next is read when the client has taken those before.
                var left = bytes
                while left > 0 {
                    let piece = file.read(most: min(left, Self.pieceBytes))
                    if piece.isEmpty { break }
                    left -= piece.count
                    try await writer.write(ByteBuffer(bytes: piece))
                }
                job.fetch()
                try await writer.finish(nil)
            }
        )
    }
}

/// A file that is being sent. It may be removed meanwhile.
private final class ResultFile: Sendable {
    private let descriptor: Int32

    init?(_ path: String) {
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 { return nil }
    }

    deinit { close(descriptor) }

    /// The next bytes; none at the end.
    func read(most: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: most) { buffer, count in
            count = max(0, SegNetToolkit.read(descriptor, buffer.baseAddress, buffer.count))
        }
    }
}
