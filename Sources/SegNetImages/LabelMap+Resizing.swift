extension LabelMap {
    /// Which old pixel a new one takes its id from; ids are never blended.
    public enum Nearest: Sendable, CaseIterable {
        /// The one under the new pixel's upper left corner, ⌊x * old / new⌋: OpenCV's `INTER_NEAREST`, with which the
        /// original's data sets were resized.
        case corner
        /// The one under the new pixel's centre, ⌊(x + 1/2) * old / new⌋: stays aligned with a bilinearly resized
        /// photo, without the corner rule's shift by half a pixel.
        case center
    }

    /// The map in another size.
    /// - Throws: `ImageError` if a side is below 1 or there would be more than 2^31 pixels.
    public func resized(width newWidth: Int, height newHeight: Int, nearest: Nearest = .corner) throws(ImageError)
        -> LabelMap
    {
        try Image.checkSize(width: newWidth, height: newHeight, channels: 1)
        if newWidth == width, newHeight == height { return self }
        let columns = Self.sources(of: newWidth, in: width, nearest)
        let rows = Self.sources(of: newHeight, in: height, nearest)
        let count = newWidth * newHeight
        let resized = [UInt16](unsafeUninitializedCapacity: count) { target, initialized in
            ids.withUnsafeBufferPointer { source in
                columns.withUnsafeBufferPointer { columns in
                    guard let source = source.baseAddress, let target = target.baseAddress else { return }
                    for y in 0..<newHeight {
                        let row = target + y * newWidth
                        if y > 0, rows[y] == rows[y - 1] {
                            row.update(from: row - newWidth, count: newWidth)
                            continue
                        }
                        let from = source + rows[y] * width
                        for x in 0..<newWidth { row[x] = from[columns[x]] }
                    }
                }
            }
            initialized = count
        }
        return LabelMap(uncheckedWidth: newWidth, height: newHeight, ids: resized)
    }

    /// In whole numbers, so that the rounding of a scale never decides between two pixels.
    fileprivate static func sources(of newCount: Int, in oldCount: Int, _ nearest: Nearest) -> [Int] {
        (0..<newCount).map { new in
            switch nearest {
            case .corner: new * oldCount / newCount
            case .center: (2 * new + 1) * oldCount / (2 * newCount)
            }
        }
    }
}

/// Numbers [H, W] at another size: each from the old one under its centre, as `LabelMap.Nearest.center` says.
package func resizedNearest<Value>(
    _ values: [Value],
    width: Int,
    height: Int,
    toWidth newWidth: Int,
    height newHeight: Int
) -> [Value] {
    if (width, height) == (newWidth, newHeight) { return values }
    let columns = LabelMap.sources(of: newWidth, in: width, .center)
    return LabelMap.sources(of: newHeight, in: height, .center).flatMap { row in
        columns.map { values[row * width + $0] }
    }
}
