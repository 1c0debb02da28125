import CSegNetKernels
import SegNetPlatform
import Testing

/// A convolution's geometry.
struct ConvolutionCase: CustomTestStringConvertible, Sendable {
    var kernel: (Int, Int)
    var stride = (1, 1)
    var origin = (0, 0)
    var dilation = (1, 1)
    var channels = 5
    var outputs = 20
    var size = (9, 11)

    var window: sn_window {
        sn_window(
            height: kernel.0,
            width: kernel.1,
            stride_y: stride.0,
            stride_x: stride.1,
            origin_y: origin.0,
            origin_x: origin.1,
            dilation_y: dilation.0,
            dilation_x: dilation.1
        )
    }
    /// As many outputs as start at or before the input's last row and column: the last ones may look beyond the border.
    var outHeight: Int { (size.0 - 1 - origin.0) / stride.0 + 1 }
    var outWidth: Int { (size.1 - 1 - origin.1) / stride.1 + 1 }

    var testDescription: String {
        "\(kernel) stride \(stride) origin \(origin) dilation \(dilation), \(channels) to \(outputs) channels, \(size)"
    }

    // Small integers: their products and sums are exact in float32 in any order, so results must be equal, not close.
    func weight(_ k: Int, _ c: Int, _ i: Int, _ j: Int) -> Float { Float((k * 7 + c * 5 + i * 3 + j * 11) % 9 - 4) }
    func bias(_ k: Int) -> Float { Float(k % 5 - 2) }

    /// The convolution by its definition; `input` answers for channels, rows and columns inside the input.
    func value(_ k: Int, _ y: Int, _ x: Int, relu: Bool, _ input: (Int, Int, Int) -> Float) -> Float {
        var sum = Double(bias(k))
        for i in 0..<kernel.0 {
            for j in 0..<kernel.1 {
                let row = y * stride.0 + origin.0 + i * dilation.0, column = x * stride.1 + origin.1 + j * dilation.1
                guard (0..<size.0).contains(row), (0..<size.1).contains(column) else { continue }
                for c in 0..<channels { sum += Double(weight(k, c, i, j)) * Double(input(c, row, column)) }
            }
        }
        return Float(relu ? max(sum, 0) : sum)
    }
}

/// Pack, multiply, store: a convolution as the plans run it, over rectangles of 2 x 10 pixels.
private func convolve(
    _ test: ConvolutionCase,
    _ set: InstructionSet,
    depth: Int,
    depthBlock: Int,
    epilogue: sn_epilogue,
    phases step: (Int, Int) = (1, 1),
    offset: (Int, Int) = (0, 0),
    weight: (_ depth: Int, _ output: Int) -> Float,
    pack: (_ pixels: sn_pixels, _ tiles: sn_tiles, _ micro: Int) -> Void
) {
    let kernels = set.kernels
    for y in stride(from: 0, to: test.outHeight, by: 2) {
        for x in stride(from: 0, to: test.outWidth, by: 10) {
            let width = min(10, test.outWidth - x), count = min(2, test.outHeight - y) * width
            let pixels = sn_pixels(
                y: y,
                x: x,
                width: width,
                count: count,
                step_y: step.0,
                step_x: step.1,
                offset_y: offset.0,
                offset_x: offset.1
            )
            let buffer = GuardedMemory<Float>(count: count * depth)
            let tiles = sn_tiles(data: buffer.pointer, tiles: count, depth: depth, depth_block: depthBlock)
            for micro in 0..<(count + kernels.micro_tile - 1) / kernels.micro_tile { pack(pixels, tiles, micro) }
            var k = 0
            while k < test.outputs {
                let columns = test.outputs - k > 16 ? kernels.panel : 16
                let u = GuardedMemory<Float>(count: depth * columns), m = GuardedMemory<Float>(count: count * columns)
                for d in 0..<depth {
                    for column in 0..<columns {
                        u.pointer[d * columns + column] = k + column < test.outputs ? weight(d, k + column) : 0
                    }
                }
                kernels.gemm([tiles], u.pointer, columns, m.pointer)
                kernels.store(m.pointer, columns, [pixels], k / 16, [epilogue])
                #expect(m.isIntact && buffer.isIntact)
                k += columns
            }
        }
    }
}

/// [outputs] padded to whole blocks by zeros.
private func paddedBias(_ test: ConvolutionCase) -> GuardedMemory<Float> {
    GuardedMemory((0..<(test.outputs + 15) / 16 * 16).map { $0 < test.outputs ? test.bias($0) : 0 })
}

@Suite("convolution kernels")
struct ConvolutionKernelTests {
    static let cases: [ConvolutionCase] = [
        .init(kernel: (1, 1), channels: 1, outputs: 1, size: (1, 1)),
        .init(kernel: (1, 1), channels: 33, outputs: 48, size: (4, 23)),
        .init(kernel: (1, 1), stride: (2, 3), channels: 16, size: (7, 8)),
        .init(kernel: (2, 2), channels: 17, outputs: 32, size: (3, 3)),
        .init(kernel: (2, 2), stride: (2, 2), origin: (-1, -1), size: (9, 25)),
        .init(kernel: (3, 3), origin: (-1, -1), channels: 40, outputs: 33, size: (5, 27)),
        .init(kernel: (3, 3), origin: (-1, -1), channels: 3, outputs: 16, size: (1, 2)),
        .init(kernel: (3, 3), stride: (2, 2), origin: (-1, -1), channels: 20, size: (8, 9)),
        .init(kernel: (3, 3), stride: (3, 1), origin: (-2, 0), channels: 20, size: (10, 12)),
        .init(kernel: (3, 3), origin: (-2, -2), dilation: (2, 2), channels: 18, size: (6, 13)),
        .init(kernel: (3, 3), stride: (2, 1), origin: (-3, -2), dilation: (3, 2), size: (11, 7)),
        .init(kernel: (3, 1), origin: (-1, 0), channels: 64, outputs: 11, size: (5, 6)),
        .init(kernel: (1, 3), origin: (0, -1), channels: 31, outputs: 64, size: (3, 4)),
        .init(kernel: (5, 5), origin: (-2, -2), channels: 16, size: (3, 4)),
        .init(kernel: (5, 5), stride: (1, 3), origin: (-4, 1), dilation: (1, 3), channels: 4, size: (12, 14)),
        .init(kernel: (7, 7), origin: (-3, -3), channels: 19, outputs: 12, size: (7, 15)),
        .init(kernel: (7, 7), stride: (2, 2), origin: (-3, -3), channels: 2, size: (17, 16)),
        .init(kernel: (3, 3), origin: (1, 2), channels: 5, size: (6, 9)),
    ]

    @Test("a convolution of blocked maps equals its definition", arguments: InstructionSet.available, cases)
    func blocked(set: InstructionSet, test: ConvolutionCase) {
        var random = TestRandom(test.size.0 + test.size.1)
        let input = BlockedOperand(test.channels, test.size.0, test.size.1) { _, _, _ in
            random.float(in: -4...4).rounded()
        }
        let output = BlockedOperand(channels: test.outputs, height: test.outHeight, width: test.outWidth)
        let bias = paddedBias(test)
        let depth = test.kernel.0 * test.kernel.1 * input.blocks * 16
        convolve(
            test,
            set,
            depth: depth,
            depthBlock: 48,
            epilogue: sn_epilogue(
                bias: bias.pointer,
                relu: 0,
                out: output.map,
                pooled: .none,
                indices: IndicesOperand.none
            )
        ) { depth, k in
            let c = depth % (input.blocks * 16), tap = depth / (input.blocks * 16)
            return c < test.channels ? test.weight(k, c, tap / test.kernel.1, tap % test.kernel.1) : 0
        } pack: { pixels, tiles, micro in
            set.kernels.pack([input.map], [test.window], [pixels], [tiles], micro, 0, input.blocks)
        }
        #expect(output.mismatch(same: ==) { test.value($0, $1, $2, relu: false) { input[$0, $1, $2] } } == nil)
    }

    @Test("a range of a ring's blocks is packed as if it were all", arguments: InstructionSet.available)
    func someBlocksOfARing(set: InstructionSet) {
        let test = ConvolutionCase(kernel: (3, 3), origin: (-1, -1), channels: 32, outputs: 16, size: (20, 6))
        let input = BlockedOperand(64, 20, 6) { c, y, x in Float((c + y * 3 + x) % 7) }
        let ring = BlockedOperand(channels: 64, height: 20, width: 6, rows: 4)
        for c in 0..<64 { for y in 7..<11 { for x in 0..<6 { ring[c, y, x] = input[c, y, x] } } }
        let pixels = sn_pixels(y: 8, x: 0, width: 6, count: 12, step_y: 1, step_x: 1, offset_y: 0, offset_x: 0)
        func packed(_ map: sn_map) -> [Float] {
            let buffer = GuardedMemory<Float>(count: 12 * 288)
            let tiles = sn_tiles(data: buffer.pointer, tiles: 12, depth: 288, depth_block: 288)
            for micro in 0..<(12 + set.kernels.micro_tile - 1) / set.kernels.micro_tile {
                set.kernels.pack([map], [test.window], [pixels], [tiles], micro, 1, 3)
            }
            return buffer.elements
        }
        #expect(packed(ring.map) == packed(input.map))
        // The first buffer row's first line: tap (0, 0) of pixel (8, 0) lies left of the map; tap (0, 1) does not.
        let count = (12 + set.kernels.micro_tile - 1) / set.kernels.micro_tile
        let mr = 12 / count + (12 % count > 0 ? 1 : 0)
        let found = packed(input.map)
        #expect(found[0..<16].allSatisfy { $0 == 0 })
        #expect(Array(found[(2 * mr * 16)..<(2 * mr * 16 + 16)]) == (16..<32).map { input[$0, 7, 0] })
    }

    @Test("a convolution of a thin map equals its definition", arguments: InstructionSet.available, 1...15)
    func thin(set: InstructionSet, channels: Int) {
        let geometries: [ConvolutionCase] = [
            .init(kernel: (3, 3), origin: (-1, -1), size: (5, 23)),
            .init(kernel: (7, 7), origin: (-3, -3), size: (9, 13)),
            .init(kernel: (7, 7), stride: (2, 2), origin: (-3, -3), size: (8, 9)),
            .init(kernel: (2, 2), stride: (2, 2), size: (5, 3)),
            .init(kernel: (3, 3), stride: (1, 2), origin: (-2, -3), dilation: (2, 3), size: (7, 9)),
            .init(kernel: (1, 1), size: (1, 1)),
            .init(kernel: (9, 11), origin: (-4, -5), size: (3, 4)),
            .init(kernel: (5, 1), origin: (-2, 1), dilation: (1, 2), size: (4, 6)),
        ]
        for geometry in geometries {
            var test = geometry
            test.channels = channels
            var random = TestRandom(channels)
            let input = ThinOperand(channels, test.size.0, test.size.1) { _, _, _ in random.float(in: -4...4).rounded()
            }
            let output = BlockedOperand(channels: test.outputs, height: test.outHeight, width: test.outWidth)
            let bias = paddedBias(test)
            let depth = (test.kernel.0 * test.kernel.1 * channels + 15) / 16 * 16
            convolve(
                test,
                set,
                depth: depth,
                depthBlock: 64,
                epilogue: sn_epilogue(
                    bias: bias.pointer,
                    relu: 1,
                    out: output.map,
                    pooled: .none,
                    indices: IndicesOperand.none
                )
            ) { depth, k in
                let tap = depth / channels
                // Beyond the window the buffer holds zeros, so any weight must do there.
                return test.weight(k, depth % channels, tap / test.kernel.1, tap % test.kernel.1)
            } pack: { pixels, tiles, micro in
                set.kernels.pack_thin([input.thin], [test.window], [pixels], [tiles], micro)
            }
            let mismatch = output.mismatch(same: ==) { test.value($0, $1, $2, relu: true) { input[$0, $1, $2] } }
            #expect(mismatch == nil, "\(test)")
        }
    }

    static let unpooledCases: [ConvolutionCase] = [
        .init(kernel: (3, 3), origin: (-1, -1), channels: 20, size: (7, 9)),
        .init(kernel: (3, 3), origin: (-1, -1), channels: 33, size: (8, 24)),
        .init(kernel: (1, 1), channels: 3, size: (1, 1)),
        .init(kernel: (7, 7), origin: (-3, -3), channels: 5, size: (5, 13)),
        .init(kernel: (3, 3), stride: (2, 2), origin: (-1, -2), dilation: (2, 1), channels: 16, size: (9, 8)),
        .init(kernel: (2, 2), stride: (1, 3), origin: (0, -1), channels: 8, size: (6, 5)),
    ]

    @Test("a convolution of an unpooled map never needs that map", arguments: InstructionSet.available, unpooledCases)
    func unpooled(set: InstructionSet, test: ConvolutionCase) {
        var random = TestRandom(test.channels)
        let pooled = BlockedOperand(test.channels, (test.size.0 + 1) / 2, (test.size.1 + 1) / 2) { _, _, _ in
            random.float(in: -4...4).rounded()
        }
        let indices = IndicesOperand(blocks: pooled.blocks, height: pooled.height, width: pooled.width)
        for i in 0..<indices.memory.count { indices.memory.pointer[i] = UInt32(truncatingIfNeeded: random.next()) }
        let output = BlockedOperand(channels: test.outputs, height: test.outHeight, width: test.outWidth)
        let bias = paddedBias(test)
        convolve(
            test,
            set,
            depth: test.kernel.0 * test.kernel.1 * pooled.blocks * 16,
            depthBlock: set.kernels.depth_block,
            epilogue: sn_epilogue(
                bias: bias.pointer,
                relu: 0,
                out: output.map,
                pooled: .none,
                indices: IndicesOperand.none
            )
        ) { depth, k in
            let c = depth % (pooled.blocks * 16), tap = depth / (pooled.blocks * 16)
            return c < test.channels ? test.weight(k, c, tap / test.kernel.1, tap % test.kernel.1) : 0
        } pack: { pixels, tiles, micro in
            set.kernels.pack_unpooled(
                [pooled.map],
                [indices.indices],
                test.size.0,
                test.size.1,
                [test.window],
                [pixels],
                [tiles],
                micro,
                0,
                pooled.blocks
            )
        }
        let mismatch = output.mismatch(same: ==) { k, y, x in
            test.value(k, y, x, relu: false) { c, y, x in
                indices[c, y / 2, x / 2] == 2 * (y % 2) + x % 2 ? pooled[c, y / 2, x / 2] : 0
            }
        }
        #expect(mismatch == nil)
    }

    @Test("the epilogue pools what it stores", arguments: InstructionSet.available, [true, false])
    func pooling(set: InstructionSet, storesToo: Bool) {
        for (height, width) in [(1, 1), (2, 2), (3, 5), (4, 21), (7, 10), (6, 13)] {
            let test = ConvolutionCase(kernel: (1, 1), channels: 16, outputs: 40, size: (height, width))
            var random = TestRandom(height)
            let input = BlockedOperand(16, height, width) { _, _, _ in random.float(in: -1...1).rounded() }
            let output = BlockedOperand(channels: 40, height: height, width: width)
            let pooled = BlockedOperand(channels: 40, height: (height + 1) / 2, width: (width + 1) / 2)
            let indices = IndicesOperand(blocks: 3, height: pooled.height, width: pooled.width)
            let bias = paddedBias(test)
            convolve(
                test,
                set,
                depth: 16,
                depthBlock: 16,
                epilogue: sn_epilogue(
                    bias: bias.pointer,
                    relu: 1,
                    out: storesToo ? output.map : .none,
                    pooled: pooled.map,
                    indices: indices.indices
                )
            ) { depth, k in
                test.weight(k, depth, 0, 0)
            } pack: { pixels, tiles, micro in
                set.kernels.pack([input.map], [test.window], [pixels], [tiles], micro, 0, 1)
            }
            let plain = BlockedOperand(40, height, width) { test.value($0, $1, $2, relu: true) { input[$0, $1, $2] } }
            let expected = BlockedOperand(channels: 40, height: pooled.height, width: pooled.width)
            let expectedIndices = IndicesOperand(blocks: 3, height: pooled.height, width: pooled.width)
            for block in 0..<3 {
                set.kernels.max_pool_2x2(
                    [plain.map],
                    [expected.map],
                    [expectedIndices.indices],
                    block,
                    0,
                    pooled.height
                )
            }
            #expect(pooled.mismatch(same: ==) { expected[$0, $1, $2] } == nil, "\(height)x\(width)")
            #expect(indices.memory.elements == expectedIndices.memory.elements && indices.memory.isIntact)
            if storesToo { #expect(output.mismatch(same: ==) { plain[$0, $1, $2] } == nil) }
        }
    }

    @Test("ReLU keeps NaN and pooling never lets it win", arguments: InstructionSet.available)
    func epilogueOfNaN(set: InstructionSet) {
        let products = GuardedMemory<Float>([Float](repeating: .nan, count: 16) + [Float](repeating: -1, count: 16))
        let bias = GuardedMemory<Float>([Float](repeating: 0, count: 16))
        let output = BlockedOperand(channels: 16, height: 1, width: 2)
        let pooled = BlockedOperand(channels: 16, height: 1, width: 1)
        let indices = IndicesOperand(blocks: 1, height: 1, width: 1)
        let pixels = sn_pixels(y: 0, x: 0, width: 2, count: 2, step_y: 1, step_x: 1, offset_y: 0, offset_x: 0)
        let epilogue = sn_epilogue(
            bias: bias.pointer,
            relu: 1,
            out: output.map,
            pooled: pooled.map,
            indices: indices.indices
        )
        set.kernels.store(products.pointer, 16, [pixels], 0, [epilogue])
        #expect(output.mismatch { _, _, x in x == 0 ? .nan : 0 } == nil)
        #expect(pooled.mismatch { _, _, _ in 0 } == nil)
        #expect(indices.memory.elements == [0x0000_FFFF])
    }

    @Test("phases of a transposed convolution interleave in the output", arguments: InstructionSet.available)
    func phases(set: InstructionSet) {
        let test = ConvolutionCase(kernel: (1, 1), channels: 16, outputs: 18, size: (3, 12))
        let input = BlockedOperand(16, 3, 12) { c, y, x in Float((c + y * 5 + x * 2) % 9 - 4) }
        let output = BlockedOperand(channels: 18, height: 6, width: 36)
        let bias = paddedBias(test)
        for phase in 0..<6 {
            convolve(
                test,
                set,
                depth: 16,
                depthBlock: 16,
                epilogue: sn_epilogue(
                    bias: bias.pointer,
                    relu: 0,
                    out: output.map,
                    pooled: .none,
                    indices: IndicesOperand.none
                ),
                phases: (2, 3),
                offset: (phase / 3, phase % 3)
            ) { depth, k in
                test.weight(k, depth, phase / 3, phase % 3)
            } pack: { pixels, tiles, micro in
                set.kernels.pack([input.map], [test.window], [pixels], [tiles], micro, 0, 1)
            }
        }
        let mismatch = output.mismatch(same: ==) { k, y, x in
            (0..<16).reduce(test.bias(k)) { $0 + test.weight(k, $1, y % 2, x % 3) * input[$1, y / 2, x / 3] }
        }
        #expect(mismatch == nil)
    }

    @Test("a depthwise convolution equals its definition", arguments: InstructionSet.available, cases)
    func depthwise(set: InstructionSet, test: ConvolutionCase) {
        let input = BlockedOperand(test.channels, test.size.0, test.size.1) { c, y, x in
            Float((c * 3 + y * 5 + x) % 9 - 4)
        }
        let output = BlockedOperand(channels: test.channels, height: test.outHeight, width: test.outWidth)
        let taps = test.kernel.0 * test.kernel.1
        let weights = GuardedMemory<Float>(count: input.blocks * taps * 16)
        let bias = GuardedMemory<Float>(count: input.blocks * 16)
        for c in 0..<input.blocks * 16 {
            bias.pointer[c] = c < test.channels ? test.bias(c) : 0
            for tap in 0..<taps {
                weights.pointer[(c / 16 * taps + tap) * 16 + c % 16] =
                    c < test.channels ? test.weight(c, 0, tap / test.kernel.1, tap % test.kernel.1) : 0
            }
        }
        let epilogue = sn_epilogue(
            bias: bias.pointer,
            relu: 1,
            out: output.map,
            pooled: .none,
            indices: IndicesOperand.none
        )
        for block in 0..<input.blocks {
            for row in 0..<test.outHeight {
                set.kernels.depthwise([input.map], [test.window], weights.pointer, block, row, row + 1, [epilogue])
            }
        }
        var one = test
        one.channels = 1
        let mismatch = output.mismatch(same: ==) { c, y, x in one.value(c, y, x, relu: true) { input[c, $1, $2] } }
        #expect(mismatch == nil)
    }
}
