internal import SegNetToolkit
internal import Synchronization

/// One video: waiting, running, done or failed. Its files are removed with the last reference.
final class VideoJob: Sendable {
    enum State: String, Codable, Sendable {
        case waiting
        case running
        case done
        case failed
    }

    private struct Changing {
        var state = State.waiting
        var frames = 0
        var totalFrames: Int?
        var begun: ContinuousClock.Instant?
        var ended: ContinuousClock.Instant?
        /// When somebody last asked for it.
        var asked = ContinuousClock.now
        var isFetched = false
        var isCancelled = false
        var classes: [Segmentation.Share]?
        var problem: String?
        var error: String?
        var resultBytes: Int?
    }

    /// Random, so that nobody can guess it.
    let id: String
    let model: ServedModel
    let parameters: VideoParameters
    let video: VideoDescription
    /// The client whose share of the workers it counts against.
    let client: String
    /// The folder of its files.
    let folder: URL
    /// What its files take of the disk.
    let disk: ByteBudget.Lease
    private let changing: Mutex<Changing>

    /// - Parameter folder: A folder of its own, with the video in it.
    init(
        id: String,
        model: ServedModel,
        parameters: VideoParameters,
        video: VideoDescription,
        frames: Int?,
        client: String,
        folder: URL,
        disk: ByteBudget.Lease
    ) {
        self.id = id
        self.model = model
        self.parameters = parameters
        self.video = video
        self.client = client
        self.folder = folder
        self.disk = disk
        changing = Mutex(Changing(totalFrames: frames))
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    var source: String { folder.appending(path: "video").path(percentEncoded: false) }
    var result: String { folder.appending(path: "result.\(parameters.output.ending)").path(percentEncoded: false) }

    /// Bytes of its files: the video, and what there is of the result.
    var diskBytes: Int {
        let path = folder.path(percentEncoded: false)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.reduce(0) { $0 + Self.size(of: "\(path)/\($1)") }
    }

    private static func size(of path: String) -> Int {
        (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
    }

    var state: State { changing.withLock { $0.state } }
    var isFetched: Bool { changing.withLock { $0.isFetched } }
    var resultBytes: Int? { changing.withLock { $0.resultBytes } }
    /// When it ended, with a result or an error.
    var ended: ContinuousClock.Instant? { changing.withLock { $0.ended } }

    func ask() { changing.withLock { $0.asked = .now } }
    func fetch() { changing.withLock { $0.isFetched = true } }
    func cancel() { changing.withLock { $0.isCancelled = true } }

    /// Whether nobody wants it any more.
    func isGivenUp(patience: Duration) -> Bool {
        changing.withLock { $0.isCancelled || $0.asked + patience < .now }
    }

    func begin() {
        changing.withLock {
            $0.state = .running
            $0.begun = .now
        }
    }

    func progress(_ done: Int) { changing.withLock { $0.frames = done } }

    func finish(_ report: VideoSegmentation.Report) {
        let size = Self.size(of: result)
        changing.withLock {
            $0.state = .done
            $0.ended = .now
            $0.frames = report.frames
            $0.totalFrames = report.frames
            $0.classes = report.shares
            let frames = report.frames == 1 ? "1 frame" : "\(report.frames) frames"
            $0.problem = report.problem.map { "ffmpeg says '\($0)'; \(frames) could be read." }
            $0.resultBytes = size
        }
    }

    func fail(_ error: String) {
        try? FileManager.default.removeItem(at: folder)
        _ = disk.hold(0)
        changing.withLock {
            $0.state = .failed
            $0.ended = .now
            $0.error = error
        }
    }

    /// The part that clients see.
    struct Document: Codable, Sendable, Hashable {
        var id: String
        var state: State
        var model: String
        var output: String
        var width: Int
        var height: Int
        /// Frames that are done.
        var frames: Int
        /// Frames in all; nil if the video does not say.
        var totalFrames: Int?
        /// How many frames are segmented per second.
        var framesPerSecond: Double?
        var secondsLeft: Double?
        var classes: [Segmentation.Share]?
        /// What is wrong with the video although it could be read.
        var problem: String?
        /// Why there is no result.
        var error: String?
        /// Where the result is, once it is there.
        var result: String?
        var resultBytes: Int?
    }

    var document: Document {
        let now = changing.withLock { $0 }
        var rate: Double?
        if let begun = now.begun, now.frames > 0 {
            let seconds = ((now.ended ?? .now) - begun) / .seconds(1)
            if seconds > 0 { rate = Double(now.frames) / seconds }
        }
        let left = now.totalFrames.flatMap { total in rate.map { Double(max(0, total - now.frames)) / $0 } }
        return Document(
            id: id,
            state: now.state,
            model: model.name,
            output: parameters.output.rawValue,
            width: video.width,
            height: video.height,
            frames: now.frames,
            totalFrames: now.totalFrames,
            framesPerSecond: rate,
            secondsLeft: now.state == .running ? left : nil,
            classes: now.classes,
            problem: now.problem,
            error: now.error,
            result: now.state == .done ? "/v1/videos/\(id)/result" : nil,
            resultBytes: now.resultBytes
        )
    }
}
