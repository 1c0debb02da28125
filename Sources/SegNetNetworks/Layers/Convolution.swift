import SegNetPlatform

/// A convolution: correlation as in Caffe (the kernel is not flipped), zero padding.
///
/// Parameters: `weight` [out, in / groups, kh, kw] and, if `hasBias`, `bias` [out].
/// [N, C, H, W] -> [N, out, (H + 2 padding - extent) / stride + 1, likewise W].
public struct Convolution: LayerKind {
    public static let name = Operation.Name.convolution

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
        guard outputChannels > 0, groups > 0, input.channels % groups == 0, outputChannels % groups == 0 else {
            throw ShapeRuleError(
                "needs channel counts that \(groups) groups divide; found \(input.channels) in and \(outputChannels) out"
            )
        }
        let height = (input.height + 2 * window.paddingY - window.extentY) / window.strideY + 1
        let width = (input.width + 2 * window.paddingX - window.extentX) / window.strideX + 1
        guard input.height + 2 * window.paddingY >= window.extentY, input.width + 2 * window.paddingX >= window.extentX
        else {
            throw ShapeRuleError(
                "its \(window.extentY)x\(window.extentX) window does not fit its input \(input) with padding "
                    + "\(window.paddingY)x\(window.paddingX); use a larger \(UserChoice.size)"
            )
        }
        return [BlobShape([input.batch, outputChannels, height, width])]
    }

    public func parameters(for inputs: [BlobShape]) -> [LayerParameter] {
        let weight = LayerParameter(
            .weight,
            [outputChannels, inputs[0].shape.channels / groups, window.height, window.width]
        )
        return hasBias ? [weight, LayerParameter(.bias, [outputChannels])] : [weight]
    }

    public func multiplyAccumulates(inputs: [BlobShape], outputs: [BlobShape]) -> Int {
        saturatingProduct(outputs[0].shape.count, inputs[0].shape.channels / groups, window.taps)
    }

    public var receptiveWindow: (extent: Int, step: Int) {
        (max(window.extentY, window.extentX), max(window.strideY, window.strideX))
    }
}
