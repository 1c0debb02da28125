internal import HTTPTypes
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
        for name in query.values.keys.sorted() where !Self.names.contains(name) {
            let hint = closestName(to: name, among: Self.names).map { " Did you mean '\($0)'?" } ?? ""
            throw Problem(
                .badRequest,
                "There is no parameter '\(name.shortened)'.\(hint) There are \(Self.names.joined(separator: ", "))."
            )
        }
        model = query["model"]
        if let text = query["output"] {
            guard let output = Output(rawValue: text) else {
                throw Self.bad("output", text, "one of \(Output.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            self.output = output
        }
        if let text = query["every"] {
            guard let number = Int(text), "\(number)" == text, (1...10_000).contains(number) else {
                throw Self.bad("every", text, "a whole number in 1...10000")
            }
            every = number
        }
        if let text = query["smooth"] {
            let isPlain = text.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }
            guard isPlain, let number = Double(text), (0...0.99).contains(number) else {
                throw Self.bad("smooth", text, "a number in 0...0.99 such as 0.6")
            }
            smooth = number
        }
        if let text = query["edges"] {
            guard let kind = Segmenter.Edges(rawValue: text) else {
                throw Self.bad(
                    "edges",
                    text,
                    "one of \(Segmenter.Edges.allCases.map(\.rawValue).joined(separator: ", "))"
                )
            }
            edges = kind
        }
    }

    private static func bad(_ name: String, _ found: String, _ needed: String) -> Problem {
        Problem(.badRequest, "The parameter '\(name)' is '\(found.shortened)'; it has to be \(needed).")
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
