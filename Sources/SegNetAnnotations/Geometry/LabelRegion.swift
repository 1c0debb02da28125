/// Connected pixels of one class. Pixels are connected if they share a side.
public struct LabelRegion: Sendable, Hashable {
    /// Their class id.
    public var classID: UInt16
    /// Their outer border and holes.
    public var polygon: PixelPolygon
    /// How many there are.
    public var pixelCount: Int

    public init(classID: UInt16, polygon: PixelPolygon, pixelCount: Int) {
        self.classID = classID
        self.polygon = polygon
        self.pixelCount = pixelCount
    }
}
