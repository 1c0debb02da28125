import SegNetPlatform

/// Packs buffers with lifetimes into one block of memory: buffers that live at the same time never overlap.
///
/// Largest first, each at the lowest offset where it fits: the greedy rule that engines use; within a few per cent of the largest
/// sum of simultaneously alive bytes on these networks.
struct Arena {
    struct Buffer {
        var byteCount: Int
        /// Steps during which the buffer must exist, both ends counted.
        var lifetime: ClosedRange<Int>
    }

    private(set) var offsets: [Int]
    private(set) var byteCount = 0

    /// Whole cache lines, and a line apart, so that equally large maps do not start at multiples of 4 KiB from each other.
    private static let alignment = 64

    /// Nil if the buffers are larger than any address space: the arena's own sums cannot overflow below it.
    init?(fitting buffers: [Buffer]) {
        guard saturatingSum(buffers.map(\.byteCount)) < 1 << 46 else { return nil }
        self.init(buffers)
    }

    init(_ buffers: [Buffer]) {
        offsets = Array(repeating: 0, count: buffers.count)
        var placed: [Int] = []
        let order = buffers.indices.sorted {
            (buffers[$0].byteCount, $1) > (buffers[$1].byteCount, $0)
        }
        for index in order where buffers[index].byteCount > 0 {
            let size =
                (buffers[index].byteCount + Self.alignment - 1) / Self.alignment * Self.alignment + Self.alignment
            var offset = 0
            for other in placed.sorted(by: { offsets[$0] < offsets[$1] })
            where buffers[other].lifetime.overlaps(buffers[index].lifetime) {
                let end =
                    offsets[other] + (buffers[other].byteCount + Self.alignment - 1) / Self.alignment * Self.alignment
                    + Self.alignment
                if offset + size <= offsets[other] { break }
                offset = max(offset, end)
            }
            offsets[index] = offset
            byteCount = max(byteCount, offset + size)
            placed.append(index)
        }
    }
}
