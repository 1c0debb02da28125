import CSegNetKernels
import SegNetPlatform
import Testing

/// A tile buffer in guarded memory, filled as `sn_tiles` describes.
struct TileOperand {
    let memory: GuardedMemory<Float>
    let tiles: sn_tiles

    init(_ tiles: Int, depth: Int, depthBlock: Int, microTile: Int, value: (Int, Int) -> Float) {
        memory = GuardedMemory(count: tiles * depth)
        self.tiles = sn_tiles(data: memory.pointer, tiles: tiles, depth: depth, depth_block: depthBlock)
        let count = (tiles + microTile - 1) / microTile
        for micro in 0..<count {
            let start = micro * (tiles / count) + min(micro, tiles % count)
            let rows = tiles / count + (micro < tiles % count ? 1 : 0)
            for t in 0..<rows {
                for d in 0..<depth {
                    let block = d / depthBlock * depthBlock, length = min(depthBlock, depth - block)
                    let line = block * tiles + start * length + ((d - block) / 16 * rows + t) * 16
                    memory.pointer[line + (d - block) % 16] = value(start + t, d)
                }
            }
        }
    }
}

@Suite("GEMM")
struct GEMMTests {
    @Test("equals the sum of products for every tile count", arguments: InstructionSet.available, [16, 32, 48, 80])
    func equalsDefinition(set: InstructionSet, depth: Int) {
        let kernels = set.kernels
        let most = 3 * kernels.micro_tile + 1
        // Small integers: all sums are exact, whatever the order.
        func v(_ t: Int, _ d: Int) -> Float { Float((t * 7 + d * 5) % 13 - 6) }
        func u(_ d: Int, _ k: Int) -> Float { Float((d * 3 + k * 11) % 9 - 4) }
        for columns in Set([16, kernels.panel]) {
            let right = GuardedMemory((0..<depth * columns).map { u($0 / columns, $0 % columns) })
            let needed = (0..<most * columns).map { i in
                (0..<depth).reduce(Float(0)) { sum, d in sum + v(i / columns, d) * u(d, i % columns) }
            }
            for tiles in 1...most {
                for depthBlock in [16, 32, 512] {
                    let left = TileOperand(
                        tiles,
                        depth: depth,
                        depthBlock: depthBlock,
                        microTile: kernels.micro_tile,
                        value: v
                    )
                    let out = GuardedMemory<Float>(count: tiles * columns)
                    withUnsafePointer(to: left.tiles) { kernels.gemm($0, right.pointer, columns, out.pointer) }
                    let equal = out.elements.elementsEqual(needed[..<(tiles * columns)])
                    #expect(equal, "\(tiles) tiles, \(columns) columns, depth blocks of \(depthBlock)")
                    #expect(out.isIntact)
                }
            }
        }
    }

    @Test("adds in ascending depth, with one sum per value", arguments: InstructionSet.available, [16, 64])
    func order(set: InstructionSet, depthBlock: Int) {
        let kernels = set.kernels
        let depth = 112, tiles = kernels.micro_tile + 1, columns = kernels.panel
        var random = TestRandom(1)
        let v = (0..<tiles * depth).map { _ in random.float() }, u = (0..<depth * columns).map { _ in random.float() }
        let left = TileOperand(tiles, depth: depth, depthBlock: depthBlock, microTile: kernels.micro_tile) { t, d in
            v[t * depth + d]
        }
        let right = GuardedMemory(u), out = GuardedMemory<Float>(count: tiles * columns)
        withUnsafePointer(to: left.tiles) { kernels.gemm($0, right.pointer, columns, out.pointer) }
        let isFused = isFused(set)
        for i in 0..<tiles * columns {
            var sum: Float = 0
            for d in 0..<depth {
                let a = v[i / columns * depth + d], b = u[d * columns + i % columns]
                sum = isFused ? sum.addingProduct(a, b) : sum + a * b
            }
            #expect(out.pointer[i] == sum, "tile \(i / columns), column \(i % columns)")
        }
    }
}

@Suite("The kernels' table")
struct KernelTableTests {
    @Test("has the portable kernels everywhere, and none of an unknown name")
    func names() {
        #expect(InstructionSet.available.first?.name == "portable")
        #expect(InstructionSet.available.last == InstructionSet.best)
        #expect(sn_kernels_named("sse9") == nil)
        #expect(throws: InstructionSetError.self) { try InstructionSet(named: "sse9") }
    }

    @Test("states sizes that fit together", arguments: InstructionSet.available)
    func sizes(set: InstructionSet) {
        let kernels = set.kernels
        #expect(String(cString: kernels.name) == set.name)
        #expect([4, 8, 16].contains(kernels.lanes))
        #expect([16, 32].contains(kernels.panel))
        #expect(kernels.micro_tile >= 1 && kernels.depth_block % 16 == 0)
    }

    @Test("counts the operations of a peak measurement", arguments: InstructionSet.available)
    func peak(set: InstructionSet) {
        let kernels = set.kernels
        var sink: Float = 1
        let one = kernels.peak(1, &sink)
        #expect(one >= Double(2 * kernels.lanes))
        #expect(kernels.peak(1000, &sink) == 1000 * one)
        // Every sum tends to 0.001 / (1 - 0.999) = 1 and starts there: the result shows that the sums were computed.
        #expect(sink > 1 && sink < 1000)
    }
}

/// Whether a set adds products unrounded. On ARM the C compiler does so by itself.
private func isFused(_ set: InstructionSet) -> Bool {
    #if arch(arm64)
        true
    #else
        set.name != "portable"
    #endif
}
