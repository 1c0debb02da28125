import Foundation
import SegNetCPU
import SegNetData
import SegNetEvaluation
import SegNetFormats
import SegNetImages
import SegNetNetworks
import SegNetPlatform
import Testing

@testable import SegNetTraining

/// Made-up pictures: a sky, a ground, and in two of three a red ball. Labels name all three, or sky and ground only: then the ball has the
/// class of what is behind it.
enum TwoGrounds {
    static func write(to folder: URL, pictures: Int, seed: UInt64, namesBall: Bool, light: Int = 0) throws {
        for part in ["images", "labels"] {
            try FileManager.default.createDirectory(at: folder.appending(path: part), withIntermediateDirectories: true)
        }
        try Data("sky\nground\nball\n".utf8).write(to: folder.appending(path: "classes.txt"))
        var random = RandomNumbers(seed: seed)
        var list = ""
        for number in 0..<pictures {
            let (width, height) = (48, 32)
            let horizon = 10 + random.uniform() * 12
            let (cx, cy, r) = (8 + random.uniform() * 32, 8 + random.uniform() * 16, 6 + random.uniform() * 4)
            let hasBall = number % 3 != 2
            var pixels: [UInt8] = []
            var ids: [UInt16] = []
            for y in 0..<height {
                for x in 0..<width {
                    let (dx, dy) = (Double(x) - cx, Double(y) - cy)
                    let isBall = hasBall && dx * dx + dy * dy < r * r
                    let isSky = Double(y) < horizon
                    let noise = Int(random.next() % 30) + light
                    let color = isBall ? (190, 40, 40) : isSky ? (90, 130, 200) : (70, 120, 60)
                    pixels += [color.0, color.1, color.2].map { UInt8(max(0, min(255, $0 + noise))) }
                    ids.append(isBall && namesBall ? 2 : isSky ? 0 : 1)
                }
            }
            let name = "picture\(number).png"
            try Image(width: width, height: height, channels: 3, pixels: pixels)
                .write(to: folder.appending(path: "images/\(name)"))
            try LabelMap(width: width, height: height, ids: ids).write(to: folder.appending(path: "labels/\(name)"))
            list += "images/\(name) labels/\(name)\n"
        }
        try Data(list.utf8).write(to: folder.appending(path: "all.txt"))
    }
}

@Suite("Training on a pool of data sets")
struct PoolTests {
    /// A folder whose labels name all classes, and one with twice as many pictures whose labels do not know balls.
    private static func recipe(_ folder: RunFolder) throws -> TrainingConfiguration {
        let (full, partial) = (folder.url.appending(path: "full"), folder.url.appending(path: "partial"))
        try TwoGrounds.write(to: full, pictures: 8, seed: 1, namesBall: true)
        try TwoGrounds.write(to: partial, pictures: 16, seed: 2, namesBall: false, light: 20)
        var recipe = smallRecipe()
        recipe.size = nil
        recipe.augmentation = Augmentation()
        recipe.augmentation.flip = true
        recipe.batchSize = 4
        recipe.iterations = 80
        recipe.validateEvery = 5
        recipe.classWeights = "none"
        recipe.average = 0.8
        var first = DatasetEntry(.folder, data: full.path)
        first.share = 1
        var second = DatasetEntry(.list, data: partial.path)
        second.train = ["all.txt"]
        second.labelled = ["sky", "ground"]
        second.share = 3
        recipe.datasets = [first, second]
        return recipe
    }

    private static func run(
        _ recipe: TrainingConfiguration,
        _ run: RunFolder,
        stopAfter: Int = .max,
        threads: Int = 2
    ) throws -> (trainer: Trainer, result: TrainingResult, events: [Trainer.Event]) {
        let trainer = try Trainer(recipe, output: run.url, resume: Trainer.hasCheckpoint(run.url), threads: threads)
        var steps = 0
        var events: [Trainer.Event] = []
        let result = try trainer.run(shouldStop: { steps >= stopAfter }) {
            if case .step = $0 { steps += 1 }
            events.append($0)
        }
        return (trainer, result, events)
    }

    /// The share of the balls' pixels that a model finds, on pictures that were not trained on.
    private static func ballsFound(_ model: Model, _ folder: RunFolder) throws -> Double {
        let url = folder.url.appending(path: "new")
        try TwoGrounds.write(to: url, pictures: 12, seed: 3, namesBall: true, light: 20)
        var options = DatasetOptions()
        options.validationShare = 0
        let dataset = try Dataset.load(.folder, directory: url.path, options: options)
        let matrix = try Trainer.score(
            model,
            dataset,
            try dataset.samples(of: "train"),
            options: InferenceOptions(),
            threads: 2
        )
        return Double(matrix[2, 2]) / Double(matrix.truePixels(2))
    }

    @Test("learns a class that three quarters of the pictures have no label for, where it is said that they have none")
    func learns() throws {
        let folder = try RunFolder()
        var recipe = try Self.recipe(folder)
        recipe.classWeights = "auto"
        recipe.iterations = 200
        recipe.validateEvery = 20
        let (first, second) = (try RunFolder(), try RunFolder())
        let (trainer, result, events) = try Self.run(recipe, first)
        #expect(
            trainer.notes.map(\.text).contains(
                "data sets: full 25.0 % (7 pictures), all 75.0 % (16 pictures, labels name 2 of 3 classes)."
            ),
            "\(trainer.notes)"
        )
        let found = try Self.ballsFound(try SafetensorsFile.readModel(try #require(result.last)), folder)
        #expect(found > 0.7)
        // The score that is shown counts only pictures whose balls have labels.
        let shown = events.compactMap { event in
            if case .step(let report) = event { return report.runningMeanIoU }
            return nil
        }
        #expect((shown.last ?? 0) > 0.65)
        // Validation is on the first data set.
        let validated = events.compactMap { event in
            if case .validation(let report) = event { return report.matrix.counts.reduce(0, +) }
            return nil
        }
        #expect(!validated.isEmpty && validated.allSatisfy { $0 == 48 * 32 })

        // Trained on plainly, the same pictures teach that balls are sky and ground.
        recipe.datasets[1].labelled = []
        let plain = try Self.run(recipe, second).result
        #expect(try Self.ballsFound(try SafetensorsFile.readModel(try #require(plain.last)), folder) < found - 0.4)
    }

    @Test(
        "stopped and resumed, ends bit for bit as in one go, through a phase, with any number of threads",
        arguments: [3, 6, 9]
    )
    func resume(stop: Int) throws {
        let folder = try RunFolder()
        var recipe = try Self.recipe(folder)
        recipe.iterations = 10
        recipe.validateEvery = 0.5
        recipe.augmentation.scale = [0.8, 1.3]
        recipe.augmentation.crop = PictureSize(width: 32, height: 24)
        recipe.labelSmoothing = 0.1
        recipe.jaccardWeight = 0.5
        recipe.phases = [TrainingPhase(from: 0.6, shares: [1, 0])]
        let (whole, parts) = (try RunFolder(), try RunFolder())
        #expect(try Self.run(recipe, whole).result.isFinished)
        #expect(try !Self.run(recipe, parts, stopAfter: stop, threads: 1).result.isFinished)
        // From the run's own recipe, as the command that is printed says.
        let text = String(decoding: try parts.bytes("recipe.yaml"), as: UTF8.self)
        let saved = try TrainingConfiguration(yaml: text, file: "recipe.yaml")
        #expect(try Self.run(saved, parts).result.isFinished)
        for file in ["last.safetensors", "best.safetensors"] {
            #expect(try whole.bytes(file) == parts.bytes(file), "\(file)")
        }
    }

    @Test("a list of one data set trains to the bits of that data set alone")
    func alone() throws {
        let folder = try RunFolder()
        var recipe = try Self.recipe(folder)
        recipe.iterations = 6
        recipe.classWeights = "auto"
        recipe.datasets = [recipe.datasets[0]]
        let (listed, plain) = (try RunFolder(), try RunFolder())
        _ = try Self.run(recipe, listed)
        recipe.dataset = .folder
        recipe.data = recipe.datasets[0].data
        recipe.datasets = []
        _ = try Self.run(recipe, plain)
        for file in ["last.safetensors", "best.safetensors"] {
            #expect(try listed.bytes(file) == plain.bytes(file), "\(file)")
        }
    }

    @Test("phases end a training on one data set, whose pictures alone then give the statistics")
    func phases() throws {
        let folder = try RunFolder()
        var recipe = try Self.recipe(folder)
        recipe.iterations = 5
        recipe.phases = [TrainingPhase(from: 0.6, shares: [0, 1])]
        recipe.augmentation = Augmentation()
        let (trainer, result, events) = try Self.run(recipe, try RunFolder())
        #expect(trainer.data.phases == [DatasetPool.Phase(start: 12, shares: [0, 1])])
        let passes = events.compactMap { event in
            if case .statistics(let done, let all) = event { return done == all ? all : nil }
            return nil
        }
        #expect(passes.allSatisfy { $0 == 16 || $0 == 23 } && passes.first == 16, "\(passes)")
        #expect(result.isFinished)
    }

    @Test("validates on the data sets that say so")
    func validation() throws {
        let folder = try RunFolder()
        var recipe = try Self.recipe(folder)
        #expect(try recipe.sources().validation.map(\.source) == [0])
        // What another entry does not do says nothing of the first.
        recipe.datasets[1].validation = "none"
        #expect(try recipe.sources().validation.map(\.source) == [0])
        recipe.datasets[1].validation = "all.txt"
        #expect(try recipe.sources().validation.map(\.source) == Array(repeating: 1, count: 16))
        // No picture is kept back for a validation that does not take place.
        #expect(try recipe.sources().pool.sources.map(\.samples.count) == [8, 16])
        recipe.datasets[0].validation = "val"
        #expect(try recipe.sources().validation.map(\.source) == [0] + Array(repeating: 1, count: 16))
        recipe.datasets[0].validation = "none"
        recipe.datasets[1].validation = nil
        #expect(try recipe.sources().validation.isEmpty)
    }

    @Test("say at the start that nothing validates", arguments: [nil, "none"])
    func noValidation(validation: String?) throws {
        let folder = try RunFolder()
        var recipe = try Self.recipe(folder)
        recipe.datasets[0].validation = validation
        let notes = try Trainer(recipe, output: folder.url.appending(path: "run"), threads: 1).notes
        let text = "there are no pictures for validation: the run writes last.safetensors, but no best.safetensors."
        #expect(notes.contains(.information(text)) == (validation != nil), "\(notes)")
    }

    @Test("without shares, data sets count by their pictures")
    func noShares() throws {
        let folder = try RunFolder()
        var recipe = try Self.recipe(folder)
        for index in recipe.datasets.indices { recipe.datasets[index].share = nil }
        let shares = try recipe.sources().pool.shares(at: 0)
        #expect(abs(shares[0] - 7.0 / 23) < 1e-12)
    }

    @Test("says what is wrong, where, and what to do")
    func errors() throws {
        let folder = try RunFolder()
        let good = try Self.recipe(folder)
        let (full, partial) = (good.datasets[0].data, good.datasets[1].data)
        func message(_ change: (inout TrainingConfiguration) throws -> Void) rethrows -> String {
            var recipe = good
            try change(&recipe)
            do {
                _ = try Trainer(recipe, output: folder.url.appending(path: "run"), threads: 1)
                return "nothing was thrown"
            } catch { return "\(error)" }
        }
        #expect(
            message { $0.datasets[1].labelled = ["sky", "grund"] }
                == "datasets, entry 2 (\(partial)): labelled: there is no class 'grund'. Did you mean 'ground'? The classes are sky, "
                + "ground, ball."
        )
        #expect(
            message {
                $0.datasets[0].share = 0
                $0.datasets[1].share = 0
            } == "datasets: all shares are 0; give at least one entry a share above 0."
        )
        #expect(
            message { $0.datasets[1].share = -1 }
                == "datasets, entry 2: share: needs a number in 0...1000000; found -1.0."
        )
        // Their sum would not be a number, and each share 0.
        #expect(
            message { for index in $0.datasets.indices { $0.datasets[index].share = 1e308 } }
                == "datasets, entry 1: share: needs a number in 0...1000000; found 1.0e+308."
        )
        #expect(
            message { $0.phases = [TrainingPhase(from: 0.5, shares: [1, 1e308])] }
                == "phases, entry 1: shares, entry 2: needs a number in 0...1000000; found 1.0e+308."
        )
        #expect(
            message { $0.datasets[1].share = nil }
                == "datasets, entry 2 (\(partial)): has no share, entry 1 has one; give all entries a share, or none of them (then each "
                + "counts by its number of pictures)."
        )
        #expect(
            message { $0.datasets[1].train = ["train.txt"] }
                == "datasets, entry 2 (\(partial)): \(partial)/train.txt: cannot be read; it needs one \"image label\" pair per line, "
                + "relative to its folder. The folder has all.txt, classes.txt."
        )
        #expect(
            message { $0.datasets[1].train = ["test"] }
                == "datasets, entry 2 (\(partial)): \(partial): holds no train.txt, val.txt or test.txt; each needs one \"image "
                + "label\" pair per line, relative to this folder. Give the 'data' that holds them, or another 'kind'."
        )
        #expect(
            message { $0.datasets[0].validation = "evening" }
                == "datasets, entry 1 (\(full)): has no split 'evening' to validate on; it has train. Give val one of these, a list file, "
                + "or none."
        )
        #expect(
            message { $0.datasets[1] = DatasetEntry(.folder, data: "/nowhere/at/all") }
                .hasPrefix("datasets, entry 2 (/nowhere/at/all): has no share, entry 1 has one")
        )
        let other = folder.url.appending(path: "classes.txt")
        try Data("sky\nball\nground\n".utf8).write(to: other)
        #expect(
            message { $0.datasets[1].classes = other.path }
                == "datasets, entry 2 (\(partial)): has the 3 classes sky, ball, ground; entry 1 has the 3 classes sky, ground, ball. A "
                + "network learns a single table of classes: give all entries the same 'classes', and use 'map' for labels whose "
                + "numbers mean something else."
        )
        #expect(
            message { $0.phases = [TrainingPhase(from: 0.8, shares: [1])] }
                == "phases, entry 1: shares: needs one number for each of the 2 data sets; found 1."
        )
        #expect(
            message { $0.phases = [TrainingPhase(from: 0.8, shares: [0, 0])] }
                == "phases, entry 1: shares: all are 0; give at least one data set a share above 0."
        )
        #expect(
            message { $0.phases = [TrainingPhase(from: 80, shares: [1, 0])] }
                == "phases, entry 1: from: needs a fraction of the steps, above 0 and below 1, such as 0.8; found 80.0."
        )
        #expect(
            message {
                $0.phases = [TrainingPhase(from: 0.8, shares: [1, 0]), TrainingPhase(from: 0.5, shares: [1, 0])]
            } == "phases, entry 2: from: has to be above that of the entry before (0.8); found 0.5."
        )
        #expect(message { $0.labelSmoothing = 1 } == "label-smoothing: needs a number from 0 to below 1; found 1.0.")
        // Pictures of two sizes need a crop.
        let small = folder.url.appending(path: "small")
        try FileManager.default.createDirectory(at: small, withIntermediateDirectories: true)
        try Image(width: 24, height: 16, channels: 3, pixels: Array(repeating: 9, count: 24 * 16 * 3))
            .write(to: small.appending(path: "a.png"))
        try LabelMap(width: 24, height: 16, ids: Array(repeating: 0, count: 24 * 16))
            .write(to: small.appending(path: "b.png"))
        try Data("a.png b.png\n".utf8).write(to: small.appending(path: "train.txt"))
        #expect(
            message {
                $0.datasets[1] = DatasetEntry(.list, data: small.path)
                $0.datasets[1].share = 1
                $0.datasets[1].classes = full + "/classes.txt"
            }
                == "datasets: pictures of 48x32 and of 24x16 cannot share a batch; train on parts of one size (augmentation: crop), or "
                + "resize all pictures (size)."
        )
    }

    @Test(
        "recipes with unknown or contradicting settings are refused",
        arguments: [
            (
                "datasets:\n  - kind: list\n    labeled: [Sky]",
                "r.yaml, line 3: datasets, entry 1: there is no setting 'labeled'. Did you mean 'labelled'? There are kind, "
                    + "data, train, val, share, labelled, colored, ignore, label-offset, label-suffix, unlabelled, map, classes, count."
            ),
            (
                "datasets:\n  - kind: list\nphases:\n  - fromm: 0.8\n    shares: [1]",
                "r.yaml, line 4: phases, entry 1: there is no setting 'fromm'. Did you mean 'from'? There are from, shares."
            ),
            (
                "datasets:\n  - kind: list\ndata: x",
                "r.yaml, line 3: 'data' cannot be used with 'datasets'; set it in the entries of 'datasets', or remove 'datasets'."
            ),
            (
                "datasets:\n  - kind: camvid\n  - kind: lists",
                "r.yaml, line 3: datasets, entry 2: kind: needs one of camvid, camvid12, sunrgbd, nyuv2, cityscapes, voc, folder, list, coco, labelme, cvat, "
                    + "label-studio, yolo, synthetic; found 'lists'. Did you mean 'list'?"
            ),
            ("teacher:\n  modell: x", "r.yaml, line 2: teacher: there is no setting 'modell'. Did you mean 'model'?"),
            ("teacher:\n  share: 1", "r.yaml, line 2: teacher: lacks 'model' (a file, or a bundled model's name)."),
            (
                "augmentation:\n  rotation: 90",
                "r.yaml, line 2: augmentation.rotation: needs a number in 0...45; found 90."
            ),
            ("datasets:\n  - data: x", "r.yaml, line 2: datasets, entry 1: lacks 'kind' (one of camvid, "),
            (
                "datasets:\n  - kind: list\n    labelled: []",
                "r.yaml, line 3: datasets, entry 1: labelled: needs a list of at least one class; found []."
            ),
            (
                "datasets:\n  - kind: list\n    train: [train, val]",
                "r.yaml, line 3: datasets, entry 1: train: needs a split, or list files whose names end in .txt; found [train, val]."
            ),
            (
                "augmentation:\n  flop: true",
                "r.yaml, line 2: augmentation: there is no setting 'flop'. Did you mean 'flip'?"
            ),
        ]
    )
    func refused(yaml: String, message: String) {
        #expect {
            try TrainingConfiguration(yaml: yaml, file: "r.yaml")
        } throws: {
            if !"\($0)".hasPrefix(message) { print("\($0)") }
            return "\($0)".hasPrefix(message)
        }
    }

    @Test("recipes with data sets read what they write, and say nothing twice")
    func roundTrip() throws {
        let folder = try RunFolder()
        var recipe = try Self.recipe(folder)
        recipe.phases = [TrainingPhase(from: 0.8, shares: [1, 0])]
        recipe.datasets[1].map = ["7": "void", "sky": "ground"]
        recipe.datasets[1].validation = "none"
        recipe.model = "1"
        recipe.classWeights = "none"
        let text = try recipe.yaml()
        var read = try TrainingConfiguration(yaml: text, file: "x")
        #expect(!text.contains("\ndataset:") && !text.contains("\nmap:"))
        // Settings of one data set are not kept.
        (read.dataset, read.size) = (recipe.dataset, recipe.size)
        read.count = recipe.count
        #expect(read == recipe)
        #expect(!(try smallRecipe().yaml().contains("datasets")))
    }
}
