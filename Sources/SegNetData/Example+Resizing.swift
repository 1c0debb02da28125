internal import SegNetPlatform

extension Example {
    /// The example in another size: pixels bilinearly, labels by the nearest.
    public func resized(width newWidth: Int, height newHeight: Int) -> Example {
        let (scaleX, scaleY) = (Double(width) / Double(newWidth), Double(height) / Double(newHeight))
        return sampled(
            columns: SamplingAxis(count: newWidth, from: width, scale: scaleX),
            rows: SamplingAxis(count: newHeight, from: height, scale: scaleY)
        )
    }

    /// Samples the example on a grid: flip, scale and crop in one pass.
    func sampled(columns: SamplingAxis, rows: SamplingAxis) -> Example {
        let (newWidth, newHeight) = (columns.nearest.count, rows.nearest.count)
        let newPixels = [UInt8](unsafeUninitializedCapacity: newWidth * newHeight * channels) { target, count in
            pixels.withUnsafeBufferPointer { source in
                guard let from = source.baseAddress, let to = target.baseAddress else { return }
                switch channels {
                // The literal count lets the compiler unroll the inner loop.
                case 3: Self.sample(from, to, channels: 3, width: width, columns, rows)
                case 0: break
                default: Self.sample(from, to, channels: channels, width: width, columns, rows)
                }
            }
            count = newWidth * newHeight * channels
        }
        let newLabels = [UInt16](unsafeUninitializedCapacity: newWidth * newHeight) { target, count in
            for y in 0..<newHeight {
                for x in 0..<newWidth {
                    let (row, column) = (rows.nearest[y], columns.nearest[x])
                    target[y * newWidth + x] =
                        row < 0 || column < 0 ? Example.ignored : labels[row * width + column]
                }
            }
            count = newWidth * newHeight
        }
        return Example(
            pixels: newPixels,
            width: newWidth,
            height: newHeight,
            channels: channels,
            planes: planes.map { Self.sample($0, width: width, columns, rows) },
            labels: newLabels
        )
    }

    /// The same of one channel of 16 bits.
    private static func sample(_ plane: [UInt16], width: Int, _ columns: SamplingAxis, _ rows: SamplingAxis) -> [UInt16]
    {
        let (newWidth, newHeight) = (columns.nearest.count, rows.nearest.count)
        var result = [UInt16](repeating: 0, count: newWidth * newHeight)
        for y in 0..<newHeight where rows.nearest[y] >= 0 {
            let (above, below, v) = (rows.low[y] * width, rows.high[y] * width, Int(rows.weight[y]))
            for x in 0..<newWidth where columns.nearest[x] >= 0 {
                let (left, right, u) = (columns.low[x], columns.high[x], Int(columns.weight[x]))
                let top = Int(plane[above + left]) * (256 - u) + Int(plane[above + right]) * u
                let bottom = Int(plane[below + left]) * (256 - u) + Int(plane[below + right]) * u
                result[y * newWidth + x] = UInt16((top * (256 - v) + bottom * v + 32_768) >> 16)
            }
        }
        return result
    }

    @inline(__always)
    private static func sample(
        _ from: UnsafePointer<UInt8>,
        _ to: UnsafeMutablePointer<UInt8>,
        channels: Int,
        width: Int,
        _ columns: SamplingAxis,
        _ rows: SamplingAxis
    ) {
        let newWidth = columns.nearest.count
        for y in 0..<rows.nearest.count {
            let target = to + y * newWidth * channels
            guard rows.nearest[y] >= 0 else {
                (target).update(repeating: 0, count: newWidth * channels)
                continue
            }
            let above = from + rows.low[y] * width * channels
            let below = from + rows.high[y] * width * channels
            let v = rows.weight[y]
            for x in 0..<newWidth {
                guard columns.nearest[x] >= 0 else {
                    for c in 0..<channels { target[x * channels + c] = 0 }
                    continue
                }
                let (left, right, u) = (columns.low[x] * channels, columns.high[x] * channels, columns.weight[x])
                for c in 0..<channels {
                    let top = Int32(above[left + c]) * (256 - u) + Int32(above[right + c]) * u
                    let bottom = Int32(below[left + c]) * (256 - u) + Int32(below[right + c]) * u
                    target[x * channels + c] = UInt8(truncatingIfNeeded: (top * (256 - v) + bottom * v + 32_768) >> 16)
                }
            }
        }
    }
}
