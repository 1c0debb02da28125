/// The content of one channel of a picture, or of a network's input. A picture's own channels are `red`, `green`, `blue`, `gray` and
/// `alpha`; anything else (depth, infrared) may have any name and comes from further files.
public struct InputChannel: RawRepresentable, Sendable, Hashable, Codable, CustomStringConvertible,
    ExpressibleByStringInterpolation
{
    /// The name in files and messages.
    public let rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }
    public init(stringLiteral name: String) { rawValue = name }

    public var description: String { rawValue }

    public static let red: InputChannel = "red"
    public static let green: InputChannel = "green"
    public static let blue: InputChannel = "blue"
    public static let gray: InputChannel = "gray"
    public static let alpha: InputChannel = "alpha"

    /// Whether it is red, green or blue.
    package var isColor: Bool { [InputChannel].rgb.contains(self) }
    /// Whether a picture has it, so that it comes from no further file.
    package var isOfPicture: Bool { isColor || self == .gray || self == .alpha }
}

extension [InputChannel] {
    /// The order of pictures.
    public static let rgb: [InputChannel] = [.red, .green, .blue]
    /// The order of the released networks.
    public static let bgr: [InputChannel] = [.blue, .green, .red]
}

extension Collection<InputChannel> {
    /// Their names with commas between them.
    package func names(separator: String = ", ") -> String { map(\.rawValue).joined(separator: separator) }
}
