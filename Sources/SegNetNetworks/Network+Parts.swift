extension Network {
    /// The layers before the first one that enlarges its map; all of them if none does.
    public var encoder: ArraySlice<Layer> { layers[..<decoderStart] }

    /// The layers from the first one that enlarges its map.
    public var decoder: ArraySlice<Layer> { layers[decoderStart...] }

    /// The layers that make class scores of features: the last convolution, or the last of each branch where scores are added.
    package var classifier: [Layer] {
        var found: [Layer] = []
        var scores = Set([scoresBlob].compactMap { $0 })
        for layer in layers.reversed() where !scores.isDisjoint(with: layer.outputs) {
            scores.subtract(layer.outputs)
            switch layer.operation {
            case .convolution, .innerProduct: found.append(layer)
            case .addition: scores.formUnion(layer.inputs)
            // Further inputs are pooling indices, or give a size.
            default: scores.formUnion(layer.inputs.prefix(1))
            }
        }
        return found.reversed()
    }

    private var decoderStart: Int {
        layers.firstIndex { layer in
            switch layer.operation {
            case .unpooling, .bilinearUpsampling, .resize: true
            case .transposedConvolution(let kind): kind.window.strideY > 1
            default: false
            }
        } ?? layers.endIndex
    }
}
