import Foundation
import SegNetPlatform
import Synchronization
import Testing

@Suite("Thread pool")
struct ThreadPoolTests {
    @Test("runs each index once, on a worker that is its own", arguments: [1, 2, 3, 8])
    func everyIndexOnce(threads: Int) {
        let pool = ThreadPool(threadCount: threads)
        #expect(pool.threadCount == threads)
        for count in [0, 1, 2, 7, 1000] {
            let counts = UnsafeMutableBufferPointer<Int>.allocate(capacity: max(1, count))
            counts.initialize(repeating: 0)
            let busy = UnsafeMutableBufferPointer<Bool>.allocate(capacity: threads)
            busy.initialize(repeating: false)
            let clashes = Mutex(0)
            pool.forEach(count) { worker, index in
                if busy[worker] { clashes.withLock { $0 += 1 } }
                busy[worker] = true
                counts[index] += 1
                busy[worker] = false
            }
            #expect(counts.prefix(count).allSatisfy { $0 == 1 })
            #expect(clashes.withLock { $0 } == 0)
            counts.deallocate()
            busy.deallocate()
        }
    }

    @Test("survives thousands of short loops and long pauses")
    func shortLoops() {
        let pool = ThreadPool(threadCount: 3)
        let sum = Atomic<Int>(0)
        for round in 0..<3000 {
            pool.forEach(5) { _, index in sum.add(index, ordering: .relaxed) }
            // Long enough that the workers have gone to sleep.
            if round % 500 == 0 { Thread.sleep(forTimeInterval: 0.02) }
        }
        #expect(sum.load(ordering: .relaxed) == 30000)
    }

    @Test("many pools come and go")
    func comeAndGo() {
        for _ in 0..<200 {
            let pool = ThreadPool(threadCount: 2)
            let sum = Atomic<Int>(0)
            pool.forEach(3) { _, index in sum.add(index, ordering: .relaxed) }
            #expect(sum.load(ordering: .relaxed) == 3)
        }
    }
}

@Suite("Aligned memory")
struct AlignedMemoryTests {
    @Test("is aligned and zero", arguments: [0, 1, 4096, 5 << 20])
    func alignedAndZero(bytes: Int) throws {
        let memory = try AlignedMemory(byteCount: bytes)
        #expect(Int(bitPattern: memory.base) % 4096 == 0)
        #expect((0..<bytes / 4).allSatisfy { memory.floats()[$0] == 0 })
        for i in 0..<bytes / 4 { memory.floats()[i] = Float(i) }
    }

    @Test("says how much was asked for when there is not enough")
    func tooMuch() {
        #expect(throws: MemoryError.self) { try AlignedMemory(byteCount: Int.max - 5) }
        #expect(throws: MemoryError.self) { try AlignedMemory(byteCount: 1 << 60) }
        #expect(
            "\(MemoryError(byteCount: 3 << 30, available: 1 << 30))"
                == "not enough memory: 3072 MiB are needed, but only 1024 MiB are available; "
                + "use a smaller picture size, a smaller number of threads, or close other programs."
        )
    }
}

@Suite("Random numbers")
struct RandomNumbersTests {
    @Test("repeat for a seed and differ between streams")
    func streams() {
        var (a, b) = (RandomNumbers(seed: 1), RandomNumbers(seed: 1))
        var (c, d) = (RandomNumbers(seed: 1, stream: 0), RandomNumbers(seed: 1, stream: 1))
        #expect((0..<10).map { _ in a.next() } == (0..<10).map { _ in b.next() })
        #expect((0..<10).map { _ in c.next() } != (0..<10).map { _ in d.next() })
        // The generator's published first output for seed 0.
        var zero = RandomNumbers(seed: 0)
        #expect(zero.next() == 0xE220_A839_7B1D_CDAF)
    }

    @Test("have the moments they should")
    func moments() {
        var random = RandomNumbers(seed: 9)
        let gaussian = (0..<20000).map { _ in random.gaussian() }
        let mean = gaussian.reduce(0, +) / 20000
        #expect(abs(mean) < 0.03)
        let variance = gaussian.reduce(0) { $0 + $1 * $1 } / 20000
        #expect(abs(variance - 1) < 0.04)
        let uniform = (0..<20000).map { _ in random.uniform() }
        #expect(uniform.allSatisfy { (0..<1).contains($0) })
        #expect(abs(uniform.reduce(0, +) / 20000 - 0.5) < 0.01)
    }
}

@Suite("Instruction sets")
struct InstructionSetTests {
    @Test("are found by name, and portable is always there")
    func byName() throws {
        #expect(InstructionSet.available.first?.name == "portable")
        #expect(InstructionSet.available.contains(.best))
        for set in InstructionSet.available { #expect(try InstructionSet(named: set.name) == set) }
        let names = InstructionSet.available.map(\.name).joined(separator: ", ")
        #expect { try InstructionSet(named: "mmx") } throws: {
            "\($0)" == "instruction set 'mmx' is not available here; choose one of \(names)."
        }
    }
}
