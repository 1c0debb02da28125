internal import SegNetImages
internal import SegNetPlatform

/// Where a video comes from.
public enum VideoInput: Sendable, Hashable {
    case file(String)
    /// A camera: `/dev/video0`.
    case camera(String)
    /// An address: `rtsp://camera.local/stream`.
    case stream(String)
    case standardInput

    /// Endings of files that are taken for videos.
    public static let endings: Set<String> = [
        "mp4", "m4v", "mov", "mkv", "webm", "avi", "mpg", "mpeg", "ts", "mts", "m2ts", "3gp", "3g2", "wmv", "asf",
        "flv", "ogv", "mxf",
        "y4m", "nut", "mjpg", "mjpeg", "h264", "h265", "hevc", "vob",
    ]

    private static let schemes = ["rtsp", "rtsps", "rtmp", "rtmps", "http", "https", "udp", "tcp", "srt", "rtp"]

    /// What a word of a command line names if it is a video: a file with one of the `endings`, a camera or an address; nil for all else.
    public init?(_ word: String) {
        if let scheme = word.firstRange(of: "://"), Self.schemes.contains(word[..<scheme.lowerBound].lowercased()) {
            self = .stream(word)
        } else if word.hasPrefix("/dev/video") {
            self = .camera(word)
        } else if Self.endings.contains(Self.ending(of: word)) {
            self = .file(word)
        } else {
            return nil
        }
    }

    /// Whether it goes on by itself, whether or not anybody keeps up.
    public var isLive: Bool {
        switch self {
        case .camera, .stream: true
        case .file, .standardInput: false
        }
    }

    /// As errors and reports call it: without the password of an address.
    public var name: String {
        switch self {
        case .file(let path), .camera(let path): path
        case .standardInput: "standard input"
        case .stream(let address): Self.withoutPassword(address)
        }
    }

    /// What names of results begin with: `clip` of `trip/clip.mp4`.
    public var stem: String {
        switch self {
        case .standardInput: return "stdin"
        case .file(let path):
            let name = path.split(separator: "/").last.map(String.init) ?? path
            let ending = Self.ending(of: name)
            return ending.isEmpty ? name : String(name.dropLast(ending.count + 1))
        case .camera(let path): return path.split(separator: "/").last.map(String.init) ?? "camera"
        case .stream(let address):
            // Only what stands in names of files anyway: `camera.local-stream1`.
            let rest = Self.withoutPassword(address).split(separator: "/", omittingEmptySubsequences: true).dropFirst()
            let kept = rest.joined(separator: "-").prefix { $0 != "?" && $0 != "#" }
            let stem = kept.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "." || $0 == "-") ? $0 : "_" }
            return stem.isEmpty ? "stream" : String(stem)
        }
    }

    private static func withoutPassword(_ address: String) -> String {
        guard let scheme = address.firstRange(of: "://") else { return address }
        let rest = address[scheme.upperBound...]
        let host = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard let at = host.lastIndex(of: "@") else { return address }
        return String(address[..<scheme.upperBound] + rest[rest.index(after: at)...])
    }

    static func ending(of path: String) -> String {
        let name = path.split(separator: "/").last ?? ""
        guard let dot = name.lastIndex(of: "."), dot > name.startIndex else { return "" }
        return name[name.index(after: dot)...].lowercased()
    }

    /// How ffmpeg is told to open it.
    /// - Parameter fromPipe: Standard input is given through a pipe of ours.
    func arguments(_ ffmpeg: FFmpeg) -> [[UInt8]] {
        switch self {
        case .file(let path):
            // A file is not to open others, whatever it holds.
            return FFmpeg.words("-protocol_whitelist", "file,crypto,data", "-i") + [FFmpeg.file(path)]
        case .camera(let path):
            #if os(Linux)
                return FFmpeg.words("-f", "v4l2", "-i", path)
            #else
                return FFmpeg.words("-f", "avfoundation", "-i", path)
            #endif
        case .stream(let address):
            // Over UDP, pictures come with holes.
            let transport = address.lowercased().hasPrefix("rtsp") ? ["-rtsp_transport", "tcp"] : []
            return FFmpeg.words(transport + ["-i", address])
        case .standardInput: return FFmpeg.words("-i", "pipe:0")
        }
    }
}

extension VideoInput: CustomStringConvertible {
    public var description: String { name }
}
