import CSegNetKernels
import Foundation
import SegNetData
import SegNetFormats
import SegNetGraph
import SegNetImages
import SegNetNetworks
import SegNetPlatform
import Testing

@testable import SegNetCPU
@testable import SegNetTraining

/// Training steps and single gradients of FCN, DeepLab and DeconvNet: `Tests/Golden/competitors`, and the larger part beside the
/// repository.
enum CompetitorGolden {
    static let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    static let small = package.appending(path: "Tests/Golden/competitors")
    static let whole = package.appending(path: "../shared/oracle/competitors").standardizedFileURL
    static var isThere: Bool { FileManager.default.fileExists(atPath: whole.appending(path: "README.md").path) }

    static func numbers(_ url: URL) throws -> (values: [Float], shape: Shape) {
        let file = try NPYFile(url)
        return (file.floats(), file.shape)
    }

    static func json(_ url: URL) throws -> [String: Any] {
        try #require(JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any])
    }

    /// The arrays of an uncompressed `.npz`, by name without `.npy`.
    static func arrays(_ url: URL) throws -> [String: [Float]] {
        let bytes = [UInt8](try Data(contentsOf: url))
        func number(_ at: Int, _ count: Int) -> Int { (0..<count).reduce(0) { $0 | Int(bytes[at + $1]) << (8 * $1) } }
        // The central directory: PK 1 2, sizes, names, where each file's header is.
        var arrays: [String: [Float]] = [:]
        var at = (0..<bytes.count - 4).first { number($0, 4) == 0x0201_4b50 } ?? bytes.count
        while at + 46 < bytes.count, number(at, 4) == 0x0201_4b50 {
            let (size, name, extra) = (number(at + 24, 4), number(at + 28, 2), number(at + 30, 2))
            let (comment, header) = (number(at + 32, 2), number(at + 42, 4))
            let title = String(decoding: bytes[at + 46..<at + 46 + name], as: UTF8.self)
            let start = header + 30 + number(header + 26, 2) + number(header + 28, 2)
            let file = FileManager.default.temporaryDirectory.appending(
                path: "segnet-\(UInt64.random(in: 0 ... .max)).npy"
            )
            try Data(bytes[start..<start + size]).write(to: file)
            arrays[String(title.dropLast(4))] = try numbers(file).values
            try FileManager.default.removeItem(at: file)
            at += 46 + name + extra + comment
        }
        return arrays
    }
}

/// A net of the oracle, ready to step as the original does.
struct CompetitorSteps {
    /// Where the weights, pictures and results are.
    let folder: URL
    let parameters: Parameters
    let learner: Learner
    let optimizer: Optimizer
    let stride: Int
    let rate: Double
    /// The batch of each step, and what its loss is divided by.
    let batches: [Batch]
    private let isMean: Bool

    init(
        _ folder: URL,
        upsamplingLearns: Bool = false,
        accuracy: InferenceOptions.Accuracy = .exact,
        set: InstructionSet
    ) throws {
        self.folder = folder
        let isDeepLab = folder.lastPathComponent == "deeplab"
        let mean: [Float] = isDeepLab ? [104.008, 116.669, 122.675] : [104.00698793, 116.66876762, 122.67891434]
        let model = try Caffe.readModel(
            weights: folder.appending(path: "init.caffemodel"),
            network: folder.appending(path: "net.prototxt"),
            options: Caffe.ReadingOptions(mean: mean)
        ).model
        let fixed = Architecture.fcn8s.fixedLayers(of: model.network, upsampling: upsamplingLearns ? .learnt : .fixed)
        parameters = try Parameters(
            model.network,
            options: TrainingOptions(
                accuracy: accuracy,
                instructionSet: set,
                frozenLayers: Set(fixed),
                layerRates: isDeepLab ? ["fc8_voc12": 10] : [:]
            )
        )
        try parameters.load(model.weights)
        var examples: [Example] = []
        for number in 1...2 {
            let image = try Image(contentsOf: folder.appending(path: "picture\(number).png")).rgb()
            let labels = try LabelMap(contentsOf: folder.appending(path: "labels\(number).png")).ids
            examples.append(
                Example(
                    pixels: image.pixels,
                    width: image.width,
                    height: image.height,
                    channels: 3,
                    labels: labels.map { $0 == 255 ? Example.ignored : $0 }
                )
            )
        }
        // DeepLab takes both pictures in each step, FCN the first, the second and the first again.
        batches =
            isDeepLab
            ? (0..<3).map { _ in Batch(examples: examples, epoch: 0) }
            : [0, 1, 0].map { Batch(examples: [examples[$0]], epoch: 0) }
        (stride, isMean) = isDeepLab ? (8, true) : (1, false)
        rate = isDeepLab ? 3e-7 : 3e-9
        learner = try Learner(
            parameters,
            batchSize: batches[0].examples.count,
            height: examples[0].height,
            width: examples[0].width,
            pool: ThreadPool(threadCount: 2)
        )
        optimizer = try Optimizer(
            OptimizerConfiguration(.sgd, momentum: isDeepLab ? 0.9 : 0.99, weightDecay: 0.0005),
            layout: parameters.layout
        )
    }

    /// The loss of a step's batch; its gradient is in the learner.
    func loss(_ step: Int) throws -> Double {
        let batch = batches[step]
        try learner.fill(batch, stride: stride)
        learner.forward()
        let labelled = batch.examples.reduce(0) { $0 + learner.labels(of: $1, stride: stride).count { $0 < 11 } }
        return learner.loss(
            classWeights: Array(repeating: 1, count: 11),
            divisor: Double(isMean ? labelled : batch.examples.count)
        ).loss
    }

    func step() throws {
        try optimizer.step(parameters, learningRate: rate, pool: ThreadPool(threadCount: 2))
    }
}

@Suite("Training steps of the competitors")
struct CompetitorTrainingTests {
    struct Setting: Sendable, CustomStringConvertible {
        var folder: URL
        var results: String
        var changes: String
        var learns = false
        var description: String { results }
    }

    static let deepLabSettings = [
        Setting(
            folder: CompetitorGolden.small.appending(path: "training/deeplab"),
            results: "results.json",
            changes: "change_after_2_steps.npz"
        )
    ]
    static let fcnSettings = ["fixed", "learnt"].map {
        Setting(
            folder: CompetitorGolden.whole.appending(path: "training/fcn8s"),
            results: "results_\($0).json",
            changes: "change_after_2_steps_\($0).npz",
            learns: $0 == "learnt"
        )
    }

    @Test(
        "DeepLab at every eighth pixel, classifier ten times as fast",
        arguments: deepLabSettings,
        InstructionSet.available
    )
    func deepLab(setting: Setting, set: InstructionSet) throws { try check(setting, set) }

    @Test(
        "FCN-8s summed over pixels, upsampling fixed and learnt",
        .enabled(if: CompetitorGolden.isThere, "needs ../shared/oracle/competitors"),
        arguments: fcnSettings,
        InstructionSet.available
    )
    func fcn(setting: Setting, set: InstructionSet) throws { try check(setting, set) }

    private func check(_ setting: Setting, _ set: InstructionSet) throws {
        let run = try CompetitorSteps(setting.folder, upsamplingLearns: setting.learns, set: set)
        let results = try CompetitorGolden.json(setting.folder.appending(path: setting.results))
        let golden = try #require(results["losses"] as? [Double])
        let norms = try #require(results["gradient_norms"] as? [[String: Double]])
        let initial = try run.parameters.weights()
        for (number, bound) in [1e-5, 1e-4, 1e-4].enumerated() {
            let loss = try run.loss(number)
            #expect(abs(loss - golden[number]) <= bound * golden[number], "loss \(number): \(loss), \(golden[number])")
            if number == 2 { break }
            run.parameters.clearGradients()
            run.learner.backward()
            let gradients = try run.parameters.gradientTensors()
            // Fixed parameters are not even asked for their gradient.
            for (name, norm) in norms[number] where setting.learns || !name.hasPrefix("upscore") {
                let values = try #require(gradients[Self.tensor(name)]).floats()
                let found = values.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
                #expect(abs(found - norm) <= 1e-4 * norm, "step \(number), \(name): \(found), \(norm)")
            }
            if number == 0 { try compare(gradients, setting) }
            try run.step()
        }
        let changes = try CompetitorGolden.arrays(setting.folder.appending(path: setting.changes))
        #expect(changes.count > 5)
        let final = try run.parameters.weights()
        for (name, expected) in changes {
            let (before, after) = (try #require(initial[Self.tensor(name)]), try #require(final[Self.tensor(name)]))
            let largest = expected.map(abs).max() ?? 0
            let (old, new) = (before.floats(), after.floats())
            #expect(old.count == expected.count)
            // Two steps, each of which rounds the weight.
            let isClose = expected.indices.allSatisfy {
                abs((new[$0] - old[$0]) - expected[$0]) <= 1e-3 * largest + 2 * max(old[$0].ulp, new[$0].ulp)
            }
            #expect(isClose, "change of \(name)")
            if largest == 0 { #expect(old == new, "\(name)") }
        }
    }

    /// `fc6.0` -> `fc6.weight`
    private static func tensor(_ name: String) -> String {
        name.hasSuffix(".0") ? "\(name.dropLast(2)).weight" : "\(name.dropLast(2)).bias"
    }

    private func compare(_ gradients: Weights, _ setting: Setting) throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: setting.folder.path).filter {
            $0.hasSuffix(".gradient.npy") && (setting.learns || !$0.hasPrefix("upscore"))
        }
        #expect(files.count >= 4)
        for file in files {
            let golden = try CompetitorGolden.numbers(setting.folder.appending(path: file))
            let tensor = try #require(gradients[Self.tensor(String(file.dropLast(13)))])
            var ours = tensor.floats()
            if golden.shape != tensor.shape {
                // Every second map of the upsampling.
                let taps = tensor.shape[2] * tensor.shape[3]
                let whole = ours
                ours = []
                for input in stride(from: 0, to: tensor.shape[0], by: 2) {
                    for output in stride(from: 0, to: tensor.shape[1], by: 2) {
                        let start = (input * tensor.shape[1] + output) * taps
                        ours += whole[start..<start + taps]
                    }
                }
            }
            #expect(ours.count == golden.values.count, "\(file)")
            let difference = zip(ours, golden.values).reduce(0.0) { $0 + pow(Double($1.0) - Double($1.1), 2) }
            let norm = golden.values.reduce(0.0) { $0 + Double($1) * Double($1) }
            #expect(difference.squareRoot() <= 1e-4 * norm.squareRoot(), "\(file): \((difference / norm).squareRoot())")
        }
    }
}

@Suite("Gradients of the competitors' layers")
struct CompetitorGradientTests {
    static let names: [String] = {
        let folder = CompetitorGolden.small.appending(path: "layers")
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return files.filter { $0.hasSuffix(".dy.npy") }.map { String($0.dropLast(7)) }.sorted()
    }()

    /// A 1x1 convolution that changes nothing stands in front, so that the gradient of the layer's input is wanted.
    @Test("are the original's layers' in float64", arguments: names, InstructionSet.available)
    func layer(name: String, set: InstructionSet) throws {
        let folder = CompetitorGolden.small.appending(path: "layers")
        func file(_ ending: String) -> URL { folder.appending(path: "\(name).\(ending)") }
        var network = try Caffe.readNetwork(file("prototxt")).network
        var weights = Weights()
        if try !network.parameters().isEmpty {
            weights = try Caffe.readModel(weights: file("caffemodel"), network: file("prototxt")).model.weights
        }
        let x = try CompetitorGolden.numbers(file("x.npy"))
        let (channels, height, width) = (x.shape[0], x.shape[1], x.shape[2])
        let same = (0..<channels * channels).map { Float($0 % (channels + 1) == 0 ? 1 : 0) }
        weights["same.weight"] = WeightTensor(shape: [channels, channels, 1, 1], values: same)
        network.layers[0].inputs = network.layers[0].inputs.map { $0 == "data" ? "same" : $0 }
        let kind = Convolution(outputChannels: channels, window: Window(1), hasBias: false)
        network.layers.insert(Layer("same", inputs: ["data"], .convolution(kind)), at: 0)
        let parameters = try Parameters(
            network,
            options: TrainingOptions(accuracy: .exact, instructionSet: set)
        )
        try parameters.load(weights)
        let learner = try Learner(
            parameters,
            batchSize: 1,
            height: height,
            width: width,
            pool: ThreadPool(threadCount: 2)
        )
        let plane = height * width
        learner.fill([(0..<plane * channels).map { x.values[$0 % channels * plane + $0 / channels] }], labels: [])
        learner.forward()
        let y = try CompetitorGolden.numbers(file("y.npy"))
        expectClose(learner.scores(picture: 0), y.values, bound: 1e-6, "y")
        let dy = try CompetitorGolden.numbers(file("dy.npy"))
        let plan = learner.plan
        let map = learner.gradientMap(plan.scores)
        for block in 0..<map.map.blocks { map.clear(block: block) }
        for c in 0..<dy.shape[0] {
            for i in 0..<dy.shape[1] {
                for j in 0..<dy.shape[2] { map[c, i, j] = dy.values[(c * dy.shape[1] + i) * dy.shape[2] + j] }
            }
        }
        parameters.clearGradients()
        learner.backward()
        let input = try #require(plan.graph.nodes.first { $0.name == "same" }).outputs[0]
        let dx = learner.gradientMap(input)
        let found = (0..<channels).flatMap { c in
            (0..<height).flatMap { i in (0..<width).map { j in dx[c, i, j] } }
        }
        expectClose(found, try CompetitorGolden.numbers(file("dx.npy")).values, bound: 2e-6, "dx")
        let gradients = try parameters.gradientTensors()
        for (ending, tensor) in [("dweight.npy", "y.weight"), ("dbias.npy", "y.bias")] {
            guard FileManager.default.fileExists(atPath: file(ending).path) else { continue }
            let golden = try CompetitorGolden.numbers(file(ending)).values
            expectClose(try #require(gradients[tensor]).floats(), golden, bound: 2e-6, tensor)
        }
    }

    private func expectClose(_ found: [Float], _ golden: [Float], bound: Float, _ what: String) {
        let largest = golden.map(abs).max() ?? 0
        let error = zip(found, golden).map { abs($0 - $1) }.max() ?? .infinity
        #expect(found.count == golden.count && error <= bound * largest, "\(what): \(error) of \(largest)")
    }
}

extension Learner {
    /// Where the gradient of a value lies while and after it is read.
    fileprivate func gradientMap(_ value: ValueID) -> MapView {
        let run = run(shared: 0, isBackward: true)
        return MapView(sn_map(plan.values[value], at: run.arena + plan.gradientOffsets[value]))
    }
}
