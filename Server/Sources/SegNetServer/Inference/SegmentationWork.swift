internal import HTTPTypes
internal import SegNetToolkit

/// One picture through one model: decode, segment, encode. Runs on a worker's thread.
struct SegmentationWork: Sendable {
    let model: ServedModel
    let parameters: SegmentParameters
    let picture: Picture
    let memory: WorkMemory
    /// The most pixels of a picture, which bound the corners of polygons.
    let maximumPixels: Int

    /// Pixels of a usual network's own size.
    private static let usualPixels = 480.0 * 360.0

    /// About how long it takes, in runs of a usual network: pixels times samples, and a little for decoding and encoding.
    var price: Double { Self.price(model, parameters, picture.header) }

    /// - Parameter header: nil before the picture is there: it is taken to be of the network's size.
    static func price(_ model: ServedModel, _ parameters: SegmentParameters, _ header: PictureHeader?) -> Double {
        let input = model.segmenter.network.input
        let (width, height) = (header?.width ?? input.width, header?.height ?? input.height)
        let run = model.segmenter.runSize(width: width, height: height, parameters.size)
        // Sides are below 2^31, but not their product with the samples.
        let network = Double(run.width) * Double(run.height) * Double(parameters.samples)
        let coding = Double(width) * Double(height) / (parameters.output == .polygons ? 4 : 16)
        return max((network + coding) / usualPixels, 0.01)
    }

    /// Whether its run has so many more pixels than the network's own size, or so many samples, that runs at the network's own size can
    /// have a workspace at the same time.
    var isLongRun: Bool {
        let input = model.segmenter.network.input
        let run = model.segmenter.runSize(width: picture.header.width, height: picture.header.height, parameters.size)
        return run.width * run.height / 4 * parameters.samples >= input.width * input.height
    }

    /// The bytes of an answer whose size is known before the work: all probabilities.
    var knownBytes: Int {
        guard parameters.output == .probabilities else { return 0 }
        let run = model.segmenter.runSize(width: picture.header.width, height: picture.header.height, parameters.size)
        return run.width * run.height * model.classes.count * MemoryLayout<Float>.stride
    }

    /// The result.
    struct Answer: Sendable {
        var bytes: [UInt8]
        var contentType: String
        var times: StageTimes
        var pixels: Int
    }

    /// The parts of an answer before they are put together.
    private struct Parts {
        var result: Segmentation
        var images: [OutputKind: [UInt8]]
        var times: StageTimes
    }

    /// The answer's bytes in the form that was asked for.
    /// - Throws: `Problem`, `CancellationError`.
    func answer(waited: Duration, isCancelled: @escaping @Sendable () -> Bool) throws -> Answer {
        var parts = try segment(waited, isCancelled)
        let start = ContinuousClock.now
        let bytes: [UInt8]
        switch parameters.output {
        case .json: bytes = JSON.bytes(document(parts))
        case .probabilities:
            let map = parts.result.probabilities ?? FloatMap(shape: [0], values: [])
            bytes = try NPYFile.encode(map.values, shape: map.shape)
        case .polygons:
            if isCancelled() { throw CancellationError() }
            bytes = try polygons(parts.result)
        default: bytes = parts.images[parameters.output] ?? []
        }
        parts.times.encode += ContinuousClock.now - start
        return Answer(
            bytes: bytes,
            contentType: parameters.output.contentType(parameters.polygons.format),
            times: parts.times,
            pixels: picture.header.pixels
        )
    }

    /// The JSON, for batches.
    func document(
        waited: Duration,
        isCancelled: @escaping @Sendable () -> Bool
    ) throws -> (document: SegmentDocument, times: StageTimes) {
        let parts = try segment(waited, isCancelled)
        return (document(parts), parts.times)
    }

    private func segment(_ waited: Duration, _ isCancelled: @escaping @Sendable () -> Bool) throws -> Parts {
        let clock = ContinuousClock()
        var times = StageTimes(queue: waited)
        let reservation = try memory.reserve(bytes: try neededBytes())
        defer { withExtendedLifetime(reservation) {} }
        let start = clock.now
        let image = try picture.decode()
        times.decode = clock.now - start
        if isCancelled() { throw CancellationError() }

        let result = try run(image, isCancelled)
        times.queue += result.timing.waiting
        times.network = result.timing.work
        if isCancelled() { throw CancellationError() }

        let encoding = clock.now
        var images: [OutputKind: [UInt8]] = [:]
        for kind in parameters.kinds where kind.isImage { images[kind] = try encode(kind, result) }
        times.encode = clock.now - encoding
        return Parts(result: result, images: images, times: times)
    }

    private func neededBytes() throws -> Int {
        let (width, height) = (picture.header.width, picture.header.height)
        let run = model.segmenter.runSize(width: width, height: height, parameters.size)
        return try Self.explained {
            try MemoryNeed.run(model, width: run.width, height: run.height)
                + MemoryNeed.picture(
                    pixels: picture.header.pixels,
                    kinds: parameters.kinds,
                    isJSON: parameters.output == .json
                )
        }
    }

    private func run(_ image: Image, _ isCancelled: @escaping @Sendable () -> Bool) throws -> Segmentation {
        var request = parameters.request
        request.isCancelled = isCancelled
        // Memory for a large run is not kept for the next one, since every model would keep some.
        defer { if parameters.size != .network { model.releaseLargeRuns() } }
        return try Self.explained { try model.segmenter.segment(image, request) }
    }

    /// The library's errors in words for clients.
    private static func explained<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as NetworkError {
            // The model ran at its own size when it was loaded: only this size is the problem.
            let words = "\(error)".replacing("\(UserChoice.size)", with: "'size'")
            throw Problem(.badRequest, "The model cannot run at this size: \(words) With size=model it can.")
        } catch let error as DenseCRFError {
            // The model's own numbers are in range: only this size is the problem.
            throw Problem(.badRequest, "The picture cannot be refined: \(error) Leave 'refine' out.")
        } catch is MemoryError {
            throw Problem.unavailable(
                "The service does not have enough memory left for this size. Use size=model, or try again later.",
                retryAfter: 5
            )
        }
    }

    private func encode(_ kind: OutputKind, _ result: Segmentation) throws -> [UInt8] {
        switch kind {
        case .mask: try result.classes.encodedPNG()
        case .color: try result.colored().encodedPNG()
        case .overlay: try result.overlay().encodedPNG()
        case .cutout: try result.cutout(of: parameters.cutoutClasses(of: model)).encodedPNG()
        case .confidence: try result.confidenceImage()?.encodedPNG() ?? []
        case .uncertainty: try result.uncertaintyImage()?.encodedPNG() ?? []
        case .probabilities, .polygons, .json: []
        }
    }

    /// The borders of all regions in the form that was asked for.
    /// - Throws: `Problem` 413 if there are too many to be written, 503 if there is no memory for them now.
    private func polygons(_ result: Segmentation) throws -> [UInt8] {
        let corners = result.classes.borderCornerCount
        let most = MemoryNeed.mostCorners(pixels: maximumPixels)
        guard corners <= most else {
            throw Problem(
                .contentTooLarge,
                "The borders of the classes have \(corners) corners; the service writes polygons of up to \(most). "
                    + "Use edges=nearest or size=model, or send a smaller picture."
            )
        }
        let reservation = try memory.reserve(
            bytes: MemoryNeed.polygons(pixels: picture.header.pixels, corners: corners)
        )
        defer { withExtendedLifetime(reservation) {} }
        let (format, tolerance) = parameters.polygons
        var writer = AnnotationWriter(
            format,
            classes: model.segmenter.outputClasses,
            tolerance: tolerance,
            isPrediction: true
        )
        writer.add(result.classes, file: picture.fileName)
        return Array(try writer.data())
    }

    private func document(_ parts: Parts) -> SegmentDocument {
        let shares = Dictionary(parts.result.shares.map { ($0.id, $0.share) }) { first, _ in first }
        return SegmentDocument(
            model: model.name,
            width: parts.result.classes.width,
            height: parts.result.classes.height,
            classes: model.classes.map {
                SegmentDocument.Part(id: $0.id, name: $0.name, color: $0.color, share: shares[$0.id] ?? 0)
            },
            samples: parameters.samples,
            timing: SegmentDocument.Timing(parts.times),
            images: parts.images.isEmpty
                ? nil : Dictionary(uniqueKeysWithValues: parts.images.map { ($0.rawValue, Base64.encode($1)) })
        )
    }
}
