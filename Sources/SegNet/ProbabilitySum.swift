internal import SegNetImages

/// Class probabilities [K, H, W] summed over views of a picture, at the picture's size: the one large memory of test-time augmentation,
/// however many views there are.
struct ProbabilitySum {
    let classCount: Int
    let width: Int
    let height: Int
    /// How many probabilities each number is the sum of.
    private(set) var views = 0
    private var values: [Float]

    init(classCount: Int, width: Int, height: Int) {
        self.classCount = classCount
        self.width = width
        self.height = height
        values = [Float](repeating: 0, count: classCount * width * height)
    }

    /// Adds maps [K, height, width] of any size, resized bilinearly with pixel centres at half coordinates, as pictures are.
    /// - Parameter views: How many views these are the sum of already.
    mutating func add(_ maps: [Float], width mapWidth: Int, height mapHeight: Int, views: Int) {
        self.views += views
        let columns = bilinearAxis(from: mapWidth, to: width).map { ($0.first, $0.second, Float($0.weight)) }
        let rows = bilinearAxis(from: mapHeight, to: height).map { ($0.first, $0.second, Float($0.weight)) }
        let (width, height, classCount) = (width, height, classCount)
        var line = [Float](repeating: 0, count: mapWidth)
        values.withUnsafeMutableBufferPointer { values in
            maps.withUnsafeBufferPointer { maps in
                line.withUnsafeMutableBufferPointer { line in
                    columns.withUnsafeBufferPointer { columns in
                        for row in 0..<classCount * height {
                            let (id, y) = row.quotientAndRemainder(dividingBy: height)
                            let (first, second, weight) = rows[y]
                            let above = (id * mapHeight + first) * mapWidth
                            let below = (id * mapHeight + second) * mapWidth
                            for x in 0..<mapWidth {
                                line[x] = maps[above + x] + (maps[below + x] - maps[above + x]) * weight
                            }
                            for x in 0..<width {
                                let (left, right, weight) = columns[x]
                                values[row * width + x] += line[left] + (line[right] - line[left]) * weight
                            }
                        }
                    }
                }
            }
        }
    }

    /// The class of each pixel, the highest id among exactly equal sums, and its mean probability.
    func best() -> (ids: [UInt16], confidence: [Float]) {
        let pixels = width * height
        var ids = [UInt16](repeating: 0, count: pixels)
        var confidence = [Float](repeating: 0, count: pixels)
        ids.withUnsafeMutableBufferPointer { ids in
            confidence.withUnsafeMutableBufferPointer { confidence in
                values.withUnsafeBufferPointer { values in
                    for id in 0..<classCount {
                        for pixel in 0..<pixels where values[id * pixels + pixel] >= confidence[pixel] {
                            confidence[pixel] = values[id * pixels + pixel]
                            ids[pixel] = UInt16(truncatingIfNeeded: id)
                        }
                    }
                    let share = 1 / Float(max(views, 1))
                    for pixel in 0..<pixels { confidence[pixel] *= share }
                }
            }
        }
        return (ids, confidence)
    }

    /// The mean probabilities.
    func mean() -> [Float] {
        // The mean of one view is the sum, which need not be copied.
        if views <= 1 { return values }
        let share = 1 / Float(max(views, 1))
        return values.map { $0 * share }
    }
}
