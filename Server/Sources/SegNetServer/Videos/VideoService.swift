internal import Dispatch
internal import HTTPTypes
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import SegNetToolkit
internal import Synchronization

/// The videos of the service. There are few at once, and one is segmented at a time; each frame is queued among the pictures of all
/// clients.
///
/// Videos and results are in a folder that only this user may read, and which is removed at the end.
final class VideoService: Sendable {
    /// What it takes to segment videos.
    private struct Means {
        var ffmpeg: FFmpeg
        var folder: VideoFolder
    }

    let limits: VideoLimits
    /// Nil if videos are not accepted.
    private let means: Means?
    /// Why videos are not accepted; empty if they are.
    let reason: String
    /// The bytes of all videos and results.
    private let disk: ByteBudget
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
        disk = ByteBudget(limit: max(limits.diskBytes, limits.bytes))
        let leftovers = VideoFolder.removeLeftovers()
        if leftovers > 0 {
            configuration.logger.info(
                "removed videos that a killed server has left",
                metadata: ["folders": "\(leftovers)"]
            )
        }
        (means, reason) = Self.means(configuration)
        runner.start()
        lookers.start()
        // Results that clients have forgotten are removed even if no request comes.
        let task = MultiThreadedEventLoopGroup.singleton.any()
            .scheduleRepeatedTask(initialDelay: .seconds(10), delay: .seconds(10)) { [weak self] _ in self?.removeOld()
            }
        cleaning.withLock { $0 = task }
    }

    private static func means(_ configuration: ServiceConfiguration) -> (Means?, reason: String) {
        guard configuration.videos.bytes > 0 else { return (nil, "The service was told to take no videos.") }
        do throws(VideoError) {
            return (Means(ffmpeg: try configuration.findFFmpeg(), folder: try VideoFolder()), "")
        } catch { return (nil, "\(error)") }
    }

    var isAvailable: Bool { means != nil }

    /// Nil if videos are not accepted.
    var folder: URL? { means?.folder.url }

    /// How many videos have a place now.
    var count: Int { state.withLock { $0.jobs.count + $0.coming } }

    // MARK: Coming in

    /// A place for a video that is being received. It is released with the last reference.
    final class Place: Sendable {
        private let service: VideoService
        /// What the video takes of the disk.
        fileprivate let disk: ByteBudget.Lease

        fileprivate init(_ service: VideoService) {
            self.service = service
            disk = service.disk.lease()
        }

        deinit { service.state.withLock { $0.coming -= 1 } }
    }

    /// - Parameter bytes: How many bytes the video has, as far as they are known.
    /// - Throws: `Problem` 501 if videos are not accepted, 503 if there is no place or no room on the disk.
    func place(bytes: Int) throws(Problem) -> Place {
        guard limits.bytes > 0 else {
            throw Problem(.notImplemented, "This service takes no videos. Send single frames to /v1/segment.")
        }
        guard isAvailable else {
            throw Problem(
                .notImplemented,
                "This service takes no videos (\(reason)) Send single frames to /v1/segment."
            )
        }
        removeOld()
        let problem: Problem? = state.withLock { state in
            if state.isStopping {
                return .unavailable("The service is shutting down. Try again in a moment.", retryAfter: 1)
            }
            if state.jobs.count + state.coming >= limits.count {
                Self.removeFirst(&state) { $0.state == .failed || $0.isFetched }
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
        let place = Place(self)
        guard hold(min(bytes, limits.bytes), on: place.disk) else { throw full }
        return place
    }

    /// Removes the oldest video of those that need their place no longer.
    /// - Returns: Whether there was one.
    @discardableResult
    private static func removeFirst(_ state: inout State, where isNeedless: (VideoJob) -> Bool) -> Bool {
        guard let index = state.jobs.firstIndex(where: isNeedless) else { return false }
        state.jobs.remove(at: index)
        return true
    }

    /// Notes how many bytes a video and its result have on the disk. Results that have been fetched give way.
    /// - Returns: Whether there is room.
    private func hold(_ bytes: Int, on disk: ByteBudget.Lease) -> Bool {
        while !disk.hold(bytes) {
            guard state.withLock({ Self.removeFirst(&$0, where: \.isFetched) }) else { return false }
        }
        return true
    }

    private var full: Problem {
        .unavailable(
            "The service has no room for another video: all videos and results together may take up \(disk.limit) bytes of its disk. "
                + "Try again after the time in Retry-After.",
            retryAfter: 30
        )
    }

    /// Accepts a video that has been received.
    /// - Throws: `Problem` 413 if it exceeds a limit, 415 if it is not a video.
    func add(_ bytes: [UInt8], _ parameters: VideoParameters, _ model: ServedModel, client: String, place: Place)
        async throws
        -> VideoJob
    {
        let job = try await lookers.runIfActive { [self] in
            guard hold(bytes.count, on: place.disk) else { throw full }
            return try make(bytes, parameters, model, client, place.disk)
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

    private func make(
        _ bytes: [UInt8],
        _ parameters: VideoParameters,
        _ model: ServedModel,
        _ client: String,
        _ disk: ByteBudget.Lease
    ) throws -> VideoJob {
        guard let folder else { throw Problem(.notImplemented, reason) }
        var random = SystemRandomNumberGenerator()
        let id = (0..<4).map { _ in
            let digits = String(UInt32(truncatingIfNeeded: random.next()), radix: 16)
            return String(repeating: "0", count: 8 - digits.count) + digits
        }.joined()
        let own = folder.appending(path: id)
        do {
            let path = own.appending(path: "video").path(percentEncoded: false)
            let made: Void? = try? FileManager.default.createDirectory(
                at: own,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
            guard made != nil,
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
                folder: own,
                disk: disk
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
        guard let means else { throw Problem(.notImplemented, reason) }
        return VideoSegmentation(
            model.segmenter,
            Segmenter.Request(edges: parameters.edges, isCancelled: isCancelled),
            options: parameters.options(limits),
            ffmpeg: means.ffmpeg
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
                each: { _, progress in
                    job.progress(progress.done)
                    try holdFiles(of: job)
                }
            )
            try? FileManager.default.removeItem(atPath: job.source)
            try holdFiles(of: job)
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

    /// - Throws: `Problem` if the result has become too large.
    private func holdFiles(of job: VideoJob) throws(Problem) {
        guard hold(job.diskBytes, on: job.disk) else {
            throw .unavailable(
                "There is no room for the result: all videos and results together may take up \(disk.limit) bytes of the "
                    + "service's disk. Send the video again later, or a shorter one.",
                retryAfter: 30
            )
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
                "There is no video '\(id.shortened)'. Results are kept for \(limits.keepTime.words), and a video that nobody asks for is dropped after \(limits.patience.words)."
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
        means?.folder.remove()
    }
}
