import SegNetNetworks
import SegNetPlatform

/// What a description that we write says about the pictures of the network. Caffe's deploy files have no field for it, so that it is a
/// comment, which Caffe passes over and `CaffeNetworkReader` takes literally: without it a network would come back with another mean.
struct CaffeInputComment: Hashable {
    /// Nil in files of versions that did not write it, and where a name would break the sentence.
    var channels: [InputChannel]?
    var mean: [Float]
    var scale: [Float]

    private static let beginning = "the input is expected as (value - mean) * scale; "
    private static let ending = ": subtract and scale before you pass it in."
    /// What files of earlier versions end with.
    private static let formerEnding = ": subtract and scale before."

    init(_ input: InputDescription) {
        let isPlain = input.channels.allSatisfy { channel in
            !channel.rawValue.isEmpty && !channel.rawValue.contains { ",:# ".contains($0) || $0.isNewline }
        }
        channels = isPlain ? input.channels : nil
        mean = input.mean
        scale = input.scale
    }

    /// Whether the network takes the bytes of a picture as they are.
    var isRaw: Bool { mean.allSatisfy { $0 == 0 } && scale.allSatisfy { $0 == 1 } }

    /// `the input is expected as (value - mean) * scale; channels blue, green, red, mean 1.0, 2.0, 3.0, scale 1.0, 1.0, 1.0: ...`
    var sentence: String {
        func list(_ values: [Float]) -> String { values.map { "\($0)" }.joined(separator: ", ") }
        return Self.beginning + (channels.map { "channels \($0.names()), " } ?? "")
            + "mean \(list(mean)), scale \(list(scale))"
            + Self.ending
    }

    // MARK: Reading

    /// The first comment of this kind in a description, and its line; its content is nil if it was changed so that it cannot be read.
    static func find(in bytes: [UInt8]) -> (line: Int, content: CaffeInputComment?)? {
        // Past a byte order mark.
        var start = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
        var number = 1
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
            // A quoted text cannot go on in the next line, so that a line which begins like a comment is one.
            let line = bytes[start..<end].drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
            if line.first == UInt8(ascii: "#") {
                let words = String(decoding: line, as: UTF8.self).drop { $0 == "#" || $0.isWhitespace }
                if words.hasPrefix(beginning) {
                    return (number, CaffeInputComment(words.dropFirst(beginning.count)))
                }
            }
            start = end + 1
            number += 1
        }
        return nil
    }

    /// - Parameter words: The sentence without its beginning.
    private init?(_ words: Substring) {
        // From the end: a channel may have any name, "mean" too.
        guard let end = [Self.ending, Self.formerEnding].compactMap({ words.ranges(of: $0).last }).first,
            let scaleStart = words[..<end.lowerBound].ranges(of: ", scale ").last,
            let meanStart = words[..<scaleStart.lowerBound].ranges(of: "mean ").last,
            let mean = Self.numbers(words[meanStart.upperBound..<scaleStart.lowerBound]),
            let scale = Self.numbers(words[scaleStart.upperBound..<end.lowerBound])
        else { return nil }
        self.mean = mean
        self.scale = scale
        let names = words[..<meanStart.lowerBound].split { $0 == "," || $0.isWhitespace }
        guard let first = names.first else { return }
        guard first == "channels" else { return nil }
        channels = names.dropFirst().map { InputChannel(rawValue: String($0)) }
    }

    /// `1.0, 2.5`; nil if a word is not a finite number.
    private static func numbers(_ text: Substring) -> [Float]? {
        let words = text.split { $0 == "," || $0.isWhitespace }
        let values = words.compactMap { Float($0) }.filter(\.isFinite)
        return values.count == words.count ? values : nil
    }
}

extension CaffeNetworkReader {
    /// Takes over what our own writer said about the input.
    /// - Returns: Whether the comment says what is subtracted.
    mutating func followComment(_ input: inout InputDescription) -> Bool {
        guard let (line, content) = source.inputComment else { return false }
        let count = input.channels.count
        guard let content, content.mean.count == count, content.scale.count == count,
            (content.channels ?? input.channels).count == count,
            Set(content.channels ?? input.channels).count == count
        else {
            notes.append(
                "the comment in line \(line) about the input is ignored: it does not have one mean and one scale for each "
                    + "of the network's \(count) channels."
            )
            return false
        }
        input.mean = content.mean
        input.scale = content.scale
        if let channels = content.channels { input.channels = channels }
        if !content.isRaw {
            let what = mean == nil ? "mean and scale of the input are those" : "the scale of the input is that"
            notes.append("\(what) of the comment in line \(line).")
        }
        return true
    }
}
