internal import SegNetPlatform

/// A video file's description of its pictures.
public struct VideoDescription: Sendable, Hashable {
    /// Width in pixels of a frame as it is shown, turned the right way up.
    public let width: Int
    /// Height in pixels, likewise.
    public let height: Int
    /// Frames per second on average; nil if the file does not say.
    public var framesPerSecond: Double? { rate?.value }
    /// Length in seconds; nil if the file does not say, as with a camera.
    public let duration: Double?
    /// Number of frames; nil if the file does not say.
    public let frameCount: Int?
    public let codec: String
    /// How pixels are stored, by ffmpeg's name: `yuv420p10le`.
    public let pixelFormat: String
    public let hasAudio: Bool
    /// By how many degrees the stored frames are turned before they are shown.
    public let rotation: Int
    /// The kinds of file that it may be, by ffmpeg's names.
    public let format: String

    /// Frames per second.
    let rate: Fraction?
    /// The unit of its times, in seconds.
    let timeBase: Fraction
    /// The shape of a pixel in the frame as it is shown.
    let pixelShape: Fraction?
    let colors: VideoColors
    let audioCodecs: [String]

    /// Bits per sample, at least 8.
    public var bits: Int { Self.bits(ofFormat: pixelFormat) }

    /// Most names of formats end in the bits of a sample (`yuv420p10le`, `p010be`), some in those of a pixel (`rgb48`, `xv36`).
    static func bits(ofFormat format: String) -> Int {
        var name = format[...]
        for ending in ["le", "be", "msb"] where name.hasSuffix(ending) { name.removeLast(ending.count) }
        // In these, numbers are something else.
        if name.hasPrefix("nv") || name == "v30x" { return name == "nv20" || name == "v30x" ? 10 : 8 }
        let number = Int(String(name.reversed().prefix { $0.isNumber }.reversed())) ?? 8
        if let bits = [30: 10, 36: 12, 48: 16, 64: 16, 96: 32, 128: 32][number] { return bits }
        let last = number % 100
        return [9, 10, 12, 14, 16, 32].contains(last) ? last : 8
    }

    /// Reads ffprobe's answer.
    /// - Throws: `VideoError` if there are no pictures.
    init(_ json: [UInt8], of name: String) throws(VideoError) {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        guard let answer = try? decoder.decode(Answer.self, from: Data(json)) else {
            throw VideoError(name, .unreadable("ffprobe's answer cannot be understood"))
        }
        let streams = answer.streams ?? []
        // The cover of a song is also a stream of pictures.
        guard let stream = streams.first(where: { $0.codecType == "video" && $0.disposition?.attachedPic != 1 })
        else {
            throw VideoError(name, .noPictures)
        }
        guard let width = stream.width, let height = stream.height, width > 0, height > 0 else {
            throw VideoError(name, .unreadable("it does not say how large its pictures are"))
        }
        // ffmpeg 5.1 loses rows of masks of 2x2 on the way to FFV1.
        guard min(width, height) >= 5 else {
            throw VideoError(
                name,
                .request(
                    "its frames have \(width)x\(height) pixels, and a video needs at least 5x5; enlarge it first "
                        + "('ffmpeg -i IN -vf scale=iw*8:ih*8:flags=neighbor OUT'), or give its frames as pictures"
                )
            )
        }
        let rotations: [Double] = (stream.sideDataList ?? []).compactMap(\.rotation)
        let turned: Double = rotations.first ?? stream.tags?.rotate.flatMap { Double($0) } ?? 0
        rotation = turned.isFinite && abs(turned) < 1e6 ? Int(turned.rounded()) % 360 : 0
        let isOnItsSide = abs(rotation) == 90 || abs(rotation) == 270
        (self.width, self.height) = isOnItsSide ? (height, width) : (width, height)
        let shape = stream.sampleAspectRatio.flatMap { Fraction($0) }
        pixelShape = isOnItsSide ? shape?.inverse : shape
        timeBase = stream.timeBase.flatMap { Fraction($0) } ?? Fraction.milliseconds
        rate = stream.avgFrameRate.flatMap { Fraction($0) } ?? stream.rFrameRate.flatMap { Fraction($0) }
        let seconds = [stream.duration, answer.format?.duration].compactMap { $0.flatMap { Double($0) } }.first {
            $0 > 0 && $0 < 1e9
        }
        duration = seconds
        let counted = stream.nbFrames.flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
        let perSecond = rate?.value
        let estimate = seconds.flatMap { seconds in perSecond.map { max(1, Int(min(seconds * $0, 1e12).rounded())) } }
        frameCount = counted ?? estimate
        codec = stream.codecName ?? "unknown"
        pixelFormat = stream.pixFmt ?? "unknown"
        colors = VideoColors(stream, width: self.width, height: self.height)
        audioCodecs = streams.filter { $0.codecType == "audio" }.map { $0.codecName ?? "unknown" }
        hasAudio = !audioCodecs.isEmpty
        format = answer.format?.formatName ?? "unknown"
    }

    /// ffprobe's JSON, with its own names.
    struct Answer: Decodable {
        struct Stream: Decodable {
            struct SideData: Decodable { var rotation: Double? }
            struct Tags: Decodable { var rotate: String? }
            struct Disposition: Decodable { var attachedPic: Int? }

            var codecType: String?
            var codecName: String?
            var width: Int?
            var height: Int?
            var pixFmt: String?
            var colorRange: String?
            var colorSpace: String?
            var colorTransfer: String?
            var colorPrimaries: String?
            var sampleAspectRatio: String?
            var rFrameRate: String?
            var avgFrameRate: String?
            var timeBase: String?
            var duration: String?
            var nbFrames: String?
            var sideDataList: [SideData]?
            var tags: Tags?
            var disposition: Disposition?
        }

        struct Format: Decodable {
            var formatName: String?
            var duration: String?
        }

        var streams: [Stream]?
        var format: Format?
    }
}

/// How a video stores its colours, so that what is written looks like what was read.
struct VideoColors: Sendable, Hashable {
    /// The conversion from and to red, green and blue, by its name in ffmpeg's scale filter.
    let matrix: String
    /// Whether samples go from 0 to 255, not from 16 to 235.
    let isFullRange: Bool
    /// The file's declaration, as ffmpeg's option for an encoder; nil if it has none.
    let space: String?
    let transfer: String?
    let primaries: String?
    let range: String?

    /// Whether brightness exceeds that of a usual screen.
    var isHDR: Bool { transfer == "smpte2084" || transfer == "arib-std-b67" }

    init(_ stream: VideoDescription.Answer.Stream, width: Int, height: Int) {
        let format = stream.pixFmt ?? ""
        let isRGB = ["rgb", "bgr", "gbr", "argb", "abgr", "0rgb", "0bgr", "pal8", "x2rgb", "x2bgr"].contains {
            format.hasPrefix($0)
        }
        // The matrix that players assume if a file does not say.
        let assumed = width >= 1280 || height >= 720 || isRGB ? "bt709" : "bt601"
        let matrices = [
            "bt709": "bt709", "smpte170m": "smpte170m", "bt470bg": "bt470", "fcc": "fcc", "smpte240m": "smpte240m",
            "bt2020nc": "bt2020", "bt2020c": "bt2020",
        ]
        matrix = stream.colorSpace.flatMap { matrices[$0] } ?? assumed
        space = isRGB ? "bt709" : stream.colorSpace.flatMap { matrices[$0] == nil ? nil : $0 }
        let transfers = [
            "bt709", "smpte170m", "smpte240m", "linear", "iec61966-2-1", "bt2020-10", "bt2020-12", "smpte2084",
            "arib-std-b67",
        ]
        transfer = stream.colorTransfer.flatMap { transfers.contains($0) ? $0 : nil }
        let known = ["bt709", "bt470m", "bt470bg", "smpte170m", "smpte240m", "film", "bt2020", "smpte432", "smpte431"]
        primaries = stream.colorPrimaries.flatMap { known.contains($0) ? $0 : nil }
        isFullRange = !isRGB && (stream.colorRange == "pc" || format.hasPrefix("yuvj"))
        range = isFullRange ? "pc" : isRGB || stream.colorRange == "tv" ? "tv" : nil
    }

    /// Options for an encoder that declare the same.
    var tags: [String] {
        [("-colorspace", space), ("-color_trc", transfer), ("-color_primaries", primaries), ("-color_range", range)]
            .flatMap { name, value in value.map { [name, $0] } ?? [] }
    }
}
