import SegNetPlatform

/// Resizes a map bilinearly with aligned corners: output row y reads the input at y (in - 1) / (out - 1). By a whole factor z, which makes
/// (in - 1) z + 1 of `in` rows; down by a whole factor s, which makes (in - 1) / s + 1; by both; to a size; or to that of a second input.
/// Source: DeepLab's Caffe, `interp_layer.cpp`.
public struct Resize: LayerKind {
    public static let name = Operation.Name.resize

    public enum Target: Sendable, Hashable, Codable {
        case factor(Int)
        /// Every `by`-th row and column.
        case shrunk(by: Int)
        /// To as many rows and columns as there would be if the map were shrunk and then enlarged, but resized only once.
        case ratio(shrink: Int, zoom: Int)
        case size(height: Int, width: Int)
        /// That of the second input, which only lends it.
        case reference
    }

    /// Rows and columns that are cut off before the map is resized.
    public struct Margins: Sendable, Hashable, Codable {
        /// At the top and left.
        public var begin: Int
        /// At the bottom and right.
        public var end: Int

        public init(begin: Int = 0, end: Int = 0) {
            self.begin = begin
            self.end = end
        }
    }

    public var target: Target
    /// Nil: the whole map.
    public var cut: Margins?

    public init(to target: Target, cut: Margins? = nil) {
        self.target = target
        self.cut = cut
    }

    public var inputCount: ClosedRange<Int> { target == .reference ? 2...2 : 1...1 }

    public func outputs(of inputs: [BlobShape]) throws(ShapeRuleError) -> [BlobShape] {
        let cut = cut ?? Margins()
        let whole = inputs[0].shape
        // Margins from a file may be too large to be added.
        guard (0...Window.limit).contains(cut.begin), (0...Window.limit).contains(cut.end),
            min(whole.height, whole.width) > cut.begin + cut.end
        else {
            throw ShapeRuleError("cannot cut \(cut.begin) and \(cut.end) rows and columns off its input \(whole)")
        }
        let input: (height: Int, width: Int) = (whole.height - cut.begin - cut.end, whole.width - cut.begin - cut.end)
        let (height, width): (Int, Int)
        func extents(shrink: Int, zoom: Int) throws(ShapeRuleError) -> (Int, Int) {
            for factor in [shrink, zoom] where !(1...256).contains(factor) {
                throw ShapeRuleError("needs a factor in 1...256; found \(factor)")
            }
            return ((input.height - 1) / shrink * zoom + 1, (input.width - 1) / shrink * zoom + 1)
        }
        switch target {
        case .factor(let factor): (height, width) = try extents(shrink: 1, zoom: factor)
        case .shrunk(let factor): (height, width) = try extents(shrink: factor, zoom: 1)
        case .ratio(let shrink, let zoom): (height, width) = try extents(shrink: shrink, zoom: zoom)
        case .size(let rows, let columns): (height, width) = (rows, columns)
        case .reference: (height, width) = (inputs[1].shape.height, inputs[1].shape.width)
        }
        return [BlobShape([whole.batch, whole.channels, height, width])]
    }

    public var receptiveWindow: (extent: Int, step: Int) {
        switch target {
        case .shrunk(let factor): (1, max(1, factor))
        case .ratio(let shrink, let zoom): (2, max(1, shrink / max(1, zoom)))
        default: (2, 1)
        }
    }
}
