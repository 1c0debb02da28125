public import SegNetPlatform

/// What a network expects at its input. It is stored with the network and its weights.
///
/// The released SegNets take B, G, R bytes 0...255 as floats, without mean subtraction (docs/segnet.md, Paper and
/// release).
public struct InputDescription: Sendable, Hashable, Codable {
    /// The name of the input blob, `data` in the original's files.
    public var name: String
    /// The content of each input channel, in order.
    public var channels: [InputChannel]
    /// The height at which the network was trained, in pixels.
    public var height: Int
    /// The width at which the network was trained, in pixels.
    public var width: Int
    /// Subtracted from each channel, in units of 0...255.
    public var mean: [Float]
    /// Multiplied after the subtraction.
    public var scale: [Float]

    /// - Parameters:
    ///   - mean: One number per channel; an empty list means 0.
    ///   - scale: One number per channel; an empty list means 1.
    public init(
        name: String = "data",
        channels: [InputChannel],
        height: Int,
        width: Int,
        mean: [Float] = [],
        scale: [Float] = []
    ) {
        self.name = name
        self.channels = channels
        self.height = height
        self.width = width
        self.mean = mean.isEmpty ? Array(repeating: 0, count: channels.count) : mean
        self.scale = scale.isEmpty ? Array(repeating: 1, count: channels.count) : scale
    }

    /// B, G, R bytes 0...255 as floats: what the released nets take.
    public static func bgr255(height: Int = 360, width: Int = 480) -> InputDescription {
        InputDescription(channels: .bgr, height: height, width: width)
    }

    /// Any number of channels: one is `gray`, three are B, G, R, four B, G, R, A; more are numbered.
    public static func channels(_ count: Int, height: Int = 360, width: Int = 480) -> InputDescription {
        let names: [InputChannel]
        switch count {
        case 1: names = [.gray]
        case 3: names = .bgr
        case 4: names = .bgr + [.alpha]
        default: names = (0..<max(0, count)).map { "channel\($0)" }
        }
        return InputDescription(channels: names, height: height, width: width)
    }

    /// [1, channels, height, width]
    public var shape: Shape { [1, channels.count, height, width] }
}
