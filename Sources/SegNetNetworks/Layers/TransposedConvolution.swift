import SegNetPlatform

/// A transposed convolution ("deconvolution"): each input pixel adds its value times the kernel to the output.
///
/// Parameters as the original stores them: `weight` [in, out / groups, kh, kw] and, if `hasBias`, `bias` [out].
/// [N, C, H, W] -> [N, out, (H - 1) stride + extent - 2 padding, likewise W].
public struct TransposedConvolution: LayerKind {
    public static let name = Operation.Name.transposedConvolution

    /// Twice the largest stride of any published net (FCN-32s has 32).
    static let largestStride = 64

    public var outputChannels: Int
    public var window: Window
    public var groups: Int
    public var hasBias: Bool

    public init(outputChannels: Int, window: Window, groups: Int = 1, hasBias: Bool = true) {
        self.outputChannels = outputChannels
        self.window = window
        self.groups = groups
        self.hasBias = hasBias
    }

    public func outputs(of inputs: [BlobShape]) throws(ShapeRuleError) -> [BlobShape] {
        let input = inputs[0].shape
        try window.check()
        // Each phase of the output is a separate convolution; more of them than this are useless and cost memory.
        guard window.strideY <= Self.largestStride, window.strideX <= Self.largestStride else {
            throw ShapeRuleError(
                "needs strides of at most \(Self.largestStride); found \(window.strideY)x\(window.strideX)"
            )
        }
        guard outputChannels > 0, groups > 0, input.channels % groups == 0, outputChannels % groups == 0 else {
            throw ShapeRuleError(
                "needs channel counts that \(groups) groups divide; found \(input.channels) in and \(outputChannels) out"
            )
        }
        let height = (input.height - 1) * window.strideY + window.extentY - 2 * window.paddingY
        let width = (input.width - 1) * window.strideX + window.extentX - 2 * window.paddingX
        guard height > 0, width > 0 else {
            throw ShapeRuleError(
                "padding \(window.paddingY)x\(window.paddingX) leaves nothing of its input \(input); use less padding"
            )
        }
        return [BlobShape([input.batch, outputChannels, height, width])]
    }

    public func parameters(for inputs: [BlobShape]) -> [LayerParameter] {
        let weight = LayerParameter(
            .weight,
            [inputs[0].shape.channels, outputChannels / groups, window.height, window.width]
        )
        return hasBias ? [weight, LayerParameter(.bias, [outputChannels])] : [weight]
    }

    public func multiplyAccumulates(inputs: [BlobShape], outputs: [BlobShape]) -> Int {
        saturatingProduct(inputs[0].shape.count, outputChannels / groups, window.taps)
    }

    /// An output pixel sees ceil(extent / stride) input pixels; the step of the field becomes finer, which is not tracked (1).
    public var receptiveWindow: (extent: Int, step: Int) {
        ((max(window.extentY, window.extentX) + window.strideY - 1) / window.strideY, 1)
    }
}
