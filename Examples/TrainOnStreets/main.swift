// Teaches a small SegNet-Basic to see streets, scores it, and paints what it sees in one of them.
//
//     swift run -c release TrainOnStreets [FOLDER] [STEPS]
//
// The streets are rendered: nothing has to be downloaded. With your own pictures say `recipe.dataset = .folder` and `recipe.data = "mine"`
// (docs/training.md describes the folder). A run that is started again continues from its last checkpoint.

import Foundation
import SegNet

/// Trains for some steps; the run's folder then holds the models, logs and the recipe.
func train(in folder: URL, steps: Int) throws -> (Trainer, Segmenter) {
    var recipe = TrainingConfiguration()
    recipe.architecture = .segNetBasic
    recipe.width = 0.25  // 16 features per layer instead of 64
    recipe.dataset = .synthetic
    recipe.size = PictureSize(width: 120, height: 88)
    recipe.iterations = steps
    recipe.count = steps * recipe.batchSize  // every street is seen once
    recipe.optimizer = OptimizerConfiguration(.adamw)
    recipe.learningRate = 0.003
    recipe.schedule = Schedule(.oneCycle)
    let trainer = try Trainer(recipe, output: folder, resume: true)
    try trainer.run(observe: { if case .step(let step) = $0 { print("step \(step.step): loss \(step.loss)") } })
    return (trainer, try Segmenter(model: folder.appending(path: "last.safetensors")))
}

/// Scores the model on streets that it has never seen.
func evaluate(_ segmenter: Segmenter, on dataset: Dataset) throws -> Scores {
    var matrix = ConfusionMatrix(classCount: segmenter.classCount)
    for sample in try dataset.samples(of: "test") {
        let example = try dataset.example(sample)
        let picture = try Image(width: example.width, height: example.height, channels: 3, pixels: example.pixels)
        matrix.add(truth: example.labels, prediction: try segmenter.segment(picture).classes.ids)
    }
    return Scores(matrix)
}

/// Writes a street and what the model sees in it.
func paint(with segmenter: Segmenter, in folder: URL) throws {
    let street = try StreetScene(seed: 2026, width: 480, height: 352).image
    let result = try segmenter.segment(street)
    try street.write(to: folder.appending(path: "street.png"))
    try result.overlay().write(to: folder.appending(path: "street.overlay.png"))
    for part in result.shares.prefix(3) { print("\(part.name): \(Int(100 * part.share)) % of the street") }
}

do {
    let words = CommandLine.arguments.dropFirst()
    let folder = URL(filePath: words.first ?? "output/streets")
    let (trainer, segmenter) = try train(in: folder, steps: words.dropFirst().first.flatMap { Int($0) } ?? 200)
    let scores = try evaluate(segmenter, on: trainer.dataset)
    print("mean IoU \(scores.meanIoU ?? 0), global accuracy \(scores.globalAccuracy ?? 0)")
    try paint(with: segmenter, in: folder)
} catch {
    print("TrainOnStreets: \(error)")
    exit(1)
}
