/// Width and height in pixels, in this order wherever both are written: `480x360` on a command line, `[480, 360]` in a recipe.
///
/// It is not called `Size`: Foundation has a type of that name on macOS.
public struct PictureSize: Sendable, Hashable, CustomStringConvertible {
    /// Pixels in a row.
    public var width: Int
    /// Rows.
    public var height: Int

    public init(width: Int, height: Int) {
        self.width = width
        self.height = height
    }

    /// `480x360`
    public var description: String { "\(width)x\(height)" }
}
