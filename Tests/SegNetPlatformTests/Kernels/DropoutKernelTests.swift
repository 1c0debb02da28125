import CSegNetKernels
import SegNetPlatform
import Testing

@Suite("Dropout")
struct DropoutKernelTests {
    static func run(_ set: InstructionSet, ratio: Float, seed: UInt64, blocks: Int, height: Int, width: Int) throws
        -> [Float]
    {
        let count = blocks * height * width * 16
        let memory = try AlignedMemory(byteCount: count * 8)
        for i in 0..<count { memory.floats()[i] = Float(i + 1) }
        var input = sn_map(
            data: memory.floats(),
            blocks: blocks,
            height: height,
            width: width,
            rows: height,
            block_stride: height * width * 16
        )
        var output = input
        output.data = memory.floats(at: count * 4)
        for block in 0..<blocks { set.kernels.dropout(&input, ratio, seed, &output, block, 0, height) }
        return Array(UnsafeBufferPointer(start: output.data, count: count))
    }

    @Test("drops the share that is asked for and scales the rest", arguments: [0.1, 0.5, 0.75] as [Float])
    func share(ratio: Float) throws {
        let values = try Self.run(.best, ratio: ratio, seed: 3, blocks: 2, height: 50, width: 40)
        let dropped = Double(values.count { $0 == 0 }) / Double(values.count)
        // 64,000 draws: four standard deviations are 0.008.
        #expect(abs(dropped - Double(ratio)) < 0.008)
        for (i, value) in values.enumerated() where value != 0 {
            #expect(abs(value / Float(i + 1) - 1 / (1 - ratio)) < 1e-3 / (1 - ratio))
        }
    }

    @Test("has one mask for a seed, the same with every instruction set, and another for another seed")
    func masks() throws {
        let first = try Self.run(.best, ratio: 0.5, seed: 9, blocks: 2, height: 7, width: 5)
        for set in InstructionSet.available {
            #expect(try Self.run(set, ratio: 0.5, seed: 9, blocks: 2, height: 7, width: 5) == first)
        }
        let other = try Self.run(.best, ratio: 0.5, seed: 10, blocks: 2, height: 7, width: 5)
        let same = zip(first, other).count { ($0 == 0) == ($1 == 0) }
        #expect(abs(Double(same) / Double(first.count) - 0.5) < 0.07)
    }

    @Test("neighbours are dropped independently")
    func neighbours() throws {
        let values = try Self.run(.best, ratio: 0.5, seed: 1, blocks: 1, height: 100, width: 50).map { $0 == 0 }
        for step in [1, 4, 15, 16, 17, 16 * 50] {
            let agree = (0..<values.count - step).count { values[$0] == values[$0 + step] }
            #expect(abs(Double(agree) / Double(values.count - step) - 0.5) < 0.01, "\(step)")
        }
    }
}
