/// A place in a picture, in pixels from its upper left corner. Pixel (0, 0) reaches from 0 to 1; its centre is (0.5, 0.5).
public struct PixelPoint: Sendable, Hashable {
    /// To the right.
    public var x: Double
    /// Downwards.
    public var y: Double

    public init(_ x: Double, _ y: Double) {
        self.x = x
        self.y = y
    }
}
