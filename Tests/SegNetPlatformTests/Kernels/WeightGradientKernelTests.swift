import CSegNetKernels
import SegNetPlatform
import Testing

@Suite("kernels of convolutions' weight gradients")
struct WeightGradientKernelTests {
    @Test(
        "the outer product equals its definition around every end of a micro tile",
        arguments: InstructionSet.available,
        [16, 48, 80]
    )
    func outer(set: InstructionSet, depth: Int) {
        let kernels = set.kernels
        // Small whole numbers: all sums are exact, whatever the order.
        func v(_ t: Int, _ d: Int) -> Float { Float((t * 7 + d * 5) % 13 - 6) }
        func g(_ t: Int, _ k: Int) -> Float { Float((t * 3 + k * 11) % 9 - 4) }
        for columns in Set([16, kernels.panel]) {
            for tiles in Set([
                1, 2, kernels.micro_tile - 1, kernels.micro_tile, kernels.micro_tile + 1, 2 * kernels.micro_tile + 1,
            ])
            where tiles > 0 {
                var products = [Float](repeating: 0, count: depth * columns)
                for t in 0..<tiles {
                    for d in 0..<depth { for k in 0..<columns { products[d * columns + k] += v(t, d) * g(t, k) } }
                }
                for depthBlock in [16, 32, 512] {
                    let left = TileOperand(
                        tiles,
                        depth: depth,
                        depthBlock: depthBlock,
                        microTile: kernels.micro_tile,
                        value: v
                    )
                    let right = GuardedMemory((0..<tiles * columns).map { g($0 / columns, $0 % columns) })
                    let lines = depth / 16
                    for range in Set([0..<lines, 0..<1, lines - 1..<lines]) {
                        let needed = products[range.lowerBound * 16 * columns..<range.upperBound * 16 * columns]
                        let count = range.count * 16 * columns
                        let out = GuardedMemory<Float>(count: count)
                        for (add, factor) in [(Int32(0), Float(1)), (1, 2)] {
                            withUnsafePointer(to: left.tiles) {
                                kernels.gemm_outer(
                                    $0,
                                    range.lowerBound,
                                    range.upperBound,
                                    right.pointer,
                                    columns,
                                    add,
                                    out.pointer
                                )
                            }
                            #expect(
                                out.elements == needed.map { factor * $0 },
                                "\(tiles) tiles, \(columns) columns, depth blocks of \(depthBlock), \(range)"
                            )
                        }
                        #expect(out.isIntact)
                    }
                }
            }
        }
    }

    @Test(
        "a map is fetched at its pixels: rectangles, rows, the phases of a transposed convolution",
        arguments: InstructionSet.available
    )
    func fetch(set: InstructionSet) {
        var random = TestRandom(1)
        let map = BlockedOperand(48, 9, 10) { _, _, _ in random.float() }
        for (pixels, columns, block) in [
            (sn_pixels(y: 0, x: 0, width: 10, count: 90, step_y: 1, step_x: 1, offset_y: 0, offset_x: 0), 16, 1),
            (sn_pixels(y: 2, x: 3, width: 4, count: 8, step_y: 1, step_x: 1, offset_y: 0, offset_x: 0), 32, 1),
            (sn_pixels(y: 8, x: 0, width: 10, count: 10, step_y: 1, step_x: 1, offset_y: 0, offset_x: 0), 16, 2),
            (sn_pixels(y: 1, x: 1, width: 3, count: 9, step_y: 2, step_x: 2, offset_y: 1, offset_x: 0), 32, 0),
            (sn_pixels(y: 0, x: 0, width: 1, count: 3, step_y: 3, step_x: 4, offset_y: 2, offset_x: 3), 16, 0),
        ] where columns <= set.kernels.panel {
            let out = GuardedMemory<Float>(count: pixels.count * columns)
            set.kernels.fetch([map.map], [pixels], block, columns, out.pointer)
            for i in 0..<pixels.count {
                let y = (pixels.y + i / pixels.width) * pixels.step_y + pixels.offset_y
                let x = (pixels.x + i % pixels.width) * pixels.step_x + pixels.offset_x
                for lane in 0..<columns {
                    #expect(out.pointer[i * columns + lane] == map[block * 16 + lane, y, x], "pixel \(i), lane \(lane)")
                }
            }
            #expect(out.isIntact)
        }
    }

    /// dW = G^T (sum over tiles of V^T D) G, as a plan runs it: V, D, the outer product at each point, back to the weights.
    private static func winograd(
        _ set: InstructionSet,
        _ algorithm: WinogradAlgorithm,
        input: BlockedOperand,
        gradient: BlockedOperand,
        padding: (Int, Int),
        dilation: Int = 1
    ) -> (packed: GuardedMemory<Float>, isIntact: Bool) {
        let kernels = set.kernels, winograd = algorithm.kernels(set)
        let m = winograd.tile, n = winograd.points, gap = 16
        func tilesOf(_ size: Int) -> Int { ((size + dilation - 1) / dilation + m - 1) / m }
        let across = tilesOf(gradient.width), down = tilesOf(gradient.height)
        let tiles = across * down * dilation * dilation
        let channels = input.channels, outputs = gradient.channels
        let pointStride = tiles * channels + gap
        let v = GuardedMemory<Float>(count: n * n * pointStride)
        let grid = sn_tile_grid(
            across: across,
            first: 0,
            padding_y: padding.0,
            padding_x: padding.1,
            height: gradient.height,
            width: gradient.width,
            dilation_y: dilation,
            dilation_x: dilation,
            down: down
        )
        func buffer(_ point: Int) -> sn_tiles {
            sn_tiles(
                data: v.pointer + point * pointStride,
                tiles: tiles,
                depth: channels,
                depth_block: kernels.depth_block
            )
        }
        for micro in 0..<(tiles + kernels.micro_tile - 1) / kernels.micro_tile {
            winograd.input([input.map], [grid], [buffer(0)], pointStride, micro, 0, channels / 16)
        }
        // It adds to what is there.
        let area = algorithm.taps * algorithm.taps
        let packed = GuardedMemory([Float](repeating: 1, count: outputs * channels * area))
        var isIntact = v.gapsAreIntact(of: gap, every: pointStride)
        var block = 0
        while block < outputs / 16 {
            let columns = outputs - block * 16 >= kernels.panel ? kernels.panel : 16
            let gradientStride = tiles * columns + gap, weightStride = channels * columns + gap
            let d = GuardedMemory<Float>(count: n * n * gradientStride)
            let u = GuardedMemory<Float>(count: n * n * weightStride)
            winograd.gradient([gradient.map], [grid], tiles, block, columns, d.pointer, gradientStride)
            for point in 0..<n * n {
                withUnsafePointer(to: buffer(point)) {
                    kernels.gemm_outer(
                        $0,
                        0,
                        channels / 16,
                        d.pointer + point * gradientStride,
                        columns,
                        0,
                        u.pointer + point * weightStride
                    )
                }
            }
            for part in 0..<columns / 16 {
                for (first, last) in [(0, channels / 2), (channels / 2, channels)] {
                    winograd.weight_gradient(
                        u.pointer + part * 16 + first * columns,
                        weightStride,
                        columns,
                        first,
                        last,
                        packed.pointer + (block + part) * channels * area * 16
                    )
                }
            }
            isIntact =
                isIntact && d.isIntact && u.isIntact && d.gapsAreIntact(of: gap, every: gradientStride)
                && u.gapsAreIntact(of: gap, every: weightStride)
            block += columns / 16
        }
        return (packed, isIntact && v.isIntact && packed.isIntact)
    }

    @Test(
        "in the Winograd domain equals the definition around the edges of tiles, with dilated windows too",
        arguments: WinogradAlgorithm.allCases,
        InstructionSet.available
    )
    func winogradDomain(algorithm: WinogradAlgorithm, set: InstructionSet) {
        let m = algorithm.tile, r = algorithm.taps
        for (height, width) in [(1, 1), (m - 1, m + 1), (m, m), (m + 1, 2 * m - 1), (2 * m + 1, 2 * m)] {
            for (padding, dilation) in [(0, 1), (1, 1), (r / 2, 1), (r / 2 * 2, 2), (r, 3)] {
                Self.check(algorithm, set, height: height, width: width, padding: padding, dilation: dilation)
            }
        }
    }

    private static func check(
        _ algorithm: WinogradAlgorithm,
        _ set: InstructionSet,
        height: Int,
        width: Int,
        padding: Int,
        dilation: Int
    ) {
        let r = algorithm.taps
        let reach = (r - 1) * dilation
        let (rows, columns) = (height + 2 * padding - reach, width + 2 * padding - reach)
        guard rows > 0, columns > 0 else { return }
        var random = TestRandom(height * 10 + width)
        let input = BlockedOperand(32, height, width) { _, _, _ in random.float() }
        let gradient = BlockedOperand(48, rows, columns) { _, _, _ in random.float() }
        let (packed, isIntact) = winograd(
            set,
            algorithm,
            input: input,
            gradient: gradient,
            padding: (padding, padding),
            dilation: dilation
        )
        #expect(isIntact)
        let deviation = Double(rows * columns).squareRoot() / 3
        for sample in stride(from: 0, to: 48 * 32 * r * r, by: 67) {
            let (k, c) = (sample % 48, sample / 48 % 32)
            let (i, j) = (sample / 48 / 32 / r, sample / 48 / 32 % r)
            var sum = 1.0
            for y in 0..<rows {
                for x in 0..<columns {
                    let (row, column) = (y - padding + i * dilation, x - padding + j * dilation)
                    guard (0..<height).contains(row), (0..<width).contains(column) else { continue }
                    sum += Double(input[c, row, column]) * Double(gradient[k, y, x])
                }
            }
            let found = packed.pointer[((k / 16 * 32 + c) * r * r + i * r + j) * 16 + k % 16]
            #expect(
                abs(Double(found) - sum) < WinogradTests.tolerance(algorithm) * max(1, deviation),
                "\(height)x\(width), padding \(padding), dilation \(dilation), weight (\(k), \(c), \(i), \(j)): \(found), \(sum)"
            )
        }
    }
}
