internal import SegNetCPU
internal import SegNetData
internal import SegNetImages
public import SegNetNetworks
public import SegNetTraining

extension StatisticsPass {
    /// A model whose batch normalisation keeps the statistics found over picture files, each resized to the network's size.
    ///
    /// For networks that were trained elsewhere and come without statistics: what the original's `compute_bn_statistics.py` does
    /// (docs/segnet.md, Batch normalisation), without its training prototxt.
    /// - Parameters:
    ///   - model: At least one of its batch normalisations uses the statistics of the batch.
    ///   - pictures: Files of the training pictures, of any format that `Image(path:)` reads.
    ///   - batchSize: Pictures that are normalised together.
    ///   - progress: Called after each batch: pictures done, of all.
    /// - Throws: `InputError` if there is nothing to do or no picture, `ImageError` naming the file that cannot be read,
    ///   `SegmenterError` for channels that pictures do not have, `NetworkError`, `MemoryError`.
    public func run(
        _ model: Model,
        pictures: [String],
        batchSize: Int,
        progress: (Int, Int) -> Void = { _, _ in }
    ) throws -> Model {
        let network = model.network
        let normalizations = network.layers.compactMap { layer -> BatchNormalization.Statistics? in
            if case .batchNormalization(let kind) = layer.operation { return kind.statistics }
            return nil
        }
        guard normalizations.contains(where: { $0 != .folded }) else {
            throw InputError(
                normalizations.isEmpty
                    ? "network '\(network.name)' has no batch normalisation, so there are no statistics to take."
                    : "network '\(network.name)' has its statistics folded in (bn_mode: INFERENCE); taking them again would apply them "
                        + "twice. If the weights are from training, give the prototxt of the training, without bn_mode."
            )
        }
        guard !pictures.isEmpty else { throw InputError("no pictures to take statistics from.") }
        let input = NetworkInput(network)
        let order = Self.order(pictures.count)
        return try run(
            model,
            count: pictures.count,
            channels: network.input.channels,
            batchSize: batchSize,
            progress: progress
        ) { index in
            let image = try Image(path: pictures[order[index]])
            let pixels = try input.pixels(
                of: MultichannelImage(image),
                width: network.input.width,
                height: network.input.height
            )
            return Example(pixels)
        }
    }
}

extension StatisticsPass {
    /// Statistics cannot be taken as asked: what was found, what to do.
    public struct InputError: Error, Hashable, CustomStringConvertible {
        public let description: String
        init(_ description: String) { self.description = description }
    }
}

extension Example {
    /// The samples that a network needs, gathered in its channel order; without labels. None of them comes from a plane.
    init(_ pixels: NetworkInput.Pixels) {
        let count = pixels.width * pixels.height
        var samples: [UInt8] = []
        samples.reserveCapacity(count * pixels.order.bytes.count)
        for pixel in 0..<count {
            for place in pixels.order.bytes { samples.append(pixels.samples[pixel * pixels.pixelBytes + Int(place)]) }
        }
        self.init(
            pixels: samples,
            width: pixels.width,
            height: pixels.height,
            channels: pixels.order.bytes.count,
            labels: Array(repeating: Example.ignored, count: count)
        )
    }
}
