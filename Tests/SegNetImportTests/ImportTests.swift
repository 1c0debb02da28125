import Foundation
import SegNet
import Testing

/// A user's program: no other import, no access to internals.
@Suite("import SegNet")
struct ImportTests {
    @Test("shows what README's lines need")
    func readme() async throws {
        let segmenter = try Segmenter(model: try ModelStore.standard.fallback())
        let photo = try #require(ModelStore.standard.file("street.jpg"))
        let image = try Image(decoding: try Data(contentsOf: photo), name: "street")
        let result = try await segmenter.segment(image)
        #expect(abs(result.shares.reduce(0) { $0 + $1.share } - 1) < 1e-9)
        #expect(try Image(decoding: try result.overlay().pngData()) == result.overlay())
        #expect(try LabelMap(decoding: try result.classes.pngData()) == result.classes)
        let request = Segmenter.Request(.views(TestTimeAugmentation(flip: true)), keeps: [.confidence])
        #expect(try await segmenter.segment(image, request).confidence?.shape == [image.height, image.width])
        let missing = photo.path + ".missing"
        for try await (file, result) in segmenter.segmentations(of: [photo.path, missing]) {
            switch result {
            case .success(let found): #expect(file == photo.path && found.classes.width == image.width)
            case .failure(let error): #expect(error is ImageError && file == missing)
            }
        }
    }

    @Test("shows what a training needs")
    func training() throws {
        var recipe = TrainingConfiguration()
        recipe.architecture = .segNetBasic
        recipe.dataset = .synthetic
        recipe.size = PictureSize(width: 120, height: 88)
        recipe.optimizer = OptimizerConfiguration(.adamw)
        recipe.schedule = Schedule(.oneCycle)
        #expect(recipe.batchSize > 0)
        func run(_ folder: URL) throws -> Scores {
            let trainer = try Trainer(recipe, output: folder, resume: true)
            try trainer.run(observe: { if case .step(let step) = $0 { print(step.loss) } })
            return Scores(ConfusionMatrix(classCount: trainer.dataset.classes.classes.count))
        }
        _ = run
    }

    @Test("leaves Foundation's names as they are")
    func names() {
        let seen = Seen()
        // `Operation` is a kind of layer inside the library.
        let operation: Operation = BlockOperation { seen.isSeen = true }
        operation.start()
        #expect(seen.isSeen)
    }

    private final class Seen: @unchecked Sendable { var isSeen = false }

    @Test("errors say in `localizedDescription` what they say themselves")
    func localized() {
        #expect {
            try Segmenter(model: URL(filePath: "nothing.safetensors"))
        } throws: { error in
            error.localizedDescription == "\(error)" && error.localizedDescription.contains("nothing.safetensors")
        }
    }
}
