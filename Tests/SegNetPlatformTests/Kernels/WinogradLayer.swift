import CSegNetKernels
import SegNetPlatform
import Testing

/// The algorithms of `sn_kernels`, with the errors that their contract allows for random weights.
enum WinogradAlgorithm: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case f63, f43, f47, f27, f45

    func kernels(_ set: InstructionSet) -> sn_winograd {
        switch self {
        case .f63: set.kernels.winograd63.pointee
        case .f43: set.kernels.winograd43.pointee
        case .f47: set.kernels.winograd47.pointee
        case .f27: set.kernels.winograd27.pointee
        case .f45: set.kernels.winograd45.pointee
        }
    }
    var tile: Int { [.f63: 6, .f43: 4, .f47: 4, .f27: 2, .f45: 4][self] ?? 0 }
    var taps: Int { [.f63: 3, .f43: 3, .f47: 7, .f27: 7, .f45: 5][self] ?? 0 }
    var testDescription: String { "F(\(tile),\(taps))" }
}

/// One convolution, stride 1, with bell-shaped random weights of deviation sqrt(2 / (taps * channels)) and a random bias.
struct WinogradLayer {
    let algorithm: WinogradAlgorithm
    let channels: Int, outputs: Int
    var padding: (Int, Int)
    var dilation = (y: 1, x: 1)
    var size: (height: Int, width: Int)  // of the output
    var weights: [Float]  // [outputs / 16][channels][taps * taps][16]
    var bias: [Float]

    init(_ algorithm: WinogradAlgorithm, _ channels: Int, _ outputs: Int, padding: (Int, Int), size: (Int, Int)) {
        (self.algorithm, self.channels, self.outputs, self.padding) = (algorithm, channels, outputs, padding)
        self.size = (size.0, size.1)
        var random = TestRandom(channels + outputs)
        let area = algorithm.taps * algorithm.taps
        let deviation = (2 / Float(area * channels)).squareRoot()
        weights = (0..<channels * outputs * area).map { _ in random.bell() * deviation }
        bias = (0..<outputs).map { _ in random.bell() * 0.1 }
    }

    /// Output (k, y, x) by definition, in float64; `input` answers for every channel, row and column within `inputSize`.
    func value(_ k: Int, _ y: Int, _ x: Int, of input: BlockedOperand) -> Double {
        let r = algorithm.taps
        let rows = (0..<r).filter { (0..<input.height).contains(y - padding.0 + $0 * dilation.y) }
        let columns = (0..<r).filter { (0..<input.width).contains(x - padding.1 + $0 * dilation.x) }
        var sum = Double(bias[k])
        for c in 0..<channels {
            let first = ((k / 16 * channels + c) * r * r) * 16 + k % 16
            for i in rows {
                for j in columns {
                    let weight = weights[first + (i * r + j) * 16]
                    let value = input[c, y - padding.0 + i * dilation.y, x - padding.1 + j * dilation.x]
                    sum += Double(weight) * Double(value)
                }
            }
        }
        return sum
    }

    /// How a plan might cut the layer into calls.
    struct Cut {
        var tiles = 9  // of a tile buffer
        var pointRows = 3  // transformed at once
        var depthBlock = 32
        var isHalf = false
        var tileRows: Range<Int>? = nil  // rows of tiles to compute; all if nil
    }

    enum Source {
        case map(sn_map)
        case pooled(sn_map, sn_indices)
    }

    /// Weights, input, GEMM and output, as a plan runs them. Returns whether all buffers' surroundings stayed as they were.
    func run(_ set: InstructionSet, _ source: Source, _ epilogue: sn_epilogue, _ cut: Cut = Cut()) -> Bool {
        let kernels = set.kernels, winograd = algorithm.kernels(set)
        let m = winograd.tile, n = winograd.points
        func tilesOf(_ size: Int, _ dilation: Int) -> Int { ((size + dilation - 1) / dilation + m - 1) / m }
        let across = tilesOf(size.width, dilation.x), down = tilesOf(size.height, dilation.y)
        let area = winograd.taps * winograd.taps
        let packed = GuardedMemory(weights), halves = GuardedMemory(weights.map { Float16($0).bitPattern })
        let tileRows = cut.tileRows ?? 0..<down * dilation.y * dilation.x
        var isIntact = true
        for first in stride(from: tileRows.lowerBound * across, to: tileRows.upperBound * across, by: cut.tiles) {
            let count = min(cut.tiles, tileRows.upperBound * across - first), gap = 16
            let pointStride = count * channels + gap
            let v = GuardedMemory<Float>(count: n * n * pointStride)
            let grid = sn_tile_grid(
                across: across,
                first: first,
                padding_y: padding.0,
                padding_x: padding.1,
                height: size.height,
                width: size.width,
                dilation_y: dilation.y,
                dilation_x: dilation.x,
                down: down
            )
            func tiles(_ point: Int) -> sn_tiles {
                sn_tiles(
                    data: v.pointer + point * pointStride,
                    tiles: count,
                    depth: channels,
                    depth_block: cut.depthBlock
                )
            }
            for micro in 0..<(count + kernels.micro_tile - 1) / kernels.micro_tile {
                for block in 0..<channels / 16 {
                    withUnsafePointer(to: grid) { grid in
                        withUnsafePointer(to: tiles(0)) { tiles in
                            switch source {
                            case .map(var map):
                                winograd.input(&map, grid, tiles, pointStride, micro, block, block + 1)
                            case .pooled(var map, var indices):
                                let input = winograd.input_unpooled
                                input(&map, &indices, grid, tiles, pointStride, micro, block, block + 1)
                            }
                        }
                    }
                }
            }
            var block = 0
            while block < outputs / 16 {
                let columns = outputs - block * 16 >= kernels.panel ? kernels.panel : 16
                let productStride = count * columns + gap, weightStride = channels * columns + gap
                let products = GuardedMemory<Float>(count: n * n * productStride)
                for row in stride(from: 0, to: n, by: cut.pointRows) {
                    let last = min(n, row + cut.pointRows)
                    let u = GuardedMemory<Float>(count: (last - row) * n * weightStride)
                    for part in 0..<columns / 16 {
                        let offset = (block + part) * channels * area * 16
                        let from =
                            cut.isHalf
                            ? UnsafeRawPointer(halves.pointer + offset) : UnsafeRawPointer(packed.pointer + offset)
                        for (a, b) in [(0, channels / 2), (channels / 2, channels)] {
                            let to = u.pointer + part * 16 + a * columns
                            winograd.weights(from, cut.isHalf ? 1 : 0, a, b, row, last, to, weightStride, columns)
                        }
                    }
                    for point in row * n..<last * n {
                        withUnsafePointer(to: tiles(point)) {
                            let right = u.pointer + (point - row * n) * weightStride
                            kernels.gemm($0, right, columns, products.pointer + point * productStride)
                        }
                    }
                    isIntact = isIntact && u.isIntact && u.gapsAreIntact(of: gap, every: weightStride)
                }
                withUnsafePointer(to: grid) { grid in
                    withUnsafePointer(to: epilogue) {
                        winograd.output(products.pointer, productStride, columns, grid, count, block, $0)
                    }
                }
                isIntact = isIntact && products.isIntact && products.gapsAreIntact(of: gap, every: productStride)
                block += columns / 16
            }
            isIntact = isIntact && v.isIntact && v.gapsAreIntact(of: gap, every: pointStride)
        }
        return isIntact
    }

    /// Runs the layer on a whole map and returns the whole output.
    func output(
        _ set: InstructionSet,
        _ source: Source,
        relu: Bool = false,
        _ cut: Cut = Cut()
    ) -> (map: BlockedOperand, isIntact: Bool) {
        let out = BlockedOperand(channels: outputs, height: size.height, width: size.width)
        let isIntact = withBias { bias in
            let epilogue = sn_epilogue(
                bias: bias,
                relu: relu ? 1 : 0,
                out: out.map,
                pooled: .none,
                indices: IndicesOperand.none
            )
            return run(set, source, epilogue, cut)
        }
        return (out, isIntact)
    }

    func withBias<Result>(_ body: (UnsafePointer<Float>) -> Result) -> Result {
        let memory = GuardedMemory(bias)
        return withExtendedLifetime(memory) { body(memory.pointer) }
    }
}

extension TestRandom {
    /// Mean 0, deviation 1, nearly Gaussian.
    mutating func bell() -> Float { float() + float() + float() }
}

extension GuardedMemory where Element == Float {
    /// Whether the last `gap` floats of each `stride` still hold the pattern of untouched memory.
    func gapsAreIntact(of gap: Int, every stride: Int) -> Bool {
        Swift.stride(from: stride - gap, to: count, by: stride).allSatisfy { start in
            (start..<start + gap).allSatisfy { pointer[$0].bitPattern == .max }
        }
    }
}

extension BlockedOperand {
    /// A map as a network's layers see them: bell-shaped values after ReLU.
    convenience init(_ channels: Int, _ height: Int, _ width: Int, seed: Int) {
        var random = TestRandom(seed)
        self.init(channels, height, width) { _, _, _ in max(0, random.bell()) }
    }
}
