import CSegNetKernels
import SegNetNetworks

/// x * scale + shift, then ReLU: batch normalisation and ReLU that could not be folded into a convolution.
struct AffineStep: Step {
    let hasScale: Bool
    let hasShift: Bool
    let relu: Bool
    /// Where the factors lie among the packed weights, the shifts behind them: each padded to whole blocks with 0.
    let offset: Int
    let input: ValueID
    let output: ValueID

    /// Bytes of factors and shifts.
    static func byteCount(channels: Int) -> Int { 2 * blockCount(channels) * 64 }

    static func pack(scale: [Float]?, shift: [Float]?, into floats: UnsafeMutablePointer<Float>) {
        let padded = blockCount(max(scale?.count ?? 0, shift?.count ?? 0)) * 16
        for (index, value) in (scale ?? []).enumerated() { floats[index] = value }
        for (index, value) in (shift ?? []).enumerated() { floats[padded + index] = value }
    }

    func run(_ run: Run) {
        var (input, output) = (run.map(input), run.map(output))
        let scale = (run.weights + offset).assumingMemoryBound(to: Float.self)
        let shift = scale + output.blocks * 16
        withUnsafePointer(to: &input) { input in
            withUnsafePointer(to: &output) { output in
                let out = output.pointee
                run.forEachPiece(blocks: out.blocks, height: out.height, width: out.width) {
                    run.kernels.affine(
                        input,
                        hasScale ? scale : nil,
                        hasShift ? shift : nil,
                        relu ? 1 : 0,
                        output,
                        $0,
                        $1,
                        $2
                    )
                }
            }
        }
    }
}

/// The sum of two or more maps, one after the other.
struct AdditionStep: Step {
    let relu: Bool
    let inputs: [ValueID]
    let output: ValueID

    func run(_ run: Run) {
        var output = run.map(output)
        for (position, value) in inputs.enumerated().dropFirst() {
            var a = position == 1 ? run.map(inputs[0]) : output
            var b = run.map(value)
            let isLast = position == inputs.count - 1
            withUnsafePointers(&a, &b, &output) { a, b, output in
                let out = output.pointee
                run.forEachPiece(blocks: out.blocks, height: out.height, width: out.width) {
                    run.kernels.add(a, b, relu && isLast ? 1 : 0, output, $0, $1, $2)
                }
            }
        }
    }
}

/// Joins maps along the channels.
struct ConcatenationStep: Step {
    let inputs: [ValueID]
    let output: ValueID

    func run(_ run: Run) {
        var output = run.map(output)
        output.clearPadding(channels: run.placements[self.output.index].channels)
        var first = 0
        for value in inputs {
            let channels = run.placements[value.index].channels
            var input = run.map(value)
            withUnsafePointer(to: &input) { input in
                withUnsafePointer(to: &output) { output in
                    run.forEachPiece(blocks: 1, height: output.pointee.height, width: output.pointee.width) {
                        run.kernels.copy(input, channels, 0, 0, output, first, $1, $2)
                    }
                }
            }
            first += channels
        }
    }
}

/// Cuts a map to the size of another.
struct CropStep: Step {
    let crop: Crop
    let input: ValueID
    let output: ValueID

    func run(_ run: Run) {
        let channels = run.placements[output.index].channels
        var (input, output) = (run.map(input), run.map(output))
        output.clearPadding(channels: channels)
        withUnsafePointer(to: &input) { input in
            withUnsafePointer(to: &output) { output in
                run.forEachPiece(blocks: 1, height: output.pointee.height, width: output.pointee.width) {
                    run.kernels.copy(input, channels, crop.top, crop.left, output, 0, $1, $2)
                }
            }
        }
    }
}

/// Enlarges a map with bilinear weights.
struct BilinearUpsamplingStep: Step {
    let input: ValueID
    let output: ValueID

    func run(_ run: Run) {
        var (input, output) = (run.map(input), run.map(output))
        withUnsafePointer(to: &input) { input in
            withUnsafePointer(to: &output) { output in
                let out = output.pointee
                run.forEachPiece(blocks: out.blocks, height: out.height, width: out.width) {
                    run.kernels.bilinear(input, output, $0, $1, $2)
                }
            }
        }
    }
}

/// Thin to blocked.
struct BlockStep: Step {
    let input: ValueID
    let output: ValueID

    func run(_ run: Run) {
        var (input, output) = (run.thin(input), run.map(output))
        withUnsafePointer(to: &input) { input in
            withUnsafePointer(to: &output) { output in
                run.forEachPiece(blocks: 1, height: output.pointee.height, width: output.pointee.width) {
                    run.kernels.block_thin(input, output, $1, $2)
                }
            }
        }
    }
}

extension sn_map {
    /// Zeroes the last block where it has padding channels, which copies do not write.
    func clearPadding(channels: Int) {
        guard channels % 16 != 0, let data else { return }
        (data + (blocks - 1) * block_stride).update(repeating: 0, count: height * width * 16)
    }
}
