internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import NIOCore
internal import SegNetToolkit

/// `POST /v1/segment/batch`: several pictures, one after the other, each with its own result or error. A batch takes one place in the
/// queue at a time: it cannot crowd out others.
struct BatchEndpoint: Sendable {
    let upload: UploadReader
    private var service: ServiceState { upload.service }

    struct Document: Codable, Sendable {
        struct Entry: Codable, Sendable {
            var file: String
            var status: Int
            var result: SegmentDocument?
            var error: Problem.Document?
        }

        var results: [Entry]
    }

    func respond(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let upload = try await self.upload.read(request, context, outputs: [.json])
        guard upload.isForm else {
            throw Problem(
                .unsupportedMediaType,
                "A batch comes as multipart/form-data with several parts named 'image'. /v1/segment takes one picture as it is."
            )
        }
        let model = try service.catalog.model(upload.parameters.model)
        try upload.parameters.check(for: model)
        let most = service.configuration.limits.batch
        guard (1...most).contains(upload.files.count) else {
            throw Problem(
                .badRequest,
                "The form has \(upload.files.count) parts named 'image'; a batch has 1 to \(most)."
            )
        }
        var times = StageTimes()
        var results: [Document.Entry] = []
        var problems: [Problem] = []
        // The answer's pictures are held until the last one is there.
        let held = service.answers.lease()
        for file in upload.files {
            do {
                let (document, part) = try await segment(file, upload, model, context)
                try service.takeRoom(in: held, bytes: document.imageBytes)
                times += part
                results.append(Document.Entry(file: file.name, status: 200, result: document))
            } catch let problem as Problem {
                problems.append(problem)
                results.append(
                    Document.Entry(
                        file: file.name,
                        status: problem.status.code,
                        error: problem.document(requestID: context.requestID)
                    )
                )
            }
        }
        if let failure = BatchFailure(problems, of: results.count) {
            return failure.response(results, requestID: context.requestID)
        }
        let images = results.reduce(0) { $0 + ($1.result?.imageBytes ?? 0) }
        let encoding = try service.memory.reserve(bytes: 4 * images)
        let bytes = JSON.bytes(Document(results: results))
        withExtendedLifetime(encoding) {}
        try service.takeRoom(in: held, bytes: max(0, bytes.count - images))
        return Response(
            status: .ok,
            headers: [
                .contentType: "application/json", .serverTiming: times.header, .cacheControl: "no-store",
            ],
            body: HeldAnswer(bytes, leases: [held]).body
        )
    }

    private func segment(
        _ file: UploadReader.File,
        _ upload: UploadReader.Upload,
        _ model: ServedModel,
        _ context: ServiceContext
    ) async throws -> (SegmentDocument, StageTimes) {
        let picture = try Picture(name: file.name, bytes: file.bytes, limits: service.configuration.limits)
        try picture.checkRunSize(upload.parameters.size, of: model)
        try picture.checkRefinement(upload.parameters.isRefined)
        let work = SegmentationWork(
            model: model,
            parameters: upload.parameters,
            picture: picture,
            memory: service.memory,
            maximumPixels: service.configuration.limits.pixels
        )
        let hook = service.configuration.beforeWork
        let (document, times) = try await service.pool.perform(
            service.order(work, context),
            until: upload.deadline,
            on: context.channel.eventLoop
        ) { [lease = upload.lease] waited, isCancelled in
            defer { withExtendedLifetime(lease) {} }
            hook()
            return try work.document(waited: waited, isCancelled: isCancelled)
        }
        service.metrics.segmented(times, pixels: picture.header.pixels)
        return (document, times)
    }
}
