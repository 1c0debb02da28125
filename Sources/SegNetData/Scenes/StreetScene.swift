public import SegNetImages
internal import SegNetPlatform

/// A made-up street with its labels: what the demo segments, without any data that belongs to someone.
///
/// A road in perspective with pavements, rows of houses, trees, lamps, signs, fences, cars, walkers, a cyclist. The same seed gives the
/// same picture; its labels are exact because they are drawn with it. Classes are those of `ClassTable.camVid11`.
public struct StreetScene: Sendable {
    public let image: Image
    /// Class ids of `ClassTable.camVid11`, the picture's size.
    public let labels: LabelMap

    /// - Parameters:
    ///   - seed: Chooses houses, trees, cars, people, light.
    ///   - width: Width of the picture, 1...16384 pixels; values outside are taken as the nearer end.
    ///   - height: Height of the picture, likewise.
    public init(seed: UInt64 = 1, width: Int = 480, height: Int = 360) throws(ImageError) {
        // Beyond 16384 the canvas would take gigabytes.
        let (width, height) = (max(1, min(width, 16_384)), max(1, min(height, 16_384)))
        var painter = StreetPainter(seed: seed, width: width, height: height)
        painter.paintEverything()
        (image, labels) = try painter.finished()
    }
}
