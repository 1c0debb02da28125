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
        let all = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
        let files = all.filter { $0.hasSuffix(".yaml") }
        #expect(files.count { $0.hasPrefix("compare/") } == 16)
        #expect(files.count { !$0.contains("/") } >= 9)
        for file in files {
            let text = try String(contentsOf: folder.appending(path: file), encoding: .utf8)
            let recipe = try TrainingConfiguration(yaml: text, file: file)
            try recipe.check()
            #expect(recipe.unusedSettings == [], "\(file)")
        }
    }

    @Test(
        "name what is wrong",
        arguments: [
            (
                "batch-siz: 4",
                "r.yaml, line 1: there is no setting 'batch-siz'. Did you mean 'batch-size'? See the list of all settings."
            ),
            ("architecture: segnot", "r.yaml, line 1: architecture: needs one of segnet, "),
            (
                "seed: 1\nepochs: many",
                "r.yaml, line 2: epochs: needs a number above 0 and up to 10000000; found 'many'."
            ),
            ("augmentation:\n  scale: [2]", "r.yaml, line 2: augmentation.scale: needs two factors"),
            ("seed: 1\nseed: 2", "r.yaml: has the key 'seed' more than once, first in line 1; keep one of them."),
            (
                "seed: 1\noptimizer:\n  kind: sgd\n  kind: adamw",
                "r.yaml: has the key 'kind' more than once, first in line 3; keep one of them."
            ),
            ("- 1", "r.yaml, line 1: needs settings of a training, each a key and a value; found [1]."),
            (
                "seed: 1\na: [",
                "r.yaml: cannot be read as YAML: at its end, a value is missing, or a '[' or '{' is not closed."
            ),
            (
                "a: [1\nseed: 2",
                "r.yaml: cannot be read as YAML: in line 2, 'seed: 2', a '[' or '{' is not closed, or a comma is missing."
            ),
            (
                "\tseed: 1",
                "r.yaml: cannot be read as YAML: in line 1, '\tseed: 1', a tab comes before the text; use spaces."
            ),
            (
                "data: @x",
                "r.yaml: cannot be read as YAML: in line 1, 'data: @x', a value begins with a character that is not allowed there; put it in "
                    + "quotes."
            ),
            (
                "data: a: b",
                "r.yaml: cannot be read as YAML: in line 1, 'data: a: b', a ':' is not allowed here; check the indentation, and put texts "
                    + "with ': ' in quotes."
            ),
            ("data: 'x\nseed: 1", "r.yaml: cannot be read as YAML: in line "),
        ]
    )
    func errors(yaml: String, message: String) {
        #expect { try TrainingConfiguration(yaml: yaml, file: "r.yaml") } throws: { "\($0)".hasPrefix(message) }
    }

    @Test("do not pass a file's control characters on to the terminal")
    func controlCharacters() {
        for yaml in ["a: [\u{1B}[2J", "\"\\e[2Jx\": 1", "metric: \"\\e[2Jx\""] {
            #expect {
                try TrainingConfiguration(yaml: yaml, file: "r.yaml")
            } throws: {
                "\($0)".hasPrefix("r.yaml") && !"\($0)".contains("\u{1B}")
            }
        }
    }

    @Test("a recipe may begin with a byte-order mark; one without settings is refused")
    func files() throws {
        let run = try RunFolder()
        let path = run.url.appending(path: "r.yaml").path
        try Data("\u{FEFF}seed: 7\n".utf8).write(to: URL(filePath: path))
        #expect(try TrainingConfiguration(path: path).seed == 7)
        try Data("\u{FEFF}dataset: camvid\nsystems:\n  - {name: a, recipe: a.yaml}\n".utf8).write(
            to: URL(filePath: path)
        )
        #expect(try ComparisonPlan(path: path).systems.map(\.name) == ["a"])
        for text in ["", "---\n# seed: 7\n"] {
            try Data(text.utf8).write(to: URL(filePath: path))
            let error = #expect(throws: ConfigurationError.self) { try TrainingConfiguration(path: path) }
            #expect(
                error?.description
                    == "\(path): is empty; give a recipe with settings. See the list of all recipes and plans."
            )
        }
    }

    @Test("repeat 80 letters of a line or value of any length, around the place that is wrong")
    func longLines() {
        func message(_ yaml: String) -> String {
            do throws(ConfigurationError) {
                _ = try TrainingConfiguration(yaml: yaml, file: "r.yaml")
                return ""
            } catch {
                return "\(error)"
            }
        }
        let long = String(repeating: "x", count: 100_000)
        let broken = message("seed: 1\ndata: '\(long)' y: 2 #\(long)")
        #expect(broken.count < 400, "\(broken)")
        #expect(broken.contains("in line 2, '…xxx") && broken.contains("xxx' y: 2 #xxx"), "\(broken)")
        #expect(message("data: '\(long)\n").count < 400)
        // Keys of more than 1024 letters are not YAML.
        let key = String(repeating: "x", count: 1000)
        #expect(message("\(key): 1\n\(key): 2").count < 400)
        let start = String(repeating: "x", count: 80)
        #expect(message("epochs: \(long)").hasSuffix("needs a number above 0 and up to 10000000; found '\(start)…'."))
        #expect(message("classes: [\(long)]").count < 400)
        #expect(message("\(key): 1").hasPrefix("r.yaml, line 1: there is no setting '\(start)…'."))
    }

    @Test("say at the start of a training that its warm-up does not end", arguments: [(2, false), (3, true)])
    func longWarmUp(steps: Int, isTold: Bool) throws {
        let run = try RunFolder()
        var recipe = smallRecipe()
        (recipe.iterations, recipe.schedule) = (2, Schedule(warmUp: steps))
        let notes = try Trainer(recipe, dataset: TrainerTests.data(recipe), output: run.url, threads: 1).notes
        let text = "schedule.warm-up is 3 steps, the training has 2: the rate never reaches 0.01."
        #expect(notes.contains(.warning(text)) == isTold, "\(notes)")
    }

    @Test("say at the start of a training that adamw has the rate of sgd", arguments: [(0.03, false), (0.1, true)])
    func largeRate(rate: Double, isTold: Bool) {
        var recipe = TrainingConfiguration()
        recipe.optimizer = OptimizerConfiguration(.adamw)
        recipe.learningRate = rate
        let text =
            "a learning rate of 0.1 is high for adamw, whose steps do not shrink with the gradients; the recipes in recipes/ have 0.0008 "
            + "to 0.003."
        #expect(recipe.notes(totalSteps: 9) == (isTold ? [.warning(text)] : []))
        recipe.optimizer = OptimizerConfiguration(.sgd)
        #expect(recipe.notes(totalSteps: 9) == [])
    }

    /// Ten times the level before, eleven times, as the key of a mapping: comparing keys went through all of it.
    @Test("aliases that stand for more than a machine holds are refused at once")
    func aliases() {
        let levels = (1...11).map {
            "a\($0): &a\($0) [\(Array(repeating: "*a\($0 - 1)", count: 10).joined(separator: ", "))]"
        }
        let bomb = (["a0: &a0 [x]"] + levels + ["? *a11", ": 1"]).joined(separator: "\n")
        let text = "has 111 aliases (*name), and at most 16 are read; write their values out."
        #expect(throws: ConfigurationError("r.yaml: \(text)")) { try TrainingConfiguration(yaml: bomb, file: "r.yaml") }
        #expect(throws: ConfigurationError("p.yaml: \(text)")) { try ComparisonPlan(yaml: bomb, file: "p.yaml") }
        var recipe = TrainingConfiguration()
        let list = "[\(Array(repeating: "*a", count: 17).joined(separator: ","))]"
        #expect(throws: ConfigurationError("--set: classes: \(text.replacing("111", with: "17"))")) {
            try recipe.set("classes", to: list, option: "--set")
        }
        // A few are fine, and stars elsewhere are none.
        #expect(throws: Never.self) {
            try TrainingConfiguration(yaml: "# 2 * 3\nseed: &a 3\ncount: *a\ndata: 'a*b*'", file: "r.yaml")
        }
    }
}
