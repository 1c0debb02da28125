package import SegNetPlatform

extension Weights {
    /// Random initial weights, the same for the same seed: He's Gaussian with deviation sqrt(2 / fan-in) for convolutions,
    /// biases 0, batch normalisation scale 1, shift 0. Source: docs/segnet.md, Initialisation; the original's shift of
    /// 0.001 makes no difference worth having.
    ///
    /// A transposed convolution that enlarges a map begins as bilinear interpolation, each channel for itself.
    /// - Parameters:
    ///   - isUniform: Xavier's instead: uniform in +- sqrt(3 / fan-in).
    ///   - starts: Layers whose weights begin otherwise, as an architecture says (`Architecture.starts`).
    public static func initial(
        for network: Network,
        seed: UInt64,
        isUniform: Bool = false,
        starts: [String: LayerStart] = [:]
    ) throws(NetworkError) -> Weights {
        var weights = Weights()
        for (index, (layer, name, parameter)) in try network.parameters().enumerated() {
            let count = parameter.shape.count
            guard count < 1 << 31 else {
                throw NetworkError(
                    network: network.name,
                    layer: layer.name,
                    problem: "its \(parameter.name) \(parameter.shape) is too large to be made up"
                )
            }
            func constant(_ value: Float) -> [Float] { Array(repeating: value, count: count) }
            let values: [Float]
            switch (parameter.role, starts[layer.name]) {
            case (.weight, .constant(let value)), (.scale, .constant(let value)): values = constant(value)
            case (.weight, .gaussian(let deviation)):
                var random = RandomNumbers(seed: seed, stream: UInt64(index))
                values = (0..<count).map { _ in Float(deviation * random.gaussian()) }
            case (.weight, nil):
                if let kernels = layer.operation.bilinearKernels(parameter.shape) {
                    values = kernels
                    break
                }
                var random = RandomNumbers(seed: seed, stream: UInt64(index))
                let fanIn = Double(max(1, count / parameter.shape[0]))
                let (deviation, bound) = ((2 / fanIn).squareRoot(), (3 / fanIn).squareRoot())
                values = (0..<count).map { _ in
                    Float(isUniform ? bound * (2 * random.uniform() - 1) : deviation * random.gaussian())
                }
            case (.scale, _), (.variance, _): values = constant(1)
            default: values = constant(0)
            }
            weights[name] = WeightTensor(shape: parameter.shape, values: values)
        }
        return weights
    }
}

/// How the weights of a layer begin, where not as everywhere.
public enum LayerStart: Sendable, Hashable {
    /// Every weight (or scale) this number.
    case constant(Float)
    /// Around 0 with this deviation.
    case gaussian(deviation: Double)
}

extension Operation {
    /// The weights with which a transposed convolution interpolates bilinearly: the kernel where a channel meets itself, zeros elsewhere.
    ///
    /// A kernel of the extent k has the factor f = (k + 1) / 2, rounded down, and w(x) = 1 - |x - c| / f with the centre c = f - 1 for odd
    /// k, else f - 0.5. Divided by the sum of the taps that meet in one output, so that the gain is 1; at stride k / 2 that sum is 1
    /// already. Source: `surgery.interp` and `upsample_filt` of fcn.berkeleyvision.org.
    /// - Parameter shape: Of the weights.
    /// - Returns: Nil for a layer that does not enlarge a map to as many channels.
    package func bilinearKernels(_ shape: Shape) -> [Float]? {
        guard case .transposedConvolution(let kind) = self, kind.window.strideY > 1, kind.window.strideX > 1,
            kind.window.dilationY == 1, kind.window.dilationX == 1, kind.outputChannels == shape[0],
            kind.groups == 1 || kind.groups == shape[0]
        else { return nil }
        func taps(_ extent: Int, _ stride: Int) -> [Double] {
            let factor = Double((extent + 1) / 2)
            let center = extent % 2 == 1 ? factor - 1 : factor - 0.5
            let taps = (0..<extent).map { 1 - abs(Double($0) - center) / factor }
            let gain = taps.reduce(0, +) / Double(stride)
            return taps.map { $0 / gain }
        }
        let (rows, columns) = (
            taps(kind.window.height, kind.window.strideY), taps(kind.window.width, kind.window.strideX)
        )
        let kernel = rows.flatMap { row in columns.map { Float(row * $0) } }
        var values = [Float](repeating: 0, count: shape.count)
        for channel in 0..<shape[0] {
            let plane = channel * shape[1] + (kind.groups == 1 ? channel : 0)
            values.replaceSubrange(plane * kernel.count..<(plane + 1) * kernel.count, with: kernel)
        }
        return values
    }
}
