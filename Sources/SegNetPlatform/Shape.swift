/// The extent of a tensor along each axis, slowest first: N, C, H, W for maps; out, in, kh, kw for convolution weights.
public struct Shape: Sendable, Hashable, Codable, ExpressibleByArrayLiteral, CustomStringConvertible {
    /// The extents, each at least 0.
    public var extents: [Int]

    public init(_ extents: [Int]) { self.extents = extents }
    public init(arrayLiteral elements: Int...) { extents = elements }

    /// The number of axes.
    public var rank: Int { extents.count }

    /// The number of values: the product of the extents (1 for a scalar). `Int.max` where the product overflows, so that
    /// a comparison with what memory or a file holds fails instead of trapping.
    public var count: Int {
        var product = 1
        for extent in extents {
            let (value, overflow) = product.multipliedReportingOverflow(by: extent)
            if overflow { return Int.max }
            product = value
        }
        return product
    }

    public subscript(axis: Int) -> Int {
        get { extents[axis] }
        set { extents[axis] = newValue }
    }

    /// `[64, 3, 7, 7]`
    public var description: String { "[" + extents.map(String.init).joined(separator: ", ") + "]" }

    public init(from decoder: any Decoder) throws {
        extents = try decoder.singleValueContainer().decode([Int].self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(extents)
    }
}

extension Shape {
    /// The batch size of an N, C, H, W shape.
    public var batch: Int { extents[0] }
    /// The channel count of an N, C, H, W shape.
    public var channels: Int { extents[1] }
    /// The height of an N, C, H, W shape.
    public var height: Int { extents[2] }
    /// The width of an N, C, H, W shape.
    public var width: Int { extents[3] }
}

/// The product of counts, `Int.max` where it overflows: sizes from files may be absurd and must end in an error, not a trap.
public func saturatingProduct(_ factors: Int...) -> Int { Shape(factors).count }

/// The sum of counts, `Int.max` where it overflows.
public func saturatingSum(_ terms: [Int]) -> Int {
    var sum = 0
    for term in terms {
        let (value, overflow) = sum.addingReportingOverflow(term)
        if overflow { return Int.max }
        sum = value
    }
    return sum
}
