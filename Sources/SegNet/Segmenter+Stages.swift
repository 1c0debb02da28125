internal import SegNetCPU
internal import SegNetImages
internal import SegNetPlatform
internal import SegNetRefinement

/// A picture's way through the network: resize, run, read, and at the end back to the picture's size. Views and tiles, which look at a
/// picture several times, repeat the first stages.
extension Segmenter {
    /// The network's answer for a picture, at the size of its last maps.
    struct Answer {
        var width: Int
        var height: Int
        /// [H, W]
        var classIDs: [UInt16]
        /// [H, W]
        var confidence: [Float]?
        /// [K, H, W]
        var scores: [Float]?
        /// [K, H, W]
        var probabilities: [Float]?
        /// [K, H, W], where they are to be interpolated.
        var edgeProbabilities: [Float]?
        /// [H, W]
        var uncertainty: [Float]?
        /// [K, H, W]
        var variance: [Float]?
        var blobs: [String: FloatMap] = [:]
    }

    /// All stages. Blocks until they are done.
    func result(of picture: MultichannelImage, _ request: Request) throws -> Segmentation {
        try check(request)
        if let refinement = request.refinement { try check(refinement, of: request) }
        try request.checkCancellation()
        var watch = StageWatch()
        let size = runSize(width: picture.width, height: picture.height, request.size)
        let answer: Answer
        if let refinement = request.refinement {
            answer = try refined(refinement, picture, at: size, request, &watch)
        } else if case .views(let views) = request.runs, request.runs.areViews {
            answer = try mean(of: views, on: picture, at: size, request, &watch)
        } else if let tiling = request.tiles {
            answer = try tiled(picture, tiling, request, &watch)
        } else {
            do {
                answer = try visit(picture, at: size, request, &watch) { workspace, pixels, watch in
                    try run(workspace, on: pixels, request, &watch)
                    return try read(workspace, request)
                }
            } catch let error as MemoryError where request.size == .picture && canTile(request) {
                // In pieces it may fit.
                do { answer = try tiled(picture, Tiling(), request, &watch) } catch is MemoryError { throw error }
            }
        }
        return try segmentation(answer, of: picture, &watch)
    }

    /// Resizes the picture and waits for a workspace of that size, in which `body` runs the network as often as the request says.
    func visit<Value>(
        _ picture: MultichannelImage,
        at size: PictureSize,
        _ request: Request,
        _ watch: inout StageWatch,
        _ body: (Workspace, NetworkInput.Pixels, inout StageWatch) throws -> Value
    ) throws -> Value {
        let pixels = try input.pixels(of: picture, width: size.width, height: size.height)
        watch.lap(\.preparation)
        let givesUp = { request.asksTask && Task.isCancelled }
        return try workspaces.withWorkspace(of: size, runs: request.runs.count, givesUp: givesUp) { workspace in
            watch.lap(\.waiting)
            return try body(workspace, pixels, &watch)
        }
    }

    func run(
        _ workspace: Workspace,
        on pixels: NetworkInput.Pixels,
        _ request: Request,
        _ watch: inout StageWatch
    ) throws {
        input.fill(workspace, with: pixels)
        watch.lap(\.preparation)
        if case .samples(let count, let seed) = request.runs {
            try workspace.plan.sample(in: workspace, count: count, seed: seed) { _, _ in
                try request.checkCancellation()
            }
        } else {
            try workspace.plan.run(in: workspace) { _ in try request.checkCancellation() }
        }
        guard workspace.isFinite(scoresBlob) else { throw scoresNotFinite }
        watch.lap(\.network)
    }

    /// Takes what the request keeps from the memory of the run.
    func read(_ workspace: Workspace, _ request: Request) throws -> Answer {
        guard let shape = workspace.plan.shape(of: scoresBlob) else { throw noScores }
        func kept(_ output: KeptOutput, _ values: @autoclosure () -> [Float]?) -> [Float]? {
            request.keeps.contains(output) ? values() : nil
        }
        var answer = Answer(width: shape[2], height: shape[1], classIDs: [])
        if request.runs.areSamples {
            let keepsMean = request.edges == .smooth || request.keeps.contains(.probabilities)
            let keepsVariance = request.keeps.contains(.variance)
            guard let samples = workspace.samples(mean: keepsMean, variance: keepsVariance) else { throw noScores }
            answer.classIDs = samples.classIDs
            answer.confidence = kept(.confidence, samples.confidence)
            answer.probabilities = kept(.probabilities, samples.mean)
            if request.edges == .smooth { answer.edgeProbabilities = samples.mean }
            answer.variance = kept(.variance, samples.variance)
            answer.uncertainty = samples.uncertainty
        } else {
            guard let ids = workspace.classIDs(scoresBlob) else { throw noScores }
            answer.classIDs = ids
            answer.confidence = kept(.confidence, workspace.confidence(scoresBlob))
            answer.scores = kept(.scores, workspace.planar(scoresBlob))
        }
        for blob in request.blobs {
            answer.blobs[blob] = workspace.planar(blob).map {
                FloatMap(shape: workspace.plan.shape(of: blob) ?? [], values: $0)
            }
        }
        // Last: it overwrites the scores.
        if !request.runs.areSamples, request.edges == .smooth || request.keeps.contains(.probabilities) {
            let probabilities = workspace.probabilities(scoresBlob)
            answer.probabilities = kept(.probabilities, probabilities)
            if request.edges == .smooth { answer.edgeProbabilities = probabilities }
        }
        return answer
    }

    /// Finite weights may still be so large that their products are not.
    private var scoresNotFinite: SegmenterError {
        let rounded = prepared.options.precision == .float16 ? ", try another \(UserChoice.precision)" : ""
        return failure(
            "the scores '\(scoresBlob)' are NaN or infinite, so there are no classes; some weights of \(file) are far too large. "
                + "Use another \(UserChoice.model)\(rounded), or train this one again."
        )
    }

    var noScores: SegmenterError { failure("its last blob '\(scoresBlob)' does not hold class scores.") }

    /// Classes back at the picture's size.
    func segmentation(_ answer: Answer, of picture: MultichannelImage, _ watch: inout StageWatch) throws
        -> Segmentation
    {
        let classes = try LabelMap(width: answer.width, height: answer.height, ids: answer.classIDs)
        func map(_ values: [Float]?, _ shape: Shape) -> FloatMap? { values.map { FloatMap(shape: shape, values: $0) } }
        let perPixel: Shape = [answer.height, answer.width]
        let perClass: Shape = [classCount, answer.height, answer.width]
        var result = Segmentation(
            classes: try resized(classes, answer, width: picture.width, height: picture.height),
            networkClasses: classes,
            classTable: classTable,
            classCount: classCount,
            confidence: map(answer.confidence, perPixel),
            scores: map(answer.scores, perClass),
            probabilities: map(answer.probabilities, perClass),
            uncertainty: map(answer.uncertainty, perPixel),
            variance: map(answer.variance, perClass),
            blobs: answer.blobs,
            image: try picture.background()
        )
        watch.lap(\.reading)
        result.timing = watch.timing
        result.tileCount = watch.tileCount
        return result
    }

    // MARK: Refinement

    /// The probabilities that a refinement begins with, [K, H, W] at the picture's size, and the classes without one.
    /// - Throws: As `segment` with a refinement.
    func probabilities(of picture: MultichannelImage, _ request: Request) throws -> (values: [Float], classes: LabelMap)
    {
        var request = request
        let refinement = Refinement.denseCRF(DenseCRF())
        request.refinement = refinement
        try check(request)
        try check(refinement, of: request)
        var watch = StageWatch()
        let size = runSize(width: picture.width, height: picture.height, request.size)
        let views: TestTimeAugmentation = if case .views(let views) = request.runs { views } else { .none }
        let sum = try sum(of: views, on: picture, at: size, request, &watch)
        return (sum.mean(), try LabelMap(width: picture.width, height: picture.height, ids: sum.best().ids))
    }

    /// The probabilities of one view or the mean of several, refined at the picture's size.
    private func refined(
        _ refinement: Refinement,
        _ picture: MultichannelImage,
        at size: PictureSize,
        _ request: Request,
        _ watch: inout StageWatch
    ) throws -> Answer {
        let views: TestTimeAugmentation = if case .views(let views) = request.runs { views } else { .none }
        let sum = try sum(of: views, on: picture, at: size, request, &watch)
        watch.lap(\.reading)
        let refined = try crf(of: refinement).refine(
            probabilities: sum.mean(),
            classCount: classCount,
            picture: try picture.background(),
            threads: options.threads,
            instructionSet: prepared.options.instructionSet,
            isCancelled: request.isCancelled
        )
        watch.lap(\.refinement)
        return Answer(
            width: picture.width,
            height: picture.height,
            classIDs: refined.classes.ids,
            confidence: request.keeps.contains(.confidence) ? refined.confidence() : nil,
            probabilities: request.keeps.contains(.probabilities) ? refined.probabilities : nil
        )
    }

    /// The network's classes at the picture's size.
    private func resized(_ classes: LabelMap, _ answer: Answer, width: Int, height: Int) throws -> LabelMap {
        guard let probabilities = answer.edgeProbabilities, classes.width != width || classes.height != height else {
            return try classes.resized(width: width, height: height, nearest: .center)
        }
        let smooth = SmoothClasses(classCount: classCount, width: answer.width, height: answer.height)
        return try LabelMap(width: width, height: height, ids: smooth.ids(probabilities, width: width, height: height))
    }

    // MARK: Views

    /// The mean of the probabilities over the views, at the picture's size.
    private func mean(
        of views: TestTimeAugmentation,
        on picture: MultichannelImage,
        at base: PictureSize,
        _ request: Request,
        _ watch: inout StageWatch
    ) throws -> Answer {
        let sum = try sum(of: views, on: picture, at: base, request, &watch)
        let (ids, confidence) = sum.best()
        return Answer(
            width: picture.width,
            height: picture.height,
            classIDs: ids,
            confidence: request.keeps.contains(.confidence) ? confidence : nil,
            probabilities: request.keeps.contains(.probabilities) ? sum.mean() : nil
        )
    }

    private func sum(
        of views: TestTimeAugmentation,
        on picture: MultichannelImage,
        at base: PictureSize,
        _ request: Request,
        _ watch: inout StageWatch
    ) throws -> ProbabilitySum {
        let bytes = classCount * picture.width * picture.height * MemoryLayout<Float>.stride
        if let available = MachineMemory.available, bytes > available {
            throw MemoryError(byteCount: bytes, available: available)
        }
        var sum = ProbabilitySum(classCount: classCount, width: picture.width, height: picture.height)
        for scale in views.scales {
            func scaled(_ side: Int) -> Int { max(1, Int((Double(side) * scale).rounded())) }
            let size = PictureSize(width: scaled(base.width), height: scaled(base.height))
            try visit(picture, at: size, request, &watch) { workspace, pixels, watch in
                var values = try probabilities(in: workspace, on: pixels, request, &watch)
                // A view and its mirror are added to each other first: a sum of two does not depend on their order, so a mirrored
                // picture gives the mirrored result to the bit.
                if views.flip {
                    values.add(mirrored: try probabilities(in: workspace, on: pixels.mirrored(), request, &watch))
                }
                sum.add(values.values, width: values.shape[2], height: values.shape[1], views: views.flip ? 2 : 1)
                watch.lap(\.reading)
            }
        }
        return sum
    }

    private func probabilities(
        in workspace: Workspace,
        on pixels: NetworkInput.Pixels,
        _ request: Request,
        _ watch: inout StageWatch
    ) throws -> FloatMap {
        try run(workspace, on: pixels, request, &watch)
        guard let values = workspace.probabilities(scoresBlob), let shape = workspace.plan.shape(of: scoresBlob) else {
            throw noScores
        }
        watch.lap(\.reading)
        return FloatMap(shape: shape, values: values)
    }
}

/// Measures the stages of a call.
struct StageWatch {
    private(set) var timing = Segmentation.Timing()
    /// The number of tiles in which the picture ran.
    var tileCount = 1
    private var mark = ContinuousClock.now

    /// Adds the time since the last lap to a stage.
    mutating func lap(_ stage: WritableKeyPath<Segmentation.Timing, Duration>) {
        let now = ContinuousClock.now
        timing[keyPath: stage] += now - mark
        mark = now
    }
}

extension FloatMap {
    /// Adds maps whose rows are turned left to right.
    fileprivate mutating func add(mirrored maps: FloatMap) {
        let width = shape[shape.rank - 1]
        values.withUnsafeMutableBufferPointer { values in
            maps.values.withUnsafeBufferPointer { maps in
                for start in stride(from: 0, to: maps.count, by: width) {
                    for x in 0..<width { values[start + x] += maps[start + width - 1 - x] }
                }
            }
        }
    }
}

extension NetworkInput.Pixels {
    /// With each row turned left to right.
    fileprivate func mirrored() -> Self {
        var result = self
        let (width, height, bytes) = (width, height, pixelBytes)
        result.samples.withUnsafeMutableBufferPointer { samples in
            for row in 0..<(bytes > 0 ? height : 0) {
                for x in 0..<width / 2 {
                    for byte in 0..<bytes {
                        samples.swapAt((row * width + x) * bytes + byte, ((row + 1) * width - 1 - x) * bytes + byte)
                    }
                }
            }
        }
        for plane in planes.indices {
            for row in 0..<height { result.planes[plane][row * width..<(row + 1) * width].reverse() }
        }
        return result
    }
}
