import CSegNetKernels
import SegNetPlatform
import Testing

@Suite("optimiser kernels")
struct OptimizerKernelTests {
    /// Around the ends of vectors of 4, 8 and 16.
    static let counts = Array(1...35) + [63, 64, 65, 100]

    private static func numbers(_ count: Int, _ seed: Int, in range: ClosedRange<Float> = -1...1) -> [Float] {
        var random = TestRandom(seed)
        return (0..<count).map { _ in random.float(in: range) }
    }

    private static var update: sn_update {
        var update = sn_update()
        update.learning_rate = 0.1
        update.decay = 0.01
        update.gradient_scale = 0.5
        update.kept = 0.9
        update.beta2 = 0.99
        update.epsilon = 1e-6
        update.correction1 = 1.5
        update.correction2 = 1.25
        return update
    }

    private static func near(_ found: [Float], _ needed: [Double]) -> Bool {
        zip(found, needed).allSatisfy { abs(Double($0) - $1) <= 4e-7 * (1 + abs($1)) }
    }

    @Test("Caffe's momentum equals its formula for any count", arguments: InstructionSet.available, counts)
    func sgd(set: InstructionSet, count: Int) {
        let (w, g, v) = (Self.numbers(count, 1), Self.numbers(count, 2), Self.numbers(count, 3))
        let (weights, gradient, velocity) = (GuardedMemory(w), GuardedMemory(g), GuardedMemory(v))
        var update = Self.update
        set.kernels.sgd(weights.pointer, gradient.pointer, velocity.pointer, count, &update)
        let expected = (0..<count).map { i in
            0.9 * Double(v[i]) + 0.1 * (0.5 * Double(g[i]) + 0.01 * Double(w[i]))
        }
        #expect(Self.near(velocity.elements, expected))
        #expect(Self.near(weights.elements, zip(w, expected).map { Double($0) - $1 }))
        #expect(gradient.elements == g)
        #expect(weights.isIntact && gradient.isIntact && velocity.isIntact)
    }

    @Test("AdamW equals its formula for any count", arguments: InstructionSet.available, counts)
    func adamw(set: InstructionSet, count: Int) {
        let (w, g, m) = (Self.numbers(count, 1), Self.numbers(count, 2), Self.numbers(count, 3))
        let s = Self.numbers(count, 4, in: 0...1)
        let (weights, gradient) = (GuardedMemory(w), GuardedMemory(g))
        let (first, second) = (GuardedMemory(m), GuardedMemory(s))
        var update = Self.update
        set.kernels.adamw(weights.pointer, gradient.pointer, first.pointer, second.pointer, count, &update)
        let scaled = g.map { 0.5 * Double($0) }
        let firsts = (0..<count).map { 0.9 * Double(m[$0]) + (1 - 0.9) * scaled[$0] }
        let seconds = (0..<count).map { 0.99 * Double(s[$0]) + (1 - 0.99) * scaled[$0] * scaled[$0] }
        #expect(Self.near(first.elements, firsts))
        #expect(Self.near(second.elements, seconds))
        let stepped = (0..<count).map { i in
            let step = firsts[i] * 1.5 / ((seconds[i] * 1.25).squareRoot() + 1e-6)
            return Double(w[i]) - 0.1 * (step + 0.01 * Double(w[i]))
        }
        #expect(Self.near(weights.elements, stepped))
        #expect(gradient.elements == g)
        #expect(weights.isIntact && gradient.isIntact && first.isIntact && second.isIntact)
    }

    @Test("the average equals its formula for any count", arguments: InstructionSet.available, counts)
    func sums(set: InstructionSet, count: Int) {
        let (x, y) = (Self.numbers(count, 1), Self.numbers(count, 2))
        let source = GuardedMemory(x)
        let average = GuardedMemory(y)
        set.kernels.average(source.pointer, average.pointer, count, 0.75)
        #expect(Self.near(average.elements, zip(x, y).map { 0.75 * Double($1) + 0.25 * Double($0) }))
        #expect(source.elements == x)
        #expect(source.isIntact && average.isIntact)
    }

    @Test("the sum of squares is taken in float64, the same with every instruction set", arguments: counts)
    func squares(count: Int) {
        // One number of 1e20 among small ones: float32 would have no room for the square.
        let x = [Float(1e20)] + Self.numbers(count - 1, 5)
        let memory = GuardedMemory(x)
        let expected = x.reduce(0.0) { $0 + Double($1) * Double($1) }
        let sums = InstructionSet.available.map { $0.kernels.squares(memory.pointer, count) }
        #expect(Set(sums).count == 1)
        #expect(abs(sums[0] - expected) <= 1e-13 * expected)
        for bad in [Float.nan, .infinity, -.infinity] {
            memory.pointer[count - 1] = bad
            for set in InstructionSet.available {
                #expect(!set.kernels.squares(memory.pointer, count).isFinite, "\(bad) at the end of \(count)")
            }
        }
    }

    @Test(
        "a number's step does not depend on where it stands, so pieces give the bits of the whole",
        arguments: InstructionSet.available
    )
    func pieces(set: InstructionSet) {
        let count = 77
        func run(_ cuts: [Int]) -> [[Float]] {
            let w = GuardedMemory(Self.numbers(count, 1)), g = GuardedMemory(Self.numbers(count, 2))
            let m = GuardedMemory(Self.numbers(count, 3)), s = GuardedMemory(Self.numbers(count, 4, in: 0...1))
            let average = GuardedMemory(Self.numbers(count, 5))
            var update = Self.update
            for (from, to) in zip([0] + cuts, cuts + [count]) {
                let n = to - from
                set.kernels.adamw(w.pointer + from, g.pointer + from, m.pointer + from, s.pointer + from, n, &update)
                set.kernels.sgd(w.pointer + from, g.pointer + from, m.pointer + from, n, &update)
                set.kernels.average(w.pointer + from, average.pointer + from, n, 0.9)
            }
            return [w.elements, m.elements, s.elements, average.elements]
        }
        let whole = run([])
        for cuts in [[1], [16], [3, 20, 21], [75]] { #expect(run(cuts) == whole, "\(cuts)") }
    }
}
