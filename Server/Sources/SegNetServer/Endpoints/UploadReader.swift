internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import SegNetToolkit

/// Receives what `/v1/segment` and its batch form are sent: a picture as it is, or a form.
struct UploadReader: Sendable {
    let service: ServiceState

    struct File: Sendable {
        var name: String
        var bytes: [UInt8]
    }

    struct Upload: Sendable {
        var parameters: SegmentParameters
        var files: [File]
        /// Whether it came as a form.
        var isForm: Bool
        var lease: ByteBudget.Lease
        /// When the answer is due.
        var deadline: ContinuousClock.Instant
    }

    /// - Parameter outputs: The possible outputs, beginning with the default.
    /// - Throws: `Problem` for everything that is wrong with the request so far.
    func read(_ request: Request, _ context: ServiceContext, outputs: [OutputKind]) async throws -> Upload {
        let limits = service.configuration.limits
        // Refuse what can be refused before the body is sent.
        let query = try QueryParameters(request.uri.query)
        var parameters = try SegmentParameters(query: query, limits: limits, outputs: outputs)
        let model = try service.catalog.model(parameters.model)
        try service.pool.checkRoom(
            for: InferencePool.Order(
                client: context.channel.remoteAddress?.ipAddress ?? "",
                price: SegmentationWork.price(model, parameters, nil)
            )
        )

        let start = ContinuousClock.now
        let reader = BodyReader(limits: limits, budget: service.budget, memory: service.memory)
        let body = try await reader.read(request, context)
        let received = ContinuousClock.now
        service.metrics.received(bytes: body.bytes.count, in: received - start)

        let contentType = request.headers[.contentType] ?? ""
        var files: [File] = []
        let isForm = contentType.lowercased().hasPrefix("multipart/")
        if isForm {
            guard HeaderParameters(contentType).value == "multipart/form-data" else {
                throw Problem(
                    .unsupportedMediaType,
                    "The body is \(HeaderParameters(contentType).value.shortened). Send a PNG or JPEG photo as it is, or multipart/form-data."
                )
            }
            let form = try MultipartForm(body.bytes, contentType: contentType)
            try Self.checkNames(of: form)
            parameters = try SegmentParameters(
                query: query,
                form: form.texts(SegmentParameters.names),
                limits: limits,
                outputs: outputs
            )
            files = form.files(Self.fileField).map { File(name: $0.fileName ?? "image", bytes: $0.bytes) }
        } else {
            // The picture's format is recognised by its content: curl calls everything a form.
            files = [File(name: Picture.unnamed, bytes: body.bytes)]
        }
        return Upload(
            parameters: parameters,
            files: files,
            isForm: isForm,
            lease: body.lease,
            deadline: received + limits.deadline
        )
    }

    /// The form field of pictures.
    private static let fileField = "image"

    /// - Throws: `Problem` 400 for an unknown part, which is most likely misspelt.
    private static func checkNames(of form: MultipartForm) throws(Problem) {
        let names = [fileField] + SegmentParameters.names
        for part in form.parts where !names.contains(part.name) {
            let hint = closestName(to: part.name, among: names).map { " Did you mean '\($0)'?" } ?? ""
            throw Problem(
                .badRequest,
                "A form has no part '\(part.name.shortened)'.\(hint) The picture comes as '\(fileField)'; texts are "
                    + SegmentParameters.names.joined(separator: ", ") + "."
            )
        }
    }
}
