/// One list of a training's pictures as a checkpoint knows it: so many pictures, with these names in this order.
public struct PictureList: Sendable, Hashable, Codable {
    /// What the pictures are for.
    public enum Use: String, Sendable, Codable { case training, validation }

    public var use: Use
    /// The number of the data set in the recipe, from 1.
    public var source: Int
    public var count: Int
    /// CRC-32C of the names in their order, each followed by a line feed.
    public var checksum: UInt32
}
