import SegNetImages
import SegNetNetworks
package import SegNetPlatform

/// A picture with its ground truth, decoded and mapped to the classes of its data set: what augmentation and training work on.
public struct Example: Sendable, Hashable {
    /// Stands in `labels` for pixels without ground truth, whatever number the files use.
    public static let ignored = UInt16.max

    /// Samples 0...255 of the picture interleaved [height, width, channels], in the order of the data set's input channels.
    public var pixels: [UInt8]
    /// The channels with files of their own, behind those of the picture: [height, width] each, 257 to a step of the picture's.
    public var planes: [[UInt16]]
    /// Pixels in a row.
    public var width: Int
    /// Rows.
    public var height: Int
    /// Channels of `pixels`: 3 for colour pictures (red, green, blue), 1 for gray, 4 with alpha, 0 where all have files of their own.
    public var channels: Int
    /// Class ids 0 ..< K of the data set, or `Example.ignored`; [height, width].
    public var labels: [UInt16]

    public init(pixels: [UInt8], width: Int, height: Int, channels: Int, planes: [[UInt16]] = [], labels: [UInt16]) {
        precondition(pixels.count == width * height * channels && labels.count == width * height)
        precondition(planes.allSatisfy { $0.count == width * height })
        self.pixels = pixels
        self.width = width
        self.height = height
        self.channels = channels
        self.planes = planes
        self.labels = labels
    }

    /// A picture with labels of its size.
    /// - Parameter planes: The order of the further channels; all must be there.
    init(_ picture: MultichannelImage, planes: [InputChannel] = [], labels: [UInt16]) {
        self.init(
            pixels: picture.image?.pixels ?? [],
            width: picture.width,
            height: picture.height,
            channels: picture.image?.channels ?? 0,
            planes: planes.compactMap { picture.planes[$0.rawValue]?.samples },
            labels: labels
        )
    }

    package var size: PictureSize { PictureSize(width: width, height: height) }

    /// All input channels.
    public var channelCount: Int { channels + planes.count }

    /// Bytes of its samples and labels.
    public var byteCount: Int {
        Self.byteCount(width: width, height: height, channels: channels, planes: planes.count)
    }

    /// Bytes of the samples and labels of an example of this shape.
    public static func byteCount(width: Int, height: Int, channels: Int, planes: Int) -> Int {
        width * height * (channels + 2 * planes + 2)
    }
}

/// The examples of one training step, all of one size.
public struct Batch: Sendable, Hashable {
    public var examples: [Example]
    /// The epoch that the first example belongs to, from 0.
    public var epoch: Int
    /// The data set of a pool that each example is from; empty: all are from the first.
    public var sources: [Int]

    public init(examples: [Example], epoch: Int, sources: [Int] = []) {
        self.examples = examples
        self.epoch = epoch
        self.sources = sources
    }
}
