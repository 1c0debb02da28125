import Foundation
import SegNetFormats
import SegNetNetworks
import SegNetPlatform
import Testing

@testable import SegNetCPU
@testable import SegNetTraining

/// Three steps of the original program on two small pictures: `../shared/oracle/training`, whose README states what another correct
/// program can reach.
enum TrainingOracle {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "../shared/oracle/training").standardizedFileURL

    static var isThere: Bool { FileManager.default.fileExists(atPath: folder.appending(path: "label.npy").path) }

    static func numbers(_ path: String) throws -> (values: [Float], shape: Shape) {
        let file = try NPYFile(folder.appending(path: path))
        return (file.floats(), file.shape)
    }

    static func losses(_ net: String) throws -> [Double] {
        let data = try Data(contentsOf: folder.appending(path: "\(net)/results.json"))
        let object = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
        return try #require(object["losses"] as? [Double])
    }

    /// The authors' class weights.
    static let classWeights: [Float] = [
        0.2595, 0.1826, 4.5640, 0.1417, 0.9051, 0.3826, 9.6446, 1.8418, 0.6823, 6.2478, 7.3614,
    ]
}

/// A net of the oracle with its batch, ready to step.
struct OracleRun {
    let parameters: Parameters
    let learner: Learner
    let labelled: Int
    private let inputs: [[Float]]
    private let labels: [UInt16]

    init(_ net: String, accuracy: InferenceOptions.Accuracy, instructionSet: InstructionSet) throws {
        let folder = TrainingOracle.folder.appending(path: net)
        let model = try Caffe.readModel(
            weights: folder.appending(path: "init.caffemodel"),
            network: folder.appending(path: "train.prototxt"),
            options: Caffe.ReadingOptions(allowsBatchStatistics: true)
        ).model
        var multipliers = ParameterMultipliers()
        if net == "segnet_basic" { multipliers.shift.decay = 1 }
        parameters = try Parameters(
            model.network,
            options: TrainingOptions(accuracy: accuracy, instructionSet: instructionSet, multipliers: multipliers)
        )
        try parameters.load(model.weights)
        learner = try Learner(parameters, batchSize: 2, height: 40, width: 64, pool: ThreadPool(threadCount: 2))
        let (planar, _) = try TrainingOracle.numbers("data.npy")
        let (label, _) = try TrainingOracle.numbers("label.npy")
        let pixels = 40 * 64
        inputs = (0..<2).map { picture in
            (0..<pixels * 3).map { planar[(picture * 3 + $0 % 3) * pixels + $0 / 3] }
        }
        labels = label.map { $0 > 10 ? UInt16.max : UInt16($0) }
        labelled = labels.count { $0 != UInt16.max }
    }

    func loss() -> Double {
        learner.fill(inputs, labels: labels)
        learner.forward()
        return learner.loss(classWeights: TrainingOracle.classWeights, divisor: Double(labelled)).loss
    }

    func gradient() -> Double {
        parameters.clearGradients()
        let loss = loss()
        learner.backward()
        return loss
    }

    /// The original's update, in plain Swift.
    func step(_ velocity: inout [Float]) {
        let (values, gradients) = (parameters.valueBuffer, parameters.gradientBuffer)
        for range in parameters.layout.ranges {
            for i in range.range {
                let g = gradients[i] + 0.0005 * range.decayMultiplier * values[i]
                velocity[i] = 0.9 * velocity[i] + 0.1 * range.learningRateMultiplier * g
                values[i] -= velocity[i]
            }
        }
    }
}

@Suite("The original's training steps", .enabled(if: TrainingOracle.isThere, "needs ../shared/oracle/training"))
struct OracleTrainingTests {
    static let nets = ["segnet_basic", "segnet_two_stages"]

    @Test("losses and gradients without Winograd", arguments: nets, InstructionSet.available)
    func exact(net: String, instructionSet: InstructionSet) throws {
        let run = try OracleRun(net, accuracy: .exact, instructionSet: instructionSet)
        let golden = try TrainingOracle.losses(net)
        var velocity = [Float](repeating: 0, count: run.parameters.layout.count)
        for (index, bound) in [1e-5, 1e-4, 1e-4, 1e-3].enumerated() {
            let loss = index < 3 ? run.gradient() : run.loss()
            #expect(
                abs(loss - golden[index]) <= bound * golden[index],
                "loss after \(index): \(loss), \(golden[index])"
            )
            if index == 0 { try checkTensors(run.parameters.gradientTensors(), net, "gradient", bound: 1e-4) }
            if index < 3 { run.step(&velocity) }
            if index == 0 { try checkTensors(run.parameters.weights(), net, "after1", bound: 2e-6) }
        }
    }

    @Test("losses with Winograd", arguments: nets, InstructionSet.available)
    func fast(net: String, instructionSet: InstructionSet) throws {
        let run = try OracleRun(net, accuracy: .fast, instructionSet: instructionSet)
        let golden = try TrainingOracle.losses(net)
        var velocity = [Float](repeating: 0, count: run.parameters.layout.count)
        for index in 0..<4 {
            let loss = index < 3 ? run.gradient() : run.loss()
            #expect(abs(loss - golden[index]) <= 1e-2 * golden[index], "loss after \(index): \(loss), \(golden[index])")
            if index < 3 { run.step(&velocity) }
        }
    }

    /// Two nearly equal values of a window may swap with the rounding of Winograd's transforms, and a number near 0 may fall on ReLU's
    /// other side; with the decisions of the exact run only the rounding is left.
    @Test("gradients with Winograd and the exact run's decisions", arguments: nets, InstructionSet.available)
    func forcedDecisions(net: String, instructionSet: InstructionSet) throws {
        let exact = try OracleRun(net, accuracy: .exact, instructionSet: instructionSet)
        _ = exact.loss()
        let decisions = exact.learner.decisions
        #expect(decisions.indices.count == (net == "segnet_basic" ? 4 : 2))
        let run = try OracleRun(net, accuracy: .fast, instructionSet: instructionSet)
        run.learner.takeDecisions(decisions)
        let golden = try TrainingOracle.losses(net)[0]
        let loss = run.loss()
        #expect(abs(loss - golden) <= 1e-2 * golden, "loss \(loss), \(golden)")
        #expect(run.learner.decisions == decisions)
        run.learner.backward()
        try checkTensors(run.parameters.gradientTensors(), net, "gradient", bound: 1e-3)
    }

    @Test(
        "forcing the decisions that a run takes anyway changes nothing but rounding, others change the gradient",
        arguments: nets
    )
    func forcedSame(net: String) throws {
        let run = try OracleRun(net, accuracy: .exact, instructionSet: .best)
        _ = run.loss()
        let decisions = run.learner.decisions
        run.learner.backward()
        let gradient = Array(run.parameters.gradientBuffer)
        func difference(_ forced: PassDecisions) -> Double {
            run.learner.takeDecisions(forced)
            _ = run.gradient()
            var (difference, norm) = (0.0, 0.0)
            for (a, b) in zip(run.parameters.gradientBuffer, gradient) {
                difference += (Double(a) - Double(b)) * (Double(a) - Double(b))
                norm += Double(b) * Double(b)
            }
            return (difference / norm).squareRoot()
        }
        #expect(difference(decisions) < 1e-5)
        var moved = decisions
        moved.indices = moved.indices.mapValues { $0.map { _ in 0 } }
        #expect(difference(moved) > 0.01)
    }

    private func checkTensors(_ weights: Weights, _ net: String, _ kind: String, bound: Double) throws {
        let files = try FileManager.default.contentsOfDirectory(
            atPath: TrainingOracle.folder.appending(path: net).path
        ).filter { $0.hasSuffix(".\(kind).npy") }
        #expect(files.count > 10)
        for file in files.sorted() {
            let parts = file.split(separator: ".")
            let name = "\(parts[0]).\(parts[1])"
            let tensor = try #require(weights[name])
            var ours = tensor.floats()
            if parts[2].hasPrefix("every8th") {
                let shape = tensor.shape
                let taps = shape[2] * shape[3]
                let whole = ours
                ours = []
                for out in stride(from: 0, to: shape[0], by: 8) {
                    for input in stride(from: 0, to: shape[1], by: 8) {
                        let start = (out * shape[1] + input) * taps
                        ours += whole[start..<start + taps]
                    }
                }
            }
            let golden = try TrainingOracle.numbers("\(net)/\(file)").values
            #expect(ours.count == golden.count)
            var (difference, norm, most) = (0.0, 0.0, 0.0)
            for (a, b) in zip(ours, golden) {
                difference += (Double(a) - Double(b)) * (Double(a) - Double(b))
                norm += Double(b) * Double(b)
                most = max(most, abs(Double(a) - Double(b)))
            }
            // A bias in front of a normalisation has no gradient but for rounding.
            let isRounding = norm.squareRoot() < 1e-6
            let error = kind == "gradient" ? (difference / max(norm, 1e-300)).squareRoot() : most
            #expect(isRounding ? most < 1e-6 : error <= bound, "\(file): \(error)")
        }
    }
}
