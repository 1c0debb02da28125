import CSegNetKernels
import SegNetPlatform
import Testing

@Suite("elementwise kernels")
struct ElementwiseKernelTests {
    // Eighths and small integers, so that a fused and an unfused multiply-add give the same.
    private func operand(_ channels: Int, _ height: Int, _ width: Int, seed: Int) -> BlockedOperand {
        var random = TestRandom(seed)
        let awkward: [Float] = [.nan, .infinity, -.infinity]
        return BlockedOperand(channels, height, width) { c, y, x in
            (c + y + x) % 13 == 5 ? awkward[(c + x) % 3] : random.float(in: -32...32).rounded() / 8
        }
    }

    private func relu(_ x: Float, _ isOn: Bool) -> Float { isOn && x < 0 ? 0 : x }

    @Test("scale, shift and ReLU, each with and without", arguments: InstructionSet.available, [1, 16, 17, 40])
    func affine(set: InstructionSet, channels: Int) {
        for (options, width) in zip(0..<8, [1, 2, 3, 4, 5, 7, 16, 33]) {
            let hasScale = options & 1 != 0, hasShift = options & 2 != 0, hasReLU = options & 4 != 0
            let input = operand(channels, 5, width, seed: options)
            let scale = GuardedMemory((0..<input.blocks * 16).map { Float($0 % 7 - 3) })
            let shift = GuardedMemory((0..<input.blocks * 16).map { $0 < channels ? Float($0 % 5) - 2.5 : 0 })
            let output = BlockedOperand(channels: channels, height: 5, width: width)
            func run(into out: BlockedOperand) {
                for block in 0..<input.blocks {
                    set.kernels.affine(
                        [input.map],
                        hasScale ? scale.pointer : nil,
                        hasShift ? shift.pointer : nil,
                        hasReLU ? 1 : 0,
                        [out.map],
                        block,
                        0,
                        5
                    )
                }
            }
            run(into: output)
            let original = BlockedOperand(channels, 5, width) { input[$0, $1, $2] }
            let mismatch = output.mismatch(same: sameOrNaN) { c, y, x in
                let scaled = original[c, y, x] * (hasScale ? scale.pointer[c] : 1)
                return relu(scaled + (hasShift ? shift.pointer[c] : 0), hasReLU)
            }
            #expect(mismatch == nil, "options \(options)")
            run(into: input)
            #expect(input.mismatch { output[$0, $1, $2] } == nil, "in place, options \(options)")
        }
    }

    @Test("addition, also of rings and in place", arguments: InstructionSet.available, [true, false])
    func add(set: InstructionSet, hasReLU: Bool) {
        let a = operand(35, 9, 7, seed: 1), b = operand(35, 9, 7, seed: 2)
        let output = BlockedOperand(channels: 35, height: 9, width: 7)
        for block in 0..<3 {
            set.kernels.add([a.map], [b.map], hasReLU ? 1 : 0, [output.map], block, 0, 4)
            set.kernels.add([a.map], [b.map], hasReLU ? 1 : 0, [output.map], block, 4, 9)
        }
        #expect(output.mismatch(same: sameOrNaN) { relu(a[$0, $1, $2] + b[$0, $1, $2], hasReLU) } == nil)

        let ring = BlockedOperand(channels: 35, height: 9, width: 7, rows: 3)
        for c in 0..<48 { for y in 5..<8 { for x in 0..<7 { ring[c, y, x] = a[c, y, x] } } }
        for block in 0..<3 { set.kernels.add([ring.map], [b.map], hasReLU ? 1 : 0, [ring.map], block, 5, 8) }
        for c in 0..<48 { for y in 5..<8 { for x in 0..<7 { #expect(identical(ring[c, y, x], output[c, y, x])) } } }
    }
}

/// Equal, of either zero, or both NaN.
func sameOrNaN(_ a: Float, _ b: Float) -> Bool { a == b || a.isNaN && b.isNaN }
