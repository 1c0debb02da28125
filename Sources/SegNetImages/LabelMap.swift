/// A class id for every pixel: a network's result, or ground truth.
///
/// Rows from the top, pixels from the left. Ids are numbers, never colours: reading, writing and resizing keep each
/// exactly or fail.
public struct LabelMap: Sendable, Hashable {
    /// Pixels in a row, at least 1.
    public let width: Int

    /// Rows, at least 1.
    public let height: Int

    /// Class ids, [height, width].
    public internal(set) var ids: [UInt16]

    /// A map of given ids.
    /// - Parameter ids: [height, width]
    /// - Throws: `ImageError` if their count is not width x height.
    public init(width: Int, height: Int, ids: [UInt16]) throws(ImageError) {
        let (count, overflow) = width.multipliedReportingOverflow(by: height)
        guard width > 0, height > 0, !overflow, count == ids.count else {
            throw ImageError(nil, .impossibleShape(width: width, height: height, channels: 1, values: ids.count))
        }
        self.init(uncheckedWidth: width, height: height, ids: ids)
    }

    init(uncheckedWidth width: Int, height: Int, ids: [UInt16]) {
        self.width = width
        self.height = height
        self.ids = ids
    }

    /// One pixel's class id.
    /// - Precondition: `x` and `y` are inside the map.
    public subscript(x x: Int, y y: Int) -> UInt16 {
        get { ids[index(x, y)] }
        set { ids[index(x, y)] = newValue }
    }

    private func index(_ x: Int, _ y: Int) -> Int {
        precondition(x >= 0 && x < width && y >= 0 && y < height)
        return y * width + x
    }

    /// The number of pixels of each id; long enough for the greatest id, and at least `classCount` long.
    public func pixelCounts(classCount: Int = 0) -> [Int] {
        var counts = [Int](repeating: 0, count: max(greatestID + 1, classCount))
        ids.withUnsafeBufferPointer { ids in
            // By runs of one id: neighbours are mostly equal, and adding to one counter again and again takes longer than comparing.
            var start = 0
            for index in 1..<max(ids.count, 1) where ids[index] != ids[index - 1] {
                counts[Int(ids[index - 1])] += index - start
                start = index
            }
            if let last = ids.last { counts[Int(last)] += ids.count - start }
        }
        return counts
    }

    /// The greatest id.
    var greatestID: Int {
        ids.withUnsafeBufferPointer { ids in
            // A plain loop, which becomes vector instructions; `max()` does not.
            var greatest: UInt16 = 0
            for id in ids { greatest = max(greatest, id) }
            return Int(greatest)
        }
    }
}

extension LabelMap: CustomStringConvertible {
    /// "480x360 labels"
    public var description: String { "\(width)x\(height) labels" }
}
