import Foundation
import SegNetToolkit
import Testing

@testable import SegNet

@Suite("A comparison of systems")
struct SystemComparisonTests {
    static func plan(_ change: (inout ComparisonPlan) throws -> Void = { _ in }) throws -> ComparisonPlan {
        var plan = ComparisonPlan()
        plan.dataset = .synthetic
        plan.size = [32, 24]
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
                + "Put the recipe back, train it anew, which keeps the old training next to the new one, or give another output folder."
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
            try comparison.evaluate(system, threads: 1)
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
