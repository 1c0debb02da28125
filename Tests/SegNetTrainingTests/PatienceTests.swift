import Foundation
import SegNetData
import SegNetPlatform
import Testing

@testable import SegNetTraining

@Suite("Patience")
struct PatienceTests {
    private static func recipe() -> TrainingConfiguration {
        var recipe = ResumingTests.recipe(60)
        // Nothing is learnt, so that no validation is better than the first.
        recipe.learningRate = 1e-12
        recipe.average = 0
        recipe.validateEvery = 1
        recipe.patience = 3
        return recipe
    }

    private static func validations(_ events: [Trainer.Event]) -> Int {
        events.count { if case .validation = $0 { true } else { false } }
    }

    @Test("ends a training after so many validations without a better score, with both models")
    func ends() throws {
        let run = try RunFolder()
        let (result, events) = try TrainerTests.train(Self.recipe(), in: run)
        #expect(result.isFinished && result.best != nil && result.last != nil)
        let step = try Checkpoint.progress(run.url.appending(path: "last.checkpoint")).step
        #expect(step < 60 && Self.validations(events) == step / 3)
        let notes = events.compactMap { if case .note(let note) = $0 { note.text } else { nil } }
        #expect(notes.last == "no better score in 3 validations: the training ends at step \(step) of 60 (patience).")
        // Gone on with, it has nothing to do; with more patience it has.
        #expect(try Self.validations(TrainerTests.train(Self.recipe(), in: run).1) == 0)
        var patient = Self.recipe()
        patient.patience = 5
        #expect(try Self.validations(TrainerTests.train(patient, in: run).1) == 2)
    }

    @Test("is refused where nothing is validated")
    func withoutValidation() throws {
        let run = try RunFolder()
        try TwoClasses.write(to: run.url.appending(path: "data"), pictures: 4)
        var recipe = smallRecipe()
        recipe.dataset = .folder
        recipe.data = run.url.appending(path: "data").path
        recipe.size = nil
        recipe.validationShare = 0
        recipe.validationSplit = "none"
        recipe.patience = 3
        let error = #expect(throws: ConfigurationError.self) {
            try Trainer(recipe, output: run.url.appending(path: "run"), threads: 1)
        }
        #expect(
            error?.description.hasPrefix("patience 3: counts validations without a better score, but there are no")
                == true
        )
    }

    @Test("counts over a break as without one")
    func resumed() throws {
        let (whole, parts) = (try RunFolder(), try RunFolder())
        _ = try TrainerTests.train(Self.recipe(), in: whole)
        _ = try TrainerTests.train(Self.recipe(), in: parts, stopAfter: 7)
        _ = try TrainerTests.train(Self.recipe(), in: parts)
        #expect(try whole.bytes("last.safetensors") == parts.bytes("last.safetensors"))
        let steps = try [whole, parts].map { try Checkpoint.progress($0.url.appending(path: "last.checkpoint")).step }
        #expect(steps[0] == steps[1])
    }
}
