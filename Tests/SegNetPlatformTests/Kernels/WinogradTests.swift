import CSegNetKernels
import SegNetPlatform
import Testing

@Suite("Winograd convolution")
struct WinogradTests {
    /// Algorithms and input heights 1...2m + 1.
    static let sizes = WinogradAlgorithm.allCases.flatMap { algorithm in
        (1...2 * algorithm.tile + 1).map { (algorithm, $0) }
    }

    /// The layers' outputs have a deviation of about 1; their errors stay below this.
    static func tolerance(_ algorithm: WinogradAlgorithm) -> Double {
        switch algorithm {
        case .f63: 5e-5
        case .f43: 1e-5
        case .f47: 2e-4
        case .f27, .f45: 5e-5
        }
    }

    @Test("equals direct convolution at every small size, whatever the padding", arguments: sizes)
    func everySize(algorithm: WinogradAlgorithm, height: Int) {
        for width in 1...2 * algorithm.tile + 1 {
            let padding = ((height + width) % algorithm.taps, (height * 2 + width * 3) % algorithm.taps)
            // Mostly the size of an ordinary convolution, but never less than 1: the rest reads zeros.
            let size = (
                max(1, height + 2 * padding.0 - algorithm.taps + 1), max(1, width + 2 * padding.1 - algorithm.taps + 1)
            )
            let layer = WinogradLayer(algorithm, 16, 16, padding: padding, size: size)
            let input = BlockedOperand(16, height, width, seed: height * 100 + width)
            let samples = (0..<layer.outputs * size.0 * size.1).filter { $0 % 29 == (height + width) % 29 }
            let places = samples.map { ($0 % 16, $0 / 16 / size.1, $0 / 16 % size.1) }
            let needed = places.map { layer.value($0.0, $0.1, $0.2, of: input) }
            for set in InstructionSet.available {
                let (out, isIntact) = layer.output(set, .map(input.map))
                #expect(isIntact && out.memory.isIntact, "\(set), width \(width)")
                for ((k, y, x), value) in zip(places, needed) {
                    let error = abs(Double(out[k, y, x]) - value)
                    #expect(error < Self.tolerance(algorithm), "\(set), width \(width), output (\(k), \(y), \(x))")
                }
            }
        }
    }

    @Test("equals direct convolution for every padding", arguments: WinogradAlgorithm.allCases)
    func everyPadding(algorithm: WinogradAlgorithm) {
        let input = BlockedOperand(16, 9, 11, seed: 1)
        for top in 0..<algorithm.taps {
            for left in 0..<algorithm.taps {
                let layer = WinogradLayer(algorithm, 16, 16, padding: (top, left), size: (9, 11))
                for set in InstructionSet.available {
                    let out = layer.output(set, .map(input.map)).map
                    for (y, x) in [(0, 0), (8, 10), (0, 10), (8, 0), (4, 5), (top, left)] {
                        let error = abs(Double(out[y, y, x]) - layer.value(y, y, x, of: input))
                        #expect(error < Self.tolerance(algorithm), "\(set), padding \(top), \(left), at \(y), \(x)")
                    }
                }
            }
        }
    }

    @Test(
        "gives the same bits however it is cut into calls",
        arguments: WinogradAlgorithm.allCases,
        [(16, 48), (32, 32), (48, 16)]
    )
    func cuts(algorithm: WinogradAlgorithm, channels: (Int, Int)) {
        let padding = algorithm.taps / 2
        let layer = WinogradLayer(algorithm, channels.0, channels.1, padding: (padding, padding), size: (13, 14))
        let input = BlockedOperand(channels.0, 13, 14, seed: 2)
        for set in InstructionSet.available {
            let whole = layer.output(set, .map(input.map), .init(tiles: 100, pointRows: 10, depthBlock: 512))
            #expect(whole.isIntact)
            for (k, y, x) in [(0, 0, 0), (channels.1 - 1, 12, 13), (channels.1 / 2, 6, 7)] {
                let error = abs(Double(whole.map[k, y, x]) - layer.value(k, y, x, of: input))
                #expect(error < Self.tolerance(algorithm), "\(set), output (\(k), \(y), \(x))")
            }
            for cut in [
                WinogradLayer.Cut(tiles: 1, pointRows: 1, depthBlock: 16),
                .init(tiles: 7, pointRows: 2, depthBlock: 32),
                .init(tiles: 15, pointRows: 3, depthBlock: 16), .init(tiles: 29, pointRows: 4, depthBlock: 512),
            ] {
                let (out, isIntact) = layer.output(set, .map(input.map), cut)
                #expect(isIntact)
                let mismatch = out.mismatch { whole.map[$0, $1, $2] }
                #expect(mismatch == nil, "\(set), \(cut): \(mismatch ?? "")")
            }
        }
    }

    @Test(
        "with a dilated window equals the definition, however small the phases",
        arguments: WinogradAlgorithm.allCases,
        [(y: 2, x: 2), (y: 3, x: 1), (y: 1, x: 2), (y: 4, x: 5)]
    )
    func dilated(algorithm: WinogradAlgorithm, dilation: (y: Int, x: Int)) {
        let reach = (y: (algorithm.taps - 1) * dilation.y, x: (algorithm.taps - 1) * dilation.x)
        for (height, width) in [
            (1, 1), (3, 4), (algorithm.tile * dilation.y, algorithm.tile * dilation.x + 1), (17, 23),
        ] {
            for padding in [(reach.y / 2, reach.x / 2), (reach.y, 0), (1, reach.x - 1)] {
                let size = (max(1, height + 2 * padding.0 - reach.y), max(1, width + 2 * padding.1 - reach.x))
                var layer = WinogradLayer(algorithm, 16, 48, padding: padding, size: size)
                layer.dilation = dilation
                let input = BlockedOperand(16, height, width, seed: height + width)
                let samples = (0..<layer.outputs * size.0 * size.1).filter { $0 % 97 == (height + width) % 97 }
                let places = samples.map { ($0 % 48, $0 / 48 / size.1, $0 / 48 % size.1) }
                let needed = places.map { layer.value($0.0, $0.1, $0.2, of: input) }
                for set in InstructionSet.available {
                    let (out, isIntact) = layer.output(set, .map(input.map))
                    #expect(isIntact && out.memory.isIntact, "\(set), \(height)x\(width), padding \(padding)")
                    for ((k, y, x), value) in zip(places, needed) {
                        let error = abs(Double(out[k, y, x]) - value)
                        #expect(
                            error < Self.tolerance(algorithm),
                            "\(set), \(height)x\(width), \(padding), (\(k), \(y), \(x))"
                        )
                    }
                }
            }
        }
    }

    @Test("reads float16 weights as the float32 ones they stand for", arguments: WinogradAlgorithm.allCases)
    func halfWeights(algorithm: WinogradAlgorithm) {
        var layer = WinogradLayer(algorithm, 16, 32, padding: (1, 1), size: (5, 5))
        let input = BlockedOperand(16, 5, 5, seed: 3)
        layer.weights[3] = 3e-7  // a subnormal float16
        layer.weights = layer.weights.map { Float(Float16($0)) }
        for set in InstructionSet.available {
            for rows in [1, 10] {
                let half = layer.output(set, .map(input.map), .init(pointRows: rows, isHalf: true)).map
                let full = layer.output(set, .map(input.map), .init(pointRows: rows, isHalf: false)).map
                #expect(half.mismatch { full[$0, $1, $2] } == nil, "\(set)")
            }
        }
    }

    @Test("pools as the definition pools its unpooled output", arguments: WinogradAlgorithm.allCases, [true, false])
    func pooling(algorithm: WinogradAlgorithm, relu: Bool) {
        let padding = algorithm.taps / 2
        for size in [(1, 1), (2, 3), (6, 6), (7, 12), (13, 9)] {
            var layer = WinogradLayer(algorithm, 16, 32, padding: (padding, padding), size: size)
            layer.bias[1] = -100  // all zeros after ReLU
            layer.bias[17] = .nan
            layer.bias[18] = -.infinity
            let input = BlockedOperand(16, size.0, size.1, seed: size.0 * size.1)
            for set in InstructionSet.available {
                let plain = layer.output(set, .map(input.map), relu: relu).map
                #expect(plain[17, 0, 0].isNaN, "ReLU keeps NaN")
                for keepsMap in [true, false] {
                    let out = BlockedOperand(channels: 32, height: size.0, width: size.1)
                    let height = (size.0 + 1) / 2, width = (size.1 + 1) / 2
                    let pooled = BlockedOperand(channels: 32, height: height, width: width)
                    let indices = IndicesOperand(blocks: 2, height: height, width: width)
                    let isIntact = layer.withBias { bias in
                        let epilogue = sn_epilogue(
                            bias: bias,
                            relu: relu ? 1 : 0,
                            out: keepsMap ? out.map : .none,
                            pooled: pooled.map,
                            indices: indices.indices
                        )
                        return layer.run(set, .map(input.map), epilogue)
                    }
                    #expect(isIntact && indices.memory.isIntact && out.memory.isIntact)
                    if keepsMap { #expect(out.mismatch { plain[$0, $1, $2] } == nil, "\(set), \(size)") }
                    let mismatch = pooled.mismatch { c, y, x in
                        let (value, position) = Self.pool(plain, c, y, x)
                        return indices[c, y, x] == position ? value : .nan
                    }
                    #expect(mismatch == nil, "\(set), \(size): \(mismatch ?? "")")
                }
            }
        }
    }

    /// The rule of the contract: the first strictly greatest value in row order; below all of them -FLT_MAX at position 0.
    static func pool(_ map: BlockedOperand, _ c: Int, _ y: Int, _ x: Int) -> (value: Float, position: Int) {
        var best = (value: -Float.greatestFiniteMagnitude, position: 0)
        for i in 0..<4 where 2 * y + i / 2 < map.height && 2 * x + i % 2 < map.width {
            if map[c, 2 * y + i / 2, 2 * x + i % 2] > best.value {
                best = (map[c, 2 * y + i / 2, 2 * x + i % 2], i)
            }
        }
        return best
    }

    @Test("ties and windows of zeros give the first position", arguments: InstructionSet.available)
    func ties(set: InstructionSet) {
        for algorithm in WinogradAlgorithm.allCases {
            var layer = WinogradLayer(algorithm, 16, 16, padding: (1, 1), size: (7, 7))
            layer.weights = layer.weights.map { _ in 0 }
            layer.bias = (0..<16).map { Float($0 - 8) }
            let input = BlockedOperand(16, 7, 7, seed: 4)
            let pooled = BlockedOperand(channels: 16, height: 4, width: 4)
            let indices = IndicesOperand(blocks: 1, height: 4, width: 4)
            _ = layer.withBias { bias in
                let epilogue = sn_epilogue(
                    bias: bias,
                    relu: 1,
                    out: .none,
                    pooled: pooled.map,
                    indices: indices.indices
                )
                return layer.run(set, .map(input.map), epilogue)
            }
            #expect(indices.memory.elements.allSatisfy { $0 == 0 }, "\(algorithm)")
            #expect(pooled.mismatch { c, _, _ in Float(max(0, c - 8)) } == nil, "\(algorithm)")
        }
    }

    @Test(
        "reads an unpooled map that was never made",
        arguments: WinogradAlgorithm.allCases,
        [(1, 1), (2, 3), (5, 4), (6, 7), (12, 13), (13, 12)]
    )
    func unpooling(algorithm: WinogradAlgorithm, size: (Int, Int)) {
        let height = (size.0 + 1) / 2, width = (size.1 + 1) / 2
        let pooled = BlockedOperand(32, height, width, seed: 5)
        let indices = IndicesOperand(blocks: 2, height: height, width: width)
        let unpooled = BlockedOperand(32, size.0, size.1) { _, _, _ in 0 }
        var random = TestRandom(6)
        for (c, y, x) in (0..<32 * height * width).map({ ($0 % 32, $0 / 32 / width, $0 / 32 % width) }) {
            let low = 2 * y + 1 < size.0 && Bool.random(using: &random)
            let right = 2 * x + 1 < size.1 && Bool.random(using: &random)
            indices[c, y, x] = (low ? 2 : 0) + (right ? 1 : 0)
            unpooled[c, 2 * y + (low ? 1 : 0), 2 * x + (right ? 1 : 0)] = pooled[c, y, x]
        }
        for padding in [(1, 1), (algorithm.taps - 2, 1), (1, algorithm.taps - 2)] {
            let layer = WinogradLayer(algorithm, 32, 16, padding: padding, size: size)
            for set in InstructionSet.available {
                let needed = layer.output(set, .map(unpooled.map)).map
                let (out, isIntact) = layer.output(set, .pooled(pooled.map, indices.indices))
                #expect(isIntact)
                let mismatch = out.mismatch(same: ==) { needed[$0, $1, $2] }
                #expect(mismatch == nil, "\(set), padding \(padding): \(mismatch ?? "")")
            }
        }
    }

    @Test("works on rings of rows as on whole maps", arguments: WinogradAlgorithm.allCases)
    func rings(algorithm: WinogradAlgorithm) {
        let m = algorithm.tile, n = m + algorithm.taps - 1, height = 3 * m + 1, width = m + 3
        let layer = WinogradLayer(algorithm, 16, 16, padding: (1, 1), size: (height, width))
        let input = BlockedOperand(16, height, width, seed: 7)
        let pooled = BlockedOperand(16, (height + 1) / 2, (width + 1) / 2, seed: 8)
        let indices = IndicesOperand(blocks: 1, height: pooled.height, width: pooled.width)
        for i in 0..<indices.memory.count { indices.memory.pointer[i] = 0x0123_00AB }
        for set in InstructionSet.available {
            for isUnpooling in [false, true] {
                let whole = isUnpooling ? pooled : input
                let source = isUnpooling ? WinogradLayer.Source.pooled(pooled.map, indices.indices) : .map(input.map)
                let needed = layer.output(set, source).map
                let ring = BlockedOperand(
                    channels: 16,
                    height: whole.height,
                    width: width,
                    rows: min(whole.height, n + 1)
                )
                let narrow =
                    isUnpooling
                    ? BlockedOperand(
                        channels: 16,
                        height: whole.height,
                        width: whole.width,
                        rows: min(whole.height, n + 1)
                    )
                    : ring
                let out = BlockedOperand(channels: 16, height: height, width: width, rows: m + 1)
                var filled = 0
                for tileRow in 0..<(height + m - 1) / m {
                    let bottom = tileRow * m + n - 1  // one more than the last row that these tiles read
                    while filled < min(whole.height, isUnpooling ? bottom / 2 + 1 : bottom) {
                        for i in 0..<whole.width * 16 { narrow[i % 16, filled, i / 16] = whole[i % 16, filled, i / 16] }
                        filled += 1
                    }
                    let from: WinogradLayer.Source =
                        isUnpooling ? .pooled(narrow.map, indices.indices) : .map(narrow.map)
                    let isIntact = layer.withBias { bias in
                        let epilogue = sn_epilogue(
                            bias: bias,
                            relu: 0,
                            out: out.map,
                            pooled: .none,
                            indices: IndicesOperand.none
                        )
                        return layer.run(set, from, epilogue, .init(tileRows: tileRow..<tileRow + 1))
                    }
                    #expect(isIntact && out.memory.isIntact)
                    for i in 0..<16 * width * m where tileRow * m + i / 16 / width < height {
                        let (k, y, x) = (i % 16, tileRow * m + i / 16 / width, i / 16 % width)
                        #expect(identical(out[k, y, x], needed[k, y, x]), "\(set), \(isUnpooling), (\(k), \(y), \(x))")
                    }
                }
            }
        }
    }

    @Test(
        "NaN and infinity stay within the tiles that read them",
        arguments: WinogradAlgorithm.allCases,
        [Float.nan, .infinity]
    )
    func spread(algorithm: WinogradAlgorithm, value: Float) {
        let m = algorithm.tile, n = m + algorithm.taps - 1, size = 4 * m + 1
        let layer = WinogradLayer(algorithm, 16, 16, padding: (1, 1), size: (size, size))
        let place = (y: 2 * m, x: m + 1)
        for set in InstructionSet.available {
            let input = BlockedOperand(16, size, size, seed: 9)
            let clean = layer.output(set, .map(input.map)).map
            input[5, place.y, place.x] = value
            let out = layer.output(set, .map(input.map)).map
            for i in 0..<16 * size * size {
                let (k, y, x) = (i % 16, i / 16 / size, i / 16 % size)
                let reads =
                    (y / m * m - 1..<y / m * m - 1 + n).contains(place.y)
                    && (x / m * m - 1..<x / m * m - 1 + n).contains(place.x)
                // Direct convolution would give NaN or infinity here too.
                let mustShow =
                    abs(place.y + 1 - y - algorithm.taps / 2) <= algorithm.taps / 2
                    && abs(place.x + 1 - x - algorithm.taps / 2) <= algorithm.taps / 2
                if mustShow {
                    #expect(!out[k, y, x].isFinite, "\(set), (\(k), \(y), \(x))")
                } else if !reads {
                    #expect(identical(out[k, y, x], clean[k, y, x]), "\(set), (\(k), \(y), \(x))")
                }
            }
        }
    }

    /// The error bars of `docs/numerics.md`: root mean square, relative to the deviation of the output.
    @Test(
        "keeps the error bar of a real layer",
        arguments: [
            (WinogradAlgorithm.f63, 512, 1e-5), (.f43, 512, 3e-6), (.f47, 64, 2e-5), (.f27, 64, 4e-6), (.f45, 64, 5e-6),
        ]
    )
    func errorBar(algorithm: WinogradAlgorithm, channels: Int, bar: Double) {
        let padding = algorithm.taps / 2
        let layer = WinogradLayer(algorithm, channels, 16, padding: (padding, padding), size: (16, 16))
        let input = BlockedOperand(channels, 16, 16, seed: 10)
        let places = stride(from: 0, to: 16 * 256, by: 13).map { ($0 % 16, $0 / 16 / 16, $0 / 16 % 16) }
        let needed = places.map { layer.value($0.0, $0.1, $0.2, of: input) }
        let mean = needed.reduce(0, +) / Double(needed.count)
        let variance = needed.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(needed.count)
        for set in InstructionSet.available {
            let out = layer.output(set, .map(input.map), .init(tiles: 100, pointRows: 1, depthBlock: 512)).map
            let squares = zip(places, needed).reduce(0) { sum, pair in
                let error = Double(out[pair.0.0, pair.0.1, pair.0.2]) - pair.1
                return sum + error * error
            }
            let relative = (squares / Double(places.count) / variance).squareRoot()
            #expect(relative <= bar, "\(set): \(relative)")
            #expect(relative > bar / 100, "\(set): too good to be float32")
        }
    }

    @Test("agrees between instruction sets", arguments: WinogradAlgorithm.allCases)
    func instructionSets(algorithm: WinogradAlgorithm) {
        let layer = WinogradLayer(algorithm, 48, 48, padding: (1, 1), size: (15, 17))
        let input = BlockedOperand(48, 15, 17, seed: 11)
        let first = layer.output(InstructionSet.available[0], .map(input.map)).map
        for set in InstructionSet.available.dropFirst() {
            let out = layer.output(set, .map(input.map)).map
            let tolerance = Float(2 * Self.tolerance(algorithm))
            let mismatch = out.mismatch(same: { abs($0 - $1) < tolerance }) { first[$0, $1, $2] }
            #expect(mismatch == nil, "\(set): \(mismatch ?? "")")
        }
    }
}
