import ArgumentParser
import SegNetToolkit

/// One call of `segnet predict` for videos, all through the same segmenter.
struct VideoRun {
    private let options: Predict
    private let console: Console

    init(options: Predict, console: Console) {
        self.options = options
        self.console = console
    }

    /// - Throws: Errors that make all videos impossible (ffmpeg, the model, the output folder); `ExitCode` at the end if some failed, or if
    ///   the user stopped it.
    func run() throws {
        StopRequest.listen()
        try requireApart()
        let ffmpeg = try FFmpeg()
        let prediction = PredictionRun(options: options, console: console)
        let request = VideoSegmentation.request(prediction.request, options.video.options)
        let segmenter = try Segmenter(
            try options.model.load(),
            options: options.engine.segmenterOptions.serving(only: request)
        )
        var report = prediction.makeReport(segmenter, segmenter.notes)
        report.videos = []
        for note in segmenter.notes { console.note("note: \(note)") }
        if options.outputs.dryRun { return try tellPlan(&report) }
        try prepareFolder()
        let videos = VideoSegmentation(segmenter, request, options: options.video.options, ffmpeg: ffmpeg)
        let start = ContinuousClock.now
        for video in options.videos where !StopRequest.isAsked {
            let entry = segment(video, videos)
            if entry.error != nil { report.failed += 1 }
            report.videos?.append(entry)
        }
        report.seconds = (ContinuousClock.now - start).inSeconds
        report.peakMemoryBytes = MachineMemory.peak
        if options.json { console.print(try JSON.text(report)) }
        if StopRequest.isAsked { throw ExitCode(Int32(128 + (StopRequest.signalNumber ?? 2))) }
        if report.failed > 0 { throw ExitCode.failure }
    }

    /// Sees, before anything is written, that no result takes the place of another video that is read.
    private func requireApart() throws(ValidationError) {
        for video in options.videos {
            for path in outputs(of: video).map(\.path) {
                let place = InputList.resolved(path)
                let replaced = options.videos.first { other in
                    guard other != video, case .file(let file) = other else { return false }
                    return InputList.resolved(file) == place
                }
                guard let replaced else { continue }
                throw ValidationError(
                    "Please give another '--output': \(RawFileName.display(path)), a result of \(RawFileName.display(video.name)), would "
                        + "replace the input \(RawFileName.display(replaced.name))."
                )
            }
        }
    }

    /// Sees, before anything is written, that no two videos have results of one name in a folder that takes `A` and `a` for the same.
    static func requireDistinct(_ videos: [VideoInput]) throws(ValidationError) {
        var owners: [String: VideoInput] = [:]
        for video in videos {
            guard let owner = owners.updateValue(video, forKey: video.stem.lowercased()) else { continue }
            throw ValidationError(
                "Please segment \(RawFileName.display(owner.name)) and \(RawFileName.display(video.name)) in two calls, each with its own "
                    + "'--output': their results would be the same files, as the folder does not distinguish upper and lower case."
            )
        }
    }

    private func prepareFolder() throws {
        guard options.isVideoFile else {
            try OutputFolder.prepare(options.output)
            if OutputFolder.ignoresCase(options.output) { try Self.requireDistinct(options.videos) }
            return
        }
        let folder = options.output.lastIndex(of: "/").map { String(options.output[...$0]) } ?? "."
        try OutputFolder.make(folder)
        LeftoverFiles.remove(in: folder)
    }

    /// Prints what would be done, as lines or as the report of a run.
    private func tellPlan(_ report: inout PredictionReport) throws {
        report.dryRun = true
        for video in options.videos {
            var entry = PredictionReport.Video(input: RawFileName.display(video.name))
            if case .file(let path) = video, FileAccess.kind(of: path) == .missing {
                let message = "\(entry.input): there is no such file; check the path."
                console.error(message)
                entry.error = message
                report.failed += 1
            } else {
                let outputs = outputs(of: video)
                let paths = outputs.map { RawFileName.display($0.path) }
                entry.outputs = Dictionary(zip(outputs.map(\.kind.name), paths)) { first, _ in first }
                if !options.json { console.print("\(entry.input) -> \(paths.joined(separator: ", "))") }
            }
            report.videos?.append(entry)
        }
        if options.json {
            console.print(try JSON.text(report))
        } else {
            console.print("\(counted(options.videos.count - report.failed, "video")); nothing was done.")
        }
        if report.failed > 0 { throw ExitCode.failure }
    }

    private func segment(_ video: VideoInput, _ videos: VideoSegmentation) -> PredictionReport.Video {
        let name = RawFileName.display(video.name)
        var entry = PredictionReport.Video(input: name)
        let progress = VideoProgress(name: name, console: console)
        do {
            let outputs = outputs(of: video)
            let done = try videos.run(video, to: outputs.map(\.output), shouldStop: { StopRequest.isAsked }) {
                progress.tell($0, $1)
            }
            console.clearStatus()
            entry.width = done.video.width
            entry.height = done.video.height
            entry.frames = done.frames
            entry.dropped = done.dropped > 0 ? done.dropped : nil
            entry.cuts = done.cuts
            entry.framesPerSecond = progress.rate(of: done.frames)
            entry.outputs = Dictionary(outputs.map { ($0.kind.name, RawFileName.display($0.path)) }) { first, _ in first
            }
            entry.classes = done.shares
            entry.stopped = done.isStopped ? true : nil
            entry.problem = done.problem
            entry.notes = done.notes.isEmpty ? nil : done.notes
            tell(entry, done, progress, outputs.map(\.path))
        } catch {
            console.clearStatus()
            let message = UserChoice.withOptions("\(error)")
            entry.error = message
            console.error(message)
        }
        return entry
    }

    private func tell(
        _ entry: PredictionReport.Video,
        _ done: VideoSegmentation.Report,
        _ progress: VideoProgress,
        _ paths: [String]
    ) {
        for note in done.notes { console.note("note: \(note)") }
        if let problem = done.problem {
            console.warning(
                "\(entry.input): ffmpeg says '\(problem)'; \(counted(done.frames, "frame")) could be read, and the results contain these."
            )
        }
        if done.dropped > 0 {
            console.note(
                "note: \(entry.input): \(counted(done.dropped, "frame")) came while earlier ones were in progress, and were skipped."
            )
        }
        if done.isStopped {
            console.note("note: \(entry.input): stopped; the results contain what was done until then.")
        }
        guard !options.json else { return }
        let rate = entry.framesPerSecond.map { " (\(Numbers.fixed($0, 1)) per second)" } ?? ""
        console.print(
            "\(entry.input): \(counted(done.frames, "frame")) of \(done.video.width)x\(done.video.height) in "
                + "\(Numbers.fixed(progress.seconds, 1)) s\(rate): \(PredictionRun.words(done.shares)); "
                + "results in \(paths.map(RawFileName.display).joined(separator: ", "))"
        )
    }

    // MARK: Names

    /// Where each kind of result goes.
    private func outputs(of video: VideoInput) -> [(kind: OutputKind, path: String, output: VideoSegmentation.Output)] {
        if options.isVideoFile {
            let kind = options.save.isEmpty ? Self.kind(named: options.output) : options.kinds[0]
            return [(kind, options.output, output(kind, options.output))]
        }
        let folder = options.output.hasSuffix("/") ? options.output : "\(options.output)/"
        let kinds = options.save.isEmpty ? [.overlay] : options.kinds
        return kinds.map { kind in
            guard options.video.frames, let layer = layer(kind) else {
                let path = folder + video.stem + Self.suffix(kind, of: video)
                return (kind, path, output(kind, path))
            }
            return (kind, folder + video.stem, .pictures(layer, folder: folder + video.stem))
        }
    }

    private func layer(_ kind: OutputKind) -> VideoSegmentation.Layer? {
        switch kind {
        case .overlay: .overlay(opacity: options.opacity)
        case .color: .color
        case .mask: .mask
        default: nil
        }
    }

    private func output(_ kind: OutputKind, _ path: String) -> VideoSegmentation.Output {
        layer(kind).map { .video($0, path: path) } ?? .shares(path: path)
    }

    /// The kind of result that a file's name asks for: `clip.mask.mkv`.
    static func kind(named path: String) -> OutputKind {
        if InputList.ending(of: path) == "csv" { return .shares }
        let stem = InputList.withoutEnding(InputList.lastComponent(path)).lowercased()
        return stem.hasSuffix(".mask") ? .mask : stem.hasSuffix(".color") ? .color : .overlay
    }

    /// `.overlay.mp4`; results of videos in .mov or .mkv have the same ending.
    static func suffix(_ kind: OutputKind, of video: VideoInput) -> String {
        switch kind {
        case .shares: return ".shares.csv"
        case .mask: return ".mask.mkv"
        default:
            guard case .file(let path) = video else { return ".\(kind.name).mp4" }
            let ending = InputList.ending(of: path)
            return ".\(kind.name).\(["mov", "mkv"].contains(ending) ? ending : "mp4")"
        }
    }
}

/// The status line of a video: how many frames, how fast, how long it takes.
final class VideoProgress {
    private let name: String
    private let console: Console
    private let start = ContinuousClock.now
    /// When the first frame was done. The time before that is not a frame's.
    private var first: ContinuousClock.Instant?
    private var last = ContinuousClock.now

    init(name: String, console: Console) {
        self.name = name
        self.console = console
        console.status("\(name): opening")
    }

    var seconds: Double { (ContinuousClock.now - start).inSeconds }

    /// Frames per second since the first; nil if there is only one.
    func rate(of frames: Int) -> Double? {
        guard let first, frames > 1, last > first else { return nil }
        return Double(frames - 1) / (last - first).inSeconds
    }

    func tell(_ frame: VideoSegmentation.Frame, _ progress: VideoSegmentation.Progress) {
        last = ContinuousClock.now
        first = first ?? last
        guard console.isTerminal else { return }
        var line = "frame \(progress.done)"
        if let total = progress.total { line += "/\(max(total, progress.done))" }
        if let rate = rate(of: progress.done), rate > 0 {
            line += ", \(Numbers.fixed(rate, 1)) per second"
            if let total = progress.total {
                line += ", \(Numbers.clock(seconds: Double(max(0, total - progress.done)) / rate)) left"
            }
        }
        if progress.total == nil { line += ", \(Numbers.clock(seconds: frame.seconds)) of video" }
        console.status("\(line): \(name)")
    }
}
