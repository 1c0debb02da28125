import SegNetPlatform

extension Model {
    /// The same function with batch normalisation folded into the convolutions before it: w s, b s + t.
    ///
    /// For files at lower precision, where rounding comes last, and for formats that have no such layer. The arithmetic is the
    /// engine's, so that what is folded here gives the same bits as what is folded there. Layers whose statistics are not stored,
    /// and those that do not follow a convolution directly, stay as they are.
    /// - Throws: `NetworkError` if the network does not fit together.
    public func foldingBatchNormalization() throws(NetworkError) -> Model {
        var result = self
        result.network.layers = []
        for layer in network.layers {
            guard let previous = result.network.layers.last, let factors = factors(of: layer, after: previous),
                case .convolution(var convolution) = previous.operation,
                let weight = result.weights[previous.name, .weight]
            else {
                result.network.layers.append(layer)
                continue
            }
            var values = weight.floats()
            weight.release()
            let row = values.count / max(1, factors.scale.count)
            values.withUnsafeMutableBufferPointer { buffer in
                for (out, factor) in factors.scale.enumerated() {
                    for i in out * row..<(out + 1) * row { buffer[i] *= factor }
                }
            }
            let bias = result.weights[previous.name, .bias]?.floats() ?? factors.scale.map { _ in 0 }
            let folded = BatchNormalization.folded(bias, scale: factors.scale, shift: factors.shift)
            convolution.hasBias = true
            var merged = previous
            merged.operation = .convolution(convolution)
            merged.outputs = layer.outputs
            result.network.layers[result.network.layers.count - 1] = merged
            result.weights[previous.name, .weight] = WeightTensor(shape: weight.shape, values: values)
            result.weights[previous.name, .bias] = WeightTensor(shape: [folded.count], values: folded)
            for role in [LayerParameter.Role.scale, .shift, .mean, .variance] { result.weights[layer.name, role] = nil }
        }
        return result
    }

    /// Scale and shift of a batch normalisation that alone reads the convolution before it; nil for anything else.
    private func factors(of layer: Layer, after previous: Layer) -> (scale: [Float], shift: [Float])? {
        guard case .batchNormalization(let kind) = layer.operation, network.isReadAlone(previous, by: layer) else {
            return nil
        }
        return weights.factors(of: layer.name, kind)
    }
}

extension Network {
    /// Whether a layer reads what the one before it makes, and no other layer does.
    package func isReadAlone(_ previous: Layer, by layer: Layer) -> Bool {
        guard layer.inputs == previous.outputs else { return false }
        return layer.outputs == layer.inputs
            || !layers.contains { $0.inputs.contains(previous.outputs[0]) && $0.name != layer.name }
    }
}

extension Weights {
    /// Scale and shift of a batch normalisation at test time; nil where they or its statistics are not stored.
    package func factors(of layer: String, _ kind: BatchNormalization) -> (scale: [Float], shift: [Float])? {
        guard let scale = self[layer, .scale]?.floats(), let shift = self[layer, .shift]?.floats() else { return nil }
        return kind.factors(
            scale: scale,
            shift: shift,
            mean: self[layer, .mean]?.floats(),
            variance: self[layer, .variance]?.floats()
        )
    }
}

extension BatchNormalization {
    /// The layer's factors and shifts at test time; nil where its statistics are not stored.
    ///
    /// Kept statistics are folded in float64: near-zero variances make large factors.
    public func factors(
        scale: [Float],
        shift: [Float],
        mean: [Float]?,
        variance: [Float]?
    ) -> (scale: [Float], shift: [Float])? {
        switch statistics {
        case .folded: return (scale, shift)
        case .batch: return nil
        case .kept:
            guard let mean, let variance else { return nil }
            let factors = zip(scale, variance).map { Double($0) / (Double($1) + epsilon).squareRoot() }
            let shifts = zip(zip(shift, mean), factors).map { Double($0.0) - Double($0.1) * $1 }
            return (factors.map { Float($0) }, shifts.map { Float($0) })
        }
    }

    /// The numbers that are added after `bias` and this layer became one: s b + t.
    ///
    /// In float32, each step rounded: the results of trained models, bit for bit, depend on it.
    package static func folded(_ bias: [Float], scale: [Float], shift: [Float]) -> [Float] {
        zip(zip(bias, scale), shift).map { $0.0 * $0.1 + $1 }
    }
}
