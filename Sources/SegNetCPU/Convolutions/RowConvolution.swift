import CSegNetKernels
import SegNetPlatform

/// A convolution of stride 1 over a picture of three channels, straight from the picture's rows: the first layer of most networks.
///
/// A thread takes some output rows of an item, copies the input rows under them once, with zeros around the picture, and multiplies
/// windows where they lie. In one dimension (F(4,7) for SegNet-Basic's first layer: 2.8 times fewer multiplications) the copied rows are
/// transformed first; a tile's sums go back through the inverse transform while they are in the first-level cache. The two-dimensional
/// algorithm would multiply less still, but with three channels its transforms cost more than its products.
struct RowConvolution: ConvolutionSchedule {
    private let geometry: ConvolutionGeometry
    private let kernels: sn_kernels
    private let winograd: sn_winograd?
    /// Output pixels of a tile; 1 where the convolution is direct.
    private let tile: Int
    /// Copies of an input row, each with every `tile`-th value: 1, or the points of the algorithm.
    private let points: Int
    private let taps: Int
    private let unit: ConvolutionUnit
    /// Output rows of an item: even, for pooling.
    private let rowsPerItem: Int
    /// Output pixels of an item in a row, whole micro tiles; the last item may be narrower.
    private let itemWidth: Int
    private let itemsAcross: Int

    /// Rows of an item share the transformed input rows: 4 of a window of 7 transform 2.5 rows for each, 2 would transform 4. Their sums (4
    /// rows of 256 pixels of 32 columns: 131 kB) and input rows (7 + 3 rows of 10 points: 77 kB) stay in the second-level cache.
    private static let transformedRows = 4
    /// Rows that are only copied cost little, and items of fewer rows mean smaller bands.
    private static let copiedRows = 2
    /// Pixels of an item in a row, about: what is above gives way to whole micro tiles.
    private static let widest = 252

    init(_ geometry: ConvolutionGeometry, algorithm: ConvolutionPlan.RowAlgorithm, kernels: sn_kernels) {
        self.geometry = geometry
        self.kernels = kernels
        unit = geometry.plan.units[0]
        taps = unit.window.height
        switch algorithm {
        case .direct:
            winograd = nil
            tile = 1
            points = 1
        case .winograd(let variant):
            let kernels = variant.kernels(kernels).pointee
            winograd = kernels
            tile = kernels.tile
            points = kernels.points
        }
        rowsPerItem = min(winograd == nil ? Self.copiedRows : Self.transformedRows, (geometry.height + 1) / 2 * 2)
        let about = (geometry.width + Self.widest - 1) / Self.widest
        let grain = kernels.micro_tile * tile
        itemWidth = ((geometry.width + about - 1) / about + grain - 1) / grain * grain
        itemsAcross = (geometry.width + itemWidth - 1) / itemWidth
    }

    var description: String { "\(rowsPerItem) rows of \(min(geometry.width, itemWidth)) pixels at a time" }

    // MARK: Memory

    /// Floats of a copied row: a tile's first pixel of each tile, those that windows reach beyond, and a vector more than is used.
    private var rowFloats: Int {
        let pixels = (itemWidth + tile - 1) / tile + (taps + tile - 1) / tile + 1
        return (pixels * 3 + 2 * kernels.lanes + 15) / 16 * 16
    }

    private var inputRows: Int { rowsPerItem + taps - 1 }
    private var isHalf: Bool { geometry.plan.precision == .float16 }
    private var wholeCount: Int { isHalf ? unit.weightCount : 0 }
    private var transformedCount: Int { winograd == nil ? 0 : points * taps * 3 * unit.outputBlocks.count * 16 }

    /// Weights as float32 if they are not, then transformed.
    var sharedBytes: Int { (wholeCount + transformedCount) * 4 }

    /// A row's phases, all rows' points, and the products of a panel.
    var threadBytes: Int {
        let phases = winograd == nil ? 0 : tile * rowFloats
        return (phases + inputRows * points * rowFloats + (rowsPerItem * itemWidth + itemWidth) * kernels.panel) * 4
    }

    // MARK: Running

    var rowGroups: RowGroups? { RowGroups(rows: rowsPerItem, height: geometry.height, items: itemsAcross) }

    func begin(_ picture: ConvolutionPicture, weights: UnsafeMutableRawPointer, on crew: Crew) -> RowGroupBody {
        let weights = preparedWeights(weights, on: crew)
        return { worker, group, item in
            var picture = picture
            run(group, item, &picture, scratch: crew.scratch(worker), weights: weights)
        }
    }

    func run(_ pictures: [ConvolutionPicture], weights: UnsafeMutableRawPointer, on crew: Crew) {
        let weights = preparedWeights(weights, on: crew)
        let items = (geometry.height + rowsPerItem - 1) / rowsPerItem * itemsAcross
        crew.pool.forEach(items * pictures.count) { worker, index in
            var picture = pictures[index / items]
            let item = index % items
            run(item / itemsAcross, item % itemsAcross, &picture, scratch: crew.scratch(worker), weights: weights)
        }
    }

    /// The panels' weights, transformed if the convolution is not direct. They are few: one thread makes them.
    private func preparedWeights(_ packed: UnsafeMutableRawPointer, on crew: Crew) -> UnsafePointer<Float> {
        var whole = packed.assumingMemoryBound(to: Float.self)
        if isHalf {
            let shared = crew.shared.assumingMemoryBound(to: Float.self)
            kernels.widen(packed.assumingMemoryBound(to: UInt16.self), shared, unit.weightCount)
            whole = shared
        }
        guard let winograd else { return UnsafePointer(whole) }
        let transformed = crew.shared.assumingMemoryBound(to: Float.self) + wholeCount
        var (from, to) = (whole, transformed)
        for (_, columns) in panels(outputBlocks: unit.outputBlocks, panel: kernels.panel) {
            winograd.row_weights(from, columns, to)
            from += unit.depth * columns
            to += points * taps * 3 * columns
        }
        return UnsafePointer(transformed)
    }

    /// Computes a group of output rows, the `column`-th of the items across.
    private func run(
        _ group: Int,
        _ column: Int,
        _ picture: inout ConvolutionPicture,
        scratch: UnsafeMutablePointer<Float>,
        weights: UnsafePointer<Float>
    ) {
        let firstRow = group * rowsPerItem
        let rows = min(rowsPerItem, geometry.height - firstRow)
        let left = column * itemWidth
        let width = min(itemWidth, geometry.width - left)
        let micro = kernels.micro_tile
        let tiles = ((width + tile - 1) / tile + micro - 1) / micro * micro
        let rowStep = points * rowFloats
        let phases = scratch
        let input = winograd == nil ? scratch : scratch + tile * rowFloats
        let products = input + inputRows * rowStep
        let (originY, originX) = (unit.window.origin_y, unit.window.origin_x)

        for row in 0..<rows + taps - 1 {
            let to = input + row * rowStep
            let pixels = tiles * tile + taps - 1
            kernels.row_fetch(
                &picture.thin,
                firstRow + row + originY,
                left + originX,
                pixels,
                tile,
                winograd == nil ? to : phases,
                rowFloats
            )
            winograd?.row_input(phases, rowFloats, tiles * 3, to, rowFloats)
        }
        var panelWeights = weights
        for (block, columns) in panels(outputBlocks: unit.outputBlocks, panel: kernels.panel) {
            for row in 0..<rows {
                // What a row writes beyond its width, the next one overwrites.
                let (from, to) = (input + row * rowStep, products + row * width * columns)
                if let winograd {
                    winograd.row_tiles(from, rowFloats, rowStep, tiles, panelWeights, columns, to)
                } else {
                    kernels.row_products(from, rowStep, taps, taps * 3, tiles, panelWeights, columns, to)
                }
            }
            panelWeights += (winograd == nil ? unit.depth : points * taps * 3) * columns
            for row in stride(from: 0, to: rows, by: 2) {
                var pixels = sn_pixels(
                    y: firstRow + row,
                    x: left,
                    width: width,
                    count: min(2, rows - row) * width,
                    step_y: 1,
                    step_x: 1,
                    offset_y: 0,
                    offset_x: 0
                )
                kernels.store(products + row * width * columns, columns, &pixels, block, &picture.epilogue)
            }
        }
    }
}
