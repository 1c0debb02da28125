import SegNetNetworks

/// Mean and variance of each batch normalisation, of the last batch or stored with the network.
final class BatchStatistics: @unchecked Sendable {
    /// Means of the last forward pass: [normalisation][channel].
    private(set) var means: [[Double]]
    private(set) var variances: [[Double]]

    init(channels: [Int]) {
        means = channels.map { [Double](repeating: 0, count: $0) }
        variances = channels.map { [Double](repeating: 1, count: $0) }
    }

    func record(_ index: Int, mean: ArraySlice<Double>, variance: ArraySlice<Double>) {
        means[index] = Array(mean)
        variances[index] = Array(variance)
    }

    /// For layers whose statistics are stored (`kept`), or already in scale and shift (`folded`: mean 0, deviation 1).
    func constants(
        _ index: Int,
        kind: BatchNormalization,
        _ body: (_ channel: Int, _ mean: Float, _ inverse: Float) -> Void
    ) {
        for channel in means[index].indices {
            if kind.statistics == .folded {
                body(channel, 0, 1)
            } else {
                let inverse = 1 / (variances[index][channel] + kind.epsilon).squareRoot()
                body(channel, Float(means[index][channel]), Float(inverse))
            }
        }
    }
}
