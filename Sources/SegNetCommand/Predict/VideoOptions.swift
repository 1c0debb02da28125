import ArgumentParser
import SegNetToolkit

/// Which part of a video is segmented, and how.
struct VideoOptions: ParsableArguments {
    @Option(help: ArgumentHelp("For a video: only every Nth frame. (default: 1)", valueName: "N"))
    var every: Int?

    @Option(help: ArgumentHelp("For a video: where to begin.", valueName: "seconds"))
    var start: Double?

    @Option(help: ArgumentHelp("For a video: length of the part to segment.", valueName: "seconds"))
    var duration: Double?

    @Option(
        help: ArgumentHelp(
            "For a video: the weight of earlier frames where the picture does not change, \(VideoOptions.smoothings), to reduce flicker. "
                + "(default: 0)",
            valueName: "share"
        )
    )
    var smooth: Double?

    @Flag(help: "For a video: write a PNG for each frame, into a folder STEM, instead of videos.")
    var frames = false

    /// The range of `--smooth` in words.
    private static let smoothings = "0...\(VideoSegmentation.Options.greatestSmoothing)"

    var options: VideoSegmentation.Options {
        var options = VideoSegmentation.Options()
        options.every = every ?? 1
        options.start = start
        options.duration = duration
        options.smoothing = smooth ?? 0
        return options
    }

    /// The first option that was given.
    var given: String? {
        every != nil
            ? "--every"
            : start != nil
                ? "--start" : duration != nil ? "--duration" : smooth != nil ? "--smooth" : frames ? "--frames" : nil
    }

    /// Whether any was given: then `-` is a video.
    var areGiven: Bool { given != nil }

    func validate() throws {
        if let every, every < 1 {
            throw ValidationError("Please give '--every' a number of at least 1; found \(every).")
        }
        let most = VideoSegmentation.Options.mostSeconds
        if let start, !(0...most).contains(start) {
            throw ValidationError("Please give '--start' seconds in 0...\(Int(most)); found \(start).")
        }
        if let duration, !(duration > 0 && duration <= most) {
            throw ValidationError("Please give '--duration' seconds above 0 and up to \(Int(most)); found \(duration).")
        }
        if let smooth, !(0...VideoSegmentation.Options.greatestSmoothing).contains(smooth) {
            throw ValidationError("Please give '--smooth' a number in \(Self.smoothings); found \(smooth).")
        }
    }

    /// - Throws: `ValidationError` for options that do not fit together.
    func check(_ predict: Predict) throws {
        let videos = predict.videos
        guard !videos.isEmpty else {
            if let given {
                throw ValidationError(
                    "Please give '\(given)' only with a video; none of the inputs has the ending of one (mp4, mov, mkv, webm, avi and others)."
                )
            }
            return
        }
        if videos.count < predict.inputs.count {
            throw ValidationError("Please segment pictures and videos in two calls.")
        }
        if let kind = predict.kinds.first(where: { ![.mask, .color, .overlay, .shares].contains($0) }) {
            throw ValidationError(
                "Please leave '\(kind.name)' out with a video, which gives only mask, color, overlay and shares."
            )
        }
        if predict.isPipe { throw ValidationError("Please give '--output' a file or a folder for a video.") }
        if let option = Self.pictureOption(predict) {
            throw ValidationError("Please leave '\(option)' out with a video; it is for pictures.")
        }
        var stems: Set<String> = []
        if let twice = videos.first(where: { !stems.insert($0.stem).inserted }) {
            throw ValidationError(
                "Please segment videos with the same name ('\(twice.stem)') in two calls, each with its own '--output'."
            )
        }
        guard predict.isVideoFile else { return }
        if videos.count > 1 { throw ValidationError("Please give '--output' a folder for several videos.") }
        if predict.save.flatMap(\.kinds).count > 1 {
            throw ValidationError("Please give '--output' a folder for several results of a video ('--save').")
        }
        if frames { throw ValidationError("Please give '--output' a folder with '--frames'.") }
    }
}

extension VideoOptions {
    /// An option that was given but has no meaning for a video.
    private static func pictureOption(_ predict: Predict) -> String? {
        let options = [
            ("--skip-existing", predict.outputs.skipExisting),
            ("--exclude", !predict.outputs.exclude.isEmpty), ("--mask-format", predict.tiles.maskFormat != nil),
            ("--max-pixels", predict.tiles.mostPixels != nil), ("--resume", predict.tiles.resume),
            ("--shard", predict.shards.shard != nil),
        ]
        return options.first { $0.1 }?.0
    }
}

extension Predict {
    /// The inputs that are videos. Standard input is one if the output or an option says so.
    var videos: [VideoInput] {
        inputs.compactMap { word in
            if word == "-" { return video.areGiven || isVideoFile ? .standardInput : nil }
            guard let video = VideoInput(word) else { return nil }
            // A folder may have any name.
            if case .file(let path) = video, FileAccess.kind(of: path) == .folder { return nil }
            return video
        }
    }

    /// Whether `--output` names a file for a video's result, and not a folder.
    var isVideoFile: Bool {
        let ending = InputList.ending(of: output)
        return (VideoInput.endings.contains(ending) || ending == "csv") && !output.hasSuffix("/")
            && FileAccess.kind(of: output) != .folder
    }
}
