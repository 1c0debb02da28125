import SegNetNetworks
import SegNetPlatform
import Testing

@testable import SegNetFormats

@Suite("safetensors")
struct SafetensorsTests {
    static let weights = Weights([
        "b": WeightTensor(shape: [2, 2], values: [1, -2.5, .infinity, -0.0]),
        "a.weight": WeightTensor(shape: [3, 1], values: [0.1, 65504, 1e-7]),
        "none": WeightTensor(shape: [0, 4], values: []),
        "one": WeightTensor(shape: [], values: [7]),
    ])

    /// A file of this header and this many zero bytes of data.
    static func file(_ header: String, data: Int = 0) -> [UInt8] {
        let length = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) }
        return length + Array(header.utf8) + Array(repeating: 0, count: data)
    }

    @Test("float32 comes back bit for bit, texts letter for letter")
    func roundTrip() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("a.safetensors")
            let texts = ["plain": "x", "odd \"key\"": "line\nbreak \\ \u{1} ü 😀"]
            try SafetensorsFile.write(Self.weights, metadata: texts, to: url)
            let file = try SafetensorsFile(url)
            #expect(file.metadata == texts)
            #expect(file.weights.tensors.keys.sorted() == ["a.weight", "b", "none", "one"])
            for (name, tensor) in Self.weights.tensors {
                #expect(file.weights[name]?.shape == tensor.shape)
                #expect(bits(file.weights[name]) == bits(tensor), "\(name)")
            }
            let bytes = [UInt8](try Data(contentsOf: url))
            #expect((bytes.count - 4 * 8) % 64 == 0, "the data begin at a multiple of 64")
        }
    }

    @Test("float16 comes back rounded to the nearest, ties to even")
    func float16() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("a.safetensors")
            try SafetensorsFile.write(Self.weights, metadata: [:], elementType: .float16, to: url)
            let file = try SafetensorsFile(url)
            #expect(file.weights["a.weight"]?.elementType == .float16)
            #expect(file.weights["a.weight"]?.floats() == [0.099975586, 65504, 1.1920929e-7])
            #expect(file.weights["b"]?.floats() == [1, -2.5, .infinity, -0.0])
            #expect(file.weights["one"]?.elementType == .float32, "vectors and scalars stay float32")
        }
    }

    @Test("a number beyond float16 is refused with its tensor")
    func beyondFloat16() throws {
        try withTemporaryFolder { folder in
            let url = URL(fileURLWithPath: "a.safetensors", relativeTo: folder)
            let weights = Weights(["w": WeightTensor(shape: [2, 1], values: [1, 70000])])
            #expect(
                message { try SafetensorsFile.write(weights, metadata: [:], elementType: .float16, to: url) }
                    == "a.safetensors: tensor 'w' holds 70000.0 at index 1, which exceeds 65504, the float16 maximum. Use the weight precision float32."
            )
            let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            #expect(files == [], "no half file is left")
        }
    }

    @Test("int8 keeps each row to half a step of its scale; zeros and vectors stay exact")
    func int8() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("a.safetensors")
            let rows: [[Float]] = [
                [127, -63.5, 0.4, -127], [0, 0, 0, 0], [0.003, -0.001, 0.002, 0], [.leastNonzeroMagnitude, 0, 0, 0],
            ]
            let weights = Weights([
                "w": WeightTensor(shape: [4, 1, 2, 2], values: rows.flatMap { $0 }),
                "b": WeightTensor(shape: [3], values: [0.1, 0.2, 0.3]),
            ])
            try SafetensorsFile.write(weights, metadata: [:], elementType: .int8, to: url)
            let file = try SafetensorsFile(url)
            #expect(file.otherTensors == [])
            #expect(file.weights.tensors.keys.sorted() == ["b", "w"], "scales belong to their tensor")
            #expect(bits(file.weights["b"]) == bits(weights["b"]))
            let read = try #require(file.weights["w"])
            #expect(read.elementType == .int8)
            #expect(read.floats().prefix(8) == [127, -64, 0, -127, 0, 0, 0, 0], "ties go to even numbers")
            for (old, new) in zip(rows[2], read.floats()[8..<12]) { #expect(abs(old - new) <= 0.003 / 254 * 1.0001) }
            #expect(read.floats().suffix(4) == [0, 0, 0, 0], "what is below the smallest scale becomes 0")

            // A second time nothing is lost, and floats come out as they were.
            let again = folder.appendingPathComponent("b.safetensors")
            try SafetensorsFile.write(file.weights, metadata: [:], elementType: .int8, to: again)
            #expect(try Data(contentsOf: again) == Data(contentsOf: url))
            try SafetensorsFile.write(file.weights, metadata: [:], elementType: .float32, to: again)
            #expect(bits(try SafetensorsFile(again).weights["w"]) == bits(read))
        }
    }

    @Test("int8 refuses numbers that are not finite, naming the tensor")
    func int8NotFinite() throws {
        try withTemporaryFolder { folder in
            let url = URL(fileURLWithPath: "a.safetensors", relativeTo: folder)
            let weights = Weights(["w": WeightTensor(shape: [2, 2], values: [1, 2, .nan, 4])])
            #expect(
                message { try SafetensorsFile.write(weights, metadata: [:], elementType: .int8, to: url) }
                    == "a.safetensors: tensor 'w' holds nan at index 1 of its first axis. Train or convert the model again."
            )
        }
    }

    @Test("8-bit tensors are read with their scales; without them they are left out")
    func int8Reading() throws {
        try withTemporaryFolder { folder in
            let header =
                #"{"w:scale":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"w":{"dtype":"I8","shape":[2,1],"data_offsets":[8,10]},"#
                + #""x":{"dtype":"I8","shape":[1],"data_offsets":[10,11]}}"#
            let data: [UInt8] = [0, 0, 0, 0x3f, 0, 0, 0, 0x40, 0x81, 3, 9]
            let file = try SafetensorsFile(try folder.write(Self.file(header) + data, as: "a.safetensors"))
            #expect(file.weights["w"]?.floats() == [-63.5, 6])
            #expect(file.otherTensors == ["x"])
        }
    }

    @Test("bfloat16 is read exactly")
    func bfloat16() throws {
        try withTemporaryFolder { folder in
            let header = #"{"w":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}"#
            let url = try folder.write(Self.file(header) + [0x80, 0x3f, 0x20, 0xc0], as: "a.safetensors")
            #expect(try SafetensorsFile(url).weights["w"]?.floats() == [1, -2.5])
        }
    }

    @Test("tensors of other types are named and left out")
    func otherTypes() throws {
        try withTemporaryFolder { folder in
            let header = #"{"i":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}"#
            let file = try SafetensorsFile(try folder.write(Self.file(header, data: 8), as: "a.safetensors"))
            #expect(file.otherTensors == ["i"])
            #expect(file.weights.tensors.isEmpty)
        }
    }

    @Test(
        "damage is named",
        arguments: [
            ([1, 2, 3], "it has 3 bytes"),
            (file("").map { _ in 0xff }, "its header should have 18446744073709551615 bytes, but the file has 8"),
            (Array(file("{}").dropLast()), "its header should have 2 bytes, but the file has 9"),
            (file("{"), "byte 1 of its header: the header breaks off"),
            (file("{}}"), "byte 2 of its header: something follows the header's last brace"),
            (
                file(#"{"a":{"dtype":"F32"}}"#),
                "byte 20 of its header: tensor 'a' lacks its dtype, shape or two data_offsets"
            ),
            (
                file(#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, data: 7),
                "tensor 'a' lies at 0..<8 of 7 bytes of data"
            ),
            (
                file(#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#, data: 8),
                "tensor 'a' lies at 8..<0 of 8 bytes of data"
            ),
            (
                file(#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#, data: 8),
                "tensor 'a' of shape [3] and type F32 has 8 bytes"
            ),
            (
                file(#"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}"#),
                "tensor 'a' of shape [4294967296, 4294967296] and type F32 has 0 bytes"
            ),
            (
                file(#"{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,0]}}"#),
                "byte 47 of its header: a number is too large"
            ),
            (
                file(
                    #"{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},"b":{"dtype":"F16","shape":[2],"data_offsets":[2,6]}}"#,
                    data: 6
                ),
                "tensors 'a' and 'b' overlap"
            ),
            (
                file(#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, data: 9),
                "its last tensor is followed by 1 byte"
            ),
            (file("{}", data: 10), "its last tensor is followed by 10 bytes"),
            (
                file(
                    #"{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}"#,
                    data: 4
                ),
                "byte 58 of its header: the name 'a' occurs twice"
            ),
            (
                file(
                    #"{"w":{"dtype":"I8","shape":[2,1],"data_offsets":[0,2]},"w:scale":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}"#,
                    data: 6
                ),
                "tensor 'w' of shape [2, 1] has scales of shape [1]"
            ),
            (
                file(
                    #"{"w:scale":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":{"dtype":"I8","shape":[1,1],"data_offsets":[4,5]}}"#
                ) + [0, 0, 0xc0, 0x7f, 1],
                "scale 0 of tensor 'w' is nan"
            ),
            (file(#"{"__metadata__":{"a":["b"]}}"#), "byte 21 of its header: '\"' was needed"),
            (file(#"{"\ud800":1}"#), "byte 8 of its header: half of a character is missing"),
            (
                file(String(repeating: "{\"a\":", count: 50)),
                "byte 10 of its header: tensor 'a' has the unexpected or repeated field 'a'"
            ),
        ] as [([UInt8], String)]
    )
    func damaged(bytes: [UInt8], problem: String) throws {
        try withTemporaryFolder { folder in
            let url = try folder.write(bytes, as: "bad.safetensors")
            #expect(
                message { try SafetensorsFile(url) }
                    == "bad.safetensors: is not a whole safetensors file: \(problem). Fetch or convert the file again."
            )
        }
    }

    @Test(
        "a file of another kind is told by its first bytes",
        arguments: [
            (
                Array("model: segnet\nwidth: 1\n".utf8),
                "text that begins 'model: segnet'. Give the .safetensors file of the model"
            ),
            (
                Array("version https://git-lfs.github.com/spec/v1\noid sha256:1".utf8),
                "a Git LFS pointer, which only stands in for the file. Fetch the file itself ('git lfs pull')"
            ),
            (
                [0x50, 0x4B, 3, 4, 0, 0, 8, 8, 0, 0],
                "a ZIP archive, as PyTorch writes its .pt and .pth files. Save the model's tensors as .safetensors in Python, and give that file"
            ),
        ] as [([UInt8], String)]
    )
    func foreign(bytes: [UInt8], words: String) throws {
        try withTemporaryFolder { folder in
            let url = try folder.write(bytes, as: "other.safetensors")
            #expect(
                message { try SafetensorsFile(url) }
                    == "other.safetensors: is not a safetensors file; it looks like \(words)."
            )
        }
    }

    @Test("a file cut anywhere gives an error, never a crash")
    func truncated() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("a.safetensors")
            try SafetensorsFile.write(Self.weights, metadata: ["a": "b"], to: url)
            let bytes = [UInt8](try Data(contentsOf: url))
            for count in 0..<bytes.count {
                let cut = try folder.write(Array(bytes.prefix(count)), as: "cut.safetensors")
                #expect(throws: FormatError.self) { try SafetensorsFile(cut) }
            }
        }
    }

    @Test("writing replaces the old file only when the new one is whole")
    func replaces() throws {
        try withTemporaryFolder { folder in
            let url = try folder.write("old", as: "a.safetensors")
            let bad = Weights(["w": WeightTensor(shape: [1, 1], values: [1e9])])
            #expect(throws: FormatError.self) {
                try SafetensorsFile.write(bad, metadata: [:], elementType: .float16, to: url)
            }
            #expect(try Data(contentsOf: url) == Data("old".utf8))
            try SafetensorsFile.write(Self.weights, metadata: [:], to: url)
            #expect(try SafetensorsFile(url).weights.tensors.count == 4)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a.safetensors"])
        }
    }

    @Test("a missing folder is explained")
    func missingFolder() {
        let url = URL(fileURLWithPath: "/nowhere/a.safetensors")
        #expect(
            message { try SafetensorsFile.write(Self.weights, metadata: [:], to: url) }
                == "/nowhere/a.safetensors: cannot be written (No such file or directory). "
                + "Check that its folder exists and may be written to."
        )
    }

    @Test("a model that was converted when softmax was left in place over the scores keeps them apart")
    func softmaxInPlace() throws {
        let network = Network(
            name: "n",
            input: .bgr255(height: 4, width: 4),
            layers: [
                Layer("c", inputs: ["data"], .convolution(Convolution(outputChannels: 2, window: Window(1)))),
                Layer("s", inputs: ["c"], outputs: ["c"], .softmax(Softmax())),
            ]
        )
        let weights = Weights([
            "c.weight": WeightTensor(shape: [2, 3, 1, 1], values: [1, 2, 3, 4, 5, 6]),
            "c.bias": WeightTensor(shape: [2], values: [0, 1]),
        ])
        let texts = [
            "format": "segnet", "format_version": "1",
            "network": String(decoding: try JSONEncoder().encode(network), as: UTF8.self),
        ]
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("a.safetensors")
            try SafetensorsFile.write(weights, metadata: texts, to: url)
            let model = try SafetensorsFile.readModel(url)
            #expect(model.network.layers.map(\.outputs) == [["c"], ["s"]])
            #expect(model.network.scoresBlob == "c")
        }
    }
}
