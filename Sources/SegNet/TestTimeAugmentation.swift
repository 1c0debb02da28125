internal import SegNetPlatform

/// Further views of a picture that a network is asked about at prediction: the mean of their class probabilities is more often right than
/// those of the picture alone, for the time of as many runs.
public struct TestTimeAugmentation: Sendable, Hashable {
    /// Whether each view is also shown mirrored left to right, and its answer mirrored back.
    public var flip: Bool
    /// The sizes of the views, as factors of the size at which the network runs. At least one; each above 0.
    public var scales: [Double]

    /// Those that `scales` alone stands for on the command line.
    public static let usualScales = [0.75, 1, 1.25]
    /// The range of a factor: beyond it, nothing is left to see or memory runs out.
    public static let scaleRange = 0.1...4.0
    /// More views than this many scales are a typing error.
    public static let mostScales = 16

    public init(flip: Bool = false, scales: [Double] = [1]) {
        self.flip = flip
        self.scales = scales
    }

    /// The picture as it is.
    public static let none = TestTimeAugmentation()

    /// How often the network runs for a picture.
    public var viewCount: Int { scales.count * (flip ? 2 : 1) }

    /// Reads the words of a command line: `flip`, `scales`, `scales=0.5,1,2`, with commas between them. `none` or nothing: no further view.
    /// - Throws: `Segmenter.WordsError` with the word that is none of these.
    public init(_ text: String) throws(Segmenter.WordsError) {
        self.init()
        var isListing = false
        var given: [Double] = []
        for word in commaSeparated(text) where !word.isEmpty {
            isListing = isListing && Double(word) != nil
            if isListing {
                given.append(try Self.scale(word, text))
            } else if word == "flip" {
                flip = true
            } else if word == "scales" {
                given += Self.usualScales
            } else if word.hasPrefix("scales=") {
                given.append(try Self.scale(String(word.dropFirst("scales=".count)), text))
                isListing = true
            } else if word != "none" {
                throw Segmenter.WordsError(
                    "\(UserChoice.views)",
                    text: text,
                    problem: "'\(word)' is not one of flip, scales and scales=NUMBER,NUMBER"
                )
            }
        }
        if !given.isEmpty { scales = given }
        guard scales.count <= Self.mostScales else {
            throw Segmenter.WordsError(
                "\(UserChoice.views)",
                text: text,
                problem: "has \(scales.count) scales; at most \(Self.mostScales) are useful"
            )
        }
    }

    private static func scale(_ word: String, _ text: String) throws(Segmenter.WordsError) -> Double {
        guard let value = Double(word), scaleRange.contains(value) else {
            throw Segmenter.WordsError(
                "\(UserChoice.views)",
                text: text,
                problem: "the scale '\(word)' is not a number in \(scaleRange.lowerBound)...\(scaleRange.upperBound)"
            )
        }
        return value
    }
}

extension TestTimeAugmentation: CustomStringConvertible {
    /// `flip,scales=0.75,1.0,1.25`, `none`
    public var description: String {
        var words = flip ? ["flip"] : []
        if scales != [1] { words.append("scales=" + scales.map { "\($0)" }.joined(separator: ",")) }
        return words.isEmpty ? "none" : words.joined(separator: ",")
    }
}
