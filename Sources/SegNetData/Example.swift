/// A picture with its ground truth, decoded and mapped to the classes of its data set: what augmentation and training work on.
public struct Example: Sendable, Hashable {
    /// Stands in `labels` for pixels without ground truth, whatever number the files use.
    public static let ignored = UInt16.max

    /// Samples 0...255 interleaved [height, width, channels], in the order of the data set's input channels.
    public var pixels: [UInt8]
    /// Pixels in a row.
    public var width: Int
    /// Rows.
    public var height: Int
    /// Input channels: 3 for colour pictures (red, green, blue), more or fewer as the data set says.
    public var channels: Int
    /// Class ids 0 ..< K of the data set, or `Example.ignored`; [height, width].
    public var labels: [UInt16]

    public init(pixels: [UInt8], width: Int, height: Int, channels: Int, labels: [UInt16]) {
        precondition(pixels.count == width * height * channels && labels.count == width * height)
        self.pixels = pixels
        self.width = width
        self.height = height
        self.channels = channels
        self.labels = labels
    }
}

/// The examples of one training step, all of one size.
public struct Batch: Sendable, Hashable {
    public var examples: [Example]
    /// The epoch that the first example belongs to, from 0.
    public var epoch: Int

    public init(examples: [Example], epoch: Int) {
        self.examples = examples
        self.epoch = epoch
    }
}
