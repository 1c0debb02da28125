import CSegNetKernels
import SegNetPlatform
import Testing

@Suite("layout kernels")
struct LayoutKernelTests {
    private func value(_ c: Int, _ y: Int, _ x: Int) -> Float { Float(c * 10_000 + y * 100 + x + 1) }

    @Test(
        "copy crops and moves channels, and leaves the others",
        arguments: InstructionSet.available,
        [0, 1, 3, 8, 16, 21]
    )
    func copy(set: InstructionSet, first: Int) {
        for channels in [1, 5, 15, 16, 17, 27, 32, 40] {
            let input = BlockedOperand(channels, 6, 7, value: value)
            let output = BlockedOperand(first + channels + 2, 4, 5) { c, y, x in -value(c, y, x) }
            set.kernels.copy([input.map], channels, 2, 1, [output.map], first, 0, 3)
            set.kernels.copy([input.map], channels, 2, 1, [output.map], first, 3, 4)
            let mismatch = output.mismatch { c, y, x in
                (first..<first + channels).contains(c) ? value(c - first, y + 2, x + 1) : -value(c, y, x)
            }
            #expect(mismatch == nil, "\(channels) channels")
        }
    }

    @Test("copy of some of a map's channels leaves out the rest", arguments: InstructionSet.available)
    func copyOfSome(set: InstructionSet) {
        let input = BlockedOperand(40, 2, 3, value: value)
        let output = BlockedOperand(30, 2, 3) { _, _, _ in 0 }
        set.kernels.copy([input.map], 20, 0, 0, [output.map], 0, 0, 2)
        #expect(output.mismatch { c, y, x in c < 20 ? value(c, y, x) : 0 } == nil)
    }

    static let resizings: [((Int, Int), (Int, Int))] = [
        ((4, 5), (4, 5)), ((4, 5), (8, 10)), ((1, 1), (3, 4)), ((6, 7), (3, 2)), ((5, 3), (7, 11)), ((3, 8), (9, 1)),
        ((23, 30), (45, 60)),
    ]

    @Test("bilinear resizing samples at half pixel centres", arguments: InstructionSet.available, resizings)
    func bilinear(set: InstructionSet, sizes: ((Int, Int), (Int, Int))) {
        let ((inHeight, inWidth), (height, width)) = sizes
        var random = TestRandom(height)
        let input = BlockedOperand(18, inHeight, inWidth) { _, _, _ in random.float() }
        let output = BlockedOperand(channels: 18, height: height, width: width)
        for block in 0..<2 { set.kernels.bilinear([input.map], [output.map], block, 0, height) }

        func position(_ i: Int, _ size: Int, _ inSize: Int) -> (low: Int, high: Int, weight: Double) {
            let at = min(max((Double(i) + 0.5) * Double(inSize) / Double(size) - 0.5, 0), Double(inSize - 1))
            return (Int(at), min(Int(at) + 1, inSize - 1), at - at.rounded(.down))
        }
        let mismatch = output.mismatch(same: { abs($0 - $1) < 3e-7 }) { c, y, x in
            let v = position(y, height, inHeight), h = position(x, width, inWidth)
            let rows = [v.low, v.high].map { row in
                Double(input[c, row, h.low]) * (1 - h.weight) + Double(input[c, row, h.high]) * h.weight
            }
            return Float(rows[0] * (1 - v.weight) + rows[1] * v.weight)
        }
        #expect(mismatch == nil)
    }

    @Test("bilinear resizing to the same size changes nothing", arguments: InstructionSet.available)
    func bilinearIdentity(set: InstructionSet) {
        var random = TestRandom(3)
        let input = BlockedOperand(5, 6, 7) { _, _, _ in random.awkward() }
        let output = BlockedOperand(channels: 5, height: 6, width: 7)
        set.kernels.bilinear([input.map], [output.map], 0, 0, 6)
        #expect(output.mismatch { input[$0, $1, $2] } == nil)
    }

    @Test("a picture's bytes become a thin map", arguments: InstructionSet.available, [1, 3, 4])
    func picture(set: InstructionSet, channels: Int) {
        let order: [Int32] = channels == 1 ? [0] : channels == 3 ? [2, 1, 0] : [3, 0, 2, 1]
        let mean: [Float] = [104, 116.5, 122.25, 1], scale: [Float] = [1, 0.5, 2, 0.25]
        for (pixelBytes, width) in [(channels, 1), (channels, 17), (4, 33), (5, 480)] {
            let rowBytes = pixelBytes * width + 3
            var random = TestRandom(width)
            let bytes = GuardedMemory<UInt8>(
                (0..<4 * rowBytes - 3).map { _ in UInt8.random(in: 0...255, using: &random) }
            )
            let output = ThinOperand(channels: channels, height: 4, width: width)
            set.kernels.picture(bytes.pointer, rowBytes, pixelBytes, order, mean, scale, [output.thin], 0, 1)
            set.kernels.picture(bytes.pointer, rowBytes, pixelBytes, order, mean, scale, [output.thin], 1, 4)
            let mismatch = output.mismatch { c, y, x in
                (Float(bytes.pointer[y * rowBytes + x * pixelBytes + Int(order[c])]) - mean[c]) * scale[c]
            }
            #expect(mismatch == nil, "width \(width)")
        }
    }

    @Test("thin to blocked", arguments: InstructionSet.available, 1...17)
    func blockThin(set: InstructionSet, channels: Int) {
        let input = ThinOperand(channels, 3, 7, value: value)
        let output = BlockedOperand(channels: channels, height: 3, width: 7)
        set.kernels.block_thin([input.thin], [output.map], 0, 2)
        set.kernels.block_thin([input.thin], [output.map], 2, 3)
        #expect(output.mismatch(value) == nil)
    }

    @Test("planar to blocked and back", arguments: InstructionSet.available, [1, 3, 11, 16, 17, 37])
    func planar(set: InstructionSet, channels: Int) {
        for width in [1, 2, 15, 16, 17, 40] {
            let planes = GuardedMemory<Float>(count: channels * 3 * width)
            for i in 0..<planes.count { planes.pointer[i] = value(i / (3 * width), i / width % 3, i % width) }
            let blocked = BlockedOperand(channels: channels, height: 3, width: width)
            set.kernels.block_planar(planes.pointer, channels, [blocked.map], 0, 3)
            #expect(blocked.mismatch(value) == nil, "width \(width)")
            let back = GuardedMemory<Float>(count: planes.count)
            set.kernels.unblock_planar([blocked.map], channels, back.pointer, 0, 1)
            set.kernels.unblock_planar([blocked.map], channels, back.pointer, 1, 3)
            #expect(back.elements == planes.elements && back.isIntact, "width \(width)")
        }
    }

    // The definition of IEEE float16, apart from the compiler's own type: 10 bits of mantissa, exponents -14...15.
    private func widened(_ bits: UInt16) -> Float {
        let sign: Float = bits >> 15 == 1 ? -1 : 1, exponent = Int(bits >> 10 & 31), mantissa = Float(bits & 1023)
        if exponent == 31 { return mantissa == 0 ? sign * .infinity : .nan }
        return sign
            * (exponent == 0
                ? mantissa * 0x1p-24 : Float(sign: .plus, exponent: exponent - 25, significand: 1024 + mantissa))
    }

    @Test("every float16 widens exactly and comes back", arguments: InstructionSet.available)
    func widen(set: InstructionSet) {
        let half = GuardedMemory((0...UInt16.max).map { $0 }), wide = GuardedMemory<Float>(count: 65536)
        set.kernels.widen(half.pointer, wide.pointer, 65536)
        #expect((0...UInt16.max).allSatisfy { identical(wide.pointer[Int($0)], widened($0)) })
        let back = GuardedMemory<UInt16>(count: 65536)
        set.kernels.narrow(wide.pointer, back.pointer, 65536)
        #expect(
            (0...UInt16.max).allSatisfy {
                back.pointer[Int($0)] == $0 || widened($0).isNaN && widened(back.pointer[Int($0)]).isNaN
            }
        )
        #expect(wide.isIntact && back.isIntact)
    }

    @Test("float32 narrows to the nearest float16, ties to even", arguments: InstructionSet.available)
    func narrow(set: InstructionSet) {
        // Between each two neighbours: the middle, and the floats just below and above it. From 65520 on: infinity.
        var values: [Float] = [], needed: [UInt16] = []
        for bits in UInt16(0)..<0x7C00 {
            let low = widened(bits), high = bits == 0x7BFF ? 65536 : widened(bits + 1)
            let middle = (low + high) / 2, even = bits + bits % 2
            values += [middle.nextDown, middle, middle.nextUp, -middle, low.nextUp, high.nextDown, low]
            needed += [bits, even, bits + 1, even | 0x8000, bits, bits + 1, bits]
        }
        let wide = GuardedMemory(values), narrow = GuardedMemory<UInt16>(count: values.count)
        set.kernels.narrow(wide.pointer, narrow.pointer, values.count)
        let wrong = values.indices.first { narrow.pointer[$0] != needed[$0] }
        #expect(wrong.map { "\(values[$0]): found \(narrow.pointer[$0]), needed \(needed[$0])" } == nil)
        #expect(narrow.isIntact)
        let special = GuardedMemory<Float>([65519.996, 65520, 1e30, -.infinity, .leastNonzeroMagnitude, -0.0, 1e-8])
        let found = GuardedMemory<UInt16>(count: 7)
        set.kernels.narrow(special.pointer, found.pointer, 7)
        #expect(found.elements == [0x7BFF, 0x7C00, 0x7C00, 0xFC00, 0, 0x8000, 0])
    }

    @Test(
        "beyond float16 the greatest finite one is taken and counted",
        arguments: InstructionSet.available,
        [0, 1, 40]
    )
    func narrowSaturated(set: InstructionSet, before: Int) {
        let special: [Float] = [
            65504, 65504.004, 65519.996, -65520, 1e30, -.greatestFiniteMagnitude, .infinity, -.infinity, 3,
        ]
        let wide = GuardedMemory(Array(repeating: Float(1), count: before) + special + [.nan])
        let found = GuardedMemory<UInt16>(count: wide.elements.count)
        #expect(set.kernels.narrow_saturated(wide.pointer, found.pointer, wide.elements.count) == 5)
        #expect(
            found.elements.dropLast().suffix(special.count)
                == [0x7BFF, 0x7BFF, 0x7BFF, 0xFBFF, 0x7BFF, 0xFBFF, 0x7C00, 0xFC00, 0x4200]
        )
        #expect(widened(found.elements.last ?? 0).isNaN)
        #expect(found.isIntact)
    }

    @Test("conversions of any length touch nothing else", arguments: InstructionSet.available, 0...35)
    func lengths(set: InstructionSet, count: Int) {
        let values = GuardedMemory((0..<count).map { Float($0) / 4 - 3 })
        let half = GuardedMemory<UInt16>(count: count), back = GuardedMemory<Float>(count: count)
        set.kernels.narrow(values.pointer, half.pointer, count)
        set.kernels.widen(half.pointer, back.pointer, count)
        #expect(back.elements == values.elements && half.isIntact && back.isIntact)
    }
}
