internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import NIOCore

/// `POST /v1/segment`: one picture, one answer in the form that was asked for.
struct SegmentEndpoint: Sendable {
    let upload: UploadReader
    private var service: ServiceState { upload.service }

    func respond(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let upload = try await self.upload.read(request, context, outputs: OutputKind.allCases)
        let model = try service.catalog.model(upload.parameters.model)
        try upload.parameters.check(for: model)
        guard let file = upload.files.first, upload.files.count == 1 else {
            throw Problem(
                .badRequest,
                "The form has \(upload.files.count) parts named 'image'; one is needed here. /v1/segment/batch takes several."
            )
        }
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
        // Answers that are known to be too large are refused before they are computed.
        let held = try service.roomForAnswer(bytes: work.knownBytes)
        let answer = try await service.pool.perform(
            service.order(work, context),
            until: upload.deadline,
            on: context.channel.eventLoop
        ) { [lease = upload.lease] waited, isCancelled in
            defer { withExtendedLifetime(lease) {} }
            hook()
            return try work.answer(waited: waited, isCancelled: isCancelled)
        }
        let rest = try service.roomForAnswer(bytes: max(0, answer.bytes.count - work.knownBytes))
        service.metrics.segmented(answer.times, pixels: answer.pixels)
        return Response(
            status: .ok,
            headers: [.contentType: answer.contentType, .serverTiming: answer.times.header, .cacheControl: "no-store"],
            body: HeldAnswer(answer.bytes, leases: [held, rest]).body
        )
    }
}
