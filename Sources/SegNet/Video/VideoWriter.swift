internal import SegNetImages
internal import SegNetPlatform

/// Writes pictures as a video through ffmpeg, with the sound of the video that was read.
final class VideoWriter: VideoSink {
    /// The kinds of file that can be written: ffmpeg's names by endings.
    static let formats = ["mp4": "mp4", "m4v": "mp4", "mov": "mov", "mkv": "matroska"]

    private let path: String
    private let layer: VideoSegmentation.Layer
    private let video: OpenedVideo
    private let part: VideoPart
    private let format: String
    private let encoder: VideoEncoder
    private let frames: RawFrames
    private var file: TemporaryFile
    private var process: Subprocess?
    private var firstTime = 0
    private var lastTime = 0

    /// - Throws: `VideoError` if the name's ending does not fit, or no file can be made in the folder.
    init(
        _ path: String,
        _ layer: VideoSegmentation.Layer,
        of video: OpenedVideo,
        _ part: VideoPart,
        classCount: Int
    ) throws(VideoError) {
        guard let format = Self.formats[VideoInput.ending(of: path)], layer != .mask || format == "matroska" else {
            throw VideoError(
                path,
                .ending(
                    layer == .mask
                        ? "masks are class ids, which only a lossless video keeps; choose a name that ends in .mkv"
                        : "videos are written as .mp4, .m4v, .mov or .mkv; choose a name with one of these endings"
                )
            )
        }
        self.path = path
        self.layer = layer
        self.video = video
        self.part = part
        self.format = format
        let description = video.description
        encoder = layer == .mask ? .lossless : try VideoEncoder(video)
        frames = RawFrames(
            width: description.width,
            height: description.height,
            pixels: layer != .mask ? .rgb : classCount <= 256 ? .gray : .gray16,
            timeBase: description.timeBase,
            rate: description.rate.flatMap { Fraction($0.numerator, $0.denominator * part.every) } ?? Fraction(25, 1)
        )
        file = try TemporaryFile(beside: path)
    }

    deinit { process?.terminate() }

    func write(_ frame: VideoSegmentation.Frame) throws {
        let bytes = bytes(of: frame.segmentation)
        let process = try self.process ?? start(frame.time)
        lastTime = frame.time
        guard process.write(frames.frameHeader(time: frame.time - firstTime, byteCount: bytes.count)),
            process.write(bytes)
        else { throw failure(process) }
    }

    func finish(isWhole: Bool) throws {
        guard let process else { return }
        process.closeInput()
        guard process.wait() == 0 else { throw failure(process) }
        self.process = nil
        if !isWhole, hasSound { try cutSound() }
        try file.rename()
    }

    private func bytes(of segmentation: Segmentation) -> [UInt8] {
        switch (layer, frames.pixels) {
        case (.overlay(let opacity), _): return segmentation.overlay(opacity: opacity).rgb().pixels
        case (.color, _): return segmentation.colored().pixels
        case (.mask, .gray16):
            return segmentation.classes.ids.flatMap {
                [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)]
            }
        case (.mask, _): return segmentation.classes.ids.map { UInt8(truncatingIfNeeded: $0) }
        }
    }

    // MARK: ffmpeg

    /// Whether the sound is kept.
    private var hasSound: Bool { layer != .mask && video.canReopen && video.description.hasAudio }

    private func start(_ time: Int) throws(VideoError) -> Subprocess {
        firstTime = time
        let description = video.description
        // The first frame may come later than the sound.
        let delay = Double(time) * description.timeBase.value
        var words = FFmpeg.words(
            ["-probesize", "32", "-analyzeduration", "0"]
                + (delay > 0 ? ["-itsoffset", Numbers.fixed(delay, 6)] : []) + ["-f", "nut", "-i", "pipe:0"]
        )
        if hasSound { words += FFmpeg.words(part.options) + video.arguments }
        words += FFmpeg.words("-map", "0:v:0")
        if hasSound {
            words += FFmpeg.words(["-map", "1:a", "-map_metadata", "1", "-map_chapters", "1"] + soundCodec)
        }
        if layer != .mask { words += FFmpeg.words(["-vf", encoder.filters] + description.colors.tags) }
        words += FFmpeg.words(
            video.ffmpeg.keepingTimes + ["-enc_time_base", "\(description.timeBase)"] + encoder.options
        )
        // The index comes first, so that a browser can play the file while it loads.
        if format != "matroska" { words += FFmpeg.words("-movflags", "+faststart") }
        words += FFmpeg.words("-f", format) + [file.argument]
        let process = try video.ffmpeg.start(words, input: .pipe)
        self.process = process
        guard process.write(frames.header) else { throw failure(process) }
        return process
    }

    /// Sound is copied if the kind of file can hold it, and otherwise encoded as AAC.
    private var soundCodec: [String] {
        let mp4 = ["aac", "mp3", "ac3", "eac3", "alac"]
        let known = ["mp4": mp4, "mov": mp4 + ["pcm_s16le", "pcm_s16be", "pcm_s24le"]]
        guard let known = known[format] else { return ["-c:a", "copy"] }
        return ["-c:a", video.description.audioCodecs.allSatisfy(known.contains) ? "copy" : "aac"]
    }

    /// Ends the sound with the last frame, if the user stopped before the video's end.
    private func cutSound() throws(VideoError) {
        let cut = try TemporaryFile(beside: path)
        let description = video.description
        let end = Double(lastTime) * description.timeBase.value + 1 / (description.framesPerSecond ?? 25)
        let process = try video.ffmpeg.start(
            FFmpeg.words("-i") + [file.argument]
                + FFmpeg.words("-map", "0", "-c", "copy", "-t", Numbers.fixed(end, 6), "-f", format) + [cut.argument]
        )
        guard process.wait() == 0 else { throw failure(process) }
        file = cut
    }

    private func failure(_ process: Subprocess) -> VideoError {
        process.closeInput()
        _ = process.wait()
        let words = FFmpeg.firstProblem(process.errors)
        return VideoError(path, .unwritable(words.isEmpty ? "ffmpeg ended early" : words))
    }
}

/// How ffmpeg encodes pictures as a video.
struct VideoEncoder {
    let options: [String]
    /// The conversion from red, green and blue to the stored form.
    let filters: String

    /// Every number can be read back.
    static let lossless = VideoEncoder(options: ["-c:v", "ffv1", "-level", "3", "-g", "1"], filters: "")

    private init(options: [String], filters: String) {
        self.options = options
        self.filters = filters
    }

    /// An encoder that the installed ffmpeg has, for a format that everything plays.
    /// - Throws: `VideoError` if there is none.
    init(_ video: OpenedVideo) throws(VideoError) {
        let description = video.description
        let isEven = description.width % 2 == 0 && description.height % 2 == 0
        let known: [(name: String, options: [String])] = [
            ("libx264", ["-preset", "veryfast", "-crf", "20"]),
            ("h264_videotoolbox", ["-q:v", "65"]), ("libopenh264", ["-b:v", "8M"]), ("mpeg4", ["-q:v", "3"]),
        ]
        // The other encoders refuse odd sides.
        let usable = known.filter { isEven || ["libx264", "mpeg4"].contains($0.name) }
        guard let (name, options) = usable.first(where: { video.ffmpeg.has(encoder: $0.name) }) else {
            throw VideoError(
                "ffmpeg",
                .program(
                    "has none of the encoders \(usable.map(\.name).joined(separator: ", ")); \(VideoError.installation)"
                )
            )
        }
        self.options = ["-c:v", name] + options
        let colors = description.colors
        let format = isEven || name == "mpeg4" ? "yuv420p" : "yuv444p"
        filters =
            "scale=flags=bicubic+accurate_rnd+full_chroma_int:out_color_matrix=\(colors.matrix):out_range=\(colors.isFullRange ? "pc" : "tv"),"
            + "format=\(format),setsar=\(description.pixelShape.map { "\($0)" } ?? "1/1")"
    }
}
