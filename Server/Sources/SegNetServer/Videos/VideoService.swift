internal import Dispatch
internal import HTTPTypes
internal import NIOCore
internal import NIOPosix
internal import SegNetToolkit
internal import Synchronization

/// The videos of the service. There are few at once, and one is segmented at a time; each frame is queued among the pictures of all
/// clients.
///
/// Videos and results are in a folder that only this user may read, and which is removed at the end.
final class VideoService: Sendable {
    let limits: VideoLimits
    /// Nil if ffmpeg is not installed or too old.
    let ffmpeg: FFmpeg?
    /// Why there is no ffmpeg; empty if there is.
    let reason: String
    let folder: URL
    private let pool: InferencePool
    private let beforeWork: @Sendable () -> Void
    /// The thread that segments videos.
    private let runner = NIOThreadPool(numberOfThreads: 1)
    /// The thread that examines new videos.
    private let lookers = NIOThreadPool(numberOfThreads: 1)
    private let state = Mutex(State())
    private let cleaning = Mutex<RepeatedTask?>(nil)

    private struct State {
        /// In the order of arrival.
        var jobs: [VideoJob] = []
        /// How many videos are being received or examined.
        var coming = 0
        var isStopping = false
    }

    init(_ configuration: ServiceConfiguration, pool: InferencePool) {
        limits = configuration.videos
        beforeWork = configuration.beforeWork
        self.pool = pool
        folder = FileManager.default.temporaryDirectory.appending(
            path: "segnet-videos-\(UInt64.random(in: 0 ... .max))"
        )
        do throws(VideoError) {
            ffmpeg = try configuration.findFFmpeg()
            reason = ""
        } catch {
            ffmpeg = nil
            reason = "\(error)"
        }
        runner.start()
        lookers.start()
        // Results that clients have forgotten are removed even if no request comes.
        let task = MultiThreadedEventLoopGroup.singleton.any()
            .scheduleRepeatedTask(initialDelay: .seconds(10), delay: .seconds(10)) { [weak self] _ in self?.removeOld()
            }
        cleaning.withLock { $0 = task }
    }

    var isAvailable: Bool { ffmpeg != nil && limits.bytes > 0 }

    /// How many videos have a place now.
    var count: Int { state.withLock { $0.jobs.count + $0.coming } }

    // MARK: Coming in

    /// A place for a video that is being received. It is given back with the last reference.
    final class Place: Sendable {
        private let service: VideoService
        fileprivate init(_ service: VideoService) { self.service = service }
        deinit { service.state.withLock { $0.coming -= 1 } }
    }

    /// - Throws: `Problem` 501 without ffmpeg, 503 if there is no place.
    func place() throws(Problem) -> Place {
        guard limits.bytes > 0 else {
            throw Problem(.notImplemented, "This service takes no videos. Send single frames to /v1/segment.")
        }
        guard ffmpeg != nil else {
            throw Problem(
                .notImplemented,
                "This service takes no videos, because the machine has no ffmpeg for it (\(reason)) Send single frames to /v1/segment."
            )
        }
        removeOld()
        let problem: Problem? = state.withLock { state in
            if state.isStopping {
                return .unavailable("The service is shutting down. Try again in a moment.", retryAfter: 1)
            }
            if state.jobs.count + state.coming >= limits.count,
                let index = state.jobs.firstIndex(where: { $0.state == .failed || $0.isFetched })
            {
                // A result that has been fetched no longer needs its place.
                state.jobs.remove(at: index)
            }
            guard state.jobs.count + state.coming < limits.count else {
                return .unavailable(
                    "The service has as many videos as it accepts (\(limits.count)). Try again after the time in Retry-After.",
                    retryAfter: 30
                )
            }
            state.coming += 1
            return nil
        }
        if let problem { throw problem }
        return Place(self)
    }

    /// Accepts a video that has been received.
    /// - Throws: `Problem` 413 if it exceeds a limit, 415 if it is not a video.
    func add(_ bytes: [UInt8], _ parameters: VideoParameters, _ model: ServedModel, client: String, place: Place)
        async throws
        -> VideoJob
    {
        let job = try await lookers.runIfActive { [self] in
            try make(bytes, parameters, model, client)
        }
        let isTaken = state.withLock { state in
            guard !state.isStopping else { return false }
            state.jobs.append(job)
            return true
        }
        guard isTaken else {
            throw Problem.unavailable("The service is shutting down. Try again in a moment.", retryAfter: 1)
        }
        withExtendedLifetime(place) {}
        runner.submit { [self] thread in
            guard case .active = thread else { return }
            run(job)
        }
        return job
    }

    private func make(_ bytes: [UInt8], _ parameters: VideoParameters, _ model: ServedModel, _ client: String) throws
        -> VideoJob
    {
        var random = SystemRandomNumberGenerator()
        let id = (0..<4).map { _ in
            let digits = String(UInt32(truncatingIfNeeded: random.next()), radix: 16)
            return String(repeating: "0", count: 8 - digits.count) + digits
        }.joined()
        let own = folder.appending(path: id)
        try FileManager.default.createDirectory(
            at: own,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        do {
            let path = own.appending(path: "video").path(percentEncoded: false)
            guard
                FileManager.default.createFile(
                    atPath: path,
                    contents: Data(bytes),
                    attributes: [.posixPermissions: 0o600]
                )
            else {
                throw Problem.unavailable(
                    "The service has no room on its disk for the video. Try again later.",
                    retryAfter: 60
                )
            }
            let (video, frames) = try videos(model, parameters).look(at: .file(path))
            return VideoJob(
                id: id,
                model: model,
                parameters: parameters,
                video: video,
                frames: frames,
                client: client,
                folder: own
            )
        } catch {
            try? FileManager.default.removeItem(at: own)
            if let error = error as? VideoError { throw Self.problem(error) }
            throw error
        }
    }

    private func videos(
        _ model: ServedModel,
        _ parameters: VideoParameters,
        isCancelled: (@Sendable () -> Bool)? = nil
    ) throws -> VideoSegmentation {
        guard let ffmpeg else { throw Problem(.notImplemented, reason) }
        return VideoSegmentation(
            model.segmenter,
            Segmenter.Request(edges: parameters.edges, isCancelled: isCancelled),
            options: parameters.options(limits),
            ffmpeg: ffmpeg
        )
    }

    /// The library's error, without the names of the service's own files.
    private static func problem(_ error: VideoError) -> Problem {
        let named = VideoError("The video", error.reason)
        let text = "\(named)".replacing("The video: ", with: "The video ")
        switch error.reason {
        case .tooManyPixels, .tooLong, .tooManyFrames: return Problem(.contentTooLarge, text)
        case .inputs: return Problem(.badRequest, text)
        default: return Problem(.unsupportedMediaType, text)
        }
    }

    // MARK: Working

    private func run(_ job: VideoJob) {
        let patience = limits.patience
        @Sendable func isGone() -> Bool { job.isGivenUp(patience: patience) || state.withLock { $0.isStopping } }
        guard !isGone() else { return drop(job) }
        job.begin()
        do {
            var videos = try videos(job.model, job.parameters, isCancelled: isGone)
            videos.schedule = { [self] work in try queue(work, job, isGone: isGone) }
            let report = try videos.run(
                .file(job.source),
                to: [job.parameters.output.output(path: job.result)],
                each: { _, progress in job.progress(progress.done) }
            )
            try? FileManager.default.removeItem(atPath: job.source)
            job.finish(report)
        } catch is CancellationError {
            drop(job)
        } catch let error as VideoError {
            job.fail(Self.problem(error).detail)
        } catch let problem as Problem {
            isGone() ? drop(job) : job.fail(problem.detail)
        } catch {
            job.fail("The video could not be segmented: \(error)")
        }
    }

    /// How long a frame may wait for its turn. The deadline of a request does not apply: nobody waits for an answer.
    private static let patience = Duration.seconds(3600)

    /// Does the work of one frame, queued with the pictures of all clients.
    private func queue(
        _ work: @escaping @Sendable () throws -> Segmentation,
        _ job: VideoJob,
        isGone: @escaping @Sendable () -> Bool
    ) throws -> Segmentation {
        let input = job.model.segmenter.network.input
        let pixels = Double(input.width * input.height) + Double(job.video.width * job.video.height) / 16
        let order = InferencePool.Order(
            client: job.client,
            price: max(pixels / (480 * 360), 0.01),
            isGone: isGone
        )
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        while true {
            if isGone() { throw CancellationError() }
            do {
                return try Self.wait { [self] in
                    try await pool.perform(order, until: .now + Self.patience, on: loop) { _, _ in
                        self.beforeWork()
                        return try work()
                    }
                }
            } catch let problem as Problem
                where problem.status == .serviceUnavailable && !state.withLock({ $0.isStopping })
            {
                // Too many pictures are waiting. The video waits until there is room.
                usleep(200_000)
            }
        }
    }

    private final class ResultBox<Value: Sendable>: Sendable {
        let result = Mutex<Result<Value, any Error>?>(nil)
    }

    /// Waits for asynchronous work; call this on a thread that may block.
    private static func wait<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) throws -> Value {
        let done = DispatchSemaphore(value: 0)
        let box = ResultBox<Value>()
        Task {
            let value: Result<Value, any Error>
            do { value = .success(try await body()) } catch { value = .failure(error) }
            box.result.withLock { $0 = value }
            done.signal()
        }
        done.wait()
        guard let value = box.result.withLock({ $0 }) else { throw CancellationError() }
        return try value.get()
    }

    // MARK: Jobs

    /// The video with an id. A client has asked for it, so that it is not given up.
    /// - Throws: `Problem` 404 if there is none.
    func job(_ id: String) throws(Problem) -> VideoJob {
        removeOld()
        guard let job = state.withLock({ $0.jobs.first { $0.id == id } }) else {
            throw Problem(
                .notFound,
                "There is no video '\(id.shortened)'. Results are kept for \(limits.keepTime.words), and a video that nobody asks for is given up after \(limits.patience.words)."
            )
        }
        job.ask()
        return job
    }

    func remove(_ job: VideoJob) {
        job.cancel()
        drop(job)
    }

    private func drop(_ job: VideoJob) { state.withLock { $0.jobs.removeAll { $0 === job } } }

    private func removeOld() {
        let now = ContinuousClock.now
        state.withLock { state in
            state.jobs.removeAll { job in
                if let ended = job.ended { return ended + limits.keepTime < now }
                return job.state == .waiting && job.isGivenUp(patience: limits.patience)
            }
        }
    }

    /// Gives up unfinished videos, and removes all files.
    func stop() async {
        cleaning.withLock { $0?.cancel() }
        state.withLock {
            $0.isStopping = true
            for job in $0.jobs { job.cancel() }
        }
        try? await runner.shutdownGracefully()
        try? await lookers.shutdownGracefully()
        state.withLock { $0.jobs = [] }
        try? FileManager.default.removeItem(at: folder)
    }
}
