package import CSegNetKernels
import SegNetNetworks
package import SegNetPlatform

/// A kernel on data of a typical size, for measurements of one thread.
package struct KernelCase {
    package let name: String
    /// Multiply-adds of a call, times 2; 0 for kernels that only move and transform.
    package let operations: Double
    /// Bytes that a call reads and writes, each counted once.
    package let bytes: Double
    package let run: () -> Void
}

extension KernelCase {
    /// The kernels on which a run of SegNet or SegNet-Basic spends its time, on 64 channels of a map of 120x90 (2.6 MiB), which no
    /// first-level and few second-level caches hold.
    /// - Throws: `MemoryError`.
    package static func all(_ kernels: sn_kernels) throws(MemoryError) -> [KernelCase] {
        var cases: [KernelCase] = []
        for depth in [64, 128, 256, 512] { cases.append(try gemm(kernels, depth: depth)) }
        for variant in [WinogradVariant.f63, .f43, .f47, .f27, .f45] { cases += try winograd(kernels, variant) }
        return cases + (try pooling(kernels))
    }

    private static let (height, width, blocks) = (90, 120, 4)
    private static let mapBytes = Double(height * width * blocks * 64)

    /// Memory of numbers that are neither 0 nor out of range.
    private static func filled(_ count: Int) throws(MemoryError) -> AlignedMemory {
        let memory = try AlignedMemory(byteCount: count * 4)
        let floats = memory.floats()
        for index in 0..<count { floats[index] = Float(index % 251 - 125) / 128 }
        return memory
    }

    private static func map(_ memory: AlignedMemory, height: Int, width: Int) -> sn_map {
        sn_map(
            data: memory.floats(),
            blocks: blocks,
            height: height,
            width: width,
            rows: height,
            block_stride: height * width * 16
        )
    }

    private static func gemm(_ kernels: sn_kernels, depth: Int) throws(MemoryError) -> KernelCase {
        let rows = 6 * kernels.micro_tile
        let (v, u, m) = (try filled(rows * depth), try filled(depth * kernels.panel), try filled(rows * kernels.panel))
        return KernelCase(
            name: "gemm \(rows) x \(depth) x \(kernels.panel)",
            operations: 2 * Double(rows * depth * kernels.panel),
            bytes: 4 * Double(rows * depth + depth * kernels.panel + rows * kernels.panel)
        ) {
            var tiles = sn_tiles(data: v.floats(), tiles: rows, depth: depth, depth_block: kernels.depth_block)
            kernels.gemm(&tiles, u.floats(), kernels.panel, m.floats())
        }
    }

    /// The transforms of all tiles of a map, and of the weights of 64 channels for 16 outputs.
    private static func winograd(_ kernels: sn_kernels, _ variant: WinogradVariant) throws(MemoryError) -> [KernelCase]
    {
        let winograd = variant.kernels(kernels).pointee
        let points = winograd.points * winograd.points
        let window = Window(winograd.taps, padding: winograd.taps / 2)
        let grid = TileGrid(window, tile: winograd.tile, height: height, width: width)
        let tiles = grid.count
        let depth = blocks * 16
        // Blocks of tiles that stay in the second-level cache, as schedules take them.
        let block = kernels.micro_tile
        let pointStride = block * depth + 16
        let (mapMemory, v) = (try filled(height * width * depth), try filled(points * pointStride))
        let bias = try filled(depth)
        let taps = winograd.taps * winograd.taps
        let (packed, u) = (try filled(depth * taps * 16), try filled(points * (depth * 16 + 16)))
        let input = KernelCase(
            name: "\(variant.rawValue) input",
            operations: 0,
            bytes: mapBytes + 4 * Double(points * tiles * depth)
        ) {
            var map = map(mapMemory, height: height, width: width)
            for first in stride(from: 0, to: tiles, by: block) {
                var grid = grid.kernelGrid(first: first)
                var buffer = sn_tiles(
                    data: v.floats(),
                    tiles: min(block, tiles - first),
                    depth: depth,
                    depth_block: kernels.depth_block
                )
                winograd.input(&map, &grid, &buffer, pointStride, 0, 0, blocks)
            }
        }
        let output = KernelCase(
            name: "\(variant.rawValue) output",
            operations: 0,
            bytes: mapBytes + 4 * Double(points * tiles * depth)
        ) {
            var epilogue = sn_epilogue(
                bias: UnsafePointer(bias.floats()),
                relu: 1,
                out: map(mapMemory, height: height, width: width),
                pooled: .none,
                indices: .none
            )
            for first in stride(from: 0, to: tiles, by: block) {
                var grid = grid.kernelGrid(first: first)
                for channels in 0..<blocks {
                    winograd.output(v.floats(), pointStride, 16, &grid, min(block, tiles - first), channels, &epilogue)
                }
            }
        }
        let weights = KernelCase(
            name: "\(variant.rawValue) weights",
            operations: 0,
            bytes: 4 * Double(depth * 16 * (taps + points))
        ) {
            winograd.weights(packed.base, 0, 0, depth, 0, winograd.points, u.floats(), depth * 16 + 16, 16)
        }
        return [input, output, weights]
    }

    private static func pooling(_ kernels: sn_kernels) throws(MemoryError) -> [KernelCase] {
        let memory = try filled(height * width * blocks * 16)
        let pooledMemory = try filled(height / 2 * (width / 2) * blocks * 16)
        let words = try AlignedMemory(byteCount: height / 2 * (width / 2) * blocks * 4)
        let ids = try AlignedMemory(byteCount: height * width * 2)
        func maps() -> (whole: sn_map, pooled: sn_map, indices: sn_indices) {
            (
                map(memory, height: height, width: width), map(pooledMemory, height: height / 2, width: width / 2),
                sn_indices(
                    data: words.base.assumingMemoryBound(to: UInt32.self),
                    blocks: blocks,
                    height: height / 2,
                    width: width / 2
                )
            )
        }
        let bytes = mapBytes * 1.25 + mapBytes / 64
        return [
            KernelCase(name: "max pooling 2x2 with indices", operations: 0, bytes: bytes) {
                var (whole, pooled, indices) = maps()
                for block in 0..<blocks { kernels.max_pool_2x2(&whole, &pooled, &indices, block, 0, height / 2) }
            },
            KernelCase(name: "unpooling 2x2", operations: 0, bytes: bytes) {
                var (whole, pooled, indices) = maps()
                for block in 0..<blocks { kernels.unpool_2x2(&pooled, &indices, &whole, block, 0, height) }
            },
            KernelCase(
                name: "argmax of 12 classes",
                operations: 0,
                bytes: mapBytes / Double(blocks) + Double(height * width * 2)
            ) {
                var whole = map(memory, height: height, width: width)
                kernels.argmax(&whole, 12, ids.base.assumingMemoryBound(to: UInt16.self), 0, height)
            },
        ]
    }
}
