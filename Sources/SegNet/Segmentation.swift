public import SegNetImages
public import SegNetPlatform

/// The answer of a `Segmenter` for one picture.
///
/// Some results are kept "at the network's resolution": that of its last maps. With views, tiles or a refinement that is the picture's
/// size.
public struct Segmentation: Sendable {
    /// The class of each pixel, at the picture's own size.
    public let classes: LabelMap
    /// The class of each pixel, at the network's resolution.
    public let networkClasses: LabelMap
    /// Names and colours of the classes.
    public let classTable: ClassTable
    /// K, the number of the network's outputs.
    public let classCount: Int
    /// The highest probability of each pixel, [H, W] at the network's resolution, if it was asked for.
    public let confidence: FloatMap?
    /// The class scores before softmax, [K, H, W] at the network's resolution, if they were asked for.
    public let scores: FloatMap?
    /// The class probabilities, [K, H, W] at the network's resolution, if they were asked for.
    public let probabilities: FloatMap?
    /// How much the samples of a pixel differ, [H, W] at the network's resolution: the variance of the probabilities, averaged over the
    /// classes. Nil without sampling.
    public internal(set) var uncertainty: FloatMap?
    /// The population variance of each class's probability over the samples, [K, H, W] at the network's resolution, if it was asked
    /// for. Nil without sampling.
    public internal(set) var variance: FloatMap?
    /// Inner blobs that were asked for, [C, H, W] each.
    public let blobs: [String: FloatMap]
    /// How long each stage took.
    public internal(set) var timing = Timing()
    /// The number of tiles in which the picture ran through the network.
    public internal(set) var tileCount = 1

    let image: Image

    /// How long each stage of `Segmenter.segment` took.
    public struct Timing: Sendable, Hashable {
        /// Waiting while other callers use all workspaces; the plan of a new size is made here, too.
        public var waiting: Duration = .zero
        /// Resizing the picture, filling the input.
        public var preparation: Duration = .zero
        /// Running the network.
        public var network: Duration = .zero
        /// Taking classes and other outputs from the network's memory, resizing the classes.
        public var reading: Duration = .zero
        /// Refining the probabilities.
        public var refinement: Duration = .zero

        /// All work, without the waiting.
        public var work: Duration { preparation + network + reading + refinement }
    }

    /// A class's part of the picture.
    public struct Share: Sendable, Hashable, Codable {
        /// The class id.
        public var id: Int
        public var name: String
        /// Pixels of the picture.
        public var pixels: Int
        /// 0...1 of the picture.
        public var share: Double
    }

    /// The part of each class that occurs, the greatest first; equal ones by id.
    public var shares: [Share] {
        Self.shares(classes.pixelCounts(), classTable)
    }

    /// The same from the number of pixels of each id.
    package static func shares(_ counts: [Int], _ table: ClassTable) -> [Share] {
        let total = Double(counts.reduce(0, +))
        return counts.enumerated().filter { $0.element > 0 }
            .map { Share(id: $0, name: table.name(of: $0), pixels: $1, share: Double($1) / total) }
            .sorted { ($1.pixels, $0.id) < ($0.pixels, $1.id) }
    }

    /// The classes in their colours.
    public func colored() -> Image { classes.colored(with: classTable) }

    /// The picture with the classes' colours over it.
    /// - Parameter opacity: How opaque the colours are, 0...1.
    public func overlay(opacity: Double = 0.5) -> Image {
        // The sizes are equal by construction, which is all that could fail.
        (try? image.overlay(classes, table: classTable, opacity: opacity)) ?? image
    }

    /// The highest probability of each pixel at the picture's own size, black 0, white 1; nil if it was not asked for.
    public func confidenceImage() throws(ImageError) -> Image? {
        guard let confidence else { return nil }
        return try Image(grayscale: confidence.values, width: confidence.shape[1], height: confidence.shape[0])
            .resized(width: image.width, height: image.height)
    }
}

extension Segmentation {
    /// The uncertainty at the picture's own size, black 0, white the picture's greatest; nil without sampling.
    public func uncertaintyImage() throws(ImageError) -> Image? {
        guard let uncertainty else { return nil }
        let greatest = uncertainty.values.max() ?? 0
        let scaled = greatest > 0 ? uncertainty.values.map { $0 / greatest } : uncertainty.values
        return try Image(grayscale: scaled, width: uncertainty.shape[1], height: uncertainty.shape[0])
            .resized(width: image.width, height: image.height)
    }
}

/// Numbers with their shape, the last axis closest in memory.
public struct FloatMap: Sendable, Hashable {
    public var shape: Shape
    /// shape.count numbers.
    public var values: [Float]

    public init(shape: Shape, values: [Float]) {
        self.shape = shape
        self.values = values
    }

    /// [K, H, W] as [H, W, K]; other ranks as they are.
    public func channelsLast() -> FloatMap {
        guard shape.rank == 3 else { return self }
        let (channels, pixels) = (shape[0], shape[1] * shape[2])
        let moved = [Float](unsafeUninitializedCapacity: values.count) { target, count in
            values.withUnsafeBufferPointer { source in
                // By stretches of pixels that stay in the cache while all channels are written into them.
                for start in stride(from: 0, to: pixels, by: 256) {
                    for channel in 0..<channels {
                        for pixel in start..<min(start + 256, pixels) {
                            target[pixel * channels + channel] = source[channel * pixels + pixel]
                        }
                    }
                }
            }
            count = values.count
        }
        return FloatMap(shape: [shape[1], shape[2], shape[0]], values: moved)
    }
}
