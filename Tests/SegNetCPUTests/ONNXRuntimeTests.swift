import Foundation
import SegNetFormats
import SegNetNetworks
import SegNetPlatform
import SegNetReference
import Testing

/// Runs exported files in ONNX Runtime, which must compute what the definitions say.
///
/// Needs a Python with onnx, onnxruntime and numpy: `.venv/bin/python`, or the one that `SEGNET_PYTHON` names.
enum ONNXRuntime {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static let python: String =
        ProcessInfo.processInfo.environment["SEGNET_PYTHON"]
        ?? root.appendingPathComponent(".venv/bin/python").path

    static let isHere: Bool = {
        guard FileManager.default.isExecutableFile(atPath: python) else { return false }
        return (try? run([python, "-c", "import onnx, onnxruntime, numpy"]))?.status == 0
    }()

    static func run(_ command: [String]) throws -> (status: Int32, errors: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: command[0])
        process.arguments = Array(command.dropFirst())
        let errors = Pipe()
        process.standardError = errors
        try process.run()
        let text = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: text, as: UTF8.self))
    }

    /// What ONNX Runtime makes of a model's export for an input [1, C, H, W].
    static func result(
        _ model: Model,
        _ unpooling: ONNX.Unpooling,
        input: [Float],
        elementType: ElementType = .float32
    ) throws -> (shape: Shape, values: [Float]) {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("segnet-onnx-\(UInt64.random(in: 0 ... .max))", isDirectory: true)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("model.onnx")
        let (source, target) = (folder.appendingPathComponent("in.npy"), folder.appendingPathComponent("out.npy"))
        try ONNX.write(model, unpooling: unpooling, elementType: elementType, to: file)
        try NPYFile.write(input, shape: model.network.input.shape, to: source)
        let script = root.appendingPathComponent("scripts/run-onnx").path
        let (status, errors) = try run([python, script, file.path, source.path, target.path])
        try #require(status == 0, "\(errors)")
        let output = try NPYFile(target)
        return (output.shape, output.floats())
    }
}

@Suite(
    "ONNX Runtime runs our exports",
    .enabled(if: ONNXRuntime.isHere, "no Python with onnx, onnxruntime and numpy (.venv/bin/python or SEGNET_PYTHON)")
)
struct ONNXRuntimeTests {
    /// Two stages down and up with small whole numbers everywhere, so that every sum is exact and most windows have ties.
    static func wholeNumbers(height: Int, width: Int) throws -> (Model, [Float]) {
        func conv(_ name: String, _ channels: Int) -> [Layer] {
            [
                Layer(name, .convolution(Convolution(outputChannels: channels, window: Window(3, padding: 1)))),
                Layer("\(name)_bn", outputs: [], .batchNormalization(BatchNormalization())),
                Layer("\(name)_relu", outputs: [], .relu(ReLU())),
            ]
        }
        let network = Network("whole", input: .bgr255(height: height, width: width)) {
            conv("conv1", 4)
            Layer("pool1", outputs: ["pool1", "pool1_mask"], .maxPooling(MaxPooling()))
            conv("conv2", 5)
            Layer("pool2", outputs: ["pool2", "pool2_mask"], .maxPooling(MaxPooling()))
            Layer("up2", inputs: ["pool2_mask"], .unpooling(Unpooling()))
            conv("conv2_D", 4)
            Layer("up1", inputs: ["pool1_mask"], .unpooling(Unpooling()))
            Layer("scores", .convolution(Convolution(outputChannels: 3, window: Window(1))))
        }
        var random = RandomNumbers(seed: UInt64(height * 100 + width), stream: 0)
        func whole(_ range: Int) -> Float { Float((random.gaussian() * Double(range) / 2).rounded()) }
        var weights = Weights()
        for (_, name, parameter) in try network.parameters() {
            let count = parameter.shape.count
            let values: [Float] = (0..<count).map { _ in
                switch parameter.name {
                case "scale": [0.5, 1, 2, -1][min(3, Int(abs(random.gaussian()) * 2))]
                case "shift": whole(20)
                default: whole(1)
                }
            }
            weights[name] = WeightTensor(shape: parameter.shape, values: values)
        }
        return (Model(network: network, weights: weights), (0..<network.input.shape.count).map { _ in whole(6) })
    }

    @Test(
        "bit for bit, on even and odd sizes with many ties",
        arguments: ONNX.Unpooling.allCases,
        [[8, 8], [7, 9], [5, 6], [1, 1], [2, 3], [13, 17]]
    )
    func exact(unpooling: ONNX.Unpooling, size: [Int]) throws {
        let (model, input) = try Self.wholeNumbers(height: size[0], width: size[1])
        let (shape, values) = try ONNXRuntime.result(model, unpooling, input: input)
        let expected = Self.reference(model, input)
        #expect(shape == [1, 3, size[0], size[1]])
        #expect(expected.values.contains { $0 != 0 })
        #expect(values.map(Double.init) == expected.values)
    }

    static func reference(_ model: Model, _ input: [Float]) -> ReferenceMap {
        var map = ReferenceMap(
            model.network.input.channels.count,
            model.network.input.height,
            model.network.input.width
        )
        map.values = input.map(Double.init)
        let blobs = ReferenceNetwork(network: model.network, weights: model.weights).run(map)
        return blobs[model.network.layers.last?.outputs[0] ?? ""] ?? map
    }

    @Test("every kind of layer", arguments: LayerCase.all.filter(\.runs))
    func layers(test: LayerCase) throws {
        let (name, network) = (test.description, test.network)
        var weights = try Weights.initial(for: network, seed: 3)
        var random = RandomNumbers(seed: 5, stream: 1)
        for (_, name, parameter) in try network.parameters() where parameter.name != "weight" {
            let values = (0..<parameter.shape.count).map { _ in Float(abs(random.gaussian()) + 0.1) }
            weights[name] = WeightTensor(shape: parameter.shape, values: values)
        }
        let input = (0..<network.input.shape.count).map { _ in Float(random.gaussian()) }
        let model = Model(network: network, weights: weights)
        let (shape, values) = try ONNXRuntime.result(model, .indices, input: input)
        let expected = Self.reference(model, input)
        #expect(shape == [1, expected.channels, expected.height, expected.width], "\(name)")
        let largest = expected.values.map(abs).max() ?? 0
        #expect(largest > 0)
        let worst = zip(values, expected.values).map { abs(Double($0) - $1) }.max() ?? .infinity
        #expect(worst <= 2e-6 * largest, "\(name): \(worst)")
    }

    @Test("weights stored as float16 are those weights, rounded")
    func float16() throws {
        let (model, input) = try Self.wholeNumbers(height: 6, width: 5)
        // Small whole numbers are exact in float16.
        let (_, values) = try ONNXRuntime.result(model, .standard, input: input, elementType: .float16)
        #expect(values.map(Double.init) == Self.reference(model, input).values)
    }

    static let oracle = root.appendingPathComponent("shared/oracle")
    static let root = ONNXRuntime.root.deletingLastPathComponent()

    @Test(
        "inner products: the original's probabilities",
        .enabled(if: FileManager.default.fileExists(atPath: oracle.path), "../shared/oracle is not here")
    )
    func innerProducts() throws {
        let folder = Self.oracle.appendingPathComponent("v1")
        let model = try Caffe.readModel(
            weights: folder.appendingPathComponent("tiny_v1.caffemodel"),
            network: folder.appendingPathComponent("vgg_v1.prototxt")
        ).model
        let data = try NPYFile(folder.appendingPathComponent("data.npy")).floats()
        let expected = try NPYFile(folder.appendingPathComponent("prob.npy")).floats()
        let count = model.network.input.shape.count
        for picture in 0..<2 {
            let input = Array(data[(picture * count)..<((picture + 1) * count)])
            let (_, values) = try ONNXRuntime.result(model, .indices, input: input)
            for (value, wanted) in zip(values, expected[(picture * 5)...]) { #expect(abs(value - wanted) < 1e-6) }
        }
    }
}
