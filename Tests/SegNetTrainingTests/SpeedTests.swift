import Foundation
import SegNetData
import SegNetInference
import SegNetNetworks
import SegNetTensors
import Testing

@testable import SegNetTraining

@Suite(.enabled(if: ProcessInfo.processInfo.environment["SPEED"] != nil)) struct SpeedTests {
    @Test(arguments: [0, 1]) func step(which: Int) throws {
        let threads = Int(ProcessInfo.processInfo.environment["SPEED"] ?? "2") ?? 2
        var options = ArchitectureOptions()
        options.statistics = .batch
        let (w, h, n) = which == 0 ? (240, 176, 4) : (480, 352, 2)
        options.input = .bgr255(height: h, width: w)
        let network = which == 0 ? Architectures.segNetBasic(classes: 11, options: options) : Architectures.segNet(classes: 11, options: options)
        let parameters = try Parameters(network)
        try parameters.load(Weights.initial(for: network, seed: 1))
        let learner = try Learner(parameters, batchSize: n, height: h, width: w, pool: ThreadPool(threadCount: threads))
        print("workspace", learner.plan.workspaceBytes(threads: threads) >> 20, "MiB, parameters", parameters.layout.count * 4 >> 20)
        var random = RandomNumbers(seed: 1)
        let examples = (0..<n).map { _ in
            Example(pixels: (0..<w * h * 3).map { _ in UInt8(truncatingIfNeeded: random.next()) }, width: w, height: h, channels: 3, labels: (0..<w * h).map { _ in UInt16(random.next() % 11) })
        }
        var best: [String: Double] = [:]
        let clock = ContinuousClock()
        for round in 0..<4 {
            try learner.fill(Batch(examples: examples, epoch: 0))
            let a = clock.now
            learner.forward()
            let b = clock.now
            let loss = learner.loss(classWeights: Array(repeating: 1, count: 11), divisor: Double(w * h * n))
            let c = clock.now
            parameters.clearGradients()
            learner.observe = { name, time in best["b " + name] = min(best["b " + name] ?? 1e9, time) }
            learner.backward()
            let d = clock.now
            func s(_ x: Duration) -> Double { Double(x.components.attoseconds) / 1e18 + Double(x.components.seconds) }
            print(round, "loss", loss.loss, "forward", s(b - a), "loss", s(c - b), "backward", s(d - c), "total", s(d - a))
        }
        for (k, v) in best.sorted(by: { $0.value > $1.value }).prefix(20) { print(k, Int(v * 1e6), "us") }
    }
}
