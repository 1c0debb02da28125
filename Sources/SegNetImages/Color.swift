/// A colour: red, green and blue, 0...255 each. In JSON it is `[128, 64, 128]`.
public struct Color: Sendable, Hashable {
    /// Red, 0...255.
    public var red: UInt8
    /// Green, 0...255.
    public var green: UInt8
    /// Blue, 0...255.
    public var blue: UInt8

    /// A colour of three samples, 0...255 each.
    public init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) {
        self.red = red
        self.green = green
        self.blue = blue
    }

    /// (0, 0, 0): the colour of void.
    public static let black = Color(0, 0, 0)

    /// The number 0xRRGGBB, for tables of colours.
    var packed: UInt32 { UInt32(red) << 16 | UInt32(green) << 8 | UInt32(blue) }
}

extension Color: Codable {
    /// Reads `[red, green, blue]`.
    public init(from decoder: any Decoder) throws {
        var samples = try decoder.unkeyedContainer()
        self.init(try samples.decode(UInt8.self), try samples.decode(UInt8.self), try samples.decode(UInt8.self))
        guard samples.isAtEnd else {
            throw DecodingError.dataCorruptedError(in: samples, debugDescription: "a colour has three numbers")
        }
    }

    /// Writes `[red, green, blue]`.
    public func encode(to encoder: any Encoder) throws {
        var samples = encoder.unkeyedContainer()
        for sample in [red, green, blue] { try samples.encode(sample) }
    }
}

extension Color: CustomStringConvertible {
    /// "(128, 64, 128)"
    public var description: String { "(\(red), \(green), \(blue))" }
}
