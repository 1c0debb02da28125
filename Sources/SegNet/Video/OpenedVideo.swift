internal import SegNetImages
internal import SegNetPlatform

/// A video that has been examined and can be read: its description, and how ffmpeg gets its bytes.
final class OpenedVideo {
    let input: VideoInput
    let ffmpeg: FFmpeg
    let description: VideoDescription
    /// How ffmpeg opens it.
    let arguments: [[UInt8]]
    /// Whether it can be opened again, for its sound.
    let canReopen: Bool

    private let source: Subprocess.Input
    /// The bytes that were read from standard input to examine it.
    private var begun: [UInt8] = []
    /// A copy of standard input, removed at the end.
    private let copy: String?

    /// The most bytes of standard input that are kept while ffprobe examines them.
    private static let mostKept = 64 << 20

    /// - Throws: `VideoError` if it is not a video.
    init(_ input: VideoInput, _ ffmpeg: FFmpeg, _ options: VideoSegmentation.Options) throws(VideoError) {
        self.input = input
        self.ffmpeg = ffmpeg
        // ffmpeg checks this before it takes memory for a frame. ffprobe may see larger frames, so that it can tell their size.
        let formats = FFmpeg.words(options.formats.map { ["-format_whitelist", $0] } ?? [])
        // Decoders count whole blocks, which are more than the visible pixels.
        let limit = FFmpeg.words("-max_pixels", "\(2 * min(options.maximumPixels, 1 << 40))")
        let probing =
            FFmpeg.words("-max_pixels", "\(max(options.maximumPixels, DecodingLimits().maximumPixels))") + formats
        guard input == .standardInput else {
            arguments = limit + formats + input.arguments
            (source, canReopen, copy) = (.none, !input.isLive, nil)
            description = try Self.look(input.name, ffmpeg, probing + input.arguments, .none) { _ in }
            return
        }
        var status = stat()
        if fstat(0, &status) == 0, status.st_mode & S_IFMT == S_IFREG {
            let file = VideoInput.file("/dev/stdin").arguments
            arguments = limit + formats + file
            (source, canReopen, copy) = (.inherited, true, nil)
            lseek(0, 0, SEEK_SET)
            description = try Self.look(input.name, ffmpeg, probing + file, .inherited) { _ in }
            return
        }
        let kept = Monitor([UInt8]())
        var isWhole = false
        var isTooLong = false
        let piped = input.arguments
        let seen = try Self.look(input.name, ffmpeg, probing + piped, .pipe) { process in
            while true {
                let some = Self.someInput()
                isWhole = some.isEmpty
                if isWhole { break }
                let count = kept.withLock {
                    $0 += some
                    return $0.count
                }
                isTooLong = count > Self.mostKept
                if isTooLong || !process.write(some) { break }
            }
            process.closeInput()
        }
        guard !isTooLong else {
            throw VideoError(
                input.name,
                .unreadable(
                    "its first \(Self.mostKept >> 20) MiB do not show what it contains; give the name of the file"
                )
            )
        }
        description = seen
        let bytes = kept.withLock { $0 }
        if isWhole {
            // All of it is here. As a file it can be read from any place, which some formats need.
            let path = LeftoverCopies.name
            guard FileManager.default.createFile(atPath: path, contents: Data(bytes)) else {
                throw VideoError(path, .unwritable("a copy of standard input"))
            }
            arguments = limit + formats + VideoInput.file(path).arguments
            (source, canReopen, copy) = (.none, true, path)
        } else {
            arguments = limit + formats + piped
            begun = bytes
            (source, canReopen, copy) = (.pipe, false, nil)
        }
    }

    deinit { if let copy { unlink(copy) } }

    /// Starts ffmpeg on it.
    /// - Parameters:
    ///   - before: Options for the input.
    ///   - after: Options for the output, and the output.
    func start(before: [String], after: [String], outputs: [Int32]) throws(VideoError) -> Subprocess {
        if source == .inherited { lseek(0, 0, SEEK_SET) }
        let process = try ffmpeg.start(
            FFmpeg.words(before) + arguments + FFmpeg.words(after),
            input: source,
            outputs: outputs
        )
        if source == .pipe {
            let begun = begun
            let isFed = startThread {
                var goesOn = process.write(begun)
                while goesOn {
                    let some = Self.someInput()
                    goesOn = !some.isEmpty && process.write(some)
                }
                process.closeInput()
            }
            guard isFed else { throw Self.noThread(input.name) }
        }
        return process
    }

    private static func noThread(_ name: String) -> VideoError {
        VideoError(name, .program("the system cannot start another thread; end other programs"))
    }

    /// - Parameter feed: Gives ffprobe its standard input. Its answer is read meanwhile: it may be longer than a pipe holds.
    static func look(
        _ name: String,
        _ ffmpeg: FFmpeg,
        _ arguments: [[UInt8]],
        _ source: Subprocess.Input,
        _ feed: (Subprocess) -> Void
    ) throws(VideoError) -> VideoDescription {
        let words =
            FFmpeg.words("-hide_banner", "-loglevel", "error", "-of", "json", "-show_streams", "-show_format")
            + arguments
        let process: Subprocess
        do throws(SubprocessError) {
            process = try Subprocess(ffmpeg.ffprobe, words, input: source, outputs: [1])
        } catch { throw VideoError(ffmpeg.ffprobe, .program("\(error)")) }
        let read = Monitor<[UInt8]?>(nil)
        let isRead = startThread {
            let bytes = process.readAll(1, limit: 4 << 20)
            read.withLock { $0 = bytes }
        }
        guard isRead else { throw Self.noThread(name) }
        feed(process)
        let answer = read.wait { $0 }
        let code = process.wait()
        let errors = process.errors
        guard code == 0 else {
            let words = FFmpeg.firstProblem(errors, without: name)
            throw VideoError(name, .unreadable(words.isEmpty ? "ffprobe ended with \(code)" : words))
        }
        return try VideoDescription(answer, of: name)
    }

    private static func someInput() -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, count in
            while true {
                let got = read(0, buffer.baseAddress, buffer.count)
                if got < 0, errno == EINTR { continue }
                count = max(0, got)
                return
            }
        }
    }
}

/// Where copies of standard input are kept while they are read.
enum LeftoverCopies {
    static var name: String {
        FileManager.default.temporaryDirectory.appending(path: "segnet-\(getpid())-\(UInt64.random(in: 0 ... .max))")
            .path(percentEncoded: false)
    }
}
