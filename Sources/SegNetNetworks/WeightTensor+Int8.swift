internal import SegNetPlatform

/// Weights in 8 bits: symmetric, with one scale per index of the first axis, which is a convolution's output channel.
///
/// Batch normalisation multiplies whole output channels, so folding it in first changes the scales and nothing else.
extension WeightTensor {
    /// The scales with which the tensor is stored in 8 bits: those that it has, or the greatest magnitude of each row / 127.
    /// - Returns: One per index of the first axis; 0 where a row is 0 throughout. Not finite if the row holds NaN or an infinity.
    public func int8Scales() -> [Float] {
        guard elementType != .int8 else { return scales }
        let rows = shape.extents.first ?? 1
        return withFloats { values in
            let length = values.count / max(1, rows)
            return (0..<rows).map { row in
                var greatest: Float = 0
                for value in values[row * length..<(row + 1) * length] {
                    guard value.isFinite else { return value }
                    greatest = max(greatest, abs(value))
                }
                return greatest / 127
            }
        }
    }

    /// The numbers divided by the scale of their row, to the nearest whole number, ties to even.
    /// - Parameter scales: As `int8Scales` gives them.
    public func int8Values(scales: [Float]) -> [Int8] {
        let length = shape.count / max(1, scales.count)
        return withFloats { values in
            [Int8](unsafeUninitializedCapacity: values.count) { buffer, initialised in
                for (row, scale) in scales.enumerated() {
                    for index in row * length..<(row + 1) * length {
                        // A scale below the smallest float is 0, as are then the numbers.
                        let quotient = scale > 0 ? (values[index] / scale).rounded(.toNearestOrEven) : 0
                        buffer.initializeElement(at: index, to: Int8(max(-127, min(127, quotient))))
                    }
                }
                initialised = values.count
            }
        }
    }
}
