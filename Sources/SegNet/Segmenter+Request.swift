internal import SegNetPlatform

extension Segmenter {
    /// What one call wants. The default: the classes, from one run at the network's size.
    ///
    ///     segmenter.segment(photo, .init(.views(.init(flip: true)), keeps: [.confidence]))
    public struct Request: Sendable {
        /// How often the network runs, and on what.
        public var runs: Runs
        /// The size at which it runs.
        public var size: RunSize
        /// The tiles in which the picture runs at its own size. Nil: the whole picture at once, or in tiles of `Tiling()` if the picture's
        /// own size is asked for and there is not enough memory for it.
        public var tiles: Tiling?
        /// How classes come from the network's size to the picture's.
        public var edges: Edges
        /// How the probabilities are refined before classes are taken from them; nil: not at all. Everything in the result then has the
        /// picture's size.
        public var refinement: Refinement?
        /// What the result holds in addition to the classes.
        public var keeps: Set<KeptOutput>
        /// Inner blobs that the result holds, by name; `Options.blobs` must name them as well. With samples they are as in the last sample.
        public var blobs: [String]
        /// Asked after each step of the network, which is a layer or a few that run together: true ends the call with
        /// `CancellationError`. An `async` call also asks its task, even while it waits for its turn.
        public var isCancelled: (@Sendable () -> Bool)?
        /// Whether a cancelled task also ends the wait for a workspace. `isCancelled` is not asked there: it is somebody else's code, which
        /// may wait for another call.
        var asksTask = false

        public init(
            _ runs: Runs = .once,
            size: RunSize = .network,
            tiles: Tiling? = nil,
            edges: Edges = .nearest,
            refinement: Refinement? = nil,
            keeps: Set<KeptOutput> = [],
            blobs: [String] = [],
            isCancelled: (@Sendable () -> Bool)? = nil
        ) {
            self.runs = runs
            self.size = size
            self.tiles = tiles
            self.edges = edges
            self.refinement = refinement
            self.keeps = keeps
            self.blobs = blobs
            self.isCancelled = isCancelled
        }

        /// Whether more than the classes of one run is asked of a network.
        func needsScores(_ scoresBlob: String) -> Bool {
            !keeps.isEmpty || runs.areViews || edges == .smooth || refinement != nil || blobs.contains(scoresBlob)
        }

        /// - Throws: `CancellationError` if the caller no longer wants the result.
        func checkCancellation() throws {
            if isCancelled?() == true { throw CancellationError() }
        }
    }

    /// How often the network runs for a picture.
    public enum Runs: Sendable, Hashable {
        case once
        /// With this many sets of dropout masks (Bayesian SegNet), at least 1: classes and confidence come from the mean probability,
        /// uncertainty from the variance. What lies before the first dropout is computed once. The same seed gives the same result, for
        /// any number of threads. Source: docs/segnet.md, Dropout and sampling.
        case samples(Int, seed: UInt64 = 0)
        /// On each view (test-time augmentation): classes and confidence come from the mean of the views' probabilities. They are resized
        /// to the picture's size and summed there, so everything in the result has the picture's size. The sum takes K x H x W x 4
        /// bytes, however many views there are.
        case views(TestTimeAugmentation)

        /// How many runs of the network follow one another.
        var count: Int { if case .samples(let count, _) = self { count } else { 1 } }
        var areSamples: Bool { if case .samples = self { true } else { false } }
        var areViews: Bool { if case .views(let views) = self { views != .none } else { false } }
    }

    /// At which size the network runs.
    public enum RunSize: Sendable, Hashable {
        /// The network's own, at which it was trained; pictures are resized to it and classes back.
        case network
        /// The picture's own. Memory grows with it.
        case picture
        /// This one, for every picture: at least 1x1, and at most 536,870,911 pixels.
        case fixed(width: Int, height: Int)
    }

    /// How classes come from the network's size to the picture's. Where the two are the same, both give the same.
    public enum Edges: String, Sendable, Hashable, CaseIterable {
        /// Each pixel of the picture has the class of the network's pixel over it. Fast, with steps where the picture is larger.
        case nearest
        /// Probabilities are interpolated, and the highest is taken at the picture's size: borders without steps, for about
        /// 3 ns a pixel and class, 0.4 s for 12 megapixels and 11 classes. Views (`Runs.views`) are always put together so.
        case smooth
    }

    /// What a result can hold in addition to the classes, at the network's resolution.
    public enum KeptOutput: Sendable, Hashable, CaseIterable {
        /// The highest probability of each pixel.
        case confidence
        /// The class scores before softmax.
        case scores
        /// The class probabilities.
        case probabilities
        /// The variance of each class's probability over Monte-Carlo samples.
        case variance
    }

    /// - Throws: `SegmenterError` for a request that contradicts itself, or that this segmenter was not made ready for.
    package func check(_ request: Request) throws(SegmenterError) {
        if options.classesOnly, request.needsScores(scoresBlob) {
            throw failure("it was made to give classes only; make the segmenter without Options(classesOnly: true).")
        }
        for blob in request.blobs where blob != scoresBlob && !options.blobs.contains(blob) {
            throw failure(
                "the blob '\(blob)' was not made ready; make the segmenter with Options(blobs: [\"\(blob)\"])."
            )
        }
        if request.tiles != nil { try checkTiles(request) }
        try check(request.size)
        switch request.runs {
        case .once: break
        case .samples(let count, _):
            guard options.sampling else {
                throw failure("it was not made ready for sampling; make the segmenter with Options(sampling: true).")
            }
            guard count > 0 else { throw failure("\(count) samples were asked for; at least 1 is needed.") }
            guard !request.keeps.contains(.scores), !request.blobs.contains(scoresBlob) else {
                throw failure("scores differ between samples and are not averaged; keep the probabilities instead.")
            }
        case .views(let views):
            let range = TestTimeAugmentation.scaleRange
            guard !views.scales.isEmpty, views.scales.allSatisfy(range.contains) else {
                throw failure(
                    "the views have the scales \(views.scales); give at least one, each in "
                        + "\(range.lowerBound)...\(range.upperBound)."
                )
            }
            guard !request.runs.areViews || !request.keeps.contains(.scores) && request.blobs.isEmpty else {
                throw failure(
                    "scores and inner blobs differ between views and are not averaged; keep the probabilities."
                )
            }
        }
    }

    /// - Throws: `SegmenterError` for a size that no picture can have.
    private func check(_ size: RunSize) throws(SegmenterError) {
        guard case .fixed(let width, let height) = size else { return }
        // Pictures of four channels have up to 2^31 - 1 samples.
        let most = Int(Int32.max) / 4
        guard width > 0, height > 0, saturatingProduct(width, height) <= most else {
            throw failure(
                "it cannot run at \(width)x\(height) pixels; use another \(UserChoice.size), of at least 1x1 and at most \(most) pixels in "
                    + "all."
            )
        }
    }

    /// - Throws: `SegmenterError` for what a refinement leaves no meaning, `DenseCRFError` for parameters out of range.
    func check(_ refinement: Refinement, of request: Request) throws {
        guard !request.runs.areSamples else {
            throw failure(
                "samples are not refined: their spread would be meaningless; leave out the samples or the refinement."
            )
        }
        guard !request.keeps.contains(.scores) && request.blobs.isEmpty else {
            throw failure("scores and inner blobs are what comes before a refinement; keep the probabilities.")
        }
        try refinement.crf(tuned: tunedCRF).check()
    }

    func failure(_ reason: String) -> SegmenterError { SegmenterError(network: network.name, reason: reason) }
}
