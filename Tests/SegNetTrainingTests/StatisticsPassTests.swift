import Foundation
import SegNetData
import SegNetFormats
import SegNetImages
import SegNetNetworks
import SegNetPlatform
import Testing

@testable import SegNetCPU
@testable import SegNetTraining

@Suite("The statistics of a finished training")
struct StatisticsPassTests {
    @Test(
        "come from batches of eight where the training's is smaller, and of at most four times as many",
        arguments: [(1, 4), (2, 8), (3, 8), (7, 8), (8, 8), (9, 9), (64, 64)]
    )
    func batchSize(training: Int, pictures: Int) {
        #expect(StatisticsPass.batchSize(training: training, rule: .exact) == pictures)
        #expect(StatisticsPass.batchSize(training: training, rule: .original) == training)
    }

    /// The weights and statistics that a pass over batches of one size makes of the model as it stands.
    /// - Parameter data: Nil: the trainer's.
    private static func weights(
        _ trainer: Trainer,
        _ data: DatasetPool? = nil,
        batchSize: Int,
        progress: (Int, Int) -> Void = { _, _ in }
    ) throws -> Weights {
        let data = data ?? trainer.data
        let pictures = data.representatives(nil, at: 0)
        return try StatisticsPass(rule: trainer.configuration.statistics).run(
            trainer.model(averaged: true),
            count: pictures.count,
            channels: trainer.dataset.channels,
            batchSize: batchSize,
            options: trainer.parameters.options,
            progress: progress,
            example: { try data.example(pictures[$0]) }
        ).weights
    }

    @Test(
        "are those of a pass with such batches; by the authors' rule, with the training's own",
        arguments: [(TrainingConfiguration.StatisticsRule.exact, 8, 2), (.original, 2, 8)]
    )
    func finished(rule: TrainingConfiguration.StatisticsRule, batchSize: Int, other: Int) throws {
        let run = try RunFolder()
        var recipe = ResumingTests.recipe(2)
        // Two batches of six, or six of two.
        recipe.count = 12
        recipe.statistics = rule
        let trainer = try Trainer(recipe, dataset: TrainerTests.data(recipe), output: run.url, threads: 1)
        let last = try #require(try trainer.run().last)
        let found = try SafetensorsFile.readModel(last).weights
        #expect(try found.isIdentical(to: Self.weights(trainer, batchSize: batchSize)))
        #expect(try !found.isIdentical(to: Self.weights(trainer, batchSize: other)))
    }
    @Test("hardly depend on the order of the pictures: dark and bright ones are normalised together")
    func order() throws {
        let folder = try RunFolder()
        let pictures = 16
        var lines: [[String]] = []
        for (name, light) in [("bright", 50), ("dark", -50)] {
            let part = folder.url.appending(path: name)
            try TwoGrounds.write(to: part, pictures: pictures, seed: 3, namesBall: true, light: light)
            lines.append((0..<pictures).map { "\(name)/images/picture\($0).png \(name)/labels/picture\($0).png\n" })
        }
        try Data("sky\nground\nball\n".utf8).write(to: folder.url.appending(path: "classes.txt"))
        func weights(_ lines: [String], _ name: String) throws -> Weights {
            try Data(lines.joined().utf8).write(to: folder.url.appending(path: "\(name).txt"))
            var recipe = smallRecipe()
            recipe.size = nil
            recipe.datasets = [DatasetEntry(.list, data: folder.url.path)]
            recipe.datasets[0].train = ["\(name).txt"]
            recipe.datasets[0].validation = "none"
            let trainer = try Trainer(recipe, output: folder.url.appending(path: "run-\(name)"), threads: 2)
            #expect(trainer.data.count == 2 * pictures)
            return try Self.weights(trainer, batchSize: 8)
        }
        let sorted = try weights(lines[0] + lines[1], "sorted")
        let mixed = try weights(zip(lines[0], lines[1]).flatMap { [$0, $1] }, "mixed")
        // Layers behind the first normalisation; batches of one light each differ by 0.14.
        for layer in ["conv2_bn", "conv3_bn"] {
            let one = try #require(sorted[layer, .variance]).floats()
            let other = try #require(mixed[layer, .variance]).floats()
            let difference = zip(one, other).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
            let norm = other.reduce(0) { $0 + $1 * $1 }.squareRoot()
            #expect(difference < 0.06 * norm, "\(layer): \(difference / norm)")
        }
    }

    @Test("count data sets by their shares, whatever the number and the size of their pictures")
    func sizes() throws {
        let folder = try RunFolder()
        var recipe = smallRecipe()
        recipe.size = nil
        for (name, pictures, size, gray) in [("small", 2, (48, 32), UInt8(40)), ("large", 6, (96, 64), UInt8(200))] {
            let part = folder.url.appending(path: name)
            for kind in ["images", "labels"] {
                try FileManager.default.createDirectory(
                    at: part.appending(path: kind),
                    withIntermediateDirectories: true
                )
            }
            try Data("one\ntwo\n".utf8).write(to: part.appending(path: "classes.txt"))
            let (width, height) = size
            for number in 0..<pictures {
                let samples = Array(repeating: gray, count: width * height * 3)
                try Image(width: width, height: height, channels: 3, pixels: samples)
                    .write(to: part.appending(path: "images/\(number).png"))
                try LabelMap(width: width, height: height, ids: (0..<width * height).map { UInt16($0 % 2) })
                    .write(to: part.appending(path: "labels/\(number).png"))
            }
            var entry = DatasetEntry(.folder, data: part.path)
            entry.share = 1
            entry.validation = "none"
            recipe.datasets.append(entry)
        }
        let trainer = try Trainer(recipe, output: folder.url.appending(path: "run"), threads: 1)
        func means(_ shares: [Double], _ progress: (Int, Int) -> Void = { _, _ in }) throws -> [Float] {
            var data = trainer.data
            for (index, share) in shares.enumerated() { data.sources[index].share = share }
            let weights = try Self.weights(trainer, data, batchSize: 4, progress: progress)
            return try #require(weights["conv1_bn", .mean]).floats()
        }
        // Four of each size together, although they come in turn.
        var done: [Int] = []
        let both = try means([1, 1]) { count, _ in done.append(count) }
        #expect(done == [4, 8])
        let (small, large) = (try means([1, 0]), try means([0, 1]))
        for channel in both.indices {
            let (one, other) = (small[channel], large[channel])
            #expect(abs(both[channel] - (one + other) / 2) < 1e-4 * max(abs(one), abs(other)))
        }
    }
}
