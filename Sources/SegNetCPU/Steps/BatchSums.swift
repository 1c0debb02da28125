import SegNetPlatform

/// Sums over the pixels of a batch, in float64, in an order that does not depend on the number of threads: each item of rows has
/// sums of its own, which are added up in turn.
struct BatchSums {
    let pictures: Int
    let blocks: Int
    let height: Int
    let rows: Int
    let items: Int
    /// Sums that a block of an item leaves: two for each of 16 lanes.
    static let width = 32

    init(_ shape: Value, pictures: Int) {
        self.pictures = pictures
        blocks = shape.blocks
        height = shape.height
        rows = max(1, min(shape.height, 2048 / max(1, shape.width)))
        items = (shape.height + rows - 1) / rows
    }

    var byteCount: Int { items * pictures * blocks * Self.width * 8 }

    /// - Parameters:
    ///   - scratch: `byteCount` bytes.
    ///   - body: Adds to the 32 sums of (block, picture, first row, last row).
    /// - Returns: [blocks * 16] sums of the first kind and of the second.
    func run(
        _ crew: Crew,
        scratch: UnsafeMutableRawPointer,
        _ body: (
            _ worker: Int, _ block: Int, _ picture: Int, _ rows: Range<Int>, _ sums: UnsafeMutablePointer<Double>
        ) -> Void
    ) -> (first: [Double], second: [Double]) {
        let partial = scratch.assumingMemoryBound(to: Double.self)
        crew.pool.forEach(items * pictures * blocks) { worker, index in
            let sums = partial + index * Self.width
            for i in 0..<Self.width { sums[i] = 0 }
            let item = index % items
            let (block, picture) = (index / items % blocks, index / items / blocks)
            body(worker, block, picture, item * rows..<min(height, (item + 1) * rows), sums)
        }
        var first = [Double](repeating: 0, count: blocks * 16)
        var second = first
        for index in 0..<items * pictures * blocks {
            let block = index / items % blocks
            for lane in 0..<16 {
                first[block * 16 + lane] += partial[index * Self.width + lane]
                second[block * 16 + lane] += partial[index * Self.width + 16 + lane]
            }
        }
        return (first, second)
    }
}
