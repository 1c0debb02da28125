public import SegNetImages
internal import SegNetPlatform

/// Many pictures through one segmenter: while one is in the network on all its threads, others are decoded or have their results written on
/// one thread each. Results come in the order of the sources, an error belongs to its source, and no more than a few pictures are in
/// memory at once.
///
///     let pipeline = SegmentationPipeline(segmenter) { (file: String, request) in
///         try segmenter.segment(try Image(path: file), request).overlay().write(path: file + ".overlay.png")
///     }
///     pipeline.run(files) { file, result in if case .failure(let error) = result { print(file, error) } }
public struct SegmentationPipeline<Source: Sendable, Output: Sendable>: Sendable {
    private let segmenter: Segmenter
    private let request: Segmenter.Request
    private let work: @Sendable (Source, Segmenter.Request) throws -> Output

    /// - Parameters:
    ///   - request: The request that `work` makes to the segmenter. It is handed over with an `isCancelled` that knows of the pipeline's
    ///     end.
    ///   - work: Done for each source on one of several threads, in any order: read, segment, write.
    public init(
        _ segmenter: Segmenter,
        _ request: Segmenter.Request = Segmenter.Request(),
        work: @escaping @Sendable (_ source: Source, _ request: Segmenter.Request) throws -> Output
    ) {
        self.segmenter = segmenter
        self.request = request
        self.work = work
    }

    /// Sources that are on their way at once, or done before one that comes earlier.
    private var window: Int { 2 * segmenter.workerCount }

    /// Does all sources and blocks until they are done.
    /// - Parameter body: Called on the calling thread in the order of the sources. What it throws ends the pipeline.
    public func run(
        _ sources: [Source],
        each body: (_ source: Source, _ result: Result<Output, any Error>) throws -> Void
    ) rethrows {
        guard segmenter.workerCount > 1, sources.count > 1 else {
            for source in sources { try body(source, Result { try work(source, request) }) }
            return
        }
        let state = Monitor(State())
        var stoppable = request
        stoppable.isCancelled = { [isCancelled = request.isCancelled] in
            state.look { $0.isEnded } || isCancelled?() == true
        }
        // Nothing is written any more once this has returned.
        defer {
            state.withLock { $0.isEnded = true }
            state.wait { $0.running == 0 ? () : nil }
        }
        var submitted = 0
        for index in sources.indices {
            while submitted < min(sources.count, index + window) {
                submit(submitted, sources[submitted], stoppable, state)
                submitted += 1
            }
            try body(sources[index], state.wait { $0.results.removeValue(forKey: index) })
        }
    }

    private struct State {
        var results: [Int: Result<Output, any Error>] = [:]
        var running = 0
        var isEnded = false
    }

    private func submit(_ index: Int, _ source: Source, _ request: Segmenter.Request, _ state: Monitor<State>) {
        state.withLock { $0.running += 1 }
        segmenter.threads.submit { [work] in
            let result = Result {
                try request.checkCancellation()
                return try work(source, request)
            }
            state.withLock {
                $0.results[index] = result
                $0.running -= 1
            }
        }
    }

    /// The results, one by one. Cancelling the task that asks for them ends the pipeline, and so does asking for no more.
    public func results(of sources: [Source]) -> Results { Results(pipeline: self, sources: sources) }

    /// Results in the order of the sources.
    public struct Results: AsyncSequence, Sendable {
        public typealias Element = (source: Source, result: Result<Output, any Error>)

        let pipeline: SegmentationPipeline
        let sources: [Source]

        public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(pipeline: pipeline, rest: sources[...]) }

        public struct AsyncIterator: AsyncIteratorProtocol {
            /// Cancels what is on its way once nobody asks for results any more.
            private final class OnTheirWay {
                var tasks: [(source: Source, task: Task<Output, any Error>)] = []
                deinit { for entry in tasks { entry.task.cancel() } }
            }

            let pipeline: SegmentationPipeline
            var rest: ArraySlice<Source>
            private let started = OnTheirWay()

            init(pipeline: SegmentationPipeline, rest: ArraySlice<Source>) {
                self.pipeline = pipeline
                self.rest = rest
            }

            /// - Throws: `CancellationError` if the task was cancelled. Errors of a source are in its result.
            public mutating func next() async throws -> Element? {
                try Task.checkCancellation()
                while started.tasks.count < pipeline.window, let source = rest.popFirst() {
                    started.tasks.append((source, pipeline.task(source)))
                }
                guard let (source, task) = started.tasks.first else { return nil }
                let result = await withTaskCancellationHandler {
                    await task.result
                } onCancel: {
                    task.cancel()
                }
                try Task.checkCancellation()
                started.tasks.removeFirst()
                return (source, result)
            }
        }
    }

    private func task(_ source: Source) -> Task<Output, any Error> {
        Task(executorPreference: segmenter.threads) { [segmenter, work, request] in
            try Task.checkCancellation()
            return try await segmenter.endingWait { try work(source, request.askingTask()) }
        }
    }
}

extension Segmenter {
    /// Threads of its own: one for each run at once and, unless the network has a single thread, one that decodes meanwhile.
    var workerCount: Int {
        options.concurrency + ((options.threads ?? ThreadPool.availableCores) == 1 ? 0 : 1)
    }

    /// Segments picture files, decoding some while others are in the network, and blocks until all are done.
    /// - Parameter body: Called with each file's result or error, in the order of the files. What it throws ends the run.
    public func segment(
        _ files: [String],
        _ request: Request = Request(),
        each body: (_ file: String, _ result: Result<Segmentation, any Error>) throws -> Void
    ) rethrows {
        try pipeline(request).run(files, each: body)
    }

    /// The segmentations of picture files, in their order, decoding some while others are in the network.
    ///
    ///     for try await (file, result) in segmenter.segmentations(of: files) { ... }
    public func segmentations(of files: [String], _ request: Request = Request())
        -> SegmentationPipeline<String, Segmentation>.Results
    {
        pipeline(request).results(of: files)
    }

    private func pipeline(_ request: Request) -> SegmentationPipeline<String, Segmentation> {
        SegmentationPipeline(self, request) { file, request in try self.segment(try self.read(file), request) }
    }

    /// Reads a picture file as the network takes it: a gray file is a plane to a network without colours.
    public func read(_ file: String, limits: DecodingLimits = DecodingLimits()) throws -> MultichannelImage {
        inputs.colorCount == 0 ? try inputs.read([file]) : MultichannelImage(try Image(path: file, limits: limits))
    }
}
