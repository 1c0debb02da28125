import Foundation
import SegNetToolkit
import Testing

@testable import SegNet

@Suite("A comparison of systems")
struct SystemComparisonTests {
    static func plan(_ change: (inout ComparisonPlan) throws -> Void = { _ in }) throws -> ComparisonPlan {
        var plan = ComparisonPlan()
        plan.dataset = .synthetic
        plan.size = PictureSize(width: 32, height: 24)
        plan.shared = try RecipeChanges(
            "{width: 0.125, count: 4, batch-size: 2, tensorboard: false, validate-every: 100, statistics: running}"
        )
        plan.budget = ComparisonBudget(iterations: 2)
        var first = ComparedSystem("First")
        first.recipe = .settings(try RecipeChanges("seed: 1"))
        var second = ComparedSystem("Second")
        second.recipe = .settings(try RecipeChanges("{seed: 1, learning-rate: 0.05}"))
        second.startFrom = "First"
        plan.systems = [first, second]
        try change(&plan)
        return plan
    }

    @Test("errors of a refinement end in one full stop", arguments: ["crf:1,2,3,4,5,6,7,8,9", "crf:x", "crf:-1"])
    func refinement(text: String) throws {
        let plan = try Self.plan { $0.systems[0].refine = text }
        #expect {
            try SystemComparison(plan, output: URL(filePath: "/nowhere"))
        } throws: {
            "\($0)".hasPrefix("First: refine: ") && "\($0)".hasSuffix(".") && !"\($0)".hasSuffix("..")
        }
    }

    static func train(_ comparison: SystemComparison, stopping: Bool = false) throws {
        for system in comparison.systems where system.trains {
            guard try comparison.state(of: system) != .trained else { continue }
            try Trainer(system.configuration, output: system.runFolder, resume: true, threads: 1)
                .run(shouldStop: { stopping })
            if stopping { return }
        }
    }

    /// Two systems that share a model, on a few pictures of a folder: the rendered data set has fifty.
    static func onFiles(_ folder: URL) throws -> SystemComparison {
        let data = folder.appending(path: "data")
        for split in ["train", "val"] {
            for number in 0..<2 {
                let scene = try StreetScene(seed: UInt64(number), width: 40, height: 30)
                for (kind, image) in [("images", scene.image.rgb()), ("labels", nil)] {
                    let target = data.appending(path: "\(kind)/\(split)")
                    try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
                    let file = target.appending(path: "p\(number).png").path
                    if let image { try image.write(path: file) } else { try scene.labels.write(path: file) }
                }
            }
        }
        let plan = try Self.plan {
            $0.dataset = .folder
            $0.data = data.path
            $0.split = "val"
            $0.overrides = [.init("classes", "camvid11"), .init("ignore", "11")]
            $0.systems[1] = ComparedSystem("First, last step")
            $0.systems[1].modelOf = "First"
            $0.systems[1].model = .last
        }
        return try SystemComparison(plan, output: folder.appending(path: "out"))
    }

    @Test("takes bundled models by name: the recipe that a training saves, with their files, is not another one")
    func bundledModels() throws {
        let name = "segnet-basic-camvid"
        let bundled = try #require(ModelStore.standard.url(of: name))
        let folder = FileManager.default.temporaryDirectory.appending(path: "segnet-\(UInt64.random(in: 0 ... .max))")
        defer { try? FileManager.default.removeItem(at: folder) }
        let plan = try Self.plan { $0.systems[0].recipe = .settings(try RecipeChanges("{model: \(name), width: 1}")) }
        let comparison = try SystemComparison(plan, output: folder)
        let first = comparison.systems[0]
        #expect(first.configuration.model == bundled.relativePath)
        let recipe = try TrainingConfiguration(path: comparison.writeRecipe(of: first).path)
        #expect(recipe.model == bundled.relativePath)
        try FileManager.default.createDirectory(at: first.runFolder, withIntermediateDirectories: true)
        try Data(recipe.yaml().utf8).write(to: first.runFolder.appending(path: "recipe.yaml"))
        #expect(try comparison.state(of: first) == .begun(step: 0, of: nil))
        let unknown = try Self.plan {
            $0.systems[0].recipe = .settings(try RecipeChanges("model: segnet-basic-camvit"))
        }
        #expect {
            try SystemComparison(unknown, output: folder)
        } throws: {
            "\($0)".hasPrefix(
                "First: segnet-basic-camvit: is neither a file nor a bundled model. Did you mean '\(name)'? "
            )
        }
    }

    @Test(
        "does not write a system's recipe over the plan or a recipe that it names",
        arguments: [("Plan", "plan"), ("Wide net", "wide-net"), ("Linked", "linked"), ("Other", nil)]
            as [(String, String?)]
    )
    func sources(name: String, replaced: String?) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "segnet-\(UInt64.random(in: 0 ... .max))")
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        func write(_ text: String, _ name: String) throws {
            try Data(text.utf8).write(to: folder.appending(path: name))
        }
        try write("# What I have tried.\nwidth: 0.125\n", "wide-net.yaml")
        let plan = "dataset: synthetic\nsystems:\n  - {name: \(name), recipe: wide-net.yaml}\n"
        try write(plan, "plan.yaml")
        try FileManager.default.createSymbolicLink(
            atPath: folder.appending(path: "linked.yaml").path,
            withDestinationPath: "plan.yaml"
        )
        let comparison = try SystemComparison(
            ComparisonPlan(path: folder.appending(path: "plan.yaml").path),
            output: folder
        )
        let system = comparison.systems[0]
        guard let replaced else {
            let written = try comparison.writeRecipe(of: system)
            #expect(written.lastPathComponent == "other.yaml")
            // The second time it replaces its own.
            #expect(try comparison.writeRecipe(of: system) == written)
            return
        }
        #expect {
            _ = try comparison.writeRecipe(of: system)
        } throws: {
            "\($0)".hasPrefix(
                "\(name): its whole recipe would be written to \(folder.relativePath)/\(replaced).yaml, and replace \(folder.path)/"
            ) && "\($0)".hasSuffix("give another output folder, or the system another name.")
        }
        #expect(try String(contentsOf: folder.appending(path: "plan.yaml"), encoding: .utf8) == plan)
        #expect(
            try String(contentsOf: folder.appending(path: "wide-net.yaml"), encoding: .utf8).hasPrefix("# What I have")
        )
        #expect(throws: ConfigurationError.self) { try comparison.requireSources() }
    }

    @Test("estimates with the steps of the recipe: what is frozen takes less time")
    func frozenLayers() throws {
        let plan = try Self.plan {
            $0.systems[0].settings = try RecipeChanges("{freeze: [conv1], rates: {conv2: 0.5}}")
        }
        let comparison = try SystemComparison(plan, output: URL(filePath: "/nowhere"))
        let timer = try comparison.timer(of: comparison.systems[0], threads: 1)
        let options = timer.learner.parameters.options
        #expect(options.frozenLayers == ["conv1"] && options.layerRates == ["conv2": 0.5])
        #expect(timer.learner.plan.batchSize == 2)
    }

    @Test("tells from its folder what is missing, begun, trained and changed; the second begins with the first's model")
    func states() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "segnet-\(UInt64.random(in: 0 ... .max))")
        defer { try? FileManager.default.removeItem(at: folder) }
        let comparison = try SystemComparison(try Self.plan(), output: folder)
        let (first, second) = (comparison.systems[0], comparison.systems[1])
        #expect(try comparison.state(of: first) == .missing)
        #expect(try comparison.estimate(first, threads: 1).stepsLeft == 2)
        try Self.train(comparison, stopping: true)
        #expect(try comparison.state(of: first) == .begun(step: 1, of: 2))
        let estimate = try comparison.estimate(first, threads: 1)
        #expect(estimate.stepsLeft == 1 && estimate.totalSteps == 2 && estimate.secondsPerStep > 0)
        try Self.train(comparison)
        #expect(try comparison.systems.map { try comparison.state(of: $0) } == [.trained, .trained])
        #expect(second.configuration.model == first.runFolder.appending(path: "best.safetensors").relativePath)

        let other = try SystemComparison(
            try Self.plan { $0.systems[0].settings = try RecipeChanges("seed: 7") },
            output: folder
        )
        guard case .changed(let differences) = try other.state(of: other.systems[0]) else {
            Issue.record("the changed recipe was not noticed")
            return
        }
        #expect(differences.map(\.description) == ["seed 1 -> 7"])
        #expect {
            try other.requireUnchanged()
        } throws: {
            "\($0)"
                == "First: its recipe has changed since it was trained in \(folder.relativePath)/first (seed 1 -> 7)\n"
                + "Put the recipe back, retrain it, which keeps the old training next to the new one, or give another output folder."
        }
        #expect(try other.setAside(other.systems[0]).lastPathComponent == "first~1")
        #expect(try other.state(of: other.systems[0]) == .missing)
        try other.requireUnchanged()
    }

    @Test(
        "scores and measures what is trained, once, and again when the model has changed; a second row shares a model"
    )
    func scores() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "segnet-\(UInt64.random(in: 0 ... .max))")
        defer { try? FileManager.default.removeItem(at: folder) }
        let comparison = try Self.onFiles(folder)
        try Self.train(comparison)
        for system in comparison.systems {
            #expect(comparison.scores(of: system) == nil && comparison.measurement(of: system, threads: 1) == nil)
            #expect(try comparison.evaluate(system, threads: 1))
            #expect(try !comparison.evaluate(system, threads: 1))
            try comparison.measure(system, threads: 1, repetitions: 1)
            #expect(comparison.scores(of: system)?.perImage.map(\.name) == ["p0", "p1"])
            #expect(comparison.measurement(of: system, threads: 1)?.width == 32)
        }
        #expect(comparison.systems.map(\.modelFile.lastPathComponent) == ["best.safetensors", "last.safetensors"])
        let pages = try comparison.writePages(threads: 1)
        let html = try String(contentsOf: pages.html, encoding: .utf8)
        #expect(!html.contains("Not complete") && html.contains("--classes camvid11 --ignore 11"))

        // A model of another time has no scores yet.
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 1)],
            ofItemAtPath: comparison.systems[0].modelFile.path
        )
        #expect(comparison.scores(of: comparison.systems[0]) == nil)
        #expect(comparison.measurement(of: comparison.systems[0], threads: 1) == nil)
        #expect(comparison.scores(of: comparison.systems[1]) != nil)
    }

    @Test("scores again where labels or pictures of the split have changed, but not where the data set has only moved")
    func changedTruth() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "segnet-\(UInt64.random(in: 0 ... .max))")
        defer { try? FileManager.default.removeItem(at: folder) }
        var comparison = try Self.onFiles(folder)
        try Self.train(comparison)
        try comparison.evaluate(comparison.systems[0], threads: 1)
        #expect(comparison.scores(of: comparison.systems[0]) != nil)
        let data = folder.appending(path: "data")

        var plan = comparison.plan
        plan.data = folder.appending(path: "moved").path
        try FileManager.default.moveItem(at: data, to: folder.appending(path: "moved"))
        let moved = try SystemComparison(plan, output: comparison.output)
        #expect(moved.scores(of: moved.systems[0]) != nil)
        try FileManager.default.moveItem(at: folder.appending(path: "moved"), to: data)

        // A corrected label: one pixel, the same date as before.
        let label = data.appending(path: "labels/val/p0.png").path
        let date = try FileManager.default.attributesOfItem(atPath: label)[.modificationDate]
        let map = try LabelMap(path: label)
        var ids = map.ids
        ids[0] = ids[0] == 0 ? 1 : 0
        try LabelMap(width: map.width, height: map.height, ids: ids).write(path: label)
        try FileManager.default.setAttributes([.modificationDate: try #require(date)], ofItemAtPath: label)
        #expect(comparison.scores(of: comparison.systems[0]) == nil)
        try comparison.evaluate(comparison.systems[0], threads: 1)
        #expect(comparison.scores(of: comparison.systems[0]) != nil)

        // A picture more. It is not one to learn from, so the training stands.
        for kind in ["images", "labels"] {
            try FileManager.default.copyItem(
                at: data.appending(path: "\(kind)/val/p0.png"),
                to: data.appending(path: "\(kind)/val/p7.png")
            )
        }
        comparison = try SystemComparison(comparison.plan, output: comparison.output)
        #expect(comparison.scores(of: comparison.systems[0]) == nil)
        #expect(try comparison.state(of: comparison.systems[0]) == .trained)
        try comparison.evaluate(comparison.systems[0], threads: 1)
        #expect(comparison.scores(of: comparison.systems[0])?.perImage.map(\.name) == ["p0", "p1", "p7"])
    }

    @Test("refuses a training that has learnt from other pictures than there are now")
    func changedPictures() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "segnet-\(UInt64.random(in: 0 ... .max))")
        defer { try? FileManager.default.removeItem(at: folder) }
        let comparison = try Self.onFiles(folder)
        try Self.train(comparison)
        let once = comparison.remembering()
        for comparison in [comparison, once] { try comparison.requireUnchanged() }
        for kind in ["images", "labels"] {
            let part = folder.appending(path: "data/\(kind)")
            try FileManager.default.moveItem(
                at: part.appending(path: "val/p1.png"),
                to: part.appending(path: "train/p9.png")
            )
        }
        #expect {
            try comparison.requireUnchanged()
        } throws: {
            "\($0)"
                == "First: what it learns from has changed since it was trained in \(comparison.systems[0].runFolder.relativePath) "
                + "(pictures: data set 'data': 2 training pictures then, 3 now (new: 'p9'))\n"
                + "Put back what has changed, retrain it, which keeps the old training next to the new one, or give another "
                + "output folder."
        }
        // Pictures that were found are not looked for again.
        try once.requireUnchanged()
        #expect(throws: ConfigurationError.self) { try once.remembering().requireUnchanged() }
    }

    @Test("notices that the system with whose model another one began was retrained")
    func changedStart() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "segnet-\(UInt64.random(in: 0 ... .max))")
        defer { try? FileManager.default.removeItem(at: folder) }
        let comparison = try SystemComparison(try Self.plan { $0.systems[0].settings = nil }, output: folder)
        let (first, second) = (comparison.systems[0], comparison.systems[1])
        try Trainer(first.configuration, output: first.runFolder, threads: 1).run()
        _ = try comparison.writeRecipe(of: second)
        try Trainer(second.configuration, output: second.runFolder, resume: true, threads: 1).run()
        #expect(try comparison.state(of: second) == .trained)
        // The same model with another date, or with a CRF's numbers, has the same weights.
        try SafetensorsFile.store(denseCRF: "4,49,5,3,3,10", in: first.modelFile)
        #expect(try comparison.state(of: second) == .trained)
        #expect(try comparison.leftBehind(by: [first, second], retrains: false).isEmpty)

        // Retrained to the same bits, it would still be known; with another seed it is another model.
        _ = try comparison.setAside(first)
        #expect(try comparison.state(of: second) == .trained)
        #expect(try comparison.leftBehind(by: [first, second], retrains: false).map(\.name) == ["Second"])
        #expect(try comparison.leftBehind(by: [first], retrains: true).map(\.name) == ["Second"])
        #expect(try comparison.leftBehind(by: [first, second], retrains: true).isEmpty)
        let other = try SystemComparison(
            try Self.plan { $0.systems[0].settings = try RecipeChanges("seed: 7") },
            output: folder
        )
        try Trainer(other.systems[0].configuration, output: first.runFolder, threads: 1).run()
        #expect(try other.state(of: other.systems[1]) == .changed([.start("First")]))
        #expect {
            try other.requireUnchanged()
        } throws: {
            "\($0)".hasPrefix(
                "Second: what it learns from has changed since it was trained in \(second.runFolder.relativePath) "
                    + "(start-from: First has been retrained)\n"
            )
        }
    }

    @Test("refuses a recipe that learns from scored pictures, by whatever list")
    func learntPictures() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "segnet-\(UInt64.random(in: 0 ... .max))")
        defer { try? FileManager.default.removeItem(at: folder) }
        var plan = try Self.onFiles(folder).plan
        let data = folder.appending(path: "data")
        let line = { (name: String) in "images/\(name).png labels/\(name).png\n" }
        try Data((line("train/p0") + line("val/p1")).utf8).write(to: data.appending(path: "train.txt"))
        try Data((line("val/p0") + line("val/p1")).utf8).write(to: data.appending(path: "val.txt"))
        plan.dataset = .list
        #expect {
            try SystemComparison(plan, output: folder.appending(path: "out")).requirePictures()
        } throws: {
            "\($0)"
                == "First: learns from 1 of the 2 pictures of 'val' that are scored, such as 'p1'. Take them out of its data, or score "
                + "another split."
        }
        try Data(line("train/p0").utf8).write(to: data.appending(path: "train.txt"))
        try SystemComparison(plan, output: folder.appending(path: "out")).requirePictures()
    }

    @Test("says which systems learn from scored pictures, by the pictures and not by the name of their split")
    func learners() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "segnet-\(UInt64.random(in: 0 ... .max))")
        defer { try? FileManager.default.removeItem(at: folder) }
        var plan = try Self.onFiles(folder).plan
        let data = folder.appending(path: "data")
        try FileManager.default.copyItem(at: data, to: folder.appending(path: "other"))
        try FileManager.default.createSymbolicLink(at: folder.appending(path: "link"), withDestinationURL: data)
        func system(_ name: String, _ settings: String) throws -> ComparedSystem {
            var system = ComparedSystem(name)
            system.recipe = .settings(try RecipeChanges("seed: 1"))
            system.settings = try RecipeChanges(settings)
            return system
        }
        plan.split = "train"
        plan.systems = [
            // Its own pictures have the same names in a split of the same name.
            try system("Other", "data: \(folder.path)/other"),
            // Its data set is none that is scored, but some of its pictures are.
            try system("Link", "{dataset: list, data: \(folder.path)/link}"),
        ]
        for split in ["train", "val"] {
            let line = "images/\(split)/p0.png labels/\(split)/p0.png\n"
            try Data(line.utf8).write(to: data.appending(path: "\(split).txt"))
        }
        let comparison = try SystemComparison(plan, output: folder.appending(path: "out"))
        #expect(try comparison.learners().map(\.name) == ["Link"])
        let page = try String(contentsOf: comparison.writePages().markdown, encoding: .utf8)
        #expect(page.contains(" Link has learnt from these pictures: the scores flatter it."), "\(page)")

        plan.systems = [try system("All", "seed: 1"), try system("Too", "seed: 2")]
        let both = try SystemComparison(plan, output: folder.appending(path: "out"))
        let all = try String(contentsOf: both.writePages().markdown, encoding: .utf8)
        #expect(all.contains(" The systems have learnt from these pictures: the scores flatter them."), "\(all)")
        #expect(SystemComparison.subject(["A", "B", "C"], of: ["A", "B", "C", "D"]).words == "A, B and C")
    }

    @Test("says whose best model was chosen on the scored pictures")
    func chosenOnScored() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "segnet-\(UInt64.random(in: 0 ... .max))")
        defer { try? FileManager.default.removeItem(at: folder) }
        func page(_ plan: ComparisonPlan) throws -> String {
            let comparison = try SystemComparison(plan, output: folder.appending(path: "out"))
            return try String(contentsOf: comparison.writePages().markdown, encoding: .utf8)
        }
        var plan = try Self.onFiles(folder).plan
        let one = " The best model of First was chosen on these pictures: the scores flatter it a little."
        #expect(try page(plan).contains(one))
        plan.systems[1].model = .best
        let all = " The best model of each system was chosen on these pictures: the scores flatter it a little."
        #expect(try page(plan).contains(all))
        plan.overrides.append(.init("validation-split", "none"))
        #expect(try !page(plan).contains("was chosen on these pictures"))
    }

    @Test("refuses a picture that is not there, with the closest name")
    func pictures() throws {
        let samples = ["p10", "p11", "q"].map { Sample(name: $0, source: .street(seed: 1)) }
        #expect(try ComparisonPictures.chosen([], samples, split: "val").map(\.name) == ["p10", "p11", "q"])
        #expect(try ComparisonPictures.chosen(["q"], samples, split: "val").map(\.name) == ["q"])
        #expect { try ComparisonPictures.chosen(["p1"], samples, split: "val") } throws: {
            "\($0)" == "pictures: there is no picture 'p1' in the split 'val'. Did you mean 'p10'?"
        }
    }
}
