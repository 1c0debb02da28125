import ArgumentParser

/// Width and height in pixels, `480x360` on the command line.
struct PictureSize: Hashable, Sendable, CustomStringConvertible {
    var width: Int
    var height: Int

    /// Sides beyond this are typing errors; shape inference has its own limit.
    private static let greatestSide = 1 << 20

    /// That of CamVid's pictures as SegNet's authors ship them.
    static let standard = PictureSize(width: 480, height: 360)

    init(width: Int, height: Int) {
        self.width = width
        self.height = height
    }

    init?(argument: String) {
        let parts = argument.lowercased().split(separator: "x", omittingEmptySubsequences: false)
        guard parts.count == 2, let width = Int(parts[0]), let height = Int(parts[1]),
            (1...Self.greatestSide).contains(width), (1...Self.greatestSide).contains(height)
        else { return nil }
        self.width = width
        self.height = height
    }

    /// The size that a user wrote.
    static func parse(_ word: String) throws -> PictureSize {
        guard let size = PictureSize(argument: word) else {
            throw ValidationError("a size is WIDTHxHEIGHT, such as 480x360; sides are in 1...\(greatestSide).")
        }
        return size
    }

    var description: String { "\(width)x\(height)" }
}
