import SegNetPlatform

/// Max pooling: the greatest value of each window and, on request, where it was (SegNet's idea).
///
/// Sizes round up, windows are clipped at the border, the scan is row by row and a value wins only if strictly greater than
/// the best so far, which starts at -FLT_MAX in position 0: the first maximum wins, NaN and -infinity never do.
/// [N, C, H, W] -> [N, C, ceil((H + 2 padding - kh) / stride) + 1, likewise W], and indices of the same shape.
/// Source: paper section 3.2; caffe-segnet `pooling_layer.cpp`; docs/segnet.md, Pooling and unpooling.
public struct MaxPooling: LayerKind {
    public static let name = Operation.Name.maxPooling

    public var window: Window
    /// Whether the second output holds the pooling indices. Only 2x2 windows of stride 2 without padding can: 2 bits per value.
    public var givesIndices: Bool

    public init(window: Window = Window(2, stride: 2), givesIndices: Bool = true) {
        self.window = window
        self.givesIndices = givesIndices
    }

    /// The window of SegNet: 2x2, stride 2, no padding.
    public var isTwoByTwo: Bool { window == Window(2, stride: 2) }

    public func outputs(of inputs: [BlobShape]) throws(ShapeRuleError) -> [BlobShape] {
        let input = inputs[0].shape
        guard !givesIndices || isTwoByTwo else {
            throw ShapeRuleError(
                "gives pooling indices, which needs a 2x2 window of stride 2 without padding; found \(window.description) "
                    + "with padding \(window.paddingY)x\(window.paddingX)"
            )
        }
        let pooled = try window.pooled(input)
        return givesIndices ? [BlobShape(pooled), BlobShape(pooled, pooledFrom: input)] : [BlobShape(pooled)]
    }

    public var receptiveWindow: (extent: Int, step: Int) { window.receptiveField }
}
