/// Connected pixels of one class: each touches another with a whole side.
public struct LabelRegion: Sendable, Hashable {
    /// Their class id.
    public var classID: UInt16
    /// Their border, with the holes in it.
    public var polygon: PixelPolygon
    /// How many there are.
    public var pixelCount: Int

    public init(classID: UInt16, polygon: PixelPolygon, pixelCount: Int) {
        self.classID = classID
        self.polygon = polygon
        self.pixelCount = pixelCount
    }
}
