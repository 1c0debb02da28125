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

    /// Endings of file names that are taken for videos.
    public static let endings: Set<String> = [
        "mp4", "m4v", "mov", "mkv", "webm", "avi", "mpg", "mpeg", "ts", "mts", "m2ts", "3gp", "3g2", "wmv", "asf",
        "flv", "ogv", "mxf",
        "y4m", "nut", "mjpg", "mjpeg", "h264", "h265", "hevc", "vob",
    ]

    private static let schemes = ["rtsp", "rtsps", "rtmp", "rtmps", "http", "https", "udp", "tcp", "srt", "rtp"]

    /// The video that a word of a command line names: a file with one of the `endings`, a camera or an address; nil for anything else.
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

    /// Whether it continues by itself, even if nobody keeps up.
    public var isLive: Bool {
        switch self {
        case .camera, .stream: true
        case .file, .standardInput: false
        }
    }

    /// Its name in errors and reports: an address is without its password.
    public var name: String {
        switch self {
        case .file(let path), .camera(let path): path
        case .standardInput: "standard input"
        case .stream(let address): Self.withoutPassword(address)
        }
    }

    /// The first part of the names of results: `clip` for `trip/clip.mp4`. Bytes that are not UTF-8 are in it as they are shown.
    public var stem: String {
        switch self {
        case .standardInput: return "stdin"
        case .file(let path):
            let name = path.split(separator: "/").last.map(String.init) ?? path
            let ending = Self.ending(of: name)
            return RawFileName.display(ending.isEmpty ? name : String(name.dropLast(ending.count + 1)))
        case .camera(let path): return path.split(separator: "/").last.map(String.init) ?? "camera"
        case .stream(let address):
            // Only letters that are usual in file names: `camera.local-stream1`.
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

    /// The arguments with which ffmpeg opens it.
    var arguments: [[UInt8]] {
        switch self {
        case .file(let path):
            // A file must not make ffmpeg open other places, whatever it contains.
            return FFmpeg.words("-protocol_whitelist", "file,crypto,data", "-i") + [FFmpeg.file(path)]
        case .camera(let path):
            #if os(Linux)
                return FFmpeg.words("-f", "v4l2", "-i", path)
            #else
                return FFmpeg.words("-f", "avfoundation", "-i", path)
            #endif
        case .stream(let address):
            // Over UDP, parts of pictures get lost.
            let transport = address.lowercased().hasPrefix("rtsp") ? ["-rtsp_transport", "tcp"] : []
            return FFmpeg.words(transport + ["-i", address])
        case .standardInput: return FFmpeg.words("-i", "pipe:0")
        }
    }
}

extension VideoInput: CustomStringConvertible {
    public var description: String { name }
}
