import SegNetCPU
import SegNetData
import SegNetNetworks
import SegNetPlatform
import Testing

@testable import SegNetTraining

@Suite("A comparison plan")
struct ComparisonPlanTests {
    static let yaml = """
        title: Three recipes
        dataset: folder
        data: mine
        split: val
        size: [64, 48]
        protocol: {batch-size: 2, optimizer: {kind: adamw}, epochs: 7}
        budget: {iterations: 30}
        systems:
          - name: First
            recipe: {architecture: segnet-basic, width: 0.25, learning-rate: 0.5, batch-size: 9}
          - name: Second one
            recipe: {architecture: segnet, width: 0.5, iterations: 4000}
            settings: {batch-size: 3, optimizer: {weight-decay: 0.25}}
            start-from: First
          - {name: "First, last step", model-of: First, model: last, published: {mean-iou: 60.1}}
        """

    private static func message(_ yaml: String) -> String {
        do {
            _ = try ComparisonPlan(yaml: yaml, file: "plans/p.yaml")
            return "nothing was thrown"
        } catch { return error.description }
    }

    @Test("is read: data, protocol, budget, systems; relative recipes begin at its folder")
    func read() throws {
        let plan = try ComparisonPlan(yaml: Self.yaml, file: "plans/p.yaml")
        #expect(plan.title == "Three recipes" && plan.dataset == .folder && plan.data == "mine" && plan.split == "val")
        #expect(
            plan.size == PictureSize(width: 64, height: 48) && plan.budget.iterations == 30 && plan.folder == "plans"
        )
        #expect(plan.systems.map(\.name) == ["First", "Second one", "First, last step"])
        #expect(plan.systems.map(\.folderName) == ["first", "second-one", "first-last-step"])
        #expect(plan.systems[1].startFrom == "First" && plan.systems[2].modelOf == "First")
        #expect(plan.systems[2].model == .last && plan.systems[2].published?.meanIoU == 60.1)
        #expect(plan.source == Self.yaml)
        try plan.check()
    }

    @Test("lays over a recipe its data and size, what all share, the budget, and last the system's own settings")
    func precedence() throws {
        let plan = try ComparisonPlan(yaml: Self.yaml, file: "p.yaml")
        let first = try plan.configuration(of: plan.systems[0])
        #expect(first.architecture == .segNetBasic && first.width == 0.25 && first.learningRate == 0.5)
        #expect(first.dataset == .folder && first.data == "mine" && first.size == PictureSize(width: 64, height: 48))
        #expect(first.batchSize == 2 && first.optimizer.kind == .adamw && first.iterations == 30)
        let second = try plan.configuration(of: plan.systems[1])
        #expect(second.batchSize == 3 && second.optimizer.kind == .adamw && second.optimizer.weightDecay == 0.25)
        #expect(second.iterations == 30)
    }

    @Test("overrides replace everything, also where they are scored; a wrong one is named as the option")
    func overrides() throws {
        var plan = try ComparisonPlan(yaml: Self.yaml, file: "p.yaml")
        plan.overrides = [.init("batch-size", "5"), .init("inputs", "gray")]
        #expect(try plan.configuration(of: plan.systems[1]).batchSize == 5)
        #expect(try plan.scoredRecipe().inputs == ["gray"])
        plan.overrides = [.init("batchsize", "5", at: "--set")]
        #expect { try plan.configuration(of: plan.systems[1]) } throws: {
            "\($0)"
                == "--set: there is no setting 'batchsize'. Did you mean 'batch-size'? See the list of all settings."
        }
    }

    @Test("what is scored are the pictures at their own size, with the protocol's labels")
    func scored() throws {
        let yaml = Self.yaml.replacing("batch-size: 2,", with: "colored: true, map: {tree: void},")
        let scored = try ComparisonPlan(yaml: yaml, file: "p.yaml").scoredRecipe()
        #expect(scored.size == nil && scored.colored && scored.map == ["tree": "void"] && scored.data == "mine")
    }

    @Test("a budget of epochs replaces a recipe's steps")
    func epochs() throws {
        let yaml = Self.yaml.replacing("budget: {iterations: 30}", with: "budget: {epochs: 2}")
        let plan = try ComparisonPlan(yaml: yaml, file: "p.yaml")
        let second = try plan.configuration(of: plan.systems[1])
        #expect(second.epochs == 2 && second.iterations == nil)
        #expect(second.stepCount(pictures: 10) == 7)
    }

    @Test("a recipe that lists several data sets keeps them")
    func pools() throws {
        let yaml = Self.yaml.replacing(
            "iterations: 4000}",
            with: "datasets: [{kind: synthetic, count: 4}, {kind: folder, data: other}]}"
        )
        let plan = try ComparisonPlan(yaml: yaml, file: "p.yaml")
        #expect(try plan.configuration(of: plan.systems[1]).datasets.map(\.data) == [".", "other"])
        #expect(try plan.scoredRecipe().datasets.isEmpty)
    }

    /// The error of the second system's recipe with other settings of its own; empty: none.
    private static func problem(_ settings: String, protocol shared: String = "", split: String = "val") throws
        -> String
    {
        let yaml = yaml.replacing("{batch-size: 3, optimizer: {weight-decay: 0.25}}", with: "{\(settings)}")
            .replacing("protocol: {", with: "protocol: {\(shared)").replacing("split: val", with: "split: \(split)")
        let plan = try ComparisonPlan(yaml: yaml, file: "p.yaml")
        do {
            _ = try plan.configuration(of: plan.systems[1])
            return ""
        } catch { return error.description }
    }

    @Test(
        "a system's own labels and splits, by which nobody scores, are refused by name",
        arguments: [
            ("validation-share: 0.5", "validation-share is 0.5, scoring has 0.1. It belongs"),
            ("validation-split: test", "validation-split is test, scoring has val. It belongs"),
            ("folds: 3, fold: 2", "folds is 3, scoring has 0; fold is 2, scoring has 1. They belong"),
            ("map: {tree: void}", "map.tree is void, scoring has none. It belongs"),
            ("ignore: [3]", "ignore is [3], scoring has []. It belongs"),
            ("label-offset: -1", "label-offset is -1, scoring has none. It belongs"),
            ("classes: camvid11", "classes is camvid11, scoring has none. It belongs"),
            ("colored: true", "colored is true, scoring has false. It belongs"),
        ]
    )
    func ownLabels(settings: String, problem: String) throws {
        let applies = problem.hasSuffix("It belongs") ? "it applies" : "they apply"
        #expect(
            try Self.problem(settings)
                == "Second one: \(problem) in the plan's 'protocol', so that \(applies) to all systems and to scoring."
        )
        // For all systems, or of data of its own, it is as well.
        #expect(try Self.problem("seed: 2", protocol: settings + ", ") == "")
        #expect(try Self.problem(settings, protocol: settings + ", ") == "")
        #expect(try Self.problem(settings + ", data: other") == "")
    }

    @Test("how a system divides its training pictures is its own affair, where another split is scored")
    func ownValidation() throws {
        #expect(try Self.problem("validation-share: 0.5", split: "test") == "")
        #expect(try Self.problem("folds: 3, fold: 2", split: "test") == "")
        #expect(try Self.problem("train-split: trainval, validation-split: none", split: "test") == "")
        for split in ["val", "test"] {
            #expect(
                try Self.problem("train-split: \(split)", split: split)
                    == "Second one: train-split is \(split), the split that is scored; learn from another one, or score another one."
            )
        }
        #expect(try Self.problem("ignore: [3, 1]", protocol: "ignore: [1, 3], ") == "")
    }

    @Test("one of several data sets that is the scored split is refused", arguments: ["val", "val.txt"])
    func learntSplit(train: String) throws {
        let yaml = Self.yaml.replacing("dataset: folder", with: "dataset: list").replacing(
            "iterations: 4000}",
            with: "datasets: [{kind: synthetic, count: 4}, {kind: list, data: ./mine/, train: [\(train)]}]}"
        )
        let plan = try ComparisonPlan(yaml: yaml, file: "p.yaml")
        #expect { try plan.configuration(of: plan.systems[1]) } throws: {
            "\($0)"
                == "Second one: datasets, entry 2 (./mine/): learns from 'val', the split that is scored; give 'train' another one, or "
                + "score another split of the plan's data."
        }
    }

    @Test(
        "wrong keys and values are refused with line, key and the closest key",
        arguments: [
            (
                "titl: x",
                "line 1: there is no setting 'titl'. Did you mean 'title'? There are title, text, dataset, data, split, size, "
                    + "protocol, budget, model, systems, pictures, worst, published."
            ),
            ("dataset: camvid", "line 1: lacks 'systems' (a list of systems)."),
            ("dataset: camvid\nsystems: []", "line 2: systems: needs a list of systems; found []."),
            (
                "dataset: camvd",
                "line 1: dataset: needs one of camvid, camvid12, sunrgbd, nyuv2, cityscapes, voc, folder, list, coco, labelme, cvat, label-studio, yolo, synthetic; "
                    + "found 'camvd'. Did you mean 'camvid'?"
            ),
            (
                "protocol: {learning_rate: 1}",
                "line 1: protocol: there is no setting 'learning_rate'. Did you mean 'learning-rate'? "
                    + "See the list of all settings."
            ),
            (
                "protocol:\n  optimizer: {momentum: 2}",
                "line 2: protocol.optimizer.momentum: needs a number from 0 to below 1; found 2."
            ),
            ("protocol: fast", "line 1: protocol: needs settings of a recipe, each a key and a value; found 'fast'."),
            (
                "systems:\n  - {name: a, recipe: {epoch: 2}}",
                "line 2: systems, entry 1: recipe: there is no setting 'epoch'. "
                    + "Did you mean 'epochs'? See the list of all settings."
            ),
            (
                "systems:\n  - {name: a, recipe: [1]}",
                "line 2: systems, entry 1: recipe: needs a recipe's file, or the settings of a recipe; "
                    + "found [1]."
            ),
            ("systems:\n  - {recipe: a.yaml}", "line 2: systems, entry 1: lacks 'name' (text)."),
            (
                "budget: {iterations: 9223372036854775807}",
                "line 1: budget.iterations: needs a whole number in 1...1000000000; found 9223372036854775807."
            ),
            ("budget: {hours: 2}", "line 1: budget: there is no setting 'hours'. There are iterations, epochs."),
        ]
    )
    func refused(yaml: String, problem: String) {
        #expect(Self.message(yaml) == "plans/p.yaml, \(problem)")
    }

    @Test(
        "keys that contradict each other are refused with the system's line and name",
        arguments: [
            (
                "  - {name: b}",
                "line 4: systems, entry 2 (b): lacks 'recipe' (a recipe's file, or the settings of a recipe), or 'model-of'."
            ),
            (
                "  - {name: b, model-of: c}",
                "line 4: systems, entry 2 (b): model-of: has to name a system of the plan that has a recipe; found 'c'."
            ),
            (
                "  - {name: b, model-of: b}",
                "line 4: systems, entry 2 (b): model-of: has to name a system of the plan that has a recipe; found 'b'."
            ),
            (
                "  - {name: b, model-of: c, recipe: b.yaml}",
                "line 4: systems, entry 2 (b): model-of: has to name a system of the plan that has a recipe; found 'c'."
            ),
            (
                "  - {name: b, model-of: aa, recipe: b.yaml}",
                "line 4: systems, entry 2 (b): model-of: the model of 'aa' is used as it is; remove "
                    + "'recipe', 'settings' and 'start-from', or remove 'model-of'."
            ),
            (
                "  - {name: b, recipe: b.yaml, start-from: ab}",
                "line 4: systems, entry 2 (b): start-from: has to name a system that comes "
                    + "earlier in the plan and has a recipe; found 'ab'. Did you mean 'aa'?"
            ),
            (
                "  - {name: AA!, recipe: b.yaml}",
                "line 4: systems, entry 2 (AA!): name: its folder would be 'aa', which 'aa' already uses; give "
                    + "this system another name."
            ),
            (
                "  - {name: 網, recipe: b.yaml}",
                "line 4: systems, entry 2 (網): name: needs a letter or digit of ASCII, for the name of its "
                    + "folder; found '網'."
            ),
            (
                "  - {name: b, model-of: aa, refine: crv}",
                "line 4: systems, entry 2 (b): refine: 'crv' is not known; give crf, or crf: with its numbers "
                    + "(docs/evaluation.md)."
            ),
        ]
    )
    func contradictions(entry: String, problem: String) {
        #expect(
            Self.message("dataset: camvid\nsystems:\n  - {name: aa, recipe: a.yaml}\n\(entry)")
                == "plans/p.yaml, \(problem)"
        )
    }

    @Test("a budget of steps and of epochs is refused")
    func budget() {
        let yaml = "dataset: camvid\nbudget: {iterations: 3, epochs: 2}\nsystems:\n  - {name: a, recipe: a.yaml}"
        #expect(
            Self.message(yaml)
                == "plans/p.yaml, line 2: budget: has iterations and epochs, which exclude each other; keep one."
        )
    }

    @Test("names a recipe's file that is not there")
    func missingRecipe() throws {
        let plan = try ComparisonPlan(
            yaml: "dataset: camvid\nsystems:\n  - {name: a, recipe: none.yaml}",
            file: "/nowhere/p.yaml"
        )
        #expect {
            try plan.configuration(of: plan.systems[0])
        } throws: {
            "\($0)"
                == "/nowhere/none.yaml: there is no such file; give a recipe's file or name. See the list of all recipes and plans."
        }
        let folder = #expect(throws: ConfigurationError.self) { try ComparisonPlan(path: "/") }
        #expect(
            folder?.description
                == "/: is a folder, not a file; give the file or name of a comparison plan. See the list of all recipes and plans."
        )
    }

    @Test("from Swift is checked as from a file")
    func swift() throws {
        var plan = ComparisonPlan()
        #expect { try plan.check() } throws: { "\($0)" == "systems: there are none; name at least one." }
        plan.systems = [ComparedSystem("a")]
        #expect { try plan.check() } throws: {
            "\($0)"
                == "systems, entry 1 (a): lacks 'recipe' (a recipe's file, or the settings of a recipe), or 'model-of'."
        }
        plan.systems[0].recipe = .settings(try RecipeChanges("width: 0.5"))
        try plan.check()
        #expect { try RecipeChanges("widt: 0.5") } throws: {
            "\($0)" == "there is no setting 'widt'. Did you mean 'width'? See the list of all settings."
        }
    }

    @Test("every key has a form and a sentence of help")
    func described() {
        func check(_ settings: [RecipeSetting]) {
            for setting in settings {
                #expect(setting.key.allSatisfy { $0.isLowercase || $0.isNumber || $0 == "-" }, "\(setting.key)")
                #expect(!setting.form.isEmpty && setting.help.hasSuffix("."), "\(setting.key)")
                check(setting.settings)
            }
        }
        check(ComparisonPlan.settings)
        #expect(ComparisonPlan.settings.first { $0.key == "systems" }?.settings.map(\.key).contains("refine") == true)
    }

    @Test("recipes are compared by every setting, at every depth, but for what changes no result")
    func differences() throws {
        var (old, new) = (TrainingConfiguration(), TrainingConfiguration())
        old.optimizer.weightDecay = 0.25
        old.augmentation.crop = PictureSize(width: 32, height: 24)
        new.rates = ["conv1": 2]
        #expect(
            new.differences(from: old).map(\.description) == [
                "rates.conv1 unset -> 2.0", "optimizer.weight-decay 0.25 -> 0.0005",
                "augmentation.crop [32, 24] -> unset",
            ]
        )
        // Choices of the trainer where the recipe says nothing, and settings that change no result.
        old = TrainingConfiguration()
        new = old
        old.mean = [1, 2, 3]
        old.checkpointMinutes = 3
        old.tensorboard = false
        #expect(new.changes(since: old).isEmpty)
        new.mean = [1, 2, 4]
        #expect(new.changes(since: old).map(\.key) == ["mean"])
        // Settings of one data set are not saved where there are several.
        new = TrainingConfiguration()
        new.datasets = [DatasetEntry(.synthetic), DatasetEntry(.folder, data: "x")]
        new.colored = true
        old = try TrainingConfiguration(yaml: new.yaml(), file: "saved")
        #expect(!old.colored && new.changes(since: old).isEmpty)
    }
}
