import CSegNetKernels
import SegNetPlatform

/// The points of one remainder class of a lattice, by key. Grows as needed.
struct PointTable {
    private(set) var table: sn_lattice_table
    /// How many points there were before each band of pixels, and at the end.
    private(set) var bands: [Int] = [0]

    private var keys: AlignedMemory
    private var slots: AlignedMemory
    private let kernels: sn_lattice_kernels

    /// Number of the first point among those of all classes of the lattice.
    var first: Int {
        get { table.first }
        set { table.first = newValue }
    }

    init(_ kernels: sn_lattice_kernels) throws(MemoryError) {
        self.kernels = kernels
        (table, keys, slots) = try Self.memory(capacity: 1 << 12)
        kernels.rehash(&table)
    }

    /// Looks up one key of each pixel, and notes where the points of each band begin.
    mutating func insert(
        _ source: UnsafePointer<UInt64>,
        count: Int,
        band: Int,
        points: UnsafeMutablePointer<Int32>,
        step: Int
    ) throws(MemoryError) {
        for start in stride(from: 0, to: count, by: band) {
            let end = min(start + band, count)
            var next = kernels.insert(&table, source, start, end, points, step)
            while next < end {
                try grow()
                next = kernels.insert(&table, source, next, end, points, step)
            }
            bands.append(table.count)
        }
    }

    private mutating func grow() throws(MemoryError) {
        var (larger, largerKeys, largerSlots) = try Self.memory(capacity: 2 * table.capacity)
        larger.keys.update(from: table.keys, count: table.count)
        larger.count = table.count
        kernels.rehash(&larger)
        (table, keys, slots) = (larger, largerKeys, largerSlots)
    }

    private static func memory(capacity: Int) throws(MemoryError) -> (sn_lattice_table, AlignedMemory, AlignedMemory) {
        let keys = try AlignedMemory(byteCount: capacity * 8)
        // At most half of the slots are taken: a search ends after some steps.
        let slots = try AlignedMemory(byteCount: 2 * capacity * 4)
        let table = sn_lattice_table(
            keys: keys.base.assumingMemoryBound(to: UInt64.self),
            slots: slots.base.assumingMemoryBound(to: Int32.self),
            slot_count: 2 * capacity,
            capacity: capacity,
            count: 0,
            first: 0
        )
        return (table, keys, slots)
    }
}
