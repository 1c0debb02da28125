import SegNetNetworks
import SegNetPlatform
import Synchronization
import Testing

@testable import SegNetFormats

@Suite("Weights in 4 bits")
struct Int4Tests {
    /// Filters [output][input][height][width] whose groups differ in size, with a group of zeros and one of a single large number.
    private static func filters(_ shape: Shape) -> WeightTensor {
        var random = RandomNumbers(seed: 9)
        var values = (0..<shape.count).map { _ in Float(random.gaussian()) * 0.02 }
        let places = shape.extents.dropFirst(2).reduce(1, *)
        let row = shape.extents[1] * places
        for index in 0..<32 {
            values[index * places] = 0
            values[row + index * places] = index == 3 ? 5 : 0.001
        }
        return WeightTensor(shape: shape, values: values)
    }

    /// The number at an index of a file's two tensors, as docs/formats.md says.
    private static func number(_ index: [Int], _ shape: [Int], _ bytes: [UInt8], _ scales: [Float]) -> Float {
        let place = zip(index.dropFirst(2), shape.dropFirst(2)).reduce(0) { $0 * $1.1 + $1.0 }
        let places = shape.dropFirst(2).reduce(1, *)
        let byte = bytes[(index[0] * shape[1] / 2 + index[1] / 2) * places + place]
        let half = index[1] % 2 == 0 ? Int(byte & 0xF) : Int(byte >> 4)
        return scales[(index[0] * shape[1] / 32 + index[1] / 32) * places + place] * Float(half < 8 ? half : half - 16)
    }

    @Test(
        "a file holds what the documentation says, and its groups are as near as their scales allow",
        arguments: [[3, 64, 3, 3], [5, 32]]
    )
    func stored(extents: [Int]) throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("a.safetensors")
            let original = Self.filters(Shape(extents))
            let weights = Weights(["w": original, "b": WeightTensor(shape: [3], values: [0.1, 0.2, 0.3])])
            try SafetensorsFile.write(weights, metadata: [:], elementType: .int4, to: url)
            let data = [UInt8](try Data(contentsOf: url))
            let start = 8 + Int(data[0]) + Int(data[1]) << 8
            let header = String(decoding: data[8..<start], as: UTF8.self)
            let rest = extents.dropFirst(2).map { ",\($0)" }.joined()
            #expect(
                header.contains(#""w":{"dtype":"U8","shape":[\#(extents[0]),\#(extents[1] / 2)\#(rest)]"#),
                "\(header)"
            )
            #expect(header.contains(#""w:scale":{"dtype":"F16","shape":[\#(extents[0]),\#(extents[1] / 32)\#(rest)]"#))

            let file = try SafetensorsFile(url)
            let read = try #require(file.weights["w"])
            #expect(file.weights.tensors.keys.sorted() == ["b", "w"] && file.otherTensors == [])
            #expect(read.elementType == .int4 && read.shape == original.shape)
            #expect(bits(file.weights["b"]) == bits(weights["b"]))
            let scales = read.int4Scales()
            let bytes = Array(data[(data.count - original.shape.count / 2)...])
            let (numbers, exact) = (read.floats(), original.floats())
            let places = extents.dropFirst(2).reduce(1, *)
            for index in numbers.indices {
                let (row, place) = (index / places, index % places)
                let indices: [Int] =
                    [row / extents[1], row % extents[1]]
                    + (extents.count > 2 ? [place / extents[3], place % extents[3]] : [])
                #expect(numbers[index] == Self.number(indices, extents, bytes, scales))
            }
            for group in 0..<scales.count {
                let own = (0..<32).map { (group / places * 32 + $0) * places + group % places }
                let greatest = own.map { abs(exact[$0]) }.max() ?? 0
                // float16 has 11 bits.
                #expect(scales[group] <= greatest / 7 * 1.001 && scales[group] >= greatest / 7 * 0.549)
                func error(_ rounded: (Int) -> Float) -> Float {
                    own.reduce(0) { $0 + (exact[$1] - rounded($1)) * (exact[$1] - rounded($1)) }
                }
                let coarse = float32(float16Bits: float16Bits(greatest / 7))
                let usual = error {
                    coarse > 0 ? max(-7, min(7, (exact[$0] / coarse).rounded(.toNearestOrEven))) * coarse : 0
                }
                #expect(error { numbers[$0] } <= usual)
                for index in own where abs(exact[index]) <= 7 * scales[group] {
                    #expect(abs(numbers[index] - exact[index]) <= scales[group] / 2 * 1.0001)
                }
            }
            #expect((0..<32).allSatisfy { numbers[$0 * places] == 0 })
        }
    }

    @Test("a second time nothing is lost, and floats come out as they were")
    func again() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("a.safetensors")
            try SafetensorsFile.write(
                Weights(["w": Self.filters([4, 32, 2, 2])]),
                metadata: [:],
                elementType: .int4,
                to: url
            )
            let file = try SafetensorsFile(url)
            let again = folder.appendingPathComponent("b.safetensors")
            try SafetensorsFile.write(file.weights, metadata: [:], elementType: .int4, to: again)
            #expect(try Data(contentsOf: again) == Data(contentsOf: url))
            try SafetensorsFile.write(file.weights, metadata: [:], elementType: .float32, to: again)
            #expect(bits(try SafetensorsFile(again).weights["w"]) == bits(file.weights["w"]))
            let reshaped = try #require(file.weights["w"]).reshaped([2, 64, 2, 2])
            #expect(bits(reshaped) == bits(file.weights["w"]) && reshaped.shape == [2, 64, 2, 2])
        }
    }

    @Test("what groups of 32 do not fill is stored in 8 bits", arguments: [[8, 3, 3, 3], [2, 48], [7, 1, 3, 3]])
    func eightBits(extents: [Int]) throws {
        try withTemporaryFolder { folder in
            let shape = Shape(extents)
            let url = folder.appendingPathComponent("a.safetensors")
            let values = (0..<shape.count).map { Float($0 % 17) - 8 }
            try SafetensorsFile.write(
                Weights(["w": WeightTensor(shape: shape, values: values)]),
                metadata: [:],
                elementType: .int4,
                to: url
            )
            #expect(try SafetensorsFile(url).weights["w"]?.elementType == .int8)
        }
    }

    /// What writing a tensor of ones in 4 bits says, of whose second row one number is another.
    private func problem(with value: Float) throws -> String {
        try withTemporaryFolder { folder in
            let url = URL(fileURLWithPath: "a.safetensors", relativeTo: folder)
            var values = [Float](repeating: 1, count: 64)
            values[40] = value
            let weights = Weights(["w": WeightTensor(shape: [2, 32], values: values)])
            let found = message { try SafetensorsFile.write(weights, metadata: [:], elementType: .int4, to: url) }
            let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            #expect(files == [], "no half file is left")
            return found
        }
    }

    @Test(
        "numbers that are not finite are refused, naming the tensor",
        arguments: [Float.nan, -Float.infinity, .infinity]
    )
    func notFinite(value: Float) throws {
        #expect(
            try problem(with: value)
                == "a.safetensors: tensor 'w' holds \(value) at index 1 of its first axis. Train or convert the model again."
        )
    }

    @Test("a finite number whose scale float16 cannot hold is named as it is", arguments: [Float(1e6), -3e38])
    func beyondFloat16(value: Float) throws {
        #expect(
            try problem(with: value)
                == "a.safetensors: tensor 'w' holds \(value) at index 1 of its first axis, whose scale in 4 bits exceeds 65504, the "
                + "float16 maximum. Use the weight precision float32."
        )
    }

    /// Counts how often its numbers are read.
    private final class CountedStorage: WeightStorage {
        private let bytes: [UInt8]
        let reads = Mutex(0)

        init(_ values: [Float]) { bytes = values.withUnsafeBytes { Array($0) } }

        func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
            reads.withLock { $0 += 1 }
            return try bytes.withUnsafeBytes(body)
        }

        func release() {}
    }

    @Test(
        "numbers are read once for their scales and once to be stored",
        arguments: [(ElementType.int4, 2), (.int8, 2), (.float16, 1), (.float32, 1)]
    )
    func reads(type: ElementType, count: Int) throws {
        try withTemporaryFolder { folder in
            let storage = CountedStorage((0..<64).map { Float($0) / 8 })
            let weights = Weights(["w": WeightTensor(shape: [2, 32], elementType: .float32, storage: storage)])
            let url = folder.appendingPathComponent("a.safetensors")
            try SafetensorsFile.write(weights, metadata: [:], elementType: type, to: url)
            #expect(storage.reads.withLock { $0 } == count)
        }
    }

    @Test("all sixteen codes are read; scales of another shape are refused; without scales the tensor is left out")
    func reading() throws {
        try withTemporaryFolder { folder in
            func header(_ scales: String, name: String = "w:scale") -> String {
                #"{"\#(name)":{"dtype":"F16","shape":\#(scales),"data_offsets":[0,2]},"#
                    + #""w":{"dtype":"U8","shape":[1,16],"data_offsets":[2,18]}}"#
            }
            let pairs: [UInt8] = [0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe]
            let data: [UInt8] = [0, 0x38] + pairs + [UInt8](repeating: 0, count: 8)
            let file = try SafetensorsFile(
                try folder.write(SafetensorsTests.file(header("[1,1]")) + data, as: "a.safetensors")
            )
            let codes: [Float] = [0, 1, 2, 3, 4, 5, 6, 7, -8, -7, -6, -5, -4, -3, -2, -1]
            #expect(file.weights["w"]?.shape == [1, 32])
            #expect(file.weights["w"]?.floats() == codes.map { $0 / 2 } + [Float](repeating: 0, count: 16))
            let wrong = try folder.write(SafetensorsTests.file(header("[1]")) + data, as: "b.safetensors")
            #expect(
                message { try SafetensorsFile(wrong) }.contains("tensor 'w' of shape [1, 16] has scales of shape [1]")
            )
            let alone = try folder.write(
                SafetensorsTests.file(header("[1,1]", name: "other")) + data,
                as: "c.safetensors"
            )
            #expect(try SafetensorsFile(alone).otherTensors == ["w"])
        }
    }

    @Test("a model of a quarter of the bytes of float16 answers nearly as before")
    func model() throws {
        try withTemporaryFolder { folder in
            var options = ArchitectureOptions(input: .bgr255(height: 32, width: 32), width: 0.5)
            options.statistics = .kept
            let network = Architecture.segNet.network(classes: 4, options: options)
            let model = Model(network: network, weights: try Weights.initial(for: network, seed: 2))
            let (half, small) = (
                folder.appendingPathComponent("h.safetensors"), folder.appendingPathComponent("s.safetensors")
            )
            try SafetensorsFile.write(model, elementType: .float16, to: half)
            try SafetensorsFile.write(model, elementType: .int4, to: small)
            let read = try SafetensorsFile.readModel(small)
            let exact = try SafetensorsFile.readModel(half)
            #expect(read.network == exact.network)
            func size(_ url: URL) throws -> Int { try Data(contentsOf: url).count }
            #expect(try Double(size(small)) < 0.30 * Double(size(half)))
            for (name, tensor) in exact.weights.tensors where tensor.shape.rank > 1 {
                let (a, b) = (tensor.floats(), try #require(read.weights[name]).floats())
                let (error, power) = zip(a, b).reduce((0, 0)) {
                    ($0.0 + ($1.0 - $1.1) * ($1.0 - $1.1), $0.1 + $1.0 * $1.0)
                }
                // Gaussian numbers: 20.5 dB.
                #expect(error < 0.012 * power, "\(name)")
            }
        }
    }
}
