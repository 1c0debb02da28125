import CSegNetKernels

/// One channel each: see the kernel.
struct DepthwiseConvolution: ConvolutionSchedule {
    let geometry: ConvolutionGeometry

    var sharedBytes: Int { 0 }
    var threadBytes: Int { 0 }

    func run(_ pictures: [ConvolutionPicture], weights: UnsafeMutableRawPointer, on crew: Crew) {
        let floats = weights.assumingMemoryBound(to: Float.self)
        let blocks = geometry.plan.outputBlocks
        crew.forEachPiece(blocks: blocks * pictures.count, height: geometry.height, width: geometry.width) {
            var picture = pictures[$0 / blocks]
            var window = geometry.plan.units[0].window
            crew.kernels.depthwise(&picture.input, &window, floats, $0 % blocks, $1, $2, &picture.epilogue)
        }
    }
}
