internal import SegNetImages
internal import SegNetPlatform

/// The programs `ffmpeg` and `ffprobe`, as they are installed. They read and write all videos.
public struct FFmpeg: Sendable, Hashable {
    /// The files of the two programs.
    public let ffmpeg: String
    public let ffprobe: String
    /// The version as ffmpeg gives it: `5.1.9-0+deb12u1`.
    public let version: String

    /// The oldest version that has all the options used here.
    public static let oldestVersion = "4.4"

    /// Major and minor; nil for a build between versions (`N-109468-gd39b34123d`), which counts as new.
    private let number: (major: Int, minor: Int)?

    /// Looks for both programs.
    /// - Parameter path: The folders, separated by colons; nil: those of PATH.
    /// - Throws: `VideoError`, which says what is missing or too old, and how to install it.
    public init(path: String? = nil) throws(VideoError) {
        let path = path ?? EnvironmentVariable.text("PATH") ?? "/usr/local/bin:/usr/bin:/bin"
        ffmpeg = try Self.program("ffmpeg", path)
        ffprobe = try Self.program("ffprobe", path)
        let answer = try Self.output(of: ffmpeg, Self.words("-version")).text
        let words = answer.split(separator: " ", maxSplits: 3)
        guard answer.hasPrefix("ffmpeg version "), words.count > 2 else {
            throw VideoError(
                ffmpeg,
                .program("does not answer 'ffmpeg -version' as ffmpeg does; \(VideoError.installation)")
            )
        }
        version = String(words[2])
        number = Self.number(version)
        guard isAtLeast(4, 4) else { throw VideoError("ffmpeg", .oldFFmpeg(version)) }
    }

    static func number(_ version: String) -> (major: Int, minor: Int)? {
        let digits = version.drop { !$0.isNumber }
        guard version.first?.isNumber == true || version.hasPrefix("n") else { return nil }
        let parts = digits.split(separator: ".").map { $0.prefix { $0.isNumber } }
        guard let major = parts.first.flatMap({ Int($0) }) else { return nil }
        return (major, parts.dropFirst().first.flatMap { Int($0) } ?? 0)
    }

    func isAtLeast(_ major: Int, _ minor: Int) -> Bool {
        guard let number else { return true }
        return number >= (major, minor)
    }

    public static func == (first: FFmpeg, second: FFmpeg) -> Bool {
        first.ffmpeg == second.ffmpeg && first.ffprobe == second.ffprobe && first.version == second.version
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(ffmpeg)
        hasher.combine(version)
    }

    /// Each frame once, at its own time.
    var keepingTimes: [String] { isAtLeast(5, 1) ? ["-fps_mode", "passthrough"] : ["-vsync", "passthrough"] }

    /// Whether it has this encoder.
    func has(encoder: String) -> Bool {
        guard let list = try? Self.output(of: ffmpeg, Self.words("-hide_banner", "-encoders")).text else {
            return false
        }
        return list.split(separator: "\n").contains { line in
            line.split(separator: " ", maxSplits: 2).dropFirst().first.map { $0 == encoder } ?? false
        }
    }

    // MARK: Running

    static func words(_ words: String...) -> [[UInt8]] { Self.words(words) }
    static func words(_ words: [String]) -> [[UInt8]] { words.map { Array($0.utf8) } }

    /// A file's name in a form that ffmpeg never takes for an address or an option.
    static func file(_ path: String) -> [UInt8] {
        Array("file:".utf8) + RawFileName.withPath(path) { Array(UnsafeRawBufferPointer(start: $0, count: strlen($0))) }
    }

    /// Starts ffmpeg so that it reports errors and nothing else.
    func start(
        _ arguments: [[UInt8]],
        input: Subprocess.Input = .none,
        outputs: [Int32] = []
    ) throws(VideoError) -> Subprocess {
        let common = ["-hide_banner", "-nostdin", "-nostats", "-loglevel", "error", "-y"]
        do throws(SubprocessError) {
            return try Subprocess(ffmpeg, Self.words(common) + arguments, input: input, outputs: outputs)
        } catch { throw VideoError(ffmpeg, .program("\(error)")) }
    }

    private static func program(_ name: String, _ path: String) throws(VideoError) -> String {
        for folder in path.split(separator: ":", omittingEmptySubsequences: true) {
            let file = "\(folder)/\(name)"
            if access(file, X_OK) == 0, FileAccess.kind(of: file) == .file { return file }
        }
        throw VideoError(name, .noFFmpeg)
    }

    private static func output(of program: String, _ arguments: [[UInt8]]) throws(VideoError) -> (
        text: String, code: Int
    ) {
        do throws(SubprocessError) {
            let process = try Subprocess(program, arguments, input: .none, outputs: [1])
            let bytes = process.readAll(1, limit: 1 << 20)
            return (String(decoding: bytes, as: UTF8.self), process.wait())
        } catch { throw VideoError(program, .program("\(error)")) }
    }

    /// The first error that ffmpeg reports, as part of a sentence, without the place in its own code.
    static func firstProblem(_ errors: String, without name: String = "") -> String {
        for line in errors.split(whereSeparator: \.isNewline) {
            var text = Substring(line)
            // `[mov,mp4,m4a,3gp,3g2,mj2 @ 0x5602a0075c00] moov atom not found`
            while text.hasPrefix("["), let end = text.firstIndex(of: "]") {
                text = text[text.index(after: end)...].drop { $0 == " " }
            }
            if !name.isEmpty, let range = text.firstRange(of: name + ": ") { text = text[range.upperBound...] }
            while text.last == "." || text.last?.isWhitespace == true { text.removeLast() }
            if !text.isEmpty { return String(text.prefix(200)) }
        }
        return ""
    }
}
