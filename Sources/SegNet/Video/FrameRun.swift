internal import SegNetImages
internal import SegNetPlatform

/// Runs the frames of a video through a segmenter on several threads: one reads, some segment, and the caller gets the results in order.
final class FrameRun: Sendable {
    /// A frame that has been through the network.
    struct Done: Sendable {
        var index: Int
        var time: Int
        var segmentation: Segmentation
        /// The frame at the size of the probabilities, if it was asked for.
        var small: Image?
    }

    private struct State {
        /// Frames that were read, with their places in the order of the results.
        var waiting: [(place: Int, frame: VideoReader.Frame)] = []
        var results: [Int: Result<Done, any Error>] = [:]
        /// How many frames were put in, and how many results were taken out.
        var put = 0
        var taken = 0
        var dropped = 0
        var isRead = false
        var readError: (any Error)?
        var isEnded = false
        var isStopped = false
        var threads = 0
        var problem = ""
    }

    private let videos: VideoSegmentation
    private let request: Segmenter.Request
    private let smooths: Bool
    private let isLive: Bool
    private let state = Monitor(State())

    init(_ videos: VideoSegmentation, isLive: Bool) {
        self.videos = videos
        self.isLive = isLive
        smooths = videos.options.smoothing > 0
        var request = videos.request
        request.isCancelled = { [state, isCancelled = request.isCancelled] in
            state.look { $0.isEnded } || isCancelled?() == true
        }
        self.request = request
    }

    private var segmenter: Segmenter { videos.segmenter }

    /// Frames of a live video for which there was no time.
    var dropped: Int { state.look { $0.dropped } }
    /// Whether the user has stopped it.
    var isStopped: Bool { state.look { $0.isStopped } }
    /// Problems that the reader found.
    var problem: String { state.look { $0.problem } }

    /// The number of frames in progress at once, results that were not yet taken included.
    private var window: Int { 2 * segmenter.workerCount }

    /// Blocks until all frames are done or `shouldStop` returns true.
    func frames(
        of reader: VideoReader,
        shouldStop: @escaping @Sendable () -> Bool,
        _ body: (Done) throws -> Void
    ) throws {
        let box = ReaderBox(reader: reader)
        defer {
            state.withLock { $0.isEnded = true }
            reader.stop()
            state.wait { $0.threads == 0 ? () : nil }
        }
        try start { run in run.read(box.reader) }
        for _ in 0..<segmenter.workerCount { try start { run in run.work() } }
        try start { run in run.watch(box.reader, shouldStop) }
        while let result = nextResult() { try body(try result.get()) }
        if let error = state.look({ $0.readError }) { throw error }
        // A watcher may have stopped the reader while the last results were taken.
        try request.checkCancellation()
        if !isStopped {
            let problem = reader.problems()
            state.withLock { $0.problem = problem }
        }
    }

    /// Waits for the next result in order; nil after the last. If the user stops, frames in progress are not waited for.
    private func nextResult() -> Result<Done, any Error>? {
        state.wait { state -> Result<Done, any Error>?? in
            if let result = state.results.removeValue(forKey: state.taken) {
                state.taken += 1
                return .some(result)
            }
            if state.isStopped || state.isRead && state.taken == state.put { return .some(nil) }
            return nil
        }
    }

    /// Only one thread reads, but any thread may stop the reader.
    private struct ReaderBox: @unchecked Sendable { let reader: VideoReader }

    private func start(_ body: @escaping @Sendable (FrameRun) -> Void) throws {
        state.withLock { $0.threads += 1 }
        let hasThread = startThread {
            body(self)
            self.state.withLock { $0.threads -= 1 }
        }
        guard hasThread else {
            state.withLock { $0.threads -= 1 }
            throw VideoError("segnet", .program("the system cannot start another thread; end other programs"))
        }
    }

    // MARK: Threads

    private func read(_ reader: VideoReader) {
        do {
            while let frame = try reader.next() {
                let goesOn: Bool = state.wait { state in
                    if state.isEnded || state.isStopped { return false }
                    let isFull = state.put - state.taken >= self.window
                    if self.isLive, isFull || !state.waiting.isEmpty {
                        // If the network cannot keep up, it gets the newest frame.
                        if let place = state.waiting.first?.place { state.waiting[0] = (place, frame) }
                        state.dropped += 1
                        return true
                    }
                    if isFull { return nil }
                    state.waiting.append((state.put, frame))
                    state.put += 1
                    return true
                }
                guard goesOn else { break }
            }
        } catch { state.withLock { $0.readError = error } }
        state.withLock { $0.isRead = true }
    }

    private func work() {
        while true {
            let next: (place: Int, frame: VideoReader.Frame)?? = state.wait { state in
                if state.isEnded || state.isStopped { return .some(nil) }
                guard !state.waiting.isEmpty else { return state.isRead ? .some(nil) : nil }
                return .some(state.waiting.removeFirst())
            }
            guard case .some(.some(let (place, frame))) = next else { return }
            let result = Result { () throws -> Done in
                let work: @Sendable () throws -> Segmentation = { [segmenter, request] in
                    try segmenter.segment(frame.image, request)
                }
                let segmentation = try videos.schedule?(work) ?? work()
                var small: Image?
                if smooths, let shape = segmentation.probabilities?.shape {
                    small = try frame.image.resized(width: shape[2], height: shape[1])
                }
                return Done(index: frame.index, time: frame.time, segmentation: segmentation, small: small)
            }
            state.withLock { $0.results[place] = result }
        }
    }

    /// Ends the reading when the caller or the user wants no more frames.
    private func watch(_ reader: VideoReader, _ shouldStop: @Sendable () -> Bool) {
        while !state.look({ $0.isEnded }) {
            if shouldStop() {
                state.withLock { $0.isStopped = true }
                reader.stop()
                return
            }
            if request.isCancelled?() == true {
                reader.stop()
                return
            }
            usleep(20_000)
        }
    }
}
