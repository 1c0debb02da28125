import SegNetPlatform

/// Index unpooling: each value goes back to where the encoder found its maximum, everything else is 0.
///
/// Reads a map [N, C, h, w] and the pooling indices of a map of the same size; gives [N, C, H, W], the exact size of the map that
/// was pooled: odd sizes need no parameter. A file may declare its own idea of the size (`declaredHeight`, `declaredWidth`);
/// it is checked, never obeyed.
/// Source: paper section 3; caffe-segnet `upsample_layer.cpp`; docs/segnet.md, Pooling and unpooling.
public struct Unpooling: LayerKind {
    public static let name = Operation.Name.unpooling

    public var declaredHeight: Int?
    public var declaredWidth: Int?

    public init(declaredHeight: Int? = nil, declaredWidth: Int? = nil) {
        self.declaredHeight = declaredHeight
        self.declaredWidth = declaredWidth
    }

    public var inputCount: ClosedRange<Int> { 2...2 }

    public func outputs(of inputs: [BlobShape]) throws(ShapeRuleError) -> [BlobShape] {
        guard let target = inputs[1].pooledFrom else {
            throw ShapeRuleError("its second input must be the pooling indices of a max pooling layer")
        }
        guard inputs[0].shape == inputs[1].shape else {
            throw ShapeRuleError(
                "its map is \(inputs[0].shape), its pooling indices are \(inputs[1].shape); they must have the same shape"
            )
        }
        return [BlobShape(target)]
    }

    public var receptiveWindow: (extent: Int, step: Int) { (1, 1) }
}
