import SegNetPlatform

/// The mean of each window, or of the whole map.
///
/// Sizes round up as those of `MaxPooling`. The sum over what lies inside the map is divided by the part of the window that lies inside
/// the padded map: padding counts as zeros, but what rounding up adds beyond it does not count. Source: Caffe's `pooling_layer.cpp`.
public struct AveragePooling: LayerKind {
    public static let name = Operation.Name.averagePooling

    /// Nil: the whole map, whatever its size.
    public var window: Window?

    public init(window: Window?) { self.window = window }

    public func outputs(of inputs: [BlobShape]) throws(ShapeRuleError) -> [BlobShape] {
        let input = inputs[0].shape
        guard let window else { return [BlobShape([input.batch, input.channels, 1, 1])] }
        return [BlobShape(try window.pooled(input))]
    }

    public var receptiveWindow: (extent: Int, step: Int) { window?.receptiveField ?? (1, 1) }
}
