extension Image {
    /// How a picture's new samples come from the old ones.
    public enum Filter: String, Sendable, CaseIterable {
        /// Between the four nearest pixels, pixel centres at half coordinates: OpenCV's `INTER_LINEAR`, which the
        /// original's tools use. Shrinking by more than two skips pixels, as there.
        case bilinear
        /// The mean of the area that a new pixel covers, exact for whole factors: for shrinking. A side that grows is
        /// done as in `bilinear`.
        case area
    }

    /// The picture in another size.
    ///
    /// Bilinear: weights of 11 bits and one rounding; within 1 of OpenCV's 8-bit result. Alpha is a channel like
    /// others.
    /// - Throws: `ImageError` if a side is below 1 or the picture would have more than 2^31 samples.
    public func resized(width newWidth: Int, height newHeight: Int, filter: Filter = .bilinear) throws(ImageError)
        -> Image
    {
        try Self.checkSize(width: newWidth, height: newHeight, channels: channels)
        if newWidth == width, newHeight == height { return self }
        let count = newWidth * newHeight * channels
        let resized = [UInt8](unsafeUninitializedCapacity: count) { target, initialized in
            pixels.withUnsafeBufferPointer { source in
                switch filter {
                case .area where newWidth < width || newHeight < height:
                    areaResize(source, into: target, width: newWidth, height: newHeight)
                case .area, .bilinear:
                    switch channels {
                    // The literal channel count lets the compiler unroll the inner loop.
                    case 1: bilinearResize(source, into: target, width: newWidth, height: newHeight, channels: 1)
                    case 3: bilinearResize(source, into: target, width: newWidth, height: newHeight, channels: 3)
                    default: bilinearResize(source, into: target, width: newWidth, height: newHeight, channels: 4)
                    }
                }
            }
            initialized = count
        }
        return Image(uncheckedWidth: newWidth, height: newHeight, channels: channels, pixels: resized)
    }

    static func checkSize(width: Int, height: Int, channels: Int) throws(ImageError) {
        let (pixels, overflow) = width.multipliedReportingOverflow(by: height)
        guard width > 0, height > 0, !overflow, pixels <= Int(Int32.max) / channels else {
            throw ImageError(nil, .impossibleShape(width: width, height: height, channels: channels, values: 0))
        }
    }
}

// MARK: - Bilinear

/// For each new coordinate its two old ones, and the second's weight, 0..<1. Pixel centres lie at half coordinates:
/// new + 0.5 = (old + 0.5) * scale; outside the picture its border goes on.
package func bilinearAxis(from oldCount: Int, to newCount: Int) -> [(first: Int, second: Int, weight: Double)] {
    let scale = Double(oldCount) / Double(newCount)
    return (0..<newCount).map { new in
        let position = min(max((Double(new) + 0.5) * scale - 0.5, 0), Double(oldCount - 1))
        let whole = Int(position)
        return (whole, min(whole + 1, oldCount - 1), position - Double(whole))
    }
}

/// The same with weights in 1/2048.
struct BilinearAxis {
    let first: [Int]
    let second: [Int]
    let weight: [UInt32]

    init(from oldCount: Int, to newCount: Int) {
        let axis = bilinearAxis(from: oldCount, to: newCount)
        first = axis.map(\.first)
        second = axis.map(\.second)
        weight = axis.map { UInt32(($0.weight * 2048).rounded()) }
    }
}

extension Image {
    /// Rows are resized as they are needed, to 19 bits; two of them are kept, and blended into a row of the result.
    @inline(__always)
    private func bilinearResize(
        _ source: UnsafeBufferPointer<UInt8>,
        into target: UnsafeMutableBufferPointer<UInt8>,
        width newWidth: Int,
        height newHeight: Int,
        channels: Int
    ) {
        let across = BilinearAxis(from: width, to: newWidth)
        let down = BilinearAxis(from: height, to: newHeight)
        let rowCount = newWidth * channels
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 2 * rowCount) { rows in
            rows.initialize(repeating: 0)
            guard var upper = rows.baseAddress, let source = source.baseAddress, let target = target.baseAddress else {
                return
            }
            var lower = upper + rowCount
            var (upperY, lowerY) = (-1, -1)
            for y in 0..<newHeight {
                let (neededUpper, neededLower) = (down.first[y], down.second[y])
                if upperY != neededUpper, lowerY == neededUpper {
                    swap(&upper, &lower)
                    swap(&upperY, &lowerY)
                }
                if upperY != neededUpper {
                    resizeRow(source + neededUpper * width * channels, into: upper, across, channels: channels)
                    upperY = neededUpper
                }
                if lowerY != neededLower {
                    resizeRow(source + neededLower * width * channels, into: lower, across, channels: channels)
                    lowerY = neededLower
                }
                let lowerWeight = down.weight[y]
                let upperWeight = 2048 - lowerWeight
                let row = target + y * rowCount
                for index in 0..<rowCount {
                    // At most 255 * 2048 * 2048 + 2^21 < 2^32.
                    let sum = upper[index] &* upperWeight &+ lower[index] &* lowerWeight &+ (1 << 21)
                    row[index] = UInt8(truncatingIfNeeded: sum >> 22)
                }
            }
        }
    }

    @inline(__always)
    private func resizeRow(
        _ source: UnsafePointer<UInt8>,
        into row: UnsafeMutablePointer<UInt32>,
        _ axis: BilinearAxis,
        channels: Int
    ) {
        var to = row
        axis.first.withUnsafeBufferPointer { first in
            axis.second.withUnsafeBufferPointer { second in
                axis.weight.withUnsafeBufferPointer { weight in
                    for x in 0..<first.count {
                        let left = source + first[x] &* channels
                        let right = source + second[x] &* channels
                        let rightWeight = weight[x]
                        for channel in 0..<channels {
                            to[channel] =
                                UInt32(left[channel]) &* (2048 &- rightWeight) &+ UInt32(right[channel]) &* rightWeight
                        }
                        to += channels
                    }
                }
            }
        }
    }
}

// MARK: - Area

/// For each new coordinate the old ones that it covers, and by how much of a pixel each.
private struct AreaAxis {
    /// Old coordinates: `taps[starts[new]..<starts[new + 1]]`.
    private(set) var taps: [(old: Int, weight: Float)] = []
    private(set) var starts: [Int] = [0]
    /// The sum of a new coordinate's weights: the factor of shrinking, or 1.
    let total: Float

    init(from oldCount: Int, to newCount: Int) {
        if newCount >= oldCount {
            total = 1
            let bilinear = BilinearAxis(from: oldCount, to: newCount)
            for new in 0..<newCount {
                let weight = Float(bilinear.weight[new]) / 2048
                taps.append((bilinear.first[new], 1 - weight))
                if weight > 0 { taps.append((bilinear.second[new], weight)) }
                starts.append(taps.count)
            }
            return
        }
        total = Float(Double(oldCount) / Double(newCount))
        for new in 0..<newCount {
            // In units of 1 / newCount the covered stretch has whole ends, so that its weights are exact.
            let (begin, end) = (new * oldCount, (new + 1) * oldCount)
            for old in begin / newCount...(end - 1) / newCount {
                let covered = min(end, (old + 1) * newCount) - max(begin, old * newCount)
                taps.append((old, Float(Double(covered) / Double(newCount))))
            }
            starts.append(taps.count)
        }
    }
}

extension Image {
    /// Columns first, whole rows at a time; then each new pixel's stretch of the summed row.
    ///
    /// For whole factors up to 256 all sums are whole numbers below 2^24, exact in 32-bit floating point; halves round
    /// up.
    private func areaResize(
        _ source: UnsafeBufferPointer<UInt8>,
        into target: UnsafeMutableBufferPointer<UInt8>,
        width newWidth: Int,
        height newHeight: Int
    ) {
        let across = AreaAxis(from: width, to: newWidth)
        let down = AreaAxis(from: height, to: newHeight)
        let area = across.total * down.total
        let rowCount = width * channels
        withUnsafeTemporaryAllocation(of: Float.self, capacity: rowCount) { sums in
            guard let sums = sums.baseAddress, let source = source.baseAddress, var to = target.baseAddress else {
                return
            }
            for y in 0..<newHeight {
                sums.initialize(repeating: 0, count: rowCount)
                for tap in down.taps[down.starts[y]..<down.starts[y + 1]] {
                    let row = source + tap.old * rowCount
                    let weight = tap.weight
                    for index in 0..<rowCount { sums[index] += weight * Float(row[index]) }
                }
                for x in 0..<newWidth {
                    let taps = across.taps[across.starts[x]..<across.starts[x + 1]]
                    for channel in 0..<channels {
                        var sum: Float = 0
                        for tap in taps { sum += tap.weight * sums[tap.old * channels + channel] }
                        to[channel] = UInt8(min(sum / area + 0.5, 255))
                    }
                    to += channels
                }
            }
        }
    }
}
