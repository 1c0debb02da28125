import Foundation
import SegNetData
import SegNetEvaluation
import SegNetFormats
import SegNetImages
import SegNetNetworks
import SegNetPlatform
import SegNetReference
import Testing

@testable import SegNetCPU
@testable import SegNetTraining

@Suite("Gradients of several ranks")
struct RankGradientTests {
    static let pictures = 4

    static func network(normalized: Bool) -> Network {
        let middle = normalized ? [LayerCase.conv("a", 20), LayerCase.bn("n")] : [LayerCase.conv("a", 20)]
        let layers =
            middle + [
                LayerCase.relu("r"), LayerCase.conv("b", 16), Layer("d", .dropout(Dropout(ratio: 0.5))),
                LayerCase.conv("c", 4),
            ]
        return LayerCase("ranks", layers).network
    }

    struct Example: Sendable {
        var weights: Weights
        var inputs: [[Float]]
        var labels: [UInt16]
        var classWeights: [Float]
        var labelled: Double
    }

    static func example(_ network: Network) throws -> Example {
        var random = RandomNumbers(seed: 7)
        let pixels = network.input.height * network.input.width
        let inputs = (0..<pictures).map { _ in
            (0..<pixels * network.input.channels.count).map { _ in Float(random.gaussian()) }
        }
        let labels = (0..<pictures * pixels).map { $0 % 7 == 3 ? UInt16.max : UInt16(random.next() % 4) }
        return Example(
            weights: try Weights.initial(for: network, seed: 3),
            inputs: inputs,
            labels: labels,
            classWeights: [0.5, 1.5, 2.5, 3.5],
            labelled: Double(labels.count { $0 != .max })
        )
    }

    /// The gradients of a batch, or what a rank has of them after the exchange.
    static func gradients(_ network: Network, _ example: Example, _ ranks: TrainingRanks? = nil) throws -> [String:
        [Float]]
    {
        let parameters = try Parameters(network, options: TrainingOptions(accuracy: .exact))
        try parameters.load(example.weights)
        let share = try ranks?.share(of: pictures) ?? 0..<pictures
        let (height, width) = (network.input.height, network.input.width)
        let learner = try Learner(
            parameters,
            batchSize: share.count,
            height: height,
            width: width,
            pool: ThreadPool(threadCount: 1)
        )
        learner.exchange = ranks?.exchange(learner, batchSize: pictures, share: share)
        defer { learner.exchange?.stop() }
        let pixels = height * width
        learner.fill(
            Array(example.inputs[share]),
            labels: Array(example.labels[share.lowerBound * pixels..<share.upperBound * pixels])
        )
        learner.forward(dropoutSeed: 5)
        _ = learner.loss(classWeights: example.classWeights, divisor: example.labelled, jaccardWeight: 0.7)
        learner.backward(exchanging: true)
        try learner.exchange?.wait()
        return try parameters.gradientTensors().tensors.mapValues { $0.floats() }
    }

    @Test(
        "are those of one process with the whole batch",
        arguments: [2, 3, 4],
        [(false, 1e-6), (true, 1e-5)]
    )
    func equal(ranks count: Int, kind: (normalized: Bool, bound: Double)) throws {
        let network = Self.network(normalized: kind.normalized)
        let example = try Self.example(network)
        let alone = try Self.gradients(network, example)
        let found = LocalRanks(count).run { group in
            try Self.gradients(network, example, TrainingRanks(group, sharesStatistics: true))
        }
        let first = try found[0].get()
        #expect(!alone.isEmpty && first.count == alone.count)
        for (name, numbers) in alone {
            let other = try #require(first[name])
            let difference = zip(numbers, other).reduce(0) { $0 + pow(Double($1.0 - $1.1), 2) }.squareRoot()
            let norm = numbers.reduce(0) { $0 + pow(Double($1), 2) }.squareRoot()
            // The gradient of a bias before a batch normalisation consists of rounding only.
            let whole = alone.values.joined().reduce(0) { $0 + pow(Double($1), 2) }.squareRoot()
            #expect(difference <= kind.bound * max(norm, 0.01 * whole), "\(name): \(difference) of \(norm)")
        }
        for other in found.dropFirst() { #expect(try other.get() == first) }
    }

    @Test("with each rank's own statistics differ, since normalisation sees fewer pictures")
    func ownStatistics() throws {
        let network = Self.network(normalized: true)
        let example = try Self.example(network)
        let alone = try Self.gradients(network, example)
        let found = LocalRanks(2).run { try Self.gradients(network, example, TrainingRanks($0)) }
        #expect(try found[0].get() != alone)
        #expect(try found[0].get() == found[1].get())
    }
}

@Suite("Buckets of gradients")
struct GradientBucketTests {
    @Test(
        "contain each parameter that learns once, in the order of the backward pass",
        arguments: [1, 5000, 1 << 20],
        [[], ["b"], ["a", "n", "c"]]
    )
    func covering(size: Int, frozen: [String]) throws {
        let network = RankGradientTests.network(normalized: true)
        let options = TrainingOptions(frozenLayers: Set(frozen))
        let layout = try ParameterLayout(network, options: options)
        let plan = try TrainingPlan(
            layout,
            batchSize: 1,
            height: network.input.height,
            width: network.input.width
        )
        let buckets = GradientBuckets(layout, backwardNodes: plan.backwardNodes, size: size).buckets
        var seen = [Int](repeating: 0, count: layout.count)
        for range in buckets.flatMap(\.ranges) { for index in range { seen[index] += 1 } }
        for range in layout.ranges {
            let isFrozen = frozen.contains(range.layer)
            #expect(range.range.allSatisfy { seen[$0] == (isFrozen ? 0 : 1) }, "\(range.name)")
        }
        #expect(seen.max() == 1)
        let positions = buckets.map { plan.backwardNodes.firstIndex(of: $0.node) ?? -1 }
        #expect(positions == positions.sorted() && !positions.contains(-1))
        // With three layers frozen, everything that learns comes after one node.
        #expect(size > 1 || frozen.count > 1 || buckets.count > 1)
    }
}

@Suite("A training of several ranks", .serialized)
struct RankTrainingTests {
    static func recipe() -> TrainingConfiguration {
        var recipe = smallRecipe()
        recipe.batchSize = 4
        recipe.count = 12
        recipe.iterations = 6
        recipe.average = 0
        return recipe
    }

    struct Rank: Sendable {
        var losses: [Double]
        var weights: Data
        var step: Int
        var isFinished: Bool
    }

    /// Trains as one rank of several.
    static func train(
        _ recipe: TrainingConfiguration,
        _ group: any RankGroup,
        in folder: URL,
        sharesStatistics: Bool = true,
        stopAfter: Int = .max,
        dataset: (Int) throws -> Dataset? = { _ in nil }
    ) throws -> Rank {
        let trainer = try Trainer(
            recipe,
            dataset: try dataset(group.rank) ?? TrainerTests.data(recipe),
            output: folder,
            resume: true,
            threads: 1,
            ranks: TrainingRanks(group, sharesStatistics: sharesStatistics)
        )
        var losses: [Double] = []
        // Only one rank is asked.
        let result = try trainer.run(shouldStop: { group.rank == group.count - 1 && losses.count >= stopAfter }) {
            if case .step(let report) = $0 { losses.append(report.loss) }
        }
        let weights = trainer.parameters.valueBuffer.withMemoryRebound(to: UInt8.self) { Data($0) }
        return Rank(losses: losses, weights: weights, step: trainer.completedSteps, isFinished: result.isFinished)
    }

    static func alone(_ recipe: TrainingConfiguration, in folder: URL) throws -> [Double] {
        let trainer = try Trainer(recipe, dataset: TrainerTests.data(recipe), output: folder, threads: 1)
        var losses: [Double] = []
        try trainer.run(observe: { if case .step(let report) = $0 { losses.append(report.loss) } })
        return losses
    }

    @Test(
        "with shared statistics equals that of one process, with dropout, accumulated batches and uneven shares",
        arguments: [1, 2, 3, 4]
    )
    func sameTraining(count: Int) throws {
        var recipe = Self.recipe()
        recipe.architecture = .bayesianSegNetBasic
        recipe.accumulate = 2
        recipe.jaccardWeight = 0.5
        let (one, many) = (try RunFolder(), try RunFolder())
        let alone = try Self.alone(recipe, in: one.url)
        let url = many.url
        let ranks = try LocalRanks(count).run { [recipe] in try Self.train(recipe, $0, in: url) }.map { try $0.get() }
        // Sums in another order: the difference grows from step to step.
        for (a, b) in zip(alone, ranks[0].losses) { #expect(abs(a - b) < 1e-2 * a, "\(alone) \(ranks[0].losses)") }
        #expect(abs(alone[0] - ranks[0].losses[0]) < 1e-5 * alone[0])
        for rank in ranks {
            #expect(rank.isFinished && rank.losses == ranks[0].losses && rank.weights == ranks[0].weights)
        }
        // One rank writes, and writes once.
        let log = String(decoding: try many.bytes("log.jsonl"), as: UTF8.self).split(separator: "\n")
        #expect(log.count { $0.contains("\"kind\":\"step\"") } == 6)
        #expect(log.count { $0.contains("\"kind\":\"start\"") } == 1)
        #expect(log.contains { $0.contains("\"waitingShare\":") })
        // Pictures that are not trained on are scored alike: all pictures of the validation once.
        let scores = [one, many].map { folder in
            (try? folder.bytes("log.jsonl")).map { String(decoding: $0, as: UTF8.self) }?.split(separator: "\n").count {
                $0.contains("\"kind\":\"validation\"")
            }
        }
        #expect(scores[0] == scores[1] && scores[0] ?? 0 > 0)
        #expect(try SafetensorsFile.readModel(many.url.appending(path: "last.safetensors")).weights.tensors.count > 0)
    }

    @Test("if one rank is asked to stop, all end at the same step, and another number of ranks continues")
    func stopped() throws {
        var recipe = Self.recipe()
        // AdamW divides by the size of the gradients: where they are all but 0, rounding decides a step. A small rate bounds it.
        recipe.learningRate = 0.001
        let (whole, parts) = (try RunFolder(), try RunFolder())
        let alone = try Self.alone(recipe, in: whole.url)
        let url = parts.url
        let first = try LocalRanks(2).run { [recipe] in try Self.train(recipe, $0, in: url, stopAfter: 2) }.map {
            try $0.get()
        }
        #expect(first.map(\.step) == [2, 2] && !first.contains(where: \.isFinished))
        let second = try LocalRanks(4).run { [recipe] in try Self.train(recipe, $0, in: url, stopAfter: 2) }.map {
            try $0.get()
        }
        #expect(second.map(\.step) == [4, 4, 4, 4])
        // One process alone ends it.
        let trainer = try Trainer(recipe, dataset: TrainerTests.data(recipe), output: url, resume: true, threads: 1)
        var rest: [Double] = []
        #expect(try trainer.run(observe: { if case .step(let report) = $0 { rest.append(report.loss) } }).isFinished)
        let losses = first[0].losses + second[0].losses + rest
        #expect(losses.count == 6)
        for (a, b) in zip(alone, losses) { #expect(abs(a - b) < 1e-2 * a, "\(alone) \(losses)") }
    }

    @Test("counts as waiting what a rank waits within its steps, not between them")
    func waiting() throws {
        let recipe = Self.recipe()
        let folder = try RunFolder()
        let url = folder.url
        let results = LocalRanks(2).run { [recipe] group -> (ExchangeReport?, [Double?]) in
            let trainer = try Trainer(
                recipe,
                dataset: TrainerTests.data(recipe),
                output: url,
                threads: 1,
                ranks: TrainingRanks(group)
            )
            var shares: [Double?] = []
            // Rank 1 takes its time after each step, and rank 0 waits for its answer whether to stop.
            let hesitate = {
                if group.rank == 1 { Thread.sleep(forTimeInterval: 0.3) }
                return false
            }
            try trainer.run(shouldStop: hesitate) { if case .step(let step) = $0 { shares.append(step.waitingShare) } }
            return (trainer.exchangeReport, shares)
        }
        let (report, shares) = try results[0].get()
        let found = try #require(report)
        #expect(found.waitedSeconds < found.seconds, "\(found)")
        #expect(shares.count == 6 && shares.allSatisfy { $0.map { (0..<1).contains($0) } ?? false }, "\(shares)")
    }

    @Test(
        "ends after 50 steps as close as with another seed, even with each rank's own statistics",
        arguments: [false, true]
    )
    func noise(sharesStatistics: Bool) throws {
        var recipe = Self.recipe()
        recipe.iterations = 50
        recipe.validateEvery = 1000
        recipe.validationShare = 0
        func end(_ losses: [Double]) -> Double { losses.suffix(10).reduce(0, +) / 10 }
        let alone = end(try Self.alone(recipe, in: RunFolder().url))
        let folder = try RunFolder()
        let url = folder.url
        let ranks = try LocalRanks(2).run { [recipe] in
            try Self.train(recipe, $0, in: url, sharesStatistics: sharesStatistics)
        }[0].get()
        var others: [Double] = []
        for seed in [2, 3, 4] as [UInt64] {
            recipe.seed = seed
            others.append(end(try Self.alone(recipe, in: RunFolder().url)))
        }
        let noise = others.map { abs($0 - alone) }.max() ?? 0
        #expect(abs(end(ranks.losses) - alone) <= noise, "\(alone), \(end(ranks.losses)), seeds \(others)")
    }

    @Test("ends on all ranks if one cannot read a picture, and rank 0 saves what was learnt")
    func unreadable() throws {
        let folder = try RunFolder()
        try TwoClasses.write(to: folder.url.appending(path: "data"), pictures: 12)
        var recipe = Self.recipe()
        recipe.dataset = .folder
        recipe.data = folder.url.appending(path: "data").path
        recipe.size = nil
        recipe.classWeights = "none"
        recipe.iterations = 20
        recipe.cacheMegabytes = 0
        recipe.checkpointMinutes = 1000
        recipe.validateEvery = 1000
        let run = try RunFolder()
        let url = run.url
        let results = LocalRanks(2).run { [recipe] group -> Rank in
            // Rank 1 has the names; where it looks for them, the files go.
            let trainer = try Trainer(recipe, output: url, threads: 1, ranks: TrainingRanks(group))
            var steps = 0
            try trainer.run(observe: { event in
                if case .step = event { steps += 1 }
                guard steps == 4, group.rank == 1 else { return }
                try? FileManager.default.removeItem(atPath: recipe.data + "/images")
            })
            return Rank(losses: [], weights: Data(), step: steps, isFinished: true)
        }
        #expect(throws: (any Error).self) { try results[0].get() }
        #expect(throws: (any Error).self) { try results[1].get() }
        let step = try Checkpoint.progress(url.appending(path: "last.checkpoint")).step
        #expect((4..<20).contains(step))
    }

    @Test(
        "if a rank is lost in the middle of a step, the others end, and the last whole step is saved",
        arguments: [3, 12, 25]
    )
    func lost(call: Int) throws {
        var recipe = Self.recipe()
        recipe.iterations = 40
        recipe.checkpointMinutes = 1000
        recipe.validateEvery = 1000
        let folder = try RunFolder()
        let url = folder.url
        let results = LocalRanks(3, lost: (rank: 2, call: call)).run { [recipe] in
            try Self.train(recipe, $0, in: url)
        }
        for result in results { #expect(throws: (any Error).self) { try result.get() } }
        let checkpoint = url.appending(path: "last.checkpoint")
        guard FileManager.default.fileExists(atPath: checkpoint.path) else { return }
        // It continues as if nothing had happened.
        let alone = try Self.alone(recipe, in: RunFolder().url)
        let step = try Checkpoint.progress(checkpoint).step
        let rest = try LocalRanks(2).run { [recipe] in try Self.train(recipe, $0, in: url) }[0].get()
        #expect(step + rest.losses.count == 40)
        #expect(abs(rest.losses[0] - alone[step]) < 5e-3 * alone[step], "\(step)")
    }

    @Test("is refused with more ranks than pictures in a batch, and with other pictures than rank 0's")
    func refused() throws {
        let recipe = Self.recipe()
        let folder = try RunFolder()
        let url = folder.url
        let results = LocalRanks(5).run { try Self.train(recipe, $0, in: url) }
        for result in results {
            do { _ = try result.get() } catch {
                #expect(
                    "\(error)"
                        == "batch-size: 5 ranks cannot share 4 pictures; start at most 4, or give a larger batch size."
                )
            }
        }
        let differing = LocalRanks(2).run { group in
            try Self.train(recipe, group, in: url) { rank in
                var data = try TrainerTests.data(recipe)
                if rank == 1 { data.splits["train"]?.swapAt(0, 1) }
                return data
            }
        }
        #expect(throws: OtherRankError.self) { try differing[0].get() }
        #expect(throws: RanksDifferError.self) { try differing[1].get() }
    }

    @Test("agrees on the fastest kernels that all ranks have")
    func instructionSets() throws {
        let slowest = try InstructionSet(named: "portable")
        let mixed = LocalRanks(3).run { group in
            try TrainingRanks.commonInstructionSet(group, own: group.rank == 1 ? slowest : .best).name
        }
        #expect(try mixed.map { try $0.get() } == ["portable", "portable", "portable"])
        let same = LocalRanks(2).run { try TrainingRanks.commonInstructionSet($0, own: .best).name }
        #expect(try same.map { try $0.get() } == Array(repeating: InstructionSet.best.name, count: 2))
    }
}
