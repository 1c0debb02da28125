public import SegNetNetworks
public import SegNetPlatform

/// Writes models for ONNX engines: operator set 13, batch 1, the network's own input size.
///
/// The input is what the network reads (for the released networks B, G, R bytes 0...255 as floats); metadata describe
/// it.
public enum ONNX {
    /// How index pooling and unpooling are spelled.
    public enum Unpooling: String, Sendable, CaseIterable {
        /// `MaxPool` with indices and `MaxUnpool`: compact, but many engines lack the second.
        case indices
        /// Comparisons, `Where` and `DepthToSpace`: the same function with operators that engines commonly have.
        case standard
    }

    /// Writes a model. Batch normalisation is folded into the convolution before it where there is one.
    ///
    /// NaN and infinities inside the network may pool differently than here; numbers give the same positions.
    /// - Parameters:
    ///   - elementType: How convolution weights are stored: float32, or float16 with a cast; engines compute in float32.
    /// - Throws: `FormatError` if the network does not fit together, weights or statistics of batch
    ///   normalisation are missing, or the file cannot be written.
    public static func write(
        _ model: Model,
        unpooling: Unpooling = .indices,
        elementType: ElementType = .float32,
        to url: URL
    ) throws(FormatError) {
        let file = url.relativePath
        try model.weights.checked(for: model.network, file: file)
        let folded: Model
        do { folded = try model.foldingBatchNormalization() } catch {
            throw FormatError(network: error, file: file, lines: [:])
        }
        var graph = ONNXGraph(model: folded, unpooling: unpooling, elementType: elementType, file: file)
        try graph.build()
        try graph.write(to: url)
    }
}
