import SegNetPlatform

/// The class id of each pixel: [N, K, H, W] -> [N, 1, H, W]. The highest id among exactly equal scores, as the original does.
public struct Argmax: LayerKind {
    public static let name = Operation.Name.argmax
    public init() {}

    public func outputs(of inputs: [BlobShape]) throws(ShapeRuleError) -> [BlobShape] {
        var shape = inputs[0].shape
        shape[1] = 1
        return [BlobShape(shape, isClassIDs: true)]
    }
}
