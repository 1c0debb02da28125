internal import SegNetImages
internal import SegNetPlatform

/// Segments a video: while one frame is in the network, ffmpeg decodes the next ones and encodes the last. Results have the frames' own
/// times, even if these are irregular, and the video's sound.
///
///     let videos = VideoSegmentation(segmenter, ffmpeg: try FFmpeg())
///     try videos.run(.file("clip.mp4"), to: [.video(.overlay(), path: "clip.overlay.mp4")])
public struct VideoSegmentation: Sendable {
    /// Which frames, and what is done between them.
    public struct Options: Sendable, Hashable {
        /// Only every n-th frame, at least 1. Results then have that many times fewer frames, and last as long.
        public var every = 1
        /// Where to begin, in seconds, 0...`mostSeconds`.
        public var start: Double?
        /// How much of the video, in seconds, above 0 and at most `mostSeconds`; nil for all of it.
        public var duration: Double?
        /// The greatest `start` and `duration`: 31 years.
        public static let mostSeconds = 1e9
        /// The weight of earlier frames' probabilities where the picture does not change, 0...`greatestSmoothing`. With 0 each frame
        /// stands by itself.
        public var smoothing = 0.0
        /// The greatest `smoothing`: with it a frame counts for hundreds of frames, with 1 for ever.
        public static let greatestSmoothing = 0.99
        /// The most pixels of a frame.
        public var maximumPixels = DecodingLimits().maximumPixels
        /// The longest part that may be asked for, in seconds; nil for no limit.
        public var maximumSeconds: Double?
        /// The most frames that may be asked for; nil for no limit.
        public var maximumFrames: Int?
        /// The only kinds of file that are opened, as ffmpeg's names separated by commas; nil for all that ffmpeg knows.
        public var formats: String?

        public init() {}
    }

    /// What is made from a frame.
    public enum Layer: Sendable, Hashable {
        /// The classes' colours over the picture, with an opacity of 0...1.
        case overlay(opacity: Double = 0.5)
        /// The classes in their colours.
        case color
        /// Class ids.
        case mask

        /// Its name in file names.
        public var name: String {
            switch self {
            case .overlay: "overlay"
            case .color: "color"
            case .mask: "mask"
            }
        }
    }

    /// Where results go.
    public enum Output: Sendable, Hashable {
        /// A video in `.mp4`, `.m4v`, `.mov` or `.mkv`; masks are lossless (FFV1), in `.mkv` only.
        case video(Layer, path: String)
        /// A PNG for each frame, `000042.mask.png`.
        case pictures(Layer, folder: String)
        /// A CSV table with each class's share of each frame.
        case shares(path: String)
    }

    /// A frame with its result.
    public struct Frame: Sendable {
        /// Its place in the video, or in the part that is read, from 0.
        public let number: Int
        /// When it is shown, in seconds from where the reading began.
        public let seconds: Double
        public let segmentation: Segmentation
        /// Whether a new scene begins with it; known only if probabilities are smoothed.
        public let isCut: Bool
        /// The same in the video's own units.
        let time: Int
    }

    /// How far a run has come.
    public struct Progress: Sendable, Hashable {
        public let done: Int
        /// Frames in all; nil if the video does not say.
        public let total: Int?
        /// Frames of a live video that were skipped, because there was no time for them.
        public let dropped: Int
    }

    /// The results of a run.
    public struct Report: Sendable {
        public var video: VideoDescription
        public var frames = 0
        /// Frames of a live video that were skipped, because there was no time for them.
        public var dropped = 0
        /// How many new scenes there are; nil if nothing is smoothed.
        public var cuts: Int?
        /// Each class's share of all frames together, the largest first.
        public var shares: [Segmentation.Share] = []
        /// Whether the user stopped it before the end.
        public var isStopped = false
        /// What ffmpeg found wrong with the file although frames could be read; nil if nothing is.
        public var problem: String?
        /// What a user should know about the results. Full sentences.
        public var notes: [String] = []
    }

    /// Called with the work for each frame, on several threads; nil to do it at once on the same thread. A service uses this to queue the
    /// work among its other work. What it throws ends the run.
    public var schedule: (@Sendable (_ work: @escaping @Sendable () throws -> Segmentation) throws -> Segmentation)?

    let segmenter: Segmenter
    let request: Segmenter.Request
    let options: Options
    let ffmpeg: FFmpeg

    /// - Parameters:
    ///   - request: The request to the segmenter for each frame. Its `isCancelled` ends a run without results.
    public init(
        _ segmenter: Segmenter,
        _ request: Segmenter.Request = Segmenter.Request(),
        options: Options = Options(),
        ffmpeg: FFmpeg
    ) {
        self.segmenter = segmenter
        self.options = options
        self.ffmpeg = ffmpeg
        self.request = Self.request(request, options)
    }

    /// The request together with what the options need, for `Segmenter.Options.serving(only:)`.
    public static func request(_ request: Segmenter.Request, _ options: Options) -> Segmenter.Request {
        guard options.smoothing > 0 else { return request }
        var request = request
        request.keeps.insert(.probabilities)
        return request
    }

    /// Examines a video without reading its frames.
    /// - Returns: Its description, and how many frames a run would have, if the file says.
    /// - Throws: `VideoError` if a run would fail at once.
    public func look(at input: VideoInput) throws(VideoError) -> (video: VideoDescription, frames: Int?) {
        try check(input, [])
        let video = try OpenedVideo(input, ffmpeg, options)
        try check(video.description, input)
        return (video.description, part.frameCount(of: video.description))
    }

    private var part: VideoPart { VideoPart(every: options.every, start: options.start, duration: options.duration) }

    /// Segments a video and blocks until it is done.
    /// - Parameters:
    ///   - outputs: Where results go. They get their final names at the end, and an error leaves none, except pictures of frames.
    ///   - shouldStop: Asked all the time. True ends the run as if the video ended there, with complete files for what is done.
    ///   - each: Called on the calling thread after each frame, in their order. What it throws ends the run.
    /// - Throws: `VideoError`; what the segmenter throws; `CancellationError` if the request's `isCancelled` returns true.
    @discardableResult
    public func run(
        _ input: VideoInput,
        to outputs: [Output],
        shouldStop: @escaping @Sendable () -> Bool = { false },
        each body: (Frame, Progress) throws -> Void = { _, _ in }
    ) throws -> Report {
        try check(input, outputs)
        let video = try OpenedVideo(input, ffmpeg, options)
        let description = video.description
        try check(description, input)
        let part = part
        let sinks = try outputs.map { try sink($0, video, part) }
        var report = Report(video: description)
        report.notes = notes(video, outputs)
        let total = part.frameCount(of: description)
        var counts: [Int] = []
        var smoother = options.smoothing > 0 ? FrameSmoother(request, strength: options.smoothing) : nil
        let run = FrameRun(self, isLive: input.isLive)
        try run.frames(of: VideoReader(video, part), shouldStop: shouldStop) { done in
            let seconds = Double(done.time) * description.timeBase.value
            if let limit = options.maximumSeconds, seconds > limit {
                throw VideoError(input.name, .tooLong(seconds: seconds, limit: limit))
            }
            if let limit = options.maximumFrames, report.frames >= limit {
                throw VideoError(input.name, .tooManyFrames(report.frames + 1, limit: limit))
            }
            let (segmentation, isCut) =
                try smoother?.smooth(done.segmentation, done.small) ?? (done.segmentation, false)
            let frame = Frame(
                number: done.index * options.every,
                seconds: seconds,
                segmentation: segmentation,
                isCut: isCut,
                time: done.time
            )
            for sink in sinks { try sink.write(frame) }
            counts.add(segmentation.classes.pixelCounts(classCount: segmenter.classCount))
            report.frames += 1
            try body(frame, Progress(done: report.frames, total: total, dropped: run.dropped))
        }
        report.dropped = run.dropped
        report.isStopped = run.isStopped
        report.problem = run.problem.isEmpty || run.isStopped ? nil : run.problem
        guard report.frames > 0 else { throw VideoError(input.name, .noFrames(run.problem)) }
        for sink in sinks { try sink.finish(isWhole: !run.isStopped) }
        report.cuts = smoother?.cuts
        report.shares = shares(counts)
        return report
    }

    // MARK: Checks

    private func check(_ input: VideoInput, _ outputs: [Output]) throws(VideoError) {
        let words = segmenter.inputs.words
        guard words.count == 1, segmenter.inputs.colorCount > 0 else {
            throw VideoError(input.name, .inputs(words.joined(separator: ", ")))
        }
        let (start, duration) = (options.start ?? 0, options.duration ?? Options.mostSeconds)
        guard (1...Int(Int32.max)).contains(options.every), (0...Options.mostSeconds).contains(start),
            duration > 0 && duration <= Options.mostSeconds,
            (0...Options.greatestSmoothing).contains(options.smoothing)
        else {
            let most = Int(Options.mostSeconds)
            throw VideoError(
                input.name,
                .request(
                    "every has to be in 1...\(Int32.max), start in 0...\(most), duration above 0 and at most \(most) (leave it out for "
                        + "the whole video), smoothing in 0...\(Options.greatestSmoothing)"
                )
            )
        }
        guard !input.isLive || options.start == nil else {
            throw VideoError(input.name, .request("is live, so it begins now; leave out the start"))
        }
        if let path = outputs.compactMap(\.file).first(where: { Self.isSame($0, input) }) {
            throw VideoError(path, .request("is the video that is read; choose another name for the result"))
        }
    }

    private static func isSame(_ path: String, _ input: VideoInput) -> Bool {
        guard case .file(let file) = input else { return false }
        func real(_ path: String) -> String { URL(filePath: path).standardizedFileURL.resolvingSymlinksInPath().path }
        return real(path) == real(file)
    }

    private func check(_ video: VideoDescription, _ input: VideoInput) throws(VideoError) {
        let (pixels, overflow) = video.width.multipliedReportingOverflow(by: video.height)
        guard !overflow, pixels <= options.maximumPixels else {
            throw VideoError(
                input.name,
                .tooManyPixels(width: video.width, height: video.height, limit: options.maximumPixels)
            )
        }
        if let limit = options.maximumSeconds, let seconds = part.seconds(of: video), seconds > limit {
            throw VideoError(input.name, .tooLong(seconds: seconds, limit: limit))
        }
        if let limit = options.maximumFrames, let count = part.frameCount(of: video), count > limit {
            throw VideoError(input.name, .tooManyFrames(count, limit: limit))
        }
    }

    private func notes(_ video: OpenedVideo, _ outputs: [Output]) -> [String] {
        let description = video.description
        let isShown = outputs.contains { if case .video(let layer, _) = $0 { layer != .mask } else { false } }
        guard isShown else { return [] }
        var notes: [String] = []
        if description.hasAudio, !video.canReopen {
            notes.append("the sound of \(video.input.name) is not kept: it can be read only once.")
        }
        if description.bits > 8 {
            notes.append(
                "\(video.input.name) has \(description.bits) bits per sample; the network reads 8, and the video that is written has 8."
            )
        }
        if description.colors.isHDR {
            notes.append(
                "\(video.input.name) is in HDR, for which the network was not trained; convert it with ffmpeg's tonemap filter for better classes."
            )
        }
        if description.width % 2 == 1 || description.height % 2 == 1 {
            notes.append(
                "\(description.width)x\(description.height) has an odd side; the size is kept by writing full colour resolution (yuv444p), which not every device plays."
            )
        }
        return notes
    }

    private func sink(_ output: Output, _ video: OpenedVideo, _ part: VideoPart) throws -> any VideoSink {
        switch output {
        case .video(let layer, let path):
            try VideoWriter(path, layer, of: video, part, classCount: segmenter.classCount)
        case .pictures(let layer, let folder): try FramePictures(folder, layer)
        case .shares(let path):
            try ShareTable(path, classNames: (0..<segmenter.classCount).map(segmenter.classTable.name(of:)))
        }
    }

    private func shares(_ counts: [Int]) -> [Segmentation.Share] {
        let total = Double(max(1, counts.reduce(0, +)))
        return counts.enumerated().filter { $0.element > 0 }
            .map {
                Segmentation.Share(
                    id: $0,
                    name: segmenter.classTable.name(of: $0),
                    pixels: $1,
                    share: Double($1) / total
                )
            }
            .sorted { ($1.pixels, $0.id) < ($0.pixels, $1.id) }
    }
}

extension VideoSegmentation.Output {
    /// The file that takes the place of an older one at the end; nil for a folder of pictures.
    fileprivate var file: String? {
        switch self {
        case .video(_, let path), .shares(let path): path
        case .pictures: nil
        }
    }
}

extension [Int] {
    fileprivate mutating func add(_ other: [Int]) {
        if count < other.count { self += [Int](repeating: 0, count: other.count - count) }
        for index in other.indices { self[index] += other[index] }
    }
}
