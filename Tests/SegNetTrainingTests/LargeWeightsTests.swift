import Foundation
import SegNetFormats
import SegNetNetworks
import SegNetPlatform
import Testing

@testable import SegNetCPU
@testable import SegNetTraining

@Suite("A training from weights that are finite, but too large")
struct LargeWeightsTests {
    /// Behind the second, batch normalisation hides their size from the loss.
    @Test(
        "names their file and the first layer that breaks; the learning rate is not to blame",
        arguments: [("conv_decode2", Float(3e38), "conv_decode2"), ("conv1", 1e30, "conv1_bn")]
    )
    func named(layer: String, value: Float, broken: String) throws {
        let run = try RunFolder()
        var recipe = smallRecipe()
        recipe.iterations = 2
        let first = try Trainer(recipe, dataset: TrainerTests.data(recipe), output: run.url, threads: 1)
        var model = try first.model(averaged: false)
        let shape = try #require(model.weights[layer, .weight]).shape
        model.weights[layer, .weight] = WeightTensor(
            shape: shape,
            values: Array(repeating: value, count: shape.count)
        )
        let file = run.url.appending(path: "large.safetensors")
        try SafetensorsFile.write(model, to: file)
        let path = file.path(percentEncoded: false)
        recipe.model = path
        let tuned = try RunFolder()
        #expect {
            try TrainerTests.train(recipe, in: tuned)
        } throws: {
            "\($0)".hasPrefix("training cannot begin with the weights of \(path): before anything is learnt, the ")
                && "\($0)".hasSuffix(
                    " in layer '\(broken)' is not a finite number. Some of them are too large to compute with; begin with another model, "
                        + "or with random weights."
                )
        }
    }

    @Test("is told from one that diverges later")
    func later() throws {
        let run = try RunFolder()
        var recipe = smallRecipe()
        recipe.iterations = 2
        let first = try Trainer(recipe, dataset: TrainerTests.data(recipe), output: run.url, threads: 1)
        let file = run.url.appending(path: "good.safetensors")
        try SafetensorsFile.write(first.model(averaged: false), to: file)
        recipe.model = file.path(percentEncoded: false)
        // Beyond float32: the first step makes infinities.
        recipe.learningRate = 1e39
        let tuned = try RunFolder()
        let error = #expect(throws: DivergenceError.self) { try TrainerTests.train(recipe, in: tuned) }
        #expect(error?.description.hasPrefix("training diverged: the ") == true, "\(String(describing: error))")
    }
}
