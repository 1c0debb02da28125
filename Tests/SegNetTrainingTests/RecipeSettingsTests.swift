import SegNetCPU
import SegNetData
import SegNetNetworks
import SegNetPlatform
import Testing
import Yams

@testable import SegNetTraining

@Suite("The settings of a recipe")
struct RecipeSettingsTests {
    /// A setting with the keys that lead to it.
    struct Entry: CustomTestStringConvertible, Sendable {
        var keys: [String]
        /// Whether the first key's value is a list, whose entries have the rest.
        var isInList: Bool
        var setting: RecipeSetting

        var path: String { keys.joined(separator: ".") }
        var testDescription: String { path }

        /// A recipe that gives the key a value, and the line that it is on.
        func recipe(key: String? = nil, value: String) -> (yaml: String, line: Int) {
            var lines: [String] = []
            // A data set and a phase need what they cannot do without.
            let first = ["datasets": "kind: list", "phases": "from: 0.5", "teacher": "model: x"][keys[0]] ?? ""
            for (depth, name) in keys.enumerated() {
                let isLast = depth == keys.count - 1
                var indent = String(repeating: "  ", count: depth)
                if depth == 1, !first.isEmpty, !first.hasPrefix(keys[1] + ":") {
                    lines.append(isInList ? "  - \(first)" : "  \(first)")
                    if isInList { indent = "    " }
                } else if depth == 1, isInList {
                    indent = "  - "
                }
                lines.append(indent + (isLast ? "\(key ?? name): \(value)" : "\(name):"))
            }
            return (lines.joined(separator: "\n"), lines.count)
        }
    }

    static let entries: [Entry] = TrainingConfiguration.settings.flatMap { entries($0, [], false) }
    static let leaves = entries.filter(\.setting.settings.isEmpty)

    private static func entries(_ setting: RecipeSetting, _ keys: [String], _ isInList: Bool) -> [Entry] {
        let keys = keys + [setting.key]
        let lists = ["datasets", "phases"].contains(setting.key) && keys.count == 1
        return [Entry(keys: keys, isInList: isInList, setting: setting)]
            + setting.settings.flatMap { entries($0, keys, isInList || lists) }
    }

    private static func message(_ yaml: String) -> String {
        do {
            _ = try TrainingConfiguration(yaml: yaml, file: "r.yaml")
            return "nothing was thrown"
        } catch { return error.description }
    }

    @Test(
        "are told of where another one leaves them without effect",
        arguments: [
            ("optimizer: {kind: adamw, momentum: 0.95}", "optimizer.momentum", "only sgd uses it"),
            ("optimizer: {epsilon: 0.001}", "optimizer.epsilon", "only adamw uses it"),
            ("schedule: {kind: poly, gamma: 0.5}", "schedule.gamma", "only step uses it"),
            ("schedule: {kind: cosine, peak: 0.5}", "schedule.peak", "only one-cycle uses it"),
            ("schedule: {final: 0.1}", "schedule.final", "only cosine and one-cycle use it"),
            ("augmentation: {blur-radius: 2}", "augmentation.blur-radius", "blur is 0"),
            ("{class-weights: none, class-weight-power: 0.5}", "class-weight-power", "class-weights is none"),
            ("fold: 2", "fold", "folds is 0"),
            ("{folds: 3, validation-share: 0.2}", "validation-share", "folds is above 0"),
            ("loss-resolution: full", "loss-resolution", "the network's loss is at every pixel anyway"),
            ("{dataset: camvid, count: 7}", "count", "dataset is not synthetic"),
        ]
    )
    func unused(yaml: String, key: String, reason: String) throws {
        let recipe = try TrainingConfiguration(yaml: yaml, file: "r.yaml")
        #expect(recipe.unusedSettings == ["\(key) is set, but \(reason): it changes nothing."])
    }

    @Test("all count in a recipe of defaults, whatever its kinds")
    func used() throws {
        #expect(TrainingConfiguration().unusedSettings == [])
        let yaml =
            "{optimizer: {kind: adamw, epsilon: 0.001}, schedule: {kind: one-cycle, final: 0.1}, folds: 3, fold: 2}"
        #expect(try TrainingConfiguration(yaml: yaml, file: "r.yaml").unusedSettings == [])
    }

    @Test("choose a fold that is there", arguments: [(1, 1, "folds"), (5, 6, "fold"), (5, 5, ""), (0, 3, "")])
    func folds(folds: Int, fold: Int, key: String) {
        let texts = [
            "folds": "folds: needs a whole number of at least 2, or 0; found 1.",
            "fold": "fold: needs a whole number in 1...5, since folds is 5; found 6.",
        ]
        var recipe = TrainingConfiguration()
        (recipe.folds, recipe.fold) = (folds, fold)
        var found = ""
        do { try recipe.check() } catch { found = error.description }
        #expect(found == texts[key] ?? "")
    }

    @Test("take no pictures away for a fold that does not validate", arguments: ["none", "test"])
    func foldsWithoutValidation(split: String) {
        var recipe = TrainingConfiguration()
        (recipe.folds, recipe.validationSplit) = (4, split)
        let message =
            "folds: 4 parts of 'train' and 'val' take turns as 'val', but validation-split is '\(split)', so that one of them would "
            + "neither teach nor validate; leave 'folds' or 'validation-split' out."
        #expect {
            try recipe.check()
        } throws: {
            "\($0)" == message
        }
    }

    @Test("say which kinds of parameters have other multipliers, as these are")
    func multipliers() {
        let standards = ["learning-rate", "decay"].map {
            TrainingConfiguration.setting("multipliers.weight.\($0)")?.standard
        }
        #expect(standards == ["2 for bias, else 1", "1 for weight and scale, else 0"])
    }

    @Test("have keys in kebab case, a form and a sentence of help each")
    func described() {
        #expect(Self.leaves.count > 90)
        for entry in Self.entries {
            #expect(entry.setting.key.allSatisfy { $0.isLowercase || $0.isNumber || $0 == "-" }, "\(entry.path)")
            #expect(!entry.setting.form.isEmpty && entry.setting.help.hasSuffix("."), "\(entry.path)")
            #expect(TrainingConfiguration.setting(entry.path) == entry.setting)
        }
        #expect(TrainingConfiguration.setting("optimizer.decay") == nil)
    }

    @Test("a wrong value is refused with its line, its key and what it may be", arguments: leaves)
    func wrongValue(of entry: Entry) {
        // A text is right where any text is, a list of lists nowhere.
        let (yaml, line) = entry.recipe(value: "[[]]")
        let text = Self.message(yaml)
        #expect(text.hasPrefix("r.yaml, line \(line): "), "\(yaml)\n\(text)")
        #expect(text.contains(entry.keys[entry.keys.count - 1]) && text.contains("needs "), "\(text)")
    }

    @Test("an unknown key is refused with its line and the closest key", arguments: entries)
    func wrongKey(of entry: Entry) {
        let key = entry.keys[entry.keys.count - 1]
        let (yaml, line) = entry.recipe(key: key + "x", value: "1")
        let text = Self.message(yaml)
        #expect(text.hasPrefix("r.yaml, line \(line): "), "\(yaml)\n\(text)")
        #expect(text.contains("there is no setting '\(key)x'. Did you mean '\(key)'?"), "\(text)")
    }

    @Test(
        "values out of range are refused at every depth",
        arguments: [
            ("optimizer: {momentum: -3}", "optimizer.momentum: needs a number from 0 to below 1; found -3."),
            ("schedule: {warm-up: -5}", "schedule.warm-up: needs a whole number of at least 0; found -5."),
            ("augmentation: {brightness: -4}", "augmentation.brightness: needs a number in 0...1; found -4."),
            (
                "schedule: {kind: cosin}",
                "schedule.kind: needs one of constant, step, poly, cosine, one-cycle; found 'cosin'. Did you mean 'cosine'?"
            ),
            (
                "optimizer: {weight_decay: 0.1}",
                "optimizer: there is no setting 'weight_decay'. Did you mean 'weight-decay'? There are kind, momentum, beta1, beta2, "
                    + "epsilon, weight-decay, clip-norm."
            ),
            (
                "size: 480",
                "size: needs [width, height] or WIDTHxHEIGHT, such as 480x360, each of 1...16384; found 480."
            ),
            (
                "crop: [240, 240]",
                "there is no setting 'crop'. Did you mean 'augmentation.crop'? See the list of all settings."
            ),
            ("lr: 0.1", "there is no setting 'lr'. Did you mean 'learning-rate'? See the list of all settings."),
            ("wd: 0", "there is no setting 'wd'. Did you mean 'optimizer.weight-decay'? See the list of all settings."),
            ("validate-every: 1e19", "validate-every: needs a number above 0 and up to 10000000; found 1e19."),
            (
                "iterations: 4611686018427387904",
                "iterations: needs a whole number in 1...1000000000; found 4611686018427387904."
            ),
            (
                "count: 9223372036854775807",
                "count: needs a whole number in 1...1000000; found 9223372036854775807."
            ),
            ("learning-rate: .inf", "learning-rate: needs a number above 0; found '.inf'."),
            ("folds: 1", "folds: needs a whole number of at least 2, or 0; found 1."),
            ("{fold: 6, folds: 5}", "fold: needs a whole number in 1...5, since folds is 5; found 6."),
            // No channel and no layer of that name.
            ("inputs: null", "inputs: needs a list such as [rgb] or [rgb, depth]; found 'null'."),
            ("freeze: null", "freeze: needs a list of layers; found 'null'."),
            ("freeze: ~", "freeze: needs a list of layers; found '~'."),
        ]
    )
    func outOfRange(yaml: String, problem: String) {
        #expect(Self.message(yaml) == "r.yaml, line 1: \(problem)")
    }

    @Test(
        "ranges of the augmentation that make no sense are refused",
        arguments: [
            "scale: [2, 1]", "scale: [0, 1]", "crop: [0, 5]", "crop: [5]", "rotation: 46", "rotation: -1", "gamma: 5",
            "temperature: 1.1", "gray: 2", "erase: -0.1", "blur-radius: 11", "jpeg: 1.5", "jpeg-quality: [0, 50]",
            "jpeg-quality: [60, 50]", "jpeg-quality: [50]",
        ]
    )
    func augmentation(setting: String) {
        let key = setting.prefix { $0 != ":" }
        #expect(Self.message("augmentation: {\(setting)}").hasPrefix("r.yaml, line 1: augmentation.\(key)"))
    }

    @Test("values that were set from Swift are refused before anything is done")
    func fromSwift() {
        func message(_ change: (inout TrainingConfiguration) -> Void) -> String? {
            var recipe = TrainingConfiguration()
            change(&recipe)
            do { try recipe.check() } catch { return error.description }
            return nil
        }
        #expect(message { _ in } == nil)
        #expect(
            message { $0.augmentation.crop = PictureSize(width: 240, height: 0) }
                == "augmentation.crop: needs [width, height] or WIDTHxHEIGHT, such as 480x360, each of 1...16384; found [240, 0]."
        )
        #expect(
            message {
                $0.architecture = .segNet
                $0.fullyConnectedWidth = 512
            }
                == "fc: segnet has no layers fc6 and fc7, so it changes nothing; leave it out, or set it back (fc=null). Those with them are "
                + "fcn-32s, fcn-16s, fcn-8s, fcn-8s-at-once, deeplab-largefov, deconvnet."
        )
        let upsampling = message {
            $0.architecture = .segNet
            $0.upsampling = .fixed
        }
        #expect(
            upsampling?.hasPrefix(
                "upsampling: segnet has no transposed convolutions that enlarge maps, so it changes nothing; leave it out, or set it "
                    + "back (upsampling=released). Those with them are "
            ) == true
        )
        #expect(
            message {
                $0.architecture = .fcn8s
                $0.upsampling = .learnt
                $0.fullyConnectedWidth = 512
            } == nil
        )
        #expect(message { $0.learningRate = .nan } == "learning-rate: needs a number above 0; found nan.")
        #expect(message { $0.schedule.peak = 2 } == "schedule.peak: needs a number in 0...1; found 2.0.")
    }

    @Test("what is saved is read as it was, and its numbers are numbers to other programs")
    func saved() throws {
        var recipe = TrainingConfiguration()
        recipe.learningRate = 1e-5
        recipe.optimizer = OptimizerConfiguration(.adamw, epsilon: 1e-8, clipNorm: 5)
        recipe.schedule = Schedule(.oneCycle, peak: 0.15)
        recipe.augmentation.crop = PictureSize(width: 320, height: 240)
        recipe.augmentation.scale = [0.5, 2]
        recipe.mean = [123.68, 116.779, 103.939]
        recipe.rates = ["conv1_1": 0.2, "conv5*": 1e-7]
        recipe.map = ["7": "void", "10": "Sky", "plant": "Tree"]
        recipe.multipliers.bias.learningRate = 1.5
        recipe.teacher = TeacherConfiguration(model: "a b.safetensors")
        let text = try recipe.yaml()
        #expect(try TrainingConfiguration(yaml: text, file: "r.yaml") == recipe)
        // YAML 1.1, as PyYAML reads it, wants a point before an exponent.
        for line in text.split(separator: "\n") where line.contains("e-0") {
            #expect(line.contains(/\d\.\d+e-\d/), "\(line)")
        }
        #expect(text.contains("learning-rate: 1.0e-05\n") && text.contains("crop: [320, 240]\n"), "\(text)")
        #expect(text.contains("map:\n  7: void\n  10: Sky\n  plant: Tree\n"), "numbers in their order: \(text)")

        recipe.datasets = [DatasetEntry(.camVid, data: "CamVid"), DatasetEntry(.list, data: "streets")]
        recipe.datasets[1].train = ["a.txt", "b.txt"]
        recipe.datasets[1].labelled = ["Sky", "Road"]
        recipe.phases = [TrainingPhase(from: 0.8, shares: [1, 0])]
        recipe.map = [:]
        let several = try recipe.yaml()
        #expect(try TrainingConfiguration(yaml: several, file: "r.yaml") == recipe)
        #expect(!several.contains("\ndataset:") && !several.contains("colored"), "\(several)")
    }

    @Test("spellings of earlier versions are read")
    func oldSpellings() throws {
        let recipe = try TrainingConfiguration(
            yaml: "multipliers:\n  weight: {learningRate: 3, decay: 1}",
            file: "r.yaml"
        )
        #expect(recipe.multipliers.weight.learningRate == 3)
        #expect(try recipe.yaml().contains("learning-rate: 3.0"))
    }

    @Test("keys with points set what is inside a group and leave the rest")
    func setting() throws {
        var recipe = try TrainingConfiguration(yaml: "optimizer: {kind: adamw, beta1: 0.8}", file: "r.yaml")
        try recipe.set("optimizer.weight-decay", to: "0.01")
        try recipe.set("rates.conv1_1", to: "0.5")
        try recipe.set("augmentation.crop", to: "320x240")
        try recipe.set("inputs", to: "rgb,depth")
        try recipe.set("datasets", to: "[{kind: camvid}, {kind: list, data: b}]")
        #expect(recipe.optimizer == OptimizerConfiguration(.adamw, beta1: 0.8, weightDecay: 0.01))
        #expect(recipe.rates == ["conv1_1": 0.5])
        #expect(recipe.augmentation.crop == PictureSize(width: 320, height: 240) && recipe.inputs == ["rgb", "depth"])
        #expect(recipe.datasets.map(\.data) == [".", "b"])
        recipe.teacher = TeacherConfiguration(model: "m")
        try recipe.set("teacher.share", to: "0.3")
        #expect(recipe.teacher?.model == "m" && recipe.teacher?.share == 0.3)
        try recipe.set("teacher", to: "null")
        #expect(recipe.teacher == nil)
        var text = ""
        do { try recipe.set("optimizer.beta1", to: "2", option: "--set") } catch { text = error.description }
        #expect(text == "--set: optimizer.beta1: needs a number from 0 to below 1; found 2.")
    }
}
