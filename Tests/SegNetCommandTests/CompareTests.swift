import Foundation
import SegNetToolkit
import Testing

@testable import SegNetCommand

@Suite("segnet compare", .serialized, .enabled(if: BuiltCommand.isThere, "the segnet command is not built"))
struct CompareTests {
    /// A made-up data set of two classes: bright balls on grass, and a plan of three small recipes and a fourth row.
    static func scratch() throws -> ScratchFolder {
        let scratch = try ScratchFolder()
        try scratch.write("grass 40 120 40\nball 230 200 60\n", "data/classes.txt")
        var random = RandomNumbers(seed: 7)
        for (split, count) in [("train", 8), ("val", 3)] {
            for folder in ["images", "labels"] {
                try FileManager.default.createDirectory(
                    atPath: scratch("data/\(folder)/\(split)"),
                    withIntermediateDirectories: true
                )
            }
            for number in 0..<count {
                let (x, y) = (8 + 16 * random.uniform(), 8 + 8 * random.uniform())
                var pixels: [UInt8] = []
                var ids: [UInt16] = []
                for place in 0..<32 * 24 {
                    let (dx, dy) = (Double(place % 32) - x, Double(place / 32) - y)
                    let isBall = dx * dx + dy * dy < 30
                    ids.append(isBall ? 1 : 0)
                    let noise = UInt8(30 * random.uniform())
                    pixels += isBall ? [220 - noise, 200, 40 + noise] : [30 + noise, 130 - noise, 40]
                }
                try Image(width: 32, height: 24, channels: 3, pixels: pixels)
                    .write(path: scratch("data/images/\(split)/p\(number).png"))
                try LabelMap(width: 32, height: 24, ids: ids).write(
                    path: scratch("data/labels/\(split)/p\(number).png")
                )
            }
        }
        try scratch.write("architecture: segnet-basic\nwidth: 0.25\n", "basic.yaml")
        try scratch.write(plan(scratch), "plan.yaml")
        return scratch
    }

    static func plan(_ scratch: ScratchFolder) -> String {
        """
        title: Balls on grass
        text: Three small networks, made up for a test.
        dataset: folder
        data: \(scratch("data"))
        split: val
        protocol:
          batch-size: 2
          learning-rate: 0.01
          optimizer: {kind: adamw}
          validate-every: 5
          checkpoint-minutes: 0
          tensorboard: false
        budget: {iterations: 40}
        published: "nobody, 2026"
        systems:
          - {name: Basic, recipe: basic.yaml, published: {mean-iou: 61.5}}
          - {name: Narrow, recipe: basic.yaml, settings: {width: 0.125, iterations: 400}}
          - {name: Dropout, recipe: {architecture: bayesian-segnet-basic, width: 0.125}}
          - {name: "Basic, last step", model-of: Basic, model: last}
        """
    }

    struct Run {
        var status: Int32
        var output: String
        var errors: String
    }

    /// Runs the built command.
    /// - Parameter interrupt: Asked again and again; sends SIGINT once when it says so.
    static func run(_ arguments: [String], interrupt: (() -> Bool)? = nil) throws -> Run {
        let process = Process()
        process.executableURL = BuiltCommand.url
        process.arguments = ["compare"] + arguments + ["--threads", "1"]
        let scratch = try ScratchFolder()
        try scratch.write("", "out")
        try scratch.write("", "err")
        process.standardOutput = FileHandle(forWritingAtPath: scratch("out"))
        process.standardError = FileHandle(forWritingAtPath: scratch("err"))
        try process.run()
        var isSent = false
        while process.isRunning {
            if let interrupt, !isSent, interrupt() {
                kill(process.processIdentifier, SIGINT)
                isSent = true
            }
            Thread.sleep(forTimeInterval: 0.005)
        }
        process.waitUntilExit()
        return Run(
            status: process.terminationStatus,
            output: try String(contentsOfFile: scratch("out"), encoding: .utf8),
            errors: try String(contentsOfFile: scratch("err"), encoding: .utf8)
        )
    }

    private static func step(_ folder: String) -> Int {
        (try? Checkpoint.progress(URL(filePath: folder).appending(path: "last.checkpoint")).step) ?? 0
    }

    private static func modified(_ path: String) throws -> Date {
        try #require(try FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date)
    }

    @Test(
        "trains, is interrupted, goes on to the same bits, scores, shows; trains nothing twice; notices a changed recipe"
    )
    func whole() throws {
        let scratch = try Self.scratch()
        let (plan, output) = (scratch("plan.yaml"), scratch("out"))
        let dry = try Self.run([plan, "--output", output, "--dry-run"])
        #expect(dry.status == 0 && dry.output.contains("Narrow            missing"), "\(dry.output)\(dry.errors)")
        #expect(
            dry.output.contains("Basic, last step  shares the model of Basic") && dry.output.contains(" 40 ")
                && dry.output.contains(" 400 ")
        )

        // Ctrl-C in the middle of the second training: its child saves, both end, nothing is scored.
        let stopped = try Self.run([plan, "--output", output]) { Self.step(scratch("out/narrow")) > 0 }
        #expect(stopped.status == 130, "\(stopped.errors)")
        #expect(stopped.errors.contains("stopped; the same command continues from here.\n"), "\(stopped.errors)")
        let step = Self.step(scratch("out/narrow"))
        #expect((1..<400).contains(step) && Self.step(scratch("out/basic")) == 40)
        #expect(!scratch.files("out").contains { $0.hasSuffix(".html") || $0.hasPrefix("dropout") })
        let between = try Self.run([plan, "--output", output, "--dry-run"])
        #expect(between.output.contains("at step \(step) of 400") && between.output.contains("trained, not scored"))

        let basic = try Self.modified(scratch("out/basic/last.safetensors"))
        let rest = try Self.run([plan, "--output", output])
        #expect(rest.status == 0, "\(rest.errors)")
        #expect(rest.output == "\(output)/comparison.html\n\(output)/comparison.md\n")
        #expect(rest.errors.contains("resumed at step \(step) of 400.") && !rest.errors.contains("Basic: training"))
        #expect(try Self.modified(scratch("out/basic/last.safetensors")) == basic)
        // As if there had been no break.
        let alone = try Self.run([plan, "--output", scratch("alone"), "--only", "Narrow"])
        #expect(alone.status == 0 && !scratch.files("alone").contains { $0.hasPrefix("basic/") })
        let models = ["alone/narrow/last.safetensors", "out/narrow/last.safetensors"]
        #expect(
            try Data(contentsOf: URL(filePath: scratch(models[0])))
                == Data(contentsOf: URL(filePath: scratch(models[1])))
        )

        try checkPages(scratch)

        // Nothing is done again; the lock has the number of the last process.
        let isKept = { (file: String) in !file.hasPrefix("comparison") && file != ".lock" }
        let before = try scratch.files("out").filter(isKept)
            .map { try Self.modified(scratch("out/\($0)")) }
        let again = try Self.run([plan, "--output", output])
        let after = try scratch.files("out").filter(isKept)
            .map { try Self.modified(scratch("out/\($0)")) }
        #expect(again.status == 0 && again.errors.isEmpty && before == after, "\(again.errors)")

        try checkChange(scratch)
    }

    private func checkPages(_ scratch: ScratchFolder) throws {
        let html = try String(contentsOfFile: scratch("out/comparison.html"), encoding: .utf8)
        let markdown = try String(contentsOfFile: scratch("out/comparison.md"), encoding: .utf8)
        for page in [html, markdown] {
            #expect(page.contains("Balls on grass") && page.contains("nobody, 2026") && page.contains("61.5"))
            for name in ["Basic", "Narrow", "Dropout", "Basic, last step", "grass", "ball"] {
                #expect(page.contains(name))
            }
            #expect(!page.contains("Not complete"))
        }
        // Three shown pictures with photo, truth and four systems; two worst of each of four systems, four views each.
        let shown = html.components(separatedBy: "<img ").count - 1
        #expect(shown == 3 * 6 + 4 * 2 * 4)
        #expect(
            html.contains("Mean IoU of validation against training time") && html.contains("segnet evaluate --model ")
        )
        #expect(
            markdown.contains("![Training loss](comparison-curve3.svg)")
                && markdown.contains("](comparison-pictures.jpg)") && markdown.contains("](comparison-worst.jpg)")
        )
        #expect(markdown.components(separatedBy: "\n1. ").count - 1 == 4 * 2)
        #expect(Set(scratch.files("out")).isSuperset(of: ["comparison-worst.jpg", "comparison-curve3.svg"]))
        // The stated command gives the same scores.
        struct File: Decodable { var report: Scores }
        struct Scores: Decodable, Equatable { var meanIoU, globalAccuracy, classAverageAccuracy, boundaryF1: Double? }
        for name in ["basic", "narrow", "dropout", "basic-last-step"] {
            let file = try Data(contentsOf: URL(filePath: scratch("out/\(name)/evaluation.json")))
            let own = try JSONDecoder().decode(File.self, from: file).report
            let model = name == "basic-last-step" ? "basic/last" : "\(name)/best"
            let result = segnet(
                [
                    "evaluate", "--model", scratch("out/\(model).safetensors"), "--dataset", "folder", "--data",
                    scratch("data"), "--split", "val", "--threads", "1", "--json", scratch("scores.json"),
                ]
            )
            #expect(result.exitCode == 0, "\(result.errors)")
            let scores = try JSONDecoder().decode(
                Scores.self,
                from: Data(contentsOf: URL(filePath: scratch("scores.json")))
            )
            #expect(own == scores && own.meanIoU != nil)
        }
        let file = try Data(contentsOf: URL(filePath: scratch("out/narrow/measurement.json")))
        let measured = try JSONDecoder().decode(SystemComparison.Measurement.self, from: file)
        #expect(measured.width == 32 && measured.height == 24 && measured.threads == 1 && measured.parameters > 1000)
        #expect(measured.forwardMilliseconds > 0 && measured.backwardMilliseconds > 0)
        #expect(try #require(measured.inferencePeakBytes) > 1 << 20)
        #expect(try #require(RunHistory(folder: URL(filePath: scratch("out/narrow")))?.peakBytes) > 1 << 20)
    }

    private func checkChange(_ scratch: ScratchFolder) throws {
        let (plan, output) = (scratch("plan.yaml"), scratch("out"))
        try scratch.write(Self.plan(scratch).replacing("width: 0.125, iter", with: "width: 0.1875, iter"), "plan.yaml")
        let refused = try Self.run([plan, "--output", output])
        #expect(refused.status == 1)
        #expect(
            refused.errors
                == """
                Error: Narrow: its recipe has changed since it was trained in \(output)/narrow (width 0.125 -> 0.1875)
                Put the recipe back, retrain it (--retrain), which keeps the old training next to the new one, or give another \
                output folder (--output).

                """,
            "\(refused.errors)"
        )
        let basic = try Self.modified(scratch("out/basic/last.safetensors"))
        // What --only leaves out is not moved aside: it would not be trained.
        let other = try Self.run([plan, "--output", output, "--retrain", "--only", "Basic"])
        #expect(other.status == 1 && other.errors == refused.errors, "\(other.errors)")
        #expect(!FileManager.default.fileExists(atPath: scratch("out/narrow~1")))
        let anew = try Self.run([plan, "--output", output, "--retrain"])
        #expect(anew.status == 0, "\(anew.errors)")
        #expect(
            anew.errors.hasPrefix(
                "Narrow: its recipe has changed (width 0.125 -> 0.1875); the old training is \(output)/narrow~1\n"
            ),
            "\(anew.errors)"
        )
        #expect(Self.step(scratch("out/narrow~1")) == 400 && Self.step(scratch("out/narrow")) == 400)
        #expect(try Self.modified(scratch("out/basic/last.safetensors")) == basic)
    }

    @Test("that is killed takes its training along, which saves and leaves the run's folder to the next")
    func killed() throws {
        let scratch = try Self.scratch()
        let run = scratch("out/basic")
        let process = Process()
        process.executableURL = BuiltCommand.url
        process.arguments = [
            "compare", scratch("plan.yaml"), "--output", scratch("out"), "--only", "Basic", "--set",
            "iterations=100000",
            "--threads", "1",
        ]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        while process.isRunning, Self.step(run) == 0 { Thread.sleep(forTimeInterval: 0.01) }
        let lock = open(run + "/.lock", O_RDWR)
        defer { close(lock) }
        #expect(process.isRunning && lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) != 0)
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        // The lock goes with the training. A minute is plenty for a step of milliseconds.
        let start = ContinuousClock.now
        var isFree = false
        while !isFree, ContinuousClock.now - start < .seconds(60) {
            isFree = flock(lock, LOCK_EX | LOCK_NB) == 0
            Thread.sleep(forTimeInterval: 0.01)
        }
        #expect(isFree)
        let log = try String(contentsOfFile: run + "/log.jsonl", encoding: .utf8)
        #expect(log.split(separator: "\n").last?.contains(#""kind":"end""#) == true, "\(log.suffix(300))")
        #expect(log.suffix(300).contains("\"step\":\(Self.step(run))"))
    }

    @Test("a training that fails is named, the others are done, and the page says what is missing")
    func failing() throws {
        let scratch = try Self.scratch()
        let text = Self.plan(scratch).replacing(
            "{width: 0.125, iterations: 400}",
            with: "{encoder: /nowhere/vgg.safetensors}"
        )
        .replacing("iterations: 40", with: "iterations: 2")
        try scratch.write(text, "plan.yaml")
        let dry = try Self.run([scratch("plan.yaml"), "--output", scratch("out"), "--dry-run"])
        #expect(
            dry.errors.contains(
                "warning: Narrow: encoder: /nowhere/vgg.safetensors is not there; its training would fail.\n"
            ),
            "\(dry.errors)"
        )
        let result = try Self.run([scratch("plan.yaml"), "--output", scratch("out")])
        #expect(result.status == 1 && result.errors.contains("/nowhere/vgg.safetensors"), "\(result.errors)")
        #expect(result.errors.contains("not trained: Narrow; the messages are above. The same command continues.\n"))
        let html = try String(contentsOfFile: scratch("out/comparison.html"), encoding: .utf8)
        #expect(html.contains("Not complete. Narrow: ") && html.contains("Dropout"))
    }

    @Test("a system that starts from another one needs its model, and follows it when that is retrained")
    func starts() throws {
        let scratch = try Self.scratch()
        let text = Self.plan(scratch).replacing("budget: {iterations: 40}", with: "budget: {iterations: 2}").replacing(
            "recipe: {architecture: bayesian-segnet-basic, width: 0.125}",
            with: "recipe: basic.yaml, start-from: Basic"
        )
        try scratch.write(text, "plan.yaml")
        let (out, both) = (scratch("out"), ["--only", "Basic", "--only", "Dropout"])
        let arguments = [scratch("plan.yaml"), "--output", out]
        let alone = try Self.run(arguments + ["--only", "Dropout"])
        #expect(
            alone.errors
                == "Error: Dropout: needs the finished model of Basic, which is not in \(out)/basic; train Basic first (--only Basic), or "
                + "leave out --only.\n"
        )
        let first = try Self.run(arguments + both)
        #expect(first.status == 0, "\(first.errors)")

        try FileManager.default.removeItem(atPath: scratch("out/basic"))
        try scratch.write(text.replacing("{name: Basic, ", with: "{name: Basic, settings: {seed: 5}, "), "plan.yaml")
        for (options, advice) in [
            (both, "back, or retrain it (--retrain) as well, which keeps"),
            (
                ["--retrain", "--only", "Basic"],
                "back, or leave out --only, or add --only Dropout, so that it is trained too.\n"
            ),
        ] {
            let left = try Self.run(arguments + options)
            let words = "Dropout: was trained from the model of Basic, which is to be retrained.\n"
            #expect(left.status == 1 && left.errors.contains(words) && left.errors.contains(advice), "\(left.errors)")
        }
        let anew = try Self.run(arguments + both + ["--retrain"])
        let words = "what it learns from has changed (start-from: Basic has been retrained); the old training is"
        #expect(anew.status == 0 && anew.errors.contains("Dropout: \(words) \(out)/dropout~1\n"), "\(anew.errors)")
    }

    @Test("a picture that the split does not have is reported before anything is trained")
    func missingPicture() throws {
        let scratch = try Self.scratch()
        try scratch.write(Self.plan(scratch) + "\npictures: [nope]\n", "plan.yaml")
        let result = try Self.run([scratch("plan.yaml"), "--output", scratch("out")])
        #expect(
            result.status == 1 && result.errors.contains("pictures: there is no picture 'nope' in the split"),
            "\(result.errors)"
        )
        #expect(!FileManager.default.fileExists(atPath: scratch("out/basic")))
    }

    @Test("--check reads plan and recipes alone")
    func check() throws {
        let scratch = try ScratchFolder()
        let yaml = "dataset: folder\ndata: /nowhere\nsystems:\n  - {name: a, recipe: {width: 0.5}}\n"
        try scratch.write(yaml, "plan.yaml")
        let right = segnet("compare", scratch("plan.yaml"), "--check")
        #expect(right.output == "\(scratch("plan.yaml")): nothing is wrong; 1 system\n" && right.exitCode == 0)
        try scratch.write(yaml.replacing("width", with: "widt"), "plan.yaml")
        let wrong = segnet("compare", scratch("plan.yaml"), "--check")
        #expect(
            wrong.errors
                == "\(scratch("plan.yaml")), line 4: systems, entry 1: recipe: there is no setting 'widt'. Did you mean 'width'? See the "
                + "list of all settings ('segnet recipe explain').\n"
        )
        #expect(wrong.exitCode == 1)
        try scratch.write(yaml.replacing("width: 0.5", with: "ignore: [3]"), "plan.yaml")
        let other = segnet("compare", scratch("plan.yaml"), "--check")
        #expect(other.errors.contains("a: ignore is [3], scoring has []. It belongs in the plan's 'protocol'"))
        #expect(other.exitCode == 1)
    }

    @Test("docs/compare.md has the tables that the plan's settings give; UPDATE_GOLDEN=1 rewrites them")
    func guide() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let file = root.appending(path: "docs/compare.md")
        let text = try String(contentsOf: file, encoding: .utf8)
        let start = try #require(text.range(of: "## All keys of a plan\n\n")).upperBound
        let tables = RecipeTable.markdown(ComparisonPlan.settings) + "\n"
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
            try Data((text[..<start] + tables).utf8).write(to: file)
        }
        #expect(try String(contentsOf: file, encoding: .utf8)[start...] == tables)
        // The guide's plan can be read, with the key that it says.
        let blocks = text.components(separatedBy: "```yaml\n").dropFirst().map { $0.components(separatedBy: "```")[0] }
        let plan = try ComparisonPlan(yaml: try #require(blocks.first), file: "docs/compare.md")
        #expect(plan.systems.map(\.name) == ["SegNet-Basic", "SegNet", "SegNet (slower)"])
    }

    @Test("every plan of the repository is one, with recipes that can be read")
    func plans() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "plans")
        var count = 0
        for file in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
            let path = folder.appending(path: file).path
            guard try String(contentsOfFile: path, encoding: .utf8).contains("\nsystems:") else { continue }
            count += 1
            let result = segnet("compare", path, "--check")
            #expect(result.exitCode == 0, "\(result.errors)")
        }
        #expect(count > 0)
    }

    @Test("options that contradict each other or name no system are refused")
    func options() throws {
        let scratch = try Self.scratch()
        let plan = scratch("plan.yaml")
        for (arguments, problem) in [
            (["--check", "--dry-run"], "Please give one of '--check' and '--dry-run', not both."),
            (["--no-training", "--retrain"], "Please give either '--no-training' or '--retrain', not both."),
            (["--set", "epochs"], "Please give '--set' as key=value; found 'epochs'."),
            (["--threads", "0"], "Please give '--threads' a number in 1...1024; found 0."),
            (
                ["--only", "Narow"],
                "Please give '--only' a system that the plan trains; found 'Narow'. Did you mean 'Narrow'? There are 'Basic', 'Narrow', 'Dropout'."
            ),
        ] {
            let result = segnet(["compare", plan] + arguments)
            #expect(result.errors.contains(problem) && result.exitCode == 64, "\(result.errors)")
        }
    }
}
