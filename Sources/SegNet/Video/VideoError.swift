internal import SegNetImages
internal import SegNetPlatform

/// A video could not be read or written.
///
/// `description` is one sentence for the user: the file, what was found, what was needed, what to do.
public struct VideoError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What went wrong with a video.
    public enum Reason: Sendable, Hashable {
        /// `ffmpeg` or `ffprobe` is not on PATH.
        case noFFmpeg
        /// The installed ffmpeg is too old; its version.
        case oldFFmpeg(String)
        /// A program cannot be started or has ended early; its words.
        case program(String)
        /// It cannot be opened, or is not a video; ffmpeg's words.
        case unreadable(String)
        /// It may have sound, but it has no pictures.
        case noPictures
        /// Not one frame can be read; ffmpeg's words, or nothing.
        case noFrames(String)
        /// Its frames are larger than `DecodingLimits.maximumPixels`.
        case tooManyPixels(width: Int, height: Int, limit: Int)
        /// It is longer than its reader allows; both in seconds.
        case tooLong(seconds: Double, limit: Double)
        /// It has more frames than its reader allows.
        case tooManyFrames(Int, limit: Int)
        /// It cannot be written; ffmpeg's words.
        case unwritable(String)
        /// The ending of an output's name is not that of a known or suitable format; which endings are.
        case ending(String)
        /// The network reads more than colours: the words of its inputs.
        case inputs(String)
        /// The request makes no sense; the end of a sentence.
        case request(String)
    }

    /// The file as the caller named it, without passwords; or the name of a program, if the problem is with that.
    public let file: String
    public let reason: Reason

    public init(_ file: String, _ reason: Reason) {
        self.file = file
        self.reason = reason
    }

    public var description: String { "\(RawFileName.display(file)): \(sentence)." }

    /// How ffmpeg is installed.
    public static let installation =
        "install it with 'apt-get install ffmpeg' (Debian, Ubuntu), 'dnf install ffmpeg' (Fedora) or 'brew install ffmpeg' (macOS)"

    private var sentence: String {
        switch reason {
        case .noFFmpeg: "is not on PATH, but is needed to read and write videos; \(Self.installation)"
        case .oldFFmpeg(let version):
            "has the version \(version), but videos need \(FFmpeg.oldestVersion) or newer; \(Self.installation)"
        case .program(let words): words
        // ffmpeg's words.
        case .unreadable("No such file or directory"): "there is no such file; check the path"
        case .unreadable(let words): "cannot be read as a video (\(words)); check the file, or convert it with ffmpeg"
        case .noPictures: "holds no pictures, perhaps only sound; give a video"
        case .noFrames(let words):
            "has no frame that can be read\(words.isEmpty ? "" : " (\(words))"); check the file, and the start if you gave one"
        case .tooManyPixels(let width, let height, let limit):
            "has frames of \(width)x\(height) pixels, more than the limit of \(limit); make it smaller with ffmpeg"
        case .tooLong(let seconds, let limit):
            "lasts \(Numbers.fixed(seconds, 1)) s, but the limit is \(Numbers.fixed(limit, 1)) s; cut it, or give a start and a duration"
        case .tooManyFrames(let count, let limit):
            "has \(count) frames or more, but the limit is \(limit); cut it, or use only every n-th frame"
        case .unwritable(let words):
            "cannot be written (\(words)); check the folder, its permissions and the free space"
        case .ending(let advice): advice
        case .inputs(let words):
            "a video has only colours, but the network reads \(words); use a model that reads rgb or gray"
        case .request(let words): words
        }
    }
}
