package import SegNetCPU
internal import SegNetData
package import SegNetImages
package import SegNetNetworks
internal import SegNetPlatform

/// Models that have learnt nothing, for demonstrations and measurements.
package enum RandomModel {
    /// SegNet-Basic with seeded random weights, normalised on one picture.
    ///
    /// With raw random weights one class would win everywhere. Here every convolution's output is brought to mean 0 and deviation 1 per
    /// channel over the picture (what batch normalisation would have measured there), layer after layer, and so are the class scores,
    /// so that each class wins somewhere. The decoder's kernels are smooth in space, as trained ones mostly are; they are random all the
    /// same.
    /// - Throws: `NetworkError`, `MemoryError`, `ImageError`.
    public static func segNetBasic(
        classTable: ClassTable,
        seed: UInt64,
        lookingAt image: Image,
        options: InferenceOptions = InferenceOptions(),
        threads: Int? = nil
    ) throws -> Model {
        let network = Architectures.segNetBasic(
            classes: classTable.classes.count,
            options: ArchitectureOptions(input: .bgr255(height: image.height, width: image.width))
        )
        var weights = try Weights.initial(for: network, seed: seed)
        for layer in network.decoder { weights[layer.name, .weight] = weights[layer.name, .weight]?.smoothed() }
        let input = NetworkInput(network)
        let pixels = try input.pixels(of: MultichannelImage(image), width: image.width, height: image.height)
        var options = options
        options.outputs = []

        for (index, layer) in network.layers.enumerated() {
            guard case .convolution = layer.operation else { continue }
            // The network up to this convolution.
            let beginning = Network(name: network.name, input: network.input, layers: Array(network.layers[...index]))
            let prepared = try PreparedNetwork(beginning, weights: weights, options: options, file: "random weights")
            let workspace = try Workspace(
                for: prepared.plan(height: image.height, width: image.width),
                threads: threads
            )
            input.fill(workspace, with: pixels)
            workspace.plan.run(in: workspace)
            guard let blob = beginning.scoresBlob, let values = workspace.planar(blob),
                let shape = workspace.plan.shape(of: blob)
            else { continue }
            let (scale, shift) = standardization(of: values, channels: shape[0])
            let normalization = "\(layer.name)_bn"
            if weights[normalization, .scale] != nil {
                weights[normalization, .scale] = WeightTensor(shape: [shape[0]], values: scale)
                weights[normalization, .shift] = WeightTensor(shape: [shape[0]], values: shift)
            } else if let weight = weights[layer.name, .weight] {
                // The classifier has no batch normalisation: the same goes into its weights.
                let each = weight.shape.count / shape[0]
                let scaled = weight.floats().enumerated().map { $1 * scale[$0 / each] }
                weights[layer.name, .weight] = WeightTensor(shape: weight.shape, values: scaled)
                weights[layer.name, .bias] = WeightTensor(shape: [shape[0]], values: shift)
            }
        }
        var metadata = ModelMetadata(
            name: "random SegNet-Basic",
            notes: ["weights": "random, seed \(seed), normalised on one rendered street; nothing was learnt"]
        )
        metadata.name(classTable)
        return Model(network: network, weights: weights, metadata: metadata)
    }

    /// Factors that make each channel's mean 0 and its deviation 1.
    private static func standardization(of values: [Float], channels: Int) -> (scale: [Float], shift: [Float]) {
        var scale: [Float] = []
        var shift: [Float] = []
        let pixels = values.count / max(1, channels)
        for channel in 0..<channels {
            let plane = values[channel * pixels..<(channel + 1) * pixels]
            let mean = plane.reduce(0) { $0 + Double($1) } / Double(max(1, pixels))
            let variance = plane.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(max(1, pixels))
            let factor = variance > 0 ? 1 / variance.squareRoot() : 1
            scale.append(Float(factor))
            shift.append(Float(-mean * factor))
        }
        return (scale, shift)
    }
}

extension WeightTensor {
    /// [out, in, kh, kw], each plane mostly a bell of a random height: 95 % of its energy, the rest stays as it was drawn.
    fileprivate func smoothed() -> WeightTensor {
        guard shape.rank == 4, shape[2] > 1, shape[3] > 1 else { return self }
        let (height, width) = (shape[2], shape[3])
        // A parabola over the window is bell enough.
        var bell: [Float] = []
        for y in 0..<height {
            for x in 0..<width {
                let (v, u) = (Float(2 * y + 1) / Float(height) - 1, Float(2 * x + 1) / Float(width) - 1)
                bell.append((1 - v * v) * (1 - u * u))
            }
        }
        let norm = bell.reduce(0) { $0 + $1 * $1 }.squareRoot()
        var values = floats()
        for start in stride(from: 0, to: values.count, by: bell.count) {
            let plane = values[start..<start + bell.count]
            let energy = plane.reduce(0) { $0 + $1 * $1 }
            let sign: Float = plane.reduce(0, +) < 0 ? -1 : 1
            let height = sign * (0.95 * energy).squareRoot() / norm
            let rest = (0.05 as Float).squareRoot()
            for (index, value) in bell.enumerated() {
                values[start + index] = rest * values[start + index] + height * value
            }
        }
        return WeightTensor(shape: shape, values: values)
    }
}
