public import SegNetCPU
public import SegNetData
public import SegNetNetworks

extension Learner {
    /// Takes the pictures and labels of a batch, for one forward pass: the passes reuse their memory.
    /// - Parameters:
    ///   - channels: What each channel of the examples holds, as the network's input names it.
    ///   - stride: How many pixels of the labels share a score.
    /// - Throws: `BatchError` if the examples do not have the plan's size or lack a channel of the network.
    public func fill(_ batch: Batch, channels: [InputChannel] = .rgb, stride: Int = 1) throws(BatchError) {
        guard batch.examples.count == plan.batchSize else {
            throw BatchError("a batch of \(batch.examples.count) examples was given to a plan for \(plan.batchSize).")
        }
        guard let first = batch.examples.first else { return }
        let order = try InputOrder(plan.network.input.channels, of: first, channels: channels)
        for example in batch.examples {
            guard example.width == plan.width, example.height == plan.height, example.channels == first.channels,
                example.channelCount == channels.count
            else {
                throw BatchError(
                    "an example of \(example.width)x\(example.height) with \(example.channelCount) channels was given to a plan for "
                        + "\(plan.width)x\(plan.height) with \(channels.count)."
                )
            }
        }
        fill(
            batch.examples.map(InputPicture.init),
            labels: batch.examples.flatMap { labels(of: $0, stride: stride) },
            order: order
        )
    }
}

extension Learner {
    /// The labels of an example where the network has scores: every `stride`-th of each row and column, from the first on. Scores beyond
    /// the picture have none.
    package func labels(of example: Example, stride: Int) -> [UInt16] {
        guard stride > 1 else { return example.labels }
        let (height, width) = plan.scoreSize
        var labels = [UInt16](repeating: Example.ignored, count: height * width)
        for y in 0..<min(height, (example.height - 1) / stride + 1) {
            for x in 0..<min(width, (example.width - 1) / stride + 1) {
                labels[y * width + x] = example.labels[y * stride * example.width + x * stride]
            }
        }
        return labels
    }
}

extension Workspace {
    /// Fills the input from an example, whose channels lie in the data set's order.
    /// - Throws: `BatchError` if the network reads a channel that is not there.
    func fillInput(_ example: Example, channels: [InputChannel]) throws(BatchError) {
        let order = try InputOrder(plan.prepared.network.input.channels, of: example, channels: channels)
        fillInput(InputPicture(example), order: order)
    }
}

extension InputPicture {
    init(_ example: Example) {
        self.init(bytes: example.pixels, pixelBytes: example.channels, planes: example.planes)
    }
}

extension InputOrder {
    /// Where a network's channels are in an example.
    /// - Throws: `BatchError` naming the first that is not there.
    init(_ network: [InputChannel], of example: Example, channels: [InputChannel]) throws(BatchError) {
        let bytes = min(example.channels, channels.count)
        do throws(InputOrder.MissingChannel) {
            try self.init(network, bytes: Array(channels[..<bytes]), planes: Array(channels[bytes...]))
        } catch {
            throw BatchError(
                "the network reads a channel '\(error.channel)', but the data have \(channels.names())."
            )
        }
    }
}

/// A batch that does not fit a plan.
public struct BatchError: Error, Hashable, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }
}
