import SegNetData
import SegNetFormats
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
    private static func weights(_ trainer: Trainer, batchSize: Int) throws -> Weights {
        let pictures = trainer.data.representatives(nil, at: 0)
        return try StatisticsPass(rule: trainer.configuration.statistics).run(
            trainer.model(averaged: true),
            count: pictures.count,
            channels: trainer.dataset.channels,
            batchSize: batchSize,
            options: trainer.parameters.options,
            example: { try trainer.data.example(pictures[$0].item) }
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
}
