import SegNetPlatform
import Testing

@testable import SegNetFormats

@Suite("NPY")
struct NPYTests {
    @Test("what is written is read back", arguments: [[], [0], [3], [2, 3], [1, 2, 3, 4]])
    func roundTrip(extents: [Int]) throws {
        try withTemporaryFolder { folder in
            let shape = Shape(extents)
            let values = (0..<shape.count).map { Float($0) - 1.5 }
            let url = folder.appendingPathComponent("a.npy")
            try NPYFile.write(values, shape: shape, to: url)
            let file = try NPYFile(url)
            #expect(file.shape == shape)
            #expect(file.element == .float32)
            #expect(file.floats() == values)
            let bytes = [UInt8](try Data(contentsOf: url))
            #expect((bytes.count - 4 * values.count) % 64 == 0, "NumPy wants the numbers at a multiple of 64 bytes")
        }
    }

    @Test("NumPy's own files of every type are read", .needsOracle)
    func oracle() throws {
        let pooled = try NPYFile(Oracle.file("golden/pool4.npy"))
        #expect(pooled.shape == [64, 23, 30])
        #expect(pooled.element == .float32)
        let mask = try NPYFile(Oracle.file("golden/pool4_mask.npy"))
        #expect(mask.element == .int32)
        // A mask points into the 45x60 map that was pooled.
        #expect(mask.integers().allSatisfy { (0..<(45 * 60)).contains($0) })
        let positions = try NPYFile(Oracle.file("golden/pool3_positions_channels_0_17_42.npy"))
        #expect(positions.element == .uint8)
        #expect(positions.integers().max() == 3)
        let logits = try NPYFile(Oracle.file("golden/conv_classifier_step4.npy"))
        #expect(logits.element == .float16)
        #expect(logits.shape == [11, 90, 120])
    }

    @Test("a file cut short says so")
    func truncated() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("a.npy")
            try NPYFile.write([1, 2, 3], shape: [3], to: url)
            let bytes = [UInt8](try Data(contentsOf: url))
            let cut = try folder.write(Array(bytes.dropLast(2)), as: "cut.npy")
            #expect(message { try NPYFile(cut) } == "cut.npy: has 10 bytes of numbers, but its shape [3] needs 12.")
            for count in 0..<bytes.count - 12 {
                let url = try folder.write(Array(bytes.prefix(count)), as: "cut.npy")
                #expect(throws: FormatError.self) { try NPYFile(url) }
            }
        }
    }

    @Test("counts that do not fit the shape are refused before a file is made")
    func wrongCount() throws {
        try withTemporaryFolder { folder in
            let url = URL(fileURLWithPath: "a.npy", relativeTo: folder)
            #expect(
                message { try NPYFile.write([1, 2], shape: [3], to: url) }
                    == "a.npy: 2 numbers cannot have the shape [3]. Give 3 numbers."
            )
            #expect(!FileManager.default.fileExists(atPath: url.path))
        }
    }

    @Test("an array in memory is the file byte for byte")
    func encoded() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("a.npy")
            try NPYFile.write([1, 2, 3, 4, 5, 6], shape: [2, 3], to: url)
            #expect(try NPYFile.encode([1, 2, 3, 4, 5, 6], shape: [2, 3]) == [UInt8](try Data(contentsOf: url)))
            #expect(
                message { try NPYFile.encode([1, 2], shape: [3]) }
                    == "array: 2 numbers cannot have the shape [3]. Give 3 numbers."
            )
        }
    }
}
