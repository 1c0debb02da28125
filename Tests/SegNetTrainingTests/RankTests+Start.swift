import Foundation
import SegNetData
import SegNetFormats
import SegNetNetworks
import SegNetPlatform
import Testing

@testable import SegNetCPU
@testable import SegNetTraining

extension RankTrainingTests {
    @Test("needs the model to start from on rank 0 alone, at its beginning")
    func startModel() throws {
        let folder = try RunFolder()
        var recipe = Self.recipe()
        recipe.iterations = 4
        // A model whose input subtracts nothing and multiplies nothing, which a recipe leaves out.
        let file = folder.url.appending(path: "start.safetensors")
        let first = try Trainer(recipe, dataset: TrainerTests.data(recipe), output: RunFolder().url, threads: 1)
        try SafetensorsFile.write(first.model(averaged: false), to: file)
        recipe.model = file.path
        let url = folder.url.appending(path: "run")
        for stop in [2, Int.max] {
            let found = try LocalRanks(2).run { [recipe] group -> Int in
                func trainer(_ configuration: TrainingConfiguration) throws -> Trainer {
                    try Trainer(
                        configuration,
                        dataset: TrainerTests.data(configuration),
                        output: url,
                        resume: true,
                        threads: 1,
                        ranks: TrainingRanks(group)
                    )
                }
                // As `segnet train` does.
                var own: Result<Trainer, any Error>?
                if group.rank == 0 { own = Result { try trainer(recipe) } }
                let text = (try? own?.get().configurationForRanks.yaml()) ?? ""
                var bytes = Array(text.utf8)
                try group.broadcast(&bytes)
                if group.rank > 0 {
                    var received = try TrainingConfiguration(yaml: String(decoding: bytes, as: UTF8.self), file: "x")
                    received.model = "/nowhere/on/this/machine.safetensors"
                    own = .success(try trainer(received))
                }
                let ready = try #require(own).get()
                var steps = 0
                try ready.run(shouldStop: { steps >= stop }) { if case .step = $0 { steps += 1 } }
                return ready.completedSteps
            }.map { try $0.get() }
            #expect(found == [min(stop, 4), min(stop, 4)])
            // A run that goes on needs it nowhere.
            try? FileManager.default.removeItem(at: file)
        }
    }
}
