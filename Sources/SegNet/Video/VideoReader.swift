internal import SegNetImages
internal import SegNetPlatform

/// Reads a video's frames one after the other, each with the time at which it is shown. One thread uses it.
final class VideoReader {
    /// A frame of the file.
    struct Frame: Sendable {
        /// Its number among the frames that were asked for, from 0.
        var index: Int
        /// When it is shown, in units of `timeBase`, from where the reading began.
        var time: Int
        var image: Image
    }

    let video: OpenedVideo
    var description: VideoDescription { video.description }
    var timeBase: Fraction { description.timeBase }

    private let process: Subprocess
    private var lines: [UInt8] = []
    private var count = 0
    private var lastTime = -1

    /// Times from here on are damage: no clock counts that far, and what is calculated from them would overflow.
    private static let latestTime = 1 << 62

    /// - Parameter part: Which frames are read.
    init(_ video: OpenedVideo, _ part: VideoPart) throws(VideoError) {
        self.video = video
        let description = video.description
        var filters: [String] = []
        if part.every > 1 { filters.append("select=not(mod(n\\,\(part.every)))") }
        filters.append("settb=\(description.timeBase)")
        // Later frames of another size are scaled to that of the first. The writer uses the same matrix, so that colours do not change.
        filters.append(
            "scale=\(description.width):\(description.height):flags=bicubic+accurate_rnd+full_chroma_int:in_color_matrix=\(description.colors.matrix)"
        )
        // Planes first: ffmpeg converts to them with vector instructions, but not to packed RGB. The bytes are the same (1280x720: 2.7 ms
        // per frame instead of 8.4).
        filters += ["format=gbrp", "format=rgb24"]
        // A line with the time of each frame, in a file of its own. ffmpeg prints a line only for frames with metadata.
        filters.append("metadata=mode=add:key=segnet:value=1")
        filters.append("metadata=mode=print:file=pipe\\\\:3:direct=1")
        process = try video.start(
            before: part.options,
            after: ["-map", "0:V:0", "-vf", filters.joined(separator: ",")] + video.ffmpeg.keepingTimes
                + ["-enc_time_base", "\(description.timeBase)", "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"],
            outputs: [1, 3]
        )
    }

    /// The next frame; nil after the last.
    func next() throws -> Frame? {
        guard let time = nextTime() else { return nil }
        let size = description.width * description.height * 3
        let pixels = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            count = process.read(1, into: UnsafeMutableRawBufferPointer(buffer))
        }
        guard pixels.count == size else { return nil }
        defer { count += 1 }
        // Frames whose times are missing, go back or are damaged follow at even intervals. A fraction's parts have 31 bits, so that an
        // interval has 62 and the sum fits.
        let step = description.framesPerSecond.map { max(1, Int((1 / ($0 * timeBase.value)).rounded())) } ?? 1
        let known = time.flatMap { $0 > lastTime && $0 < Self.latestTime ? $0 : nil }
        lastTime = known ?? (lastTime < 0 ? 0 : lastTime + step)
        guard lastTime < Self.latestTime else {
            throw VideoError(video.input.name, .unreadable("its times are too large"))
        }
        return Frame(
            index: count,
            time: lastTime,
            image: try Image(width: description.width, height: description.height, channels: 3, pixels: pixels)
        )
    }

    /// Ends ffmpeg; a `next` that waits for it gets no frame. Any thread may call this.
    func stop() { process.terminate() }

    /// What ffmpeg found wrong with the file, once all frames are read; empty if nothing is.
    func problems() -> String {
        _ = process.wait()
        return FFmpeg.firstProblem(process.errors, without: description.format)
    }

    /// `frame:12   pts:24024   pts_time:0.8008`; nil at the end, the inner nil for a frame without a time.
    private func nextTime() -> Int?? {
        while true {
            while let end = lines.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: lines[..<end], as: UTF8.self)
                lines.removeSubrange(...end)
                guard line.hasPrefix("frame:") else { continue }
                let word = line.split(separator: " ").first { $0.hasPrefix("pts:") }
                return .some(word.flatMap { Int($0.dropFirst(4)) })
            }
            let some = process.readSome(3, most: 4096)
            if some.isEmpty { return nil }
            lines += some
        }
    }
}

/// Which part of a video is read.
struct VideoPart: Sendable, Hashable {
    /// Every n-th frame is read, starting with the first.
    var every = 1
    /// Where it begins, in seconds.
    var start: Double?
    /// How long it is, in seconds.
    var duration: Double?

    /// Options before an input.
    var options: [String] {
        (start.map { ["-ss", Numbers.fixed($0, 6)] } ?? []) + (duration.map { ["-t", Numbers.fixed($0, 6)] } ?? [])
    }

    /// How many frames it has; nil if the file does not say.
    func frameCount(of video: VideoDescription) -> Int? {
        guard start != nil || duration != nil else { return video.frameCount.map { ($0 + every - 1) / every } }
        guard let rate = video.framesPerSecond, rate > 0 else { return nil }
        guard let seconds = seconds(of: video) else { return nil }
        return max(1, Int((seconds * rate / Double(every)).rounded()))
    }

    /// How many seconds it lasts; nil if the file does not say and no duration was asked for.
    func seconds(of video: VideoDescription) -> Double? {
        let rest = video.duration.map { max(0, $0 - (start ?? 0)) }
        guard let duration else { return rest }
        return rest.map { min($0, duration) } ?? duration
    }
}
