internal import SegNetToolkit

/// A client's request to `POST /v1/videos`, checked.
struct VideoParameters: Sendable, Hashable {
    /// What is made from a video.
    enum Output: String, Sendable, CaseIterable {
        case overlay
        case color
        case mask
        case shares

        var contentType: String {
            switch self {
            case .overlay, .color: "video/mp4"
            case .mask: "video/x-matroska"
            case .shares: "text/csv"
            }
        }

        /// The ending of the result's name.
        var ending: String {
            switch self {
            case .overlay, .color: "mp4"
            case .mask: "mkv"
            case .shares: "csv"
            }
        }

        func output(path: String) -> VideoSegmentation.Output {
            switch self {
            case .overlay: .video(.overlay(), path: path)
            case .color: .video(.color, path: path)
            case .mask: .video(.mask, path: path)
            case .shares: .shares(path: path)
            }
        }
    }

    var model: String?
    var output = Output.overlay
    var every = 1
    var smooth = 0.0
    var edges = Segmenter.Edges.nearest

    static let names = ["model", "output", "every", "smooth", "edges"]

    /// - Throws: `Problem` 400 naming the parameter, what was found and what it can be.
    init(_ query: QueryParameters) throws(Problem) {
        try ParameterText.check(query, names: Self.names)
        model = query["model"]
        if let text = query["output"] { output = try ParameterText.choice("output", text, Output.allCases) }
        if let text = query["every"] { every = try ParameterText.number("every", text, 1...10_000) }
        if let text = query["smooth"] {
            let greatest = VideoSegmentation.Options.greatestSmoothing
            smooth = try ParameterText.decimal("smooth", text, 0...greatest, "0...\(greatest) such as 0.6")
        }
        if let text = query["edges"] {
            edges = try ParameterText.choice("edges", text, Segmenter.Edges.allCases)
        }
    }

    /// How the video is segmented within the service's limits.
    func options(_ limits: VideoLimits) -> VideoSegmentation.Options {
        var options = VideoSegmentation.Options()
        options.every = every
        options.smoothing = smooth
        options.maximumPixels = limits.pixels
        options.maximumSeconds = Double(limits.seconds)
        options.maximumFrames = limits.frames
        // Only kinds of file that contain their own pictures: no lists of other files, no addresses.
        options.formats = "mov,mp4,matroska,webm,avi,mpegts,mpeg,flv,ogg,asf"
        return options
    }
}
