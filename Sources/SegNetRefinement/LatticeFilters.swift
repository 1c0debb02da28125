import CSegNetKernels
import SegNetImages
import SegNetPlatform

/// Gaussian filters over one picture's pixels, each on a permutohedral lattice, side by side in one table of corners.
///
/// What each step computes is stated in CSegNetLattice.h. Points are numbered class by class in the order in which pixels first need them,
/// and summed band by band: pixels of a band serve all its points while they are in the cache.
final class LatticeFilters {
    /// One kernel's lattice.
    struct Lattice {
        let kernel: GaussianKernel
        /// The place of its first corner in the table.
        let firstCorner: Int
        /// Its points among those of all lattices.
        var points = 0..<0
        /// Along each axis, the chains of neighbours, and where the list is cut for threads.
        var chains: [Chains] = []

        var corners: Range<Int> { firstCorner..<firstCorner + kernel.dimensions + 1 }
    }

    /// Neighbours along one axis.
    struct Chains {
        let memory: AlignedMemory
        let parts: [Range<Int>]

        var list: UnsafePointer<Int32> { UnsafePointer(memory.base.assumingMemoryBound(to: Int32.self)) }
    }

    let pixelCount: Int
    private(set) var lattices: [Lattice]
    /// Points of all lattices.
    private(set) var pointCount = 0

    let kernels: sn_lattice_kernels
    let pool: ThreadPool

    private let pointTable: AlignedMemory
    private let weightTable: AlignedMemory
    private let entryTable: AlignedMemory
    private var startTable: AlignedMemory?
    /// For each band of pixels the points that it is the first to need, one range per class.
    private var bands: [[Range<Int>]] = []

    private static let band = 2048
    /// Elements of a chain list that a thread takes at once.
    private static let chainPart = 4096
    /// Pixels that a thread takes at once; a multiple of 16.
    static let pixelPart = 4096

    /// - Parameter filters: Such that `GaussianKernel.fits` the picture.
    init(picture: Image, _ filters: [GaussianKernel], _ kernels: sn_lattice_kernels, pool: ThreadPool)
        throws(MemoryError)
    {
        self.kernels = kernels
        self.pool = pool
        pixelCount = picture.width * picture.height
        var first = 0
        lattices = filters.map { kernel in
            defer { first += kernel.dimensions + 1 }
            return Lattice(kernel: kernel, firstCorner: first)
        }
        let padded = (pixelCount + 15) / 16 * 16
        pointTable = try AlignedMemory(byteCount: padded * first * 4)
        weightTable = try AlignedMemory(byteCount: padded * first * 4)
        entryTable = try AlignedMemory(byteCount: (padded * first + Int(SN_LATTICE_SPARE)) * 8)
        embed(picture, padded: padded)
        try connect(try number(padded: padded))
    }

    // MARK: Tables

    /// All corners of a pixel, of all lattices together.
    var cornerCount: Int { lattices.last.map(\.corners.upperBound) ?? 0 }
    private var step: Int { 16 * cornerCount }

    private var points: UnsafeMutablePointer<Int32> { pointTable.base.assumingMemoryBound(to: Int32.self) }
    private var weights: UnsafeMutablePointer<Float> { weightTable.floats() }
    private var entries: UnsafeMutablePointer<sn_lattice_entry> {
        entryTable.base.assumingMemoryBound(to: sn_lattice_entry.self)
    }
    private var starts: UnsafeMutablePointer<Int32>? { startTable?.base.assumingMemoryBound(to: Int32.self) }
    /// The keys of all corners, until the entries take their place.
    private var keys: UnsafeMutablePointer<UInt64> { entryTable.base.assumingMemoryBound(to: UInt64.self) }

    /// The corners that update and slice read: of all lattices, or of one.
    func corners(of lattice: Lattice? = nil) -> sn_corners {
        let corners = lattice?.corners ?? 0..<cornerCount
        return sn_corners(
            points: points + 16 * corners.lowerBound,
            weights: weights + 16 * corners.lowerBound,
            step: step,
            count: corners.count
        )
    }

    // MARK: Building

    private func embed(_ picture: Image, padded: Int) {
        let part = Self.pixelPart
        let parts = (pixelCount + part - 1) / part
        let scratch = UnsafeMutablePointer<Float>.allocate(capacity: pool.threadCount * 5 * part)
        defer { scratch.deallocate() }
        scratch.initialize(repeating: 0, count: pool.threadCount * 5 * part)
        picture.pixels.withUnsafeBufferPointer { pixels in
            pool.forEach(parts * lattices.count) { worker, item in
                let (index, first) = (item / parts, item % parts * part)
                let lattice = lattices[index]
                let features = scratch + worker * 5 * part
                lattice.kernel.write(
                    features: features,
                    step: part,
                    first: first,
                    count: min(part, pixelCount - first),
                    pixels: pixels,
                    channels: picture.channels,
                    width: picture.width
                )
                kernels.embed(
                    features,
                    part,
                    lattice.kernel.dimensions,
                    min(part, padded - first),
                    keys + lattice.firstCorner * padded + first,
                    padded,
                    weights + first / 16 * step + lattice.firstCorner * 16,
                    step
                )
            }
        }
    }

    /// Gives points their numbers, each class for itself.
    private func number(padded: Int) throws(MemoryError) -> [PointTable] {
        var tables: [PointTable] = []
        for _ in 0..<cornerCount { tables.append(try PointTable(kernels)) }
        var failures = [MemoryError?](repeating: nil, count: cornerCount)
        tables.withUnsafeMutableBufferPointer { tables in
            failures.withUnsafeMutableBufferPointer { failures in
                pool.forEach(cornerCount) { _, corner in
                    do throws(MemoryError) {
                        try tables[corner].insert(
                            keys + corner * padded,
                            count: pixelCount,
                            band: Self.band,
                            points: points + 16 * corner,
                            step: step
                        )
                    } catch {
                        failures[corner] = error
                    }
                }
            }
        }
        if let failure = failures.compactMap({ $0 }).first { throw failure }
        return tables
    }

    /// Sorts the pixels by point, and points into chains.
    private func connect(_ numbered: [PointTable]) throws(MemoryError) {
        var tables = numbered
        for index in lattices.indices {
            let first = pointCount
            for corner in lattices[index].corners {
                tables[corner].first = pointCount - first
                pointCount += tables[corner].table.count
            }
            lattices[index].points = first..<pointCount
        }
        let startTable = try AlignedMemory(byteCount: (pointCount + 1) * 4)
        self.startTable = startTable
        let starts = startTable.base.assumingMemoryBound(to: Int32.self)
        let firsts = lattices.flatMap { lattice in lattice.corners.map { lattice.points.lowerBound + tables[$0].first }
        }
        pool.forEach(cornerCount) { _, corner in
            kernels.sort(
                points + 16 * corner,
                weights + 16 * corner,
                step,
                pixelCount,
                firsts[corner],
                tables[corner].table.count,
                corner * pixelCount,
                starts,
                entries
            )
        }
        starts[pointCount] = Int32(cornerCount * pixelCount)
        // Prefetching beyond the end needs a pixel that exists.
        for index in 0..<Int(SN_LATTICE_SPARE) { entries[cornerCount * pixelCount + index] = sn_lattice_entry() }
        bands = (0..<(tables.first?.bands.count ?? 1) - 1).map { band in
            (0..<cornerCount).map { corner in
                firsts[corner] + tables[corner].bands[band]..<firsts[corner] + tables[corner].bands[band + 1]
            }
        }
        try chain(tables)
    }

    private func chain(_ tables: [PointTable]) throws(MemoryError) {
        var lists: [(lattice: Int, axis: Int, memory: AlignedMemory, scratch: AlignedMemory)] = []
        for (index, lattice) in lattices.enumerated() {
            for axis in 0...lattice.kernel.dimensions {
                let bytes = max(lattice.points.count, 1) * 4
                let memory = try AlignedMemory(byteCount: bytes)
                lists.append((index, axis, memory, try AlignedMemory(byteCount: 2 * bytes)))
            }
        }
        let all = tables.map(\.table)
        var parts = [[Range<Int>]](repeating: [], count: lists.count)
        parts.withUnsafeMutableBufferPointer { parts in
            pool.forEach(lists.count) { _, item in
                let list = lists[item]
                let lattice = lattices[list.lattice]
                let chains = list.memory.base.assumingMemoryBound(to: Int32.self)
                let count = Array(all[lattice.corners]).withUnsafeBufferPointer { tables in
                    guard let base = tables.baseAddress else { return 0 }
                    return kernels.chains(
                        base,
                        lattice.kernel.dimensions,
                        list.axis,
                        list.scratch.base.assumingMemoryBound(to: Int32.self),
                        chains
                    )
                }
                var start = 0
                while start < count {
                    var end = min(start + Self.chainPart, count)
                    while end < count, chains[end - 1] >= 0 { end += 1 }
                    parts[item].append(start..<end)
                    start = end
                }
            }
        }
        for (list, parts) in zip(lists, parts) {
            lattices[list.lattice].chains.append(Chains(memory: list.memory, parts: parts))
        }
    }
}

extension LatticeFilters {
    // MARK: Filtering. Rows of `values` numbers: a multiple of 8, or 1.

    /// Sums pixels into all points. rows: [pixels][values]; data: [points][values].
    func splat(_ rows: UnsafePointer<Float>, values: Int, into data: UnsafeMutablePointer<Float>) {
        guard let starts else { return }
        pool.forEach(bands.count) { _, band in
            for points in bands[band] where !points.isEmpty {
                kernels.splat(starts, entries, points.lowerBound, points.upperBound, rows, values, data)
            }
        }
    }

    /// Blurs all lattices, in place.
    func blur(_ data: UnsafeMutablePointer<Float>, values: Int) {
        for axis in 0..<(lattices.map(\.chains.count).max() ?? 0) {
            let items = lattices.indices.filter { axis < lattices[$0].chains.count }.flatMap { index in
                lattices[index].chains[axis].parts.map { (lattice: index, part: $0) }
            }
            pool.forEach(items.count) { _, item in
                let (lattice, part) = (lattices[items[item].lattice], items[item].part)
                kernels.blur(
                    lattice.chains[axis].list,
                    part.lowerBound,
                    part.upperBound,
                    data + lattice.points.lowerBound * values,
                    values
                )
            }
        }
    }

    /// Calls `body` with ranges of pixels, on all threads.
    func forEachPart(_ body: (Range<Int>) -> Void) {
        let part = Self.pixelPart
        pool.forEach((pixelCount + part - 1) / part) { _, index in
            body(index * part..<min((index + 1) * part, pixelCount))
        }
    }

    /// Puts normalisation and a weight for each lattice into the tables, for all later passes.
    func normalize(_ normalization: DenseCRF.Normalization, weights: [Double]) throws(MemoryError) {
        let data = try AlignedMemory(byteCount: max(pointCount, 1) * 4)
        let sums = try AlignedMemory(byteCount: pixelCount * 4)
        let factors = sums.floats()
        factors.update(repeating: 1, count: pixelCount)
        splat(factors, values: 1, into: data.floats())
        blur(data.floats(), values: 1)
        for (lattice, weight) in zip(lattices, weights) {
            var corners = corners(of: lattice)
            forEachPart { pixels in
                kernels.slice(&corners, data.floats(), 1, pixels.lowerBound, pixels.upperBound, factors)
            }
            let scale = lattice.kernel.scale
            for pixel in 0..<pixelCount {
                // 1e-20 as in the original; a pixel always has itself, so n is far above it.
                let n = factors[pixel] * scale + 1e-20
                factors[pixel] = normalization == .after ? 1 / n : 1 / n.squareRoot()
            }
            weigh(lattice, factors, scale * Float(weight), normalization)
        }
    }

    private func weigh(
        _ lattice: Lattice,
        _ factors: UnsafePointer<Float>,
        _ factor: Float,
        _ normalization: DenseCRF.Normalization
    ) {
        forEachPart { pixels in
            kernels.weigh(
                weights + 16 * lattice.firstCorner,
                step,
                lattice.corners.count,
                pixels.lowerBound,
                pixels.upperBound,
                factors,
                factor
            )
        }
        guard normalization == .symmetric else { return }
        pool.forEach(lattice.corners.count) { _, index in
            let first = (lattice.firstCorner + index) * pixelCount
            kernels.weigh_entries(entries, first, first + pixelCount, factors)
        }
    }

    /// One pass of one lattice without any normalisation: the sums over all pixels j of k(i, j) * rows[j], as the lattice has them.
    /// - Parameter rows: [pixels][values], `values` a multiple of 8.
    func filter(_ rows: UnsafePointer<Float>, values: Int, with index: Int, into out: UnsafeMutablePointer<Float>)
        throws(MemoryError)
    {
        let data = try AlignedMemory(byteCount: max(pointCount, 1) * values * 4)
        splat(rows, values: values, into: data.floats())
        blur(data.floats(), values: values)
        var corners = corners(of: lattices[index])
        forEachPart { pixels in
            kernels.slice(&corners, data.floats(), values, pixels.lowerBound, pixels.upperBound, out)
        }
        let scale = lattices[index].kernel.scale
        for position in 0..<pixelCount * values { out[position] *= scale }
    }
}
