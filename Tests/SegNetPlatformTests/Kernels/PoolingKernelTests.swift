import CSegNetKernels
import SegNetPlatform
import Testing

/// The rule, in plain words: the first greatest value in row order that is above the lowest float; else that float, position 0.
private func pooled(_ window: [Float?]) -> (value: Float, position: Int) {
    var best = (value: -Float.greatestFiniteMagnitude, position: 0)
    for (position, value) in window.enumerated() {
        if let value, value > best.value { best = (value, position) }
    }
    return best
}

private func window2x2(_ map: BlockedOperand, _ c: Int, _ y: Int, _ x: Int) -> [Float?] {
    [(0, 0), (0, 1), (1, 0), (1, 1)].map { i, j in
        2 * y + i < map.height && 2 * x + j < map.width ? map[c, 2 * y + i, 2 * x + j] : nil
    }
}

@Suite("pooling kernels")
struct PoolingKernelTests {
    @Test("2x2 max pooling finds the first maximum at every small size", arguments: InstructionSet.available, 1...17)
    func maxPool2x2(set: InstructionSet, height: Int) {
        for width in 1...17 {
            let channels = (height + width) % 20 + 1
            var random = TestRandom(height * 100 + width)
            let input = BlockedOperand(channels, height, width) { _, _, _ in random.awkward() }
            let output = BlockedOperand(channels: channels, height: (height + 1) / 2, width: (width + 1) / 2)
            let indices = IndicesOperand(blocks: input.blocks, height: output.height, width: output.width)
            for block in 0..<input.blocks {
                set.kernels.max_pool_2x2([input.map], [output.map], [indices.indices], block, 0, output.height)
            }
            #expect(output.mismatch { pooled(window2x2(input, $0, $1, $2)).value } == nil, "width \(width)")
            #expect(hasPositions(indices, of: input), "width \(width)")
        }
    }

    private func hasPositions(_ indices: IndicesOperand, of input: BlockedOperand) -> Bool {
        for c in 0..<input.blocks * 16 {
            for y in 0..<indices.height {
                for x in 0..<indices.width {
                    if indices[c, y, x] != pooled(window2x2(input, c, y, x)).position { return false }
                }
            }
        }
        return indices.memory.isIntact
    }

    @Test("2x2 max pooling works between rings, without indices, in pieces", arguments: InstructionSet.available)
    func maxPool2x2Rings(set: InstructionSet) {
        var random = TestRandom(7)
        let whole = BlockedOperand(24, 12, 5) { _, _, _ in random.float() }
        let ring = BlockedOperand(channels: 24, height: 12, width: 5, rows: 4)
        let output = BlockedOperand(channels: 24, height: 6, width: 3, rows: 3)
        for c in 0..<32 {
            for y in 6..<10 { for x in 0..<5 { ring[c, y, x] = whole[c, y, x] } }
        }
        for block in 0..<2 {
            for y in 3..<5 {
                set.kernels.max_pool_2x2([ring.map], [output.map], [IndicesOperand.none], block, y, y + 1)
            }
        }
        for c in 0..<32 {
            for y in 3..<5 {
                for x in 0..<3 { #expect(output[c, y, x] == pooled(window2x2(whole, c, y, x)).value) }
            }
            #expect(output[c, 5, 0].isNaN, "a row that nobody asked for was written")
        }
    }

    struct Case: CustomTestStringConvertible {
        let window: sn_window, height: Int, width: Int
        var testDescription: String {
            "\(window.height)x\(window.width) stride \(window.stride_y),\(window.stride_x) origin \(window.origin_y),"
                + "\(window.origin_x) dilation \(window.dilation_y),\(window.dilation_x) on \(height)x\(width)"
        }
    }

    static let windows: [Case] = [
        (3, 3, 2, 2, 0, 0, 1, 1, 11, 13), (2, 2, 2, 2, 0, 0, 1, 1, 7, 9), (3, 2, 1, 2, -1, -1, 1, 1, 6, 5),
        (3, 3, 2, 3, -1, 0, 2, 1, 9, 10), (5, 5, 1, 1, -2, -2, 1, 1, 3, 4), (1, 1, 1, 1, 0, 0, 1, 1, 4, 4),
        (2, 3, 3, 1, -1, -2, 1, 3, 8, 7),
    ].map {
        Case(
            window: sn_window(
                height: $0.0,
                width: $0.1,
                stride_y: $0.2,
                stride_x: $0.3,
                origin_y: $0.4,
                origin_x: $0.5,
                dilation_y: $0.6,
                dilation_x: $0.7
            ),
            height: $0.8,
            width: $0.9
        )
    }

    @Test("max pooling clips any window at the border", arguments: InstructionSet.available, windows)
    func maxPool(set: InstructionSet, test: Case) {
        let window = test.window
        var random = TestRandom(test.height * 31 + window.height)
        let input = BlockedOperand(19, test.height, test.width) { _, _, _ in random.awkward() }
        let output = BlockedOperand(
            channels: 19,
            height: (test.height - 1) / window.stride_y + 1,
            width: (test.width - 1) / window.stride_x + 1
        )
        for block in 0..<2 { set.kernels.max_pool([input.map], [window], [output.map], block, 0, output.height) }
        let mismatch = output.mismatch { c, y, x in
            var values: [Float?] = []
            for i in 0..<window.height {
                for j in 0..<window.width {
                    let row = y * window.stride_y + window.origin_y + i * window.dilation_y
                    let column = x * window.stride_x + window.origin_x + j * window.dilation_x
                    let isInside = (0..<input.height).contains(row) && (0..<input.width).contains(column)
                    values.append(isInside ? input[c, row, column] : nil)
                }
            }
            return pooled(values).value
        }
        #expect(mismatch == nil)
    }

    @Test("unpooling puts values where they stood and zeros elsewhere", arguments: InstructionSet.available, 1...9)
    func unpool2x2(set: InstructionSet, height: Int) {
        for width in 1...9 {
            var random = TestRandom(height * 10 + width)
            let pooled = BlockedOperand(18, (height + 1) / 2, (width + 1) / 2) { _, _, _ in random.awkward() }
            let indices = IndicesOperand(blocks: 2, height: pooled.height, width: pooled.width)
            for i in 0..<indices.memory.count { indices.memory.pointer[i] = UInt32(truncatingIfNeeded: random.next()) }
            let output = BlockedOperand(channels: 18, height: height, width: width)
            for block in 0..<2 {
                set.kernels.unpool_2x2([pooled.map], [indices.indices], [output.map], block, 0, height)
            }
            let mismatch = output.mismatch { c, y, x in
                indices[c, y / 2, x / 2] == 2 * (y % 2) + x % 2 ? pooled[c, y / 2, x / 2] : 0
            }
            #expect(mismatch == nil, "width \(width)")
        }
    }

    static let oraclePools = [
        "even_8x6", "odd_7x9", "one_row_1x5", "negative_5x5", "ties_9x7", "relu_zeros_11x13", "signed_zero_4x6",
        "nan_inf_6x10",
    ]

    @Test(
        "pooling equals the original, value by value and mask by mask",
        .enabled(if: Oracle.isAvailable, "\(Oracle.whySkipped)"),
        arguments: InstructionSet.available,
        oraclePools
    )
    func poolsAsTheOriginal(set: InstructionSet, name: String) throws {
        let x = try Oracle.array("pool_\(name).x"), y = try Oracle.array("pool_\(name).y")
        let mask = try Oracle.array("pool_\(name).mask")
        for n in 0..<x.count {
            let input = x.blocked(n)
            let output = BlockedOperand(channels: y.channels, height: y.height, width: y.width)
            let indices = IndicesOperand(blocks: 1, height: y.height, width: y.width)
            set.kernels.max_pool_2x2([input.map], [output.map], [indices.indices], 0, 0, y.height)
            #expect(output.mismatch { y[n, $0, $1, $2] } == nil)
            for c in 0..<y.channels {
                for row in 0..<y.height {
                    for column in 0..<y.width where mask[n, c, row, column] >= 0 {
                        let position = indices[c, row, column]
                        let flat = (2 * row + position / 2) * x.width + 2 * column + position % 2
                        #expect(Float(flat) == mask[n, c, row, column])
                    }
                }
            }
        }
    }

    @Test(
        "unpooling equals the original",
        .enabled(if: Oracle.isAvailable, "\(Oracle.whySkipped)"),
        arguments: InstructionSet.available,
        ["explicit_7x9", "explicit_8x5", "pad_out_h_9x8", "pad_out_hw_9x7", "scale2_8x6"]
    )
    func unpoolsAsTheOriginal(set: InstructionSet, name: String) throws {
        let v = try Oracle.array("upsample_\(name).v"), u = try Oracle.array("upsample_\(name).u")
        let mask = try Oracle.array("upsample_\(name).mask")
        for n in 0..<v.count {
            let pooled = v.blocked(n)
            let indices = IndicesOperand(blocks: 1, height: v.height, width: v.width)
            for c in 0..<v.channels {
                for y in 0..<v.height {
                    for x in 0..<v.width {
                        let flat = Int(mask[n, c, y, x])
                        indices[c, y, x] = 2 * (flat / u.width - 2 * y) + flat % u.width - 2 * x
                    }
                }
            }
            let output = BlockedOperand(channels: u.channels, height: u.height, width: u.width)
            set.kernels.unpool_2x2([pooled.map], [indices.indices], [output.map], 0, 0, u.height)
            #expect(output.mismatch { u[n, $0, $1, $2] } == nil)
        }
    }
}
