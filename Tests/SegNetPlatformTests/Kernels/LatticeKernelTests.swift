import CSegNetKernels
import Foundation
import SegNetPlatform
import Testing

@Suite("lattice kernels")
struct LatticeKernelTests {
    /// Values of a row: one number, one part of 8, all counts of parts that are kept in registers, and more.
    static let rows = [1, 8, 16, 24, 32, 40, 48, 64, 88]

    private static func numbers(_ count: Int, _ seed: Int, in range: ClosedRange<Float> = -1...1) -> [Float] {
        var random = TestRandom(seed)
        return (0..<count).map { _ in random.float(in: range) }
    }

    private static func near(_ found: [Float], _ needed: [Double], _ bar: Double = 2e-6) -> Bool {
        found.count == needed.count && zip(found, needed).allSatisfy { abs(Double($0) - $1) <= bar * (1 + abs($1)) }
    }

    /// Memory that ends where a page ends and begins at a multiple of 64 bytes: rows are aligned.
    private static func memory(_ values: [Float]) -> GuardedMemory<Float> { GuardedMemory(values) }

    @Test("splat sums each point's pixels", arguments: InstructionSet.available, rows)
    func splat(set: InstructionSet, values: Int) {
        let counts = [3, 0, 1, 17, 2]
        let pixels = 9
        let starts = counts.reduce(into: [Int32(0)]) { $0.append(($0.last ?? 0) + Int32($1)) }
        let total = counts.reduce(0, +)
        let weights = Self.numbers(total, 1)
        var entries = (0..<total).map { sn_lattice_entry(pixel: Int32(($0 * 5) % pixels), weight: weights[$0]) }
        entries += [sn_lattice_entry](repeating: sn_lattice_entry(), count: Int(SN_LATTICE_SPARE))
        let source = Self.numbers(pixels * values, 2)
        let (input, list, first) = (Self.memory(source), GuardedMemory(entries), GuardedMemory(starts))
        let out = GuardedMemory<Float>(count: counts.count * values)
        set.kernels.lattice.pointee.splat(first.pointer, list.pointer, 0, 2, input.pointer, values, out.pointer)
        set.kernels.lattice.pointee.splat(first.pointer, list.pointer, 2, 5, input.pointer, values, out.pointer)
        var expected: [Double] = []
        for point in counts.indices {
            for k in 0..<values {
                var sum = 0.0
                for entry in entries[Int(starts[point])..<Int(starts[point + 1])] {
                    sum += Double(entry.weight) * Double(source[Int(entry.pixel) * values + k])
                }
                expected.append(sum)
            }
        }
        #expect(Self.near(out.elements, expected) && out.isIntact && input.elements == source)
    }

    @Test("blur adds half of both neighbours along whole chains, in place", arguments: InstructionSet.available, rows)
    func blur(set: InstructionSet, values: Int) {
        // 4 - 0 - 2 and 1 - 5; 3 is alone.
        let chains: [Int32] = [4, 0, ~2, 1, ~5]
        let neighbours = [[4, 2], [5], [0], [], [0], [1]]
        let source = Self.numbers(6 * values, 3)
        let (list, data) = (GuardedMemory(chains), Self.memory(source))
        set.kernels.lattice.pointee.blur(list.pointer, 0, 3, data.pointer, values)
        set.kernels.lattice.pointee.blur(list.pointer, 3, 5, data.pointer, values)
        var expected: [Double] = []
        for point in 0..<6 {
            for k in 0..<values {
                let halves = neighbours[point].map { Double(source[$0 * values + k]) / 2 }
                expected.append(halves.reduce(Double(source[point * values + k]), +))
            }
        }
        #expect(Self.near(data.elements, expected) && data.isIntact)
    }

    @Test(
        "slice takes the corners' weighted sum, and update the softmax of that",
        arguments: InstructionSet.available,
        rows
    )
    func slice(set: InstructionSet, values: Int) {
        let (pixels, corners, count) = (35, 9, 11)
        let padded = 48
        var random = TestRandom(4)
        let points = (0..<padded * corners).map { _ in Int32(random.float(in: 0...10.9)) }
        let weights = Self.numbers(padded * corners, 5)
        let source = Self.numbers(count * values, 6)
        let (pointTable, weightTable, data) = (GuardedMemory(points), GuardedMemory(weights), Self.memory(source))
        var tables = sn_corners(
            points: pointTable.pointer,
            weights: weightTable.pointer,
            step: 16 * corners,
            count: corners
        )
        var sums: [Double] = []
        for pixel in 0..<pixels {
            for k in 0..<values {
                var sum = 0.0
                for q in 0..<corners {
                    let place = pixel / 16 * 16 * corners + q * 16 + pixel % 16
                    sum += Double(weights[place]) * Double(source[Int(points[place]) * values + k])
                }
                sums.append(sum)
            }
        }
        let out = GuardedMemory<Float>(count: pixels * values)
        set.kernels.lattice.pointee.slice(&tables, data.pointer, values, 0, 19, out.pointer)
        set.kernels.lattice.pointee.slice(&tables, data.pointer, values, 19, pixels, out.pointer)
        #expect(Self.near(out.elements, sums, 4e-6) && out.isIntact)
        guard values > 1 else { return }
        // The last three values are padding.
        let padding = values - 3
        let logs = (0..<pixels * values).map { $0 % values < padding ? -Float($0 % 7) : -Float.greatestFiniteMagnitude }
        let start = Self.memory(logs)
        let marginals = GuardedMemory<Float>(count: pixels * values)
        set.kernels.lattice.pointee.update(&tables, data.pointer, values, start.pointer, 0, 20, marginals.pointer)
        set.kernels.lattice.pointee.update(&tables, data.pointer, values, start.pointer, 20, pixels, marginals.pointer)
        let expected = (0..<pixels).flatMap { pixel -> [Double] in
            let row = (0..<padding).map { sums[pixel * values + $0] + Double(logs[pixel * values + $0]) }
            return softmax(row) + [0, 0, 0]
        }
        #expect(Self.near(marginals.elements, expected, 4e-6) && marginals.isIntact)
        let found = marginals.elements
        #expect((0..<pixels * values).allSatisfy { $0 % values < padding || found[$0] == 0 })
    }

    private func softmax(_ scores: [Double]) -> [Double] {
        let greatest = scores.max() ?? 0
        let terms = scores.map { exp($0 - greatest) }
        return terms.map { $0 / terms.reduce(0, +) }
    }

    @Test(
        "start takes logarithms, read gives planes and the first greatest",
        arguments: InstructionSet.available,
        [1, 2, 8, 11, 37]
    )
    func startAndRead(set: InstructionSet, classes: Int) {
        let (pixels, values) = (37, (classes + 7) / 8 * 8)
        let special: [Float] = [.nan, .infinity, 0, -2, .leastNonzeroMagnitude, .greatestFiniteMagnitude]
        var planes = Self.numbers(pixels * classes, 7, in: 1e-6...1)
        for (index, value) in special.enumerated() { planes[(index % classes) * pixels + 5 * index] = value }
        let input = GuardedMemory(planes)
        let (logs, rows) = (GuardedMemory<Float>(count: pixels * values), GuardedMemory<Float>(count: pixels * values))
        for range in [0..<20, 20..<pixels] {
            set.kernels.lattice.pointee.start(
                input.pointer,
                pixels,
                classes,
                0,
                range.lowerBound,
                range.upperBound,
                values,
                logs.pointer,
                rows.pointer
            )
        }
        let normal: [Double] = planes.map { value in
            let least = Float.leastNormalMagnitude
            return Double(value >= least ? min(value, .greatestFiniteMagnitude) : least)
        }
        let expected: [[Double]] = (0..<pixels).map { pixel in
            (0..<classes).map { k in log(normal[k * pixels + pixel]) }
        }
        for pixel in 0..<pixels {
            let row = Array(logs.elements[pixel * values..<(pixel + 1) * values])
            #expect(Self.near(Array(row[..<classes]), expected[pixel], 2e-7))
            #expect(row[classes...].allSatisfy { $0 == -.greatestFiniteMagnitude })
            let padded = softmax(expected[pixel]) + [Double](repeating: 0, count: values - classes)
            #expect(Self.near(Array(rows.elements[pixel * values..<(pixel + 1) * values]), padded, 4e-6))
        }
        let ids = GuardedMemory<UInt16>(count: pixels)
        let back = GuardedMemory<Float>(count: pixels * classes)
        // A tie: the lowest wins.
        for k in 0..<classes { rows.pointer[3 * values + k] = 0.25 }
        for range in [0..<20, 20..<pixels] {
            set.kernels.lattice.pointee.read(
                rows.pointer,
                values,
                classes,
                range.lowerBound,
                range.upperBound,
                back.pointer,
                pixels,
                ids.pointer
            )
        }
        for pixel in 0..<pixels {
            let row = Array(rows.elements[pixel * values..<pixel * values + classes])
            #expect((0..<classes).allSatisfy { back.elements[$0 * pixels + pixel] == row[$0] })
            #expect(Int(ids.elements[pixel]) == row.firstIndex(of: row.max() ?? 0))
        }
        #expect(logs.isIntact && rows.isIntact && ids.isIntact && back.isIntact)
    }

    @Test(
        "pixels fall into the same simplices on every instruction set, with weights that add up to 1",
        arguments: [2, 5]
    )
    func embed(dimensions: Int) {
        let pixels = 160
        let corners = dimensions + 1
        // Whole and half numbers among them: ties.
        let features: [Float] = (0..<dimensions * pixels).map { index in
            if index % 3 == 0 { return Float(index % 40) / 2 }
            return Float(index % 97) * 0.37
        }
        var found: [(keys: [UInt64], weights: [Float])] = []
        for set in InstructionSet.available {
            let input = GuardedMemory(features)
            let keys = GuardedMemory<UInt64>(count: corners * pixels)
            let weights = GuardedMemory<Float>(count: corners * pixels)
            set.kernels.lattice.pointee.embed(
                input.pointer,
                pixels,
                dimensions,
                pixels,
                keys.pointer,
                pixels,
                weights.pointer,
                16 * corners
            )
            #expect(keys.isIntact && weights.isIntact)
            found.append((keys.elements, weights.elements))
        }
        for (keys, weights) in found {
            #expect(keys == found[0].keys && weights == found[0].weights)
            for pixel in 0..<pixels {
                let first = pixel / 16 * 16 * corners + pixel % 16
                let own: [Float] = (0..<corners).map { weights[first + $0 * 16] }
                #expect(own.allSatisfy { $0 > -1e-4 && $0 < 1 + 1e-4 } && abs(own.reduce(0, +) - 1) < 1e-4)
            }
        }
    }

    @Test(
        "a full table says where it stopped, and finds its points again after it has grown",
        arguments: InstructionSet.available
    )
    func table(set: InstructionSet) {
        let kernels = set.kernels.lattice.pointee
        let source: [UInt64] = (0..<40).map { index in UInt64(index / 2 % 15) * 0x1_0001_0001 }
        let keys = GuardedMemory(source)
        let points = GuardedMemory<Int32>(count: 48)
        var (stored, slots) = (GuardedMemory<UInt64>(count: 8), GuardedMemory<Int32>(count: 16))
        var table = sn_lattice_table(
            keys: stored.pointer,
            slots: slots.pointer,
            slot_count: 16,
            capacity: 8,
            count: 0,
            first: 0
        )
        kernels.rehash(&table)
        let next = kernels.insert(&table, keys.pointer, 0, 40, points.pointer, 16)
        #expect(next == 16 && table.count == 8)
        let old = stored
        (stored, slots) = (GuardedMemory<UInt64>(count: 16), GuardedMemory<Int32>(count: 32))
        for index in 0..<8 { stored.pointer[index] = old.pointer[index] }
        (table.keys, table.slots, table.slot_count, table.capacity) = (stored.pointer, slots.pointer, 32, 16)
        kernels.rehash(&table)
        #expect(kernels.insert(&table, keys.pointer, next, 40, points.pointer, 16) == 40 && table.count == 15)
        let numbers: [Int32] = (0..<40).map { index in Int32(index / 2 % 15) }
        #expect(Array(points.elements[..<40]) == numbers)
        #expect(old.isIntact && stored.isIntact && slots.isIntact && points.isIntact)
    }
}
