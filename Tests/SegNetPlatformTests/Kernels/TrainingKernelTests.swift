import CSegNetKernels
import SegNetPlatform
import Testing

/// The inputs of a batch normalisation's gradient: the map in front of it, its factors, the gradient behind it.
private struct NormalizationCase {
    let x: BlockedOperand
    /// Gradient of the map, or of the pooled map with its indices.
    let gradient: BlockedOperand
    let indices: IndicesOperand?
    let scale: GuardedMemory<Float>, shift: GuardedMemory<Float>, mean: GuardedMemory<Float>
    let hasReLU: Bool
    let channels: Int

    init(_ channels: Int, _ height: Int, _ width: Int, hasReLU: Bool, isPooled: Bool, seed: Int) {
        var random = TestRandom(seed)
        self.channels = channels
        self.hasReLU = hasReLU
        // Eighths of small whole numbers: x * scale + shift is exact, so that ReLU's mask is the same however it is rounded.
        x = BlockedOperand(channels, height, width) { _, _, _ in random.float(in: -16...16).rounded() / 8 }
        let blocks = x.blocks
        func vector(_ values: (Int) -> Float) -> GuardedMemory<Float> { GuardedMemory((0..<blocks * 16).map(values)) }
        scale = vector { $0 < channels ? [0.5, 1, -2, 4][$0 % 4] : 0 }
        shift = vector { $0 < channels ? [0.25, 0, -0.5][$0 % 3] : 0 }
        mean = vector { _ in 0 }
        for c in 0..<channels { mean.pointer[c] = random.float() }
        let (rows, columns) = isPooled ? ((height + 1) / 2, (width + 1) / 2) : (height, width)
        gradient = BlockedOperand(channels, rows, columns) { _, _, _ in random.float() }
        guard isPooled else {
            indices = nil
            return
        }
        let indices = IndicesOperand(blocks: blocks, height: rows, width: columns)
        for c in 0..<blocks * 16 {
            for y in 0..<rows {
                for column in 0..<columns {
                    // No index points outside the map.
                    let lower = 2 * y + 1 < height && random.next() % 2 == 0
                    let right = 2 * column + 1 < width && random.next() % 2 == 0
                    indices[c, y, column] = (lower ? 2 : 0) + (right ? 1 : 0)
                }
            }
        }
        self.indices = indices
    }

    var operand: sn_gradient { sn_gradient(map: gradient.map, indices: indices?.indices ?? IndicesOperand.none) }

    /// The gradient of scale x + shift at a place of the map.
    func g(_ c: Int, _ y: Int, _ column: Int) -> Double {
        if hasReLU, x[c, y, column] * scale.pointer[c] + shift.pointer[c] <= 0 { return 0 }
        guard let indices else { return Double(gradient[c, y, column]) }
        let isPlace = indices[c, y / 2, column / 2] == 2 * (y % 2) + column % 2
        return isPlace ? Double(gradient[c, y / 2, column / 2]) : 0
    }

    func centered(_ c: Int, _ y: Int, _ column: Int) -> Double { Double(x[c, y, column]) - Double(mean.pointer[c]) }
}

@Suite("training kernels")
struct TrainingKernelTests {
    /// Widths and heights around the ends of windows and registers, channels around those of blocks.
    static let sizes = [(1, 1), (1, 2), (2, 1), (2, 2), (3, 5), (5, 4), (7, 9), (8, 17)]
    static let channelCounts = [1, 15, 16, 17, 33]

    @Test("sums of a batch are taken in float64", arguments: InstructionSet.available, channelCounts)
    func sums(set: InstructionSet, channels: Int) {
        for (height, width) in Self.sizes {
            var random = TestRandom(height * 31 + width)
            // A large mean and a small spread, of which float32 would leave nothing.
            let map = BlockedOperand(channels, height, width) { _, _, _ in 4096 + random.float() }
            for block in 0..<map.blocks {
                let (sum, squares) = (
                    GuardedMemory<Double>((0..<16).map { Double($0) }), GuardedMemory<Double>(count: 16)
                )
                for l in 0..<16 { squares.pointer[l] = 1 }
                let middle = height / 2
                set.kernels.sums([map.map], block, 0, middle, sum.pointer, squares.pointer)
                set.kernels.sums([map.map], block, middle, height, sum.pointer, squares.pointer)
                for lane in 0..<16 {
                    var (total, square) = (Double(lane), 1.0)
                    for y in 0..<height {
                        for x in 0..<width {
                            let value = Double(map[block * 16 + lane, y, x])
                            total += value
                            square += value * value
                        }
                    }
                    #expect(abs(sum.pointer[lane] - total) <= 1e-13 * abs(total))
                    #expect(abs(squares.pointer[lane] - square) <= 1e-13 * square)
                }
                #expect(sum.isIntact && squares.isIntact)
                let alone = GuardedMemory<Double>([Double](repeating: 0, count: 16))
                set.kernels.sums([map.map], block, 0, height, alone.pointer, nil)
                #expect(abs(alone.pointer[0] - sum.pointer[0]) < 1e-9 * max(1, abs(sum.pointer[0])))
            }
        }
    }

    @Test(
        "pooling of scale x + shift with and without ReLU",
        arguments: InstructionSet.available,
        [(true, true), (true, false), (false, true), (false, false)]
    )
    func affineMaxPool(set: InstructionSet, options: (hasFactors: Bool, hasReLU: Bool)) {
        for (height, width) in Self.sizes {
            for channels in Self.channelCounts {
                var random = TestRandom(height * 100 + width)
                let awkward: [Float] = [.nan, .infinity, -.infinity, -.greatestFiniteMagnitude]
                let input = BlockedOperand(channels, height, width) { c, y, x in
                    (c + 3 * y + x) % 11 == 5
                        ? awkward[Int(random.next() % 4)] : random.float(in: -4...4).rounded() / 2
                }
                let scale = GuardedMemory(
                    (0..<input.blocks * 16).map { $0 < channels ? Float([0.5, -1, 2][$0 % 3]) : 0 }
                )
                let shift = GuardedMemory(
                    (0..<input.blocks * 16).map { $0 < channels ? Float([0, 0.5, -1][$0 % 3]) : 0 }
                )
                let pooled = BlockedOperand(channels: channels, height: (height + 1) / 2, width: (width + 1) / 2)
                let indices = IndicesOperand(blocks: input.blocks, height: pooled.height, width: pooled.width)
                let silent = BlockedOperand(channels: channels, height: pooled.height, width: pooled.width)
                for block in 0..<input.blocks {
                    for (to, places) in [(pooled, indices.indices), (silent, IndicesOperand.none)] {
                        set.kernels.affine_max_pool_2x2(
                            [input.map],
                            options.hasFactors ? scale.pointer : nil,
                            options.hasFactors ? shift.pointer : nil,
                            options.hasReLU ? 1 : 0,
                            [to.map],
                            [places],
                            block,
                            0,
                            pooled.height
                        )
                    }
                }
                func best(_ c: Int, _ y: Int, _ x: Int) -> (value: Float, position: Int) {
                    var best = (value: -Float.greatestFiniteMagnitude, position: 0)
                    for position in 0..<4 {
                        let (row, column) = (2 * y + position / 2, 2 * x + position % 2)
                        guard row < height, column < width else { continue }
                        var value = input[c, row, column]
                        if options.hasFactors { value = value * scale.pointer[c] + shift.pointer[c] }
                        // ReLU keeps NaN, which then never wins.
                        if options.hasReLU, value < 0 { value = 0 }
                        if value > best.value { best = (value, position) }
                    }
                    return best
                }
                #expect(pooled.mismatch(same: ==) { best($0, $1, $2).value } == nil, "\(height)x\(width)x\(channels)")
                #expect(silent.mismatch { pooled[$0, $1, $2] } == nil)
                for c in 0..<channels {
                    for y in 0..<pooled.height {
                        for x in 0..<pooled.width { #expect(indices[c, y, x] == best(c, y, x).position) }
                    }
                }
                #expect(indices.memory.isIntact)
            }
        }
    }

    @Test(
        "batch normalisation's sums and gradient, with ReLU and pooling or without",
        arguments: InstructionSet.available,
        [(false, false), (false, true), (true, false), (true, true)]
    )
    func normalization(set: InstructionSet, options: (hasReLU: Bool, isPooled: Bool)) {
        for (height, width) in Self.sizes {
            for channels in Self.channelCounts {
                let test = NormalizationCase(
                    channels,
                    height,
                    width,
                    hasReLU: options.hasReLU,
                    isPooled: options.isPooled,
                    seed: height * 64 + width
                )
                let blocks = test.x.blocks
                var random = TestRandom(channels)
                func vector() -> GuardedMemory<Float> {
                    GuardedMemory((0..<blocks * 16).map { $0 < channels ? random.float() : 0 })
                }
                let (a, b, c) = (vector(), vector(), vector())
                let out = BlockedOperand(channels: channels, height: height, width: width)
                for block in 0..<blocks {
                    let sum = GuardedMemory<Double>([Double](repeating: 0, count: 16))
                    let products = GuardedMemory<Double>([Double](repeating: 0, count: 16))
                    for rows in [0..<height / 2, height / 2..<height] {
                        set.kernels.normalization_sums(
                            [test.x.map],
                            [test.operand],
                            test.scale.pointer,
                            test.shift.pointer,
                            test.mean.pointer,
                            options.hasReLU ? 1 : 0,
                            block,
                            rows.lowerBound,
                            rows.upperBound,
                            sum.pointer,
                            products.pointer
                        )
                        set.kernels.normalization_gradient(
                            [test.x.map],
                            [test.operand],
                            test.scale.pointer,
                            test.shift.pointer,
                            test.mean.pointer,
                            options.hasReLU ? 1 : 0,
                            a.pointer,
                            b.pointer,
                            c.pointer,
                            [out.map],
                            block,
                            rows.lowerBound,
                            rows.upperBound
                        )
                    }
                    for lane in 0..<16 where block * 16 + lane < channels {
                        let channel = block * 16 + lane
                        var (total, product) = (0.0, 0.0)
                        for y in 0..<height {
                            for x in 0..<width {
                                let g = test.g(channel, y, x)
                                total += g
                                product += g * test.centered(channel, y, x)
                            }
                        }
                        // x - mean is rounded to float32 before it is widened: 2^-24 of at most 3 a term.
                        let pixels = Double(height * width)
                        #expect(abs(sum.pointer[lane] - total) <= 1e-13 * pixels)
                        #expect(abs(products.pointer[lane] - product) <= 2e-7 * pixels)
                    }
                    #expect(sum.isIntact && products.isIntact)
                }
                let near = { (found: Float, needed: Float) in abs(found - needed) <= 4e-7 * (1 + abs(needed)) }
                let mismatch = out.mismatch(same: near) { channel, y, x in
                    Float(
                        test.g(channel, y, x) * Double(a.pointer[channel])
                            + test.centered(channel, y, x) * Double(b.pointer[channel]) + Double(c.pointer[channel])
                    )
                }
                #expect(mismatch == nil, "\(height)x\(width), \(channels) channels")
            }
        }
    }

    @Test(
        "batch normalisation's gradient may take its input's or its gradient's memory",
        arguments: InstructionSet.available
    )
    func normalizationInPlace(set: InstructionSet) {
        func run(into target: (NormalizationCase) -> BlockedOperand) -> BlockedOperand {
            let test = NormalizationCase(20, 5, 7, hasReLU: true, isPooled: false, seed: 3)
            let ones = GuardedMemory<Float>((0..<32).map { $0 < 20 ? 1 : 0 })
            let out = target(test)
            for block in 0..<2 {
                set.kernels.normalization_gradient(
                    [test.x.map],
                    [test.operand],
                    test.scale.pointer,
                    test.shift.pointer,
                    test.mean.pointer,
                    1,
                    ones.pointer,
                    ones.pointer,
                    test.shift.pointer,
                    [out.map],
                    block,
                    0,
                    5
                )
            }
            return out
        }
        let apart = run { _ in BlockedOperand(channels: 20, height: 5, width: 7) }
        #expect(run { $0.x }.mismatch { apart[$0, $1, $2] } == nil)
        #expect(run { $0.gradient }.mismatch { apart[$0, $1, $2] } == nil)
    }

    @Test("unpooling's gradient reads the map at the indices", arguments: InstructionSet.available, channelCounts)
    func gather(set: InstructionSet, channels: Int) {
        for (height, width) in Self.sizes {
            let test = NormalizationCase(channels, height, width, hasReLU: false, isPooled: true, seed: width)
            guard let indices = test.indices else { continue }
            let pooled = BlockedOperand(channels: channels, height: (height + 1) / 2, width: (width + 1) / 2)
            for block in 0..<test.x.blocks {
                for y in 0..<pooled.height {
                    set.kernels.gather_2x2([test.x.map], [indices.indices], [pooled.map], block, y, y + 1)
                }
            }
            // The kernel adds zeros to the value it wants: -0 becomes 0.
            let mismatch = pooled.mismatch(same: ==) { c, y, x in
                let position = indices[c, y, x]
                return test.x[c, 2 * y + position / 2, 2 * x + position % 2]
            }
            #expect(mismatch == nil, "\(height)x\(width)")
        }
    }
}
