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

@Suite("Recipes")
struct ConfigurationTests {
    @Test("read what they write")
    func roundTrip() throws {
        var recipe = smallRecipe()
        recipe.rates = ["conv1*": 0.1]
        recipe.encoder = "vgg.safetensors"
        #expect(try TrainingConfiguration(yaml: recipe.yaml(), file: "x") == recipe)
    }

    @Test("of the repository can be read")
    func shipped() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "recipes")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".yaml") }
        #expect(files.count >= 4)
        for file in files {
            let text = try String(contentsOf: folder.appending(path: file), encoding: .utf8)
            try TrainingConfiguration(yaml: text, file: file).check()
        }
    }

    @Test(
        "name what is wrong",
        arguments: [
            (
                "batch-siz: 4",
                "r.yaml, line 1: there is no setting 'batch-siz'. Did you mean 'batch-size'? 'segnet recipe explain'"
            ),
            ("architecture: segnot", "r.yaml, line 1: architecture: needs one of segnet, "),
            (
                "seed: 1\nepochs: many",
                "r.yaml, line 2: epochs: needs a number above 0 and up to 10000000; found 'many'."
            ),
            ("augmentation:\n  scale: [2]", "r.yaml, line 2: augmentation.scale: needs two factors"),
            ("seed: 1\nseed: 2", "r.yaml"),
            ("- 1", "r.yaml, line 1: needs settings of a training, each a key and a value; found [1]."),
            ("a: [", "r.yaml: cannot be read as YAML"),
        ]
    )
    func errors(yaml: String, message: String) {
        #expect { try TrainingConfiguration(yaml: yaml, file: "r.yaml") } throws: { "\($0)".hasPrefix(message) }
    }
}
