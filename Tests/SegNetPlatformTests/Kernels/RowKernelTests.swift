import CSegNetKernels
import SegNetPlatform
import Testing

/// Convolution of a three-channel picture straight from its rows.
@Suite("Row kernels")
struct RowKernelTests {
    @Test(
        "copy a stretch of a row in phases, with zeros outside the picture",
        arguments: InstructionSet.available,
        [1, 2, 4, 6]
    )
    func fetch(set: InstructionSet, phases: Int) {
        let picture = ThinOperand(3, 4, 9) { c, y, x in Float(100 * c + 10 * y + x + 1) }
        for (y, x, count) in [(0, 0, 9), (2, -3, 15), (3, 5, 4), (-1, 0, 9), (4, 2, 3), (1, 20, 5), (1, -9, 7)] {
            let step = (count + phases - 1) / phases * 3
            let copy = GuardedMemory<Float>(count: phases * step)
            set.kernels.row_fetch([picture.thin], y, x, count, phases, copy.pointer, step)
            for i in 0..<count {
                for c in 0..<3 {
                    let isInside = 0..<4 ~= y && 0..<9 ~= x + i
                    let found = copy.pointer[i % phases * step + i / phases * 3 + c]
                    #expect(found == (isInside ? picture[c, y, x + i] : 0), "row \(y), column \(x + i)")
                }
            }
            #expect(copy.isIntact)
        }
    }

    @Test("multiply windows where they lie", arguments: InstructionSet.available, [1, 3, 5, 7])
    func products(set: InstructionSet, taps: Int) {
        let kernels = set.kernels
        var random = TestRandom(taps)
        for columns in [16, kernels.panel] {
            for pixels in [1, kernels.micro_tile, kernels.micro_tile + 1, 3 * kernels.micro_tile] {
                let whole = (pixels + kernels.micro_tile - 1) / kernels.micro_tile * kernels.micro_tile
                let rowStep = (whole + taps - 1) * 3
                // Small whole numbers, whose sums are exact in any order.
                let rows = GuardedMemory((0..<taps * rowStep).map { _ in random.float(in: -4...4).rounded() })
                let u = AlignedFloats((0..<taps * taps * 3 * columns).map { _ in random.float(in: -4...4).rounded() })
                let m = AlignedFloats(count: whole * columns)
                kernels.row_products(rows.pointer, rowStep, taps, taps * 3, pixels, u.pointer, columns, m.pointer)
                for t in 0..<pixels {
                    for lane in 0..<columns {
                        var sum: Float = 0
                        for i in 0..<taps {
                            for d in 0..<taps * 3 {
                                sum +=
                                    rows.pointer[i * rowStep + t * 3 + d]
                                    * u.pointer[(i * taps * 3 + d) * columns + lane]
                            }
                        }
                        #expect(m.pointer[t * columns + lane] == sum)
                    }
                }
                #expect(m.isIntact)
            }
        }
    }

    /// The algorithms with the error that they may have, of the deviation of the result: normal numbers in and out.
    static let variants: [(name: String, kernels: @Sendable (sn_kernels) -> sn_winograd, bar: Double)] = [
        ("F(6,3)", { $0.winograd63.pointee }, 2e-6),
        ("F(4,3)", { $0.winograd43.pointee }, 1e-6),
        ("F(4,7)", { $0.winograd47.pointee }, 4e-6),
        ("F(2,7)", { $0.winograd27.pointee }, 1e-6),
        ("F(4,5)", { $0.winograd45.pointee }, 3e-6),
    ]

    @Test("convolve in one dimension", arguments: InstructionSet.available, variants.map(\.name))
    func winograd(set: InstructionSet, name: String) throws {
        let variant = try #require(Self.variants.first { $0.name == name })
        let (kernels, winograd) = (set.kernels, variant.kernels(set.kernels))
        let (m, r, n) = (winograd.tile, winograd.taps, winograd.points)
        var random = TestRandom(n)
        for columns in [16, kernels.panel] {
            for width in [1, m * kernels.micro_tile, m * kernels.micro_tile + 3] {
                let micro = kernels.micro_tile
                let tiles = ((width + m - 1) / m + micro - 1) / micro * micro
                let picture = ThinOperand(3, r, width) { _, _, _ in random.float(in: -1...1) }
                let origin = -(r / 2)
                let phaseStep = (tiles * 3 + 3 * (n / m) + kernels.lanes + 15) / 16 * 16
                let phases = AlignedFloats(count: m * phaseStep)
                let pointStep = (tiles * 3 + kernels.lanes + 15) / 16 * 16
                let v = AlignedFloats(count: r * n * pointStep)
                for row in 0..<r {
                    kernels.row_fetch([picture.thin], row, origin, tiles * m + r - 1, m, phases.pointer, phaseStep)
                    winograd.row_input(phases.pointer, phaseStep, tiles * 3, v.pointer + row * n * pointStep, pointStep)
                }
                let packed = AlignedFloats((0..<r * r * 3 * columns).map { _ in random.float(in: -1...1) })
                let u = AlignedFloats(count: n * r * 3 * columns)
                winograd.row_weights(packed.pointer, columns, u.pointer)
                let products = AlignedFloats(count: tiles * m * columns)
                winograd.row_tiles(v.pointer, pointStep, n * pointStep, tiles, u.pointer, columns, products.pointer)
                #expect(phases.isIntact && v.isIntact && u.isIntact && products.isIntact)

                var (error, power) = (0.0, 0.0)
                for x in 0..<width {
                    for lane in 0..<columns {
                        var sum = 0.0
                        for i in 0..<r {
                            for j in 0..<r where 0..<width ~= x + origin + j {
                                for c in 0..<3 {
                                    let weight = packed.pointer[((i * r + j) * 3 + c) * columns + lane]
                                    sum += Double(picture[c, i, x + origin + j]) * Double(weight)
                                }
                            }
                        }
                        let difference = Double(products.pointer[x * columns + lane]) - sum
                        error += difference * difference
                        power += sum * sum
                    }
                }
                #expect((error / power).squareRoot() < variant.bar, "width \(width), \(columns) columns")
            }
        }
    }
}

/// Floats for vector loads and stores, with the same floats behind them as before.
private final class AlignedFloats {
    let pointer: UnsafeMutablePointer<Float>
    private let count: Int
    private static let sentinel: Float = -12345

    init(count: Int) {
        self.count = count
        pointer = .init(OpaquePointer(UnsafeMutableRawPointer.allocate(byteCount: (count + 16) * 4, alignment: 64)))
        pointer.initialize(repeating: .nan, count: count)
        (pointer + count).initialize(repeating: Self.sentinel, count: 16)
    }

    convenience init(_ values: [Float]) {
        self.init(count: values.count)
        for (index, value) in values.enumerated() { pointer[index] = value }
    }

    deinit { UnsafeMutableRawPointer(pointer).deallocate() }

    var isIntact: Bool { (0..<16).allSatisfy { pointer[count + $0] == Self.sentinel } }
}
