import SegNetPlatform

/// Adds rows of zeros at the bottom and columns of zeros at the right until each size is 1 more than a multiple of a number.
///
/// In front of DeepLab, whose enlargement by 8 gives back sizes of 8k + 1: there zero means the mean of the pictures.
/// [N, C, H, W] -> [N, C, ceil((H - 1) / multiple) multiple + 1, likewise W].
public struct Padding: LayerKind {
    public static let name = Operation.Name.padding

    /// 1...256.
    public var multiple: Int

    public init(multiple: Int) { self.multiple = multiple }

    public func outputs(of inputs: [BlobShape]) throws(ShapeRuleError) -> [BlobShape] {
        guard (1...256).contains(multiple) else {
            throw ShapeRuleError("needs a multiple in 1...256; found \(multiple)")
        }
        let input = inputs[0].shape
        func padded(_ size: Int) -> Int { (size - 1 + multiple - 1) / multiple * multiple + 1 }
        return [BlobShape([input.batch, input.channels, padded(input.height), padded(input.width)])]
    }
}
