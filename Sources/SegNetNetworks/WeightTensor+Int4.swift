public import SegNetPlatform

/// Weights in 4 bits: symmetric, with one float16 scale per 32 input channels of an output channel and a place in the window, so that a
/// number takes 4.5 bits. (ggml's Q4_0 groups in the same way; here -8 is not used, so that zero is in the middle.)
///
/// A byte has two neighbours of the second axis, the first in its low half.
extension WeightTensor {
    /// How many indices of the second axis have a scale in common.
    private static let groupLength = 32

    /// The shape of the scales of a tensor in 4 bits.
    /// - Returns: nil for shapes that cannot be stored so: with less than two axes, or a second axis that groups do not fill.
    public static func int4ScaleShape(of shape: Shape) -> Shape? { shape.dividingSecondAxis(by: groupLength) }

    /// The shape of the bytes of a tensor in 4 bits, or nil, as `int4ScaleShape(of:)`.
    public static func int4StoredShape(of shape: Shape) -> Shape? {
        int4ScaleShape(of: shape) == nil ? nil : shape.dividingSecondAxis(by: 2)
    }

    /// The shape of a tensor in 4 bits.
    /// - Parameter stored: The shape of its bytes.
    package static func int4Shape(stored: Shape) -> Shape? {
        guard stored.rank > 1, let pairs = stored.extents.dropFirst().first else { return nil }
        var extents = stored.extents
        extents[1] = saturatingProduct(pairs, 2)
        return int4ScaleShape(of: Shape(extents)) == nil ? nil : Shape(extents)
    }

    /// The scales with which the tensor is stored in 4 bits, each a float16: those that it has, or for each group the one of ten, from the
    /// greatest magnitude / 7 down to about a half of that, with the least sum of squared errors: that a few numbers are clipped costs less
    /// than coarse steps for all.
    /// - Returns: In the order of `int4ScaleShape(of:)`; none if the shape cannot be stored so. 0 where a group is 0 throughout. Not finite
    ///   if it holds NaN, an infinity, or numbers beyond float16.
    public func int4Scales() -> [Float] {
        guard elementType != .int4 else { return scales }
        guard let scaleShape = Self.int4ScaleShape(of: shape) else { return [] }
        let places = shape.places
        return withFloats { values in
            var group = [Float](repeating: 0, count: Self.groupLength)
            return (0..<scaleShape.count).map { index in
                let first = index / places * Self.groupLength * places + index % places
                for member in group.indices { group[member] = values[first + member * places] }
                return Self.int4Scale(of: group)
            }
        }
    }

    /// The numbers divided by the scale of their group, to the nearest whole number in -7...7, ties to even: two in a byte.
    /// - Parameter scales: As `int4Scales` gives them.
    public func int4Values(scales: [Float]) -> [UInt8] {
        if elementType == .int4 { return withBytes(Array.init) }
        let places = shape.places
        return withFloats { values in
            [UInt8](unsafeUninitializedCapacity: values.count / 2) { buffer, initialised in
                for index in 0..<values.count / 2 {
                    let (pair, place) = (index / places, index % places)
                    let scale = scales[pair / (Self.groupLength / 2) * places + place]
                    let low = Self.int4(values[2 * pair * places + place], scale)
                    let high = Self.int4(values[(2 * pair + 1) * places + place], scale)
                    let byte = UInt8(bitPattern: Int8(low)) & 0xF | UInt8(bitPattern: Int8(high)) << 4
                    buffer.initializeElement(at: index, to: byte)
                }
                initialised = values.count / 2
            }
        }
    }

    /// A number in steps of a scale, -7...7.
    private static func int4(_ value: Float, _ scale: Float) -> Float {
        scale > 0 ? max(-7, min(7, (value / scale).rounded(.toNearestOrEven))) : 0
    }

    /// The scale of a group, a float16; 0 for zeros, not finite for numbers that have none.
    private static func int4Scale(of group: [Float]) -> Float {
        var greatest: Float = 0
        for value in group {
            guard value.isFinite else { return value }
            greatest = max(greatest, abs(value))
        }
        var best: Float = 0
        var least = Float.infinity
        for twentieths in stride(from: 20, to: 10, by: -1) {
            let scale = float32(float16Bits: float16Bits(greatest / 7 * Float(twentieths) / 20))
            guard scale > 0 else { break }
            guard scale.isFinite else { return scale }
            var error: Float = 0
            for value in group {
                let difference = value - int4(value, scale) * scale
                error += difference * difference
            }
            if error < least { (best, least) = (scale, error) }
        }
        return best
    }

    /// The numbers of a tensor in 4 bits as float32.
    func expandInt4(_ bytes: UnsafeRawBufferPointer, into values: UnsafeMutableBufferPointer<Float>) {
        let places = shape.places
        let half = Self.groupLength / 2
        for block in 0..<scales.count / max(1, places) {
            for pair in block * half..<(block + 1) * half {
                for place in 0..<places {
                    let scale = scales[block * places + place]
                    let byte = bytes[pair * places + place]
                    values.initializeElement(
                        at: 2 * pair * places + place,
                        to: scale * Float(Int8(bitPattern: byte << 4) >> 4)
                    )
                    values.initializeElement(
                        at: (2 * pair + 1) * places + place,
                        to: scale * Float(Int8(bitPattern: byte) >> 4)
                    )
                }
            }
        }
    }
}

extension Shape {
    /// The product of the extents behind the second axis: of a convolution, the places in its window.
    fileprivate var places: Int { Shape(Array(extents.dropFirst(2))).count }

    fileprivate func dividingSecondAxis(by divisor: Int) -> Shape? {
        guard rank > 1, count > 0, extents[1] % divisor == 0 else { return nil }
        var divided = extents
        divided[1] /= divisor
        return Shape(divided)
    }
}
