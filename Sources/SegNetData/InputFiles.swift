public import SegNetImages
public import SegNetNetworks
internal import SegNetPlatform

/// What the files of one sample give, in the order in which a list's line names them.
///
/// `rgb` gives red, green and blue, `rgba` alpha too, `gray` one channel; any other name is one channel of that name from a file of its
/// own, whose 16 bits are kept. The colours come first.
public struct InputFiles: Sendable, Hashable {
    /// One word per file: `rgb`, `depth`.
    public let words: [String]
    /// What each channel of an example holds: those of the picture, then one per further file.
    public let channels: [InputChannel]

    /// One colour picture.
    public static let rgb = InputFiles(words: ["rgb"], channels: .rgb)

    private static let colors: [String: [InputChannel]] = ["rgb": .rgb, "rgba": .rgb + [.alpha], "gray": [.gray]]
    /// The kernels read a picture of fewer than 16 channels as it lies.
    private static let mostChannels = 15

    private init(words: [String], channels: [InputChannel]) {
        self.words = words
        self.channels = channels
    }

    /// - Parameter words: What the user names: `rgb`, `rgba`, `gray`, or names of their own.
    /// - Throws: `DatasetError` saying which word does not fit, and what would.
    public init(_ words: [String]) throws(DatasetError) {
        let text = words.joined(separator: ",")
        guard let first = words.first else {
            throw DatasetError(
                "inputs: names no file; write rgb, rgba or gray, and a name for each further file (rgb,depth)."
            )
        }
        if let color = words.dropFirst().first(where: { Self.colors[$0] != nil }) {
            throw DatasetError(
                Self.colors[first] == nil
                    ? "inputs \(text): the colours come first; write \(color) in front, also in list files."
                    : "inputs \(text): only the first file can be rgb, rgba or gray; give '\(color)' another name."
            )
        }
        let picture = Self.colors[first] ?? []
        let further = picture.isEmpty ? words : Array(words.dropFirst())
        let taken = ["red", "green", "blue", "alpha", "images", "labels"]
        for (index, word) in further.enumerated() {
            guard !word.isEmpty, word.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" || $0 == "-" }) else {
                throw DatasetError("inputs \(text): '\(word)' is not a name; use letters, digits, - and _.")
            }
            guard !taken.contains(word), !further[..<index].contains(word) else {
                throw DatasetError("inputs \(text): the name '\(word)' is taken; choose another.")
            }
        }
        guard picture.count + further.count <= Self.mostChannels else {
            throw DatasetError(
                "inputs \(text): these are \(picture.count + further.count) channels, at most \(Self.mostChannels) can be read."
            )
        }
        self.init(words: words, channels: picture + further.map { InputChannel(rawValue: $0) })
    }

    /// The files that a network reads.
    public init(of input: InputDescription) {
        let all = input.channels
        let further = all.filter { !$0.isOfPicture }
        let isColored = all.contains(where: \.isColor)
        let picture = all.contains(.alpha) ? "rgba" : isColored ? "rgb" : all.contains(.gray) ? "gray" : nil
        words = [picture].compactMap { $0 } + further.map(\.rawValue)
        channels = (picture.flatMap { Self.colors[$0] } ?? []) + further
    }

    /// Channels that come from the picture, 8 bits each; they are the first.
    public var colorCount: Int { channels.count(where: \.isOfPicture) }
    /// Channels with a file of their own, 16 bits each.
    public var planeChannels: [InputChannel] { Array(channels.dropFirst(colorCount)) }

    /// Reads the files of one sample.
    /// - Parameter paths: One per word.
    /// - Throws: `ImageError` if a file cannot be read; `DatasetError` if there are more or fewer files than words, sizes differ, or alpha
    ///   is asked for and not there.
    public func read(_ paths: [String]) throws -> MultichannelImage {
        guard paths.count == words.count, let first = paths.first else {
            throw DatasetError(
                "\(paths.joined(separator: " ")): \(paths.count == 1 ? "is 1 file" : "are \(paths.count) files"); the inputs are "
                    + "\(words.joined(separator: ", ")), one file each."
            )
        }
        var image: Image?
        var rest = Array(zip(words, paths))
        if colorCount > 0 {
            let file = try Image(path: first)
            switch words[0] {
            case "gray": image = file.gray()
            case "rgba":
                guard file.channels == 4 else {
                    throw DatasetError(
                        "\(first): has no alpha channel, which is to be the fourth input channel; export it with alpha, or use rgb."
                    )
                }
                image = file
            default: image = file.rgb()
            }
            rest.removeFirst()
        }
        var size = image?.size
        var planes: [String: Plane] = [:]
        for (word, path) in rest {
            let plane = try Plane(path: path)
            if let size, size != plane.size {
                throw DatasetError(
                    "\(path): is \(plane.size), but \(first) is \(size); all pictures of a sample must have one size."
                )
            }
            size = plane.size
            planes[word] = plane
        }
        return try MultichannelImage(image, planes)
    }
}

extension InputFiles {
    /// - Throws: `DatasetError` if a kind of data set has no further files.
    func check(for kind: DatasetKind) throws(DatasetError) {
        switch kind {
        case .cityscapes where words.count > 1, .voc where words.count > 1:
            throw DatasetError(
                "inputs \(words.joined(separator: ",")): the layout of \(kind.rawValue) has one picture per label; use the \(UserChoice.dataset) "
                    + "'list', with a line \"\(words.joined(separator: " ")) label\" for each."
            )
        case .synthetic where words != ["rgb"] && words != ["gray"]:
            throw DatasetError("inputs \(words.joined(separator: ",")): rendered streets are rgb or gray.")
        case _ where kind.isAnnotated && words.count > 1:
            throw DatasetError(
                "inputs \(words.joined(separator: ",")): annotations of the kind \(kind.rawValue) have one file per picture; turn them into "
                    + "a \(UserChoice.datasetImport) first, and add the other files there."
            )
        default: break
        }
    }
}
