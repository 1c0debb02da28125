import SegNetPlatform

/// The geometry of a sliding window: what convolutions and poolings share.
public struct Window: Sendable, Hashable, Codable {
    public var height: Int
    public var width: Int
    public var strideY: Int
    public var strideX: Int
    /// Zero padding at the top and bottom.
    public var paddingY: Int
    /// Zero padding at the left and right.
    public var paddingX: Int
    public var dilationY: Int
    public var dilationX: Int

    public init(
        height: Int,
        width: Int,
        strideY: Int = 1,
        strideX: Int = 1,
        paddingY: Int = 0,
        paddingX: Int = 0,
        dilationY: Int = 1,
        dilationX: Int = 1
    ) {
        self.height = height
        self.width = width
        self.strideY = strideY
        self.strideX = strideX
        self.paddingY = paddingY
        self.paddingX = paddingX
        self.dilationY = dilationY
        self.dilationX = dilationX
    }

    /// A square window.
    public init(_ extent: Int, stride: Int = 1, padding: Int = 0, dilation: Int = 1) {
        self.init(
            height: extent,
            width: extent,
            strideY: stride,
            strideX: stride,
            paddingY: padding,
            paddingX: padding,
            dilationY: dilation,
            dilationX: dilation
        )
    }

    /// The number of taps.
    public var taps: Int { height * width }
    /// Rows from the first tap to the last, both counted.
    public var extentY: Int { (height - 1) * dilationY + 1 }
    /// Columns from the first tap to the last, both counted.
    public var extentX: Int { (width - 1) * dilationX + 1 }

    /// `3x3`, `7x7 stride 2`, ...
    public var description: String {
        var text = "\(height)x\(width)"
        if strideY != 1 || strideX != 1 {
            text += strideY == strideX ? " stride \(strideY)" : " stride \(strideY)x\(strideX)"
        }
        if dilationY != 1 || dilationX != 1 {
            text += dilationY == dilationX ? " dilation \(dilationY)" : " dilation \(dilationY)x\(dilationX)"
        }
        return text
    }

    /// Size of a pooling's window and its step, in pixels of its input.
    var receptiveField: (extent: Int, step: Int) { (max(height, width), max(strideY, strideX)) }

    /// The shape of a map that is pooled: sizes round up, and the last window must start inside the picture or its upper padding, as in
    /// Caffe.
    func pooled(_ input: Shape) throws(ShapeRuleError) -> Shape {
        try check()
        guard paddingY < height, paddingX < width else {
            throw ShapeRuleError("padding \(paddingY)x\(paddingX) is not smaller than the window \(height)x\(width)")
        }
        // Caffe's rule below has none: its sizes would be those of the window without gaps.
        guard dilationY == 1, dilationX == 1 else {
            throw ShapeRuleError(
                "pools with dilation \(dilationY)x\(dilationX), but only 1x1 is supported; "
                    + "remove it, or use a convolution, whose window can have gaps"
            )
        }
        func extent(
            _ axis: String,
            _ size: Int,
            _ window: Int,
            _ stride: Int,
            _ padding: Int
        ) throws(ShapeRuleError) -> Int {
            let count = max(0, size + 2 * padding - window + stride - 1) / stride + 1
            guard (count - 1) * stride >= size + padding else { return count }
            if padding > 0 { return count - 1 }
            // Caffe keeps such a window and gives -FLT_MAX or 0 / 0 for it; other engines leave it out.
            throw ShapeRuleError(
                "its last window would begin at \(axis) \((count - 1) * stride) of a map with \(size), because the stride \(stride) "
                    + "exceeds the window \(window); take a stride of at most \(window), or another \(UserChoice.size)"
            )
        }
        return [
            input.batch, input.channels,
            try extent("row", input.height, height, strideY, paddingY),
            try extent("column", input.width, width, strideX, paddingX),
        ]
    }

    /// The largest extent, stride, padding or dilation that is accepted: far beyond any real network, small enough for all products.
    static let limit = 4096

    func check() throws(ShapeRuleError) {
        let positive = [height, width, strideY, strideX, dilationY, dilationX]
        guard positive.allSatisfy({ (1...Self.limit).contains($0) }), (0...Self.limit).contains(paddingY),
            (0...Self.limit).contains(paddingX)
        else {
            throw ShapeRuleError(
                "needs window, stride and dilation in 1...\(Self.limit) and padding in 0...\(Self.limit); "
                    + "found window \(height)x\(width), stride \(strideY)x\(strideX), padding \(paddingY)x\(paddingX), "
                    + "dilation \(dilationY)x\(dilationX)"
            )
        }
    }
}
