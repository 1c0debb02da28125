import CSegNetKernels

/// One channel each: see the kernel.
struct DepthwiseConvolution: ConvolutionSchedule {
    let geometry: ConvolutionGeometry

    var description: String { "rows of a block of channels" }

    var sharedBytes: Int { 0 }
    var threadBytes: Int { 0 }

    func run(_ pictures: [ConvolutionPicture], weights: UnsafeMutableRawPointer, on crew: Crew) {
        let floats = weights.assumingMemoryBound(to: Float.self)
        let blocks = geometry.plan.outputBlocks
        crew.forEachItem(blocks: blocks * pictures.count, height: geometry.height, width: geometry.width) {
            var picture = pictures[$0 / blocks]
            var window = geometry.plan.units[0].window
            crew.kernels.depthwise(&picture.input, &window, floats, $0 % blocks, $1, $2, &picture.epilogue)
        }
    }

    /// An item is one block of channels.
    var rowGroups: RowGroups? {
        let rows = max(1, min(geometry.height, 1024 / max(1, geometry.width)))
        return RowGroups(rows: rows, height: geometry.height, items: geometry.plan.outputBlocks)
    }

    func begin(_ picture: ConvolutionPicture, weights: UnsafeMutableRawPointer, on crew: Crew) -> RowGroupBody {
        let floats = weights.assumingMemoryBound(to: Float.self)
        guard let groups = rowGroups else { return { _, _, _ in } }
        return { _, group, block in
            var picture = picture
            var window = geometry.plan.units[0].window
            let first = group * groups.rows
            let last = min(groups.height, first + groups.rows)
            crew.kernels.depthwise(&picture.input, &window, floats, block, first, last, &picture.epilogue)
        }
    }
}
