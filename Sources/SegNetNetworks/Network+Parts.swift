extension Network {
    /// The layers before the first one that enlarges its map; all of them if none does.
    public var encoder: ArraySlice<Layer> { layers[..<decoderStart] }

    /// The layers from the first one that enlarges its map.
    public var decoder: ArraySlice<Layer> { layers[decoderStart...] }

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
