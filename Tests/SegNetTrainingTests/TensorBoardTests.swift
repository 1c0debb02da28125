import Foundation
import SegNetData
import SegNetFormats
import SegNetImages
import SegNetNetworks
import SegNetReference
import Testing

@testable import SegNetTraining

/// TensorBoard's own reader, from PyPI's `tensorboard` (scripts/setup-python).
enum TensorBoard {
    static let isHere = ReferencePython.has("tensorboard")

    struct Contents: Decodable {
        struct Scalar: Decodable {
            var step: Int
            var value: Double?
        }
        struct Picture: Decodable {
            var step: Int
            var width: Int
            var height: Int
            var png: Data
        }
        var scalars: [String: [Scalar]]
        var pictures: [String: [Picture]]
    }

    static func read(_ folder: URL) throws -> Contents {
        let script = ReferencePython.root.appending(path: "scripts/read-events").path
        let (status, output) = try ReferencePython.run([script, folder.path], reading: .output)
        try #require(status == 0)
        return try JSONDecoder().decode(Contents.self, from: output)
    }
}

@Suite("TensorBoard's log of a training")
struct TensorBoardTests {
    /// The values of each tag by step, in the order of the files.
    static func scalars(_ folder: URL) throws -> [String: [(step: Int, value: Float)]] {
        var result: [String: [(Int, Float)]] = [:]
        for record in try EventLog.files(in: folder).flatMap({ try EventLog.records(of: $0) }) {
            guard case .values(let values) = record.content else { continue }
            for case .scalar(let tag, let value) in values { result[tag, default: []].append((record.step, value)) }
        }
        return result
    }

    static func pictures(_ folder: URL) throws -> [(tag: String, step: Int, image: Image)] {
        var result: [(String, Int, Image)] = []
        for record in try EventLog.files(in: folder).flatMap({ try EventLog.records(of: $0) }) {
            guard case .values(let values) = record.content else { continue }
            for case .picture(let tag, let png, _, _, _) in values {
                result.append((tag, record.step, try Image(decoding: png, name: tag)))
            }
        }
        return result
    }

    /// A run as a kill leaves it: what was logged goes on to step 6, the checkpoint stands at step 3; then it goes on to the end.
    static func interrupted(_ recipe: TrainingConfiguration) throws -> RunFolder {
        let run = try RunFolder()
        let checkpoint = run.url.appending(path: "last.checkpoint")
        _ = try TrainerTests.train(recipe, in: run, stopAfter: 3)
        let saved = try Data(contentsOf: checkpoint)
        _ = try TrainerTests.train(recipe, in: run, stopAfter: 3)
        try saved.write(to: checkpoint)
        // Half a record at the end of the last file.
        let last = try #require(try EventLog.files(in: run.url).last)
        let handle = try FileHandle(forWritingTo: last)
        try handle.seekToEnd()
        try handle.write(contentsOf: Data([30, 0, 0, 0, 0, 0]))
        try handle.close()
        #expect(try TrainerTests.train(recipe, in: run).0.isFinished)
        return run
    }

    @Test("has each step and each validation once, also after a kill and a resumption")
    func steps() throws {
        let run = try Self.interrupted(smallRecipe())
        let scalars = try Self.scalars(run.url)
        for tag in ["loss", "learning_rate", "gradient_norm", "mean_iou", "pictures_per_second"] {
            #expect(scalars["train/\(tag)"]?.map(\.step) == Array(1...8), "train/\(tag)")
        }
        // Six pictures, two a step: a validation every third step, and at the end.
        for tag in ["mean_iou", "global_accuracy", "class_average_accuracy"] {
            #expect(scalars["validation/\(tag)"]?.map(\.step) == [3, 6, 8], "validation/\(tag)")
        }
        #expect(scalars["class_iou/Sky"]?.map(\.step) == [3, 6, 8], "\(scalars.keys.sorted())")
        // It says what the JSON log says.
        let log = String(decoding: try run.bytes("log.jsonl"), as: UTF8.self)
        struct Line: Decodable {
            var kind: String
            var step: Int
            var loss: Double?
            var meanIoU: Double?
        }
        let lines = try log.split(separator: "\n").map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
        #expect(lines.filter { $0.kind == "step" }.map { Float($0.loss ?? 0) } == scalars["train/loss"]?.map(\.value))
        #expect(
            lines.filter { $0.kind == "validation" }.map { Float($0.meanIoU ?? 0) }
                == scalars["validation/mean_iou"]?.map(\.value)
        )
        let pictures = try Self.pictures(run.url)
        #expect(pictures.map(\.step) == [3, 3, 3, 6, 6, 6, 8, 8, 8])
        #expect(pictures.map(\.image).allSatisfy { $0.width == 3 * 48 && $0.height == 32 })
    }

    @Test(
        "is what the real TensorBoard reads",
        .enabled(if: TensorBoard.isHere, "no Python with tensorboard (.venv/bin/python or SEGNET_PYTHON)")
    )
    func realReader() throws {
        let run = try Self.interrupted(smallRecipe())
        let (found, ours) = (try TensorBoard.read(run.url), try Self.scalars(run.url))
        #expect(found.scalars.keys.sorted() == ours.keys.sorted())
        for (tag, values) in ours {
            #expect(found.scalars[tag]?.map(\.step) == values.map(\.step), "\(tag)")
            #expect(found.scalars[tag]?.map { Float($0.value ?? .nan) } == values.map(\.value), "\(tag)")
        }
        let pictures = try Self.pictures(run.url)
        #expect(found.pictures.values.reduce(0) { $0 + $1.count } == pictures.count)
        for (tag, step, image) in pictures {
            let entry = try #require(found.pictures[tag]?.first { $0.step == step })
            #expect((entry.width, entry.height) == (image.width, image.height))
            #expect(try Image(decoding: Array(entry.png), name: tag) == image)
        }
    }

    @Test("is not written where the recipe says so, and an older one does not go on wrongly")
    func switchedOff() throws {
        var recipe = smallRecipe()
        recipe.tensorboard = false
        recipe.iterations = 4
        let run = try RunFolder()
        _ = try TrainerTests.train(recipe, in: run, stopAfter: 1)
        #expect(try EventLog.files(in: run.url).isEmpty)
        recipe.tensorboard = true
        _ = try TrainerTests.train(recipe, in: run, stopAfter: 2)
        #expect(try Self.scalars(run.url)["train/loss"]?.map(\.step) == [2, 3])
        recipe.tensorboard = false
        _ = try TrainerTests.train(recipe, in: run)
        #expect(try Self.scalars(run.url)["train/loss"]?.map(\.step) == [2, 3])
    }

    #if os(Linux)
        @Test("that the disk does not take is said once, and the training goes on without")
        func fullDisk() throws {
            var recipe = smallRecipe()
            recipe.iterations = 2
            let run = try RunFolder()
            let trainer = try Trainer(recipe, dataset: TrainerTests.data(recipe), output: run.url, threads: 1)
            let full = EventLog(URL(filePath: "run/events"), descriptor: open("/dev/full", O_WRONLY))
            trainer.tensorBoard = TensorBoardLog(full)
            var notes: [String] = []
            let result = try trainer.run(observe: { if case .note(let note) = $0 { notes.append(note.text) } })
            #expect(result.isFinished)
            #expect(
                notes == [
                    "run/events: cannot be written (No space left on device). Check the folder and the space left on the disk, or "
                        + "train without a TensorBoard log. The training goes on without TensorBoard's log."
                ]
            )
        }
    #endif

    @Test("that cannot be begun is an error before the first step")
    func unwritable() throws {
        let run = try RunFolder()
        // A folder stands where an event file of ours would be.
        let name = run.url.appending(path: "events.out.tfevents.0000000001.segnet")
        try FileManager.default.createDirectory(at: name, withIntermediateDirectories: true)
        #expect {
            try Trainer(smallRecipe(), dataset: TrainerTests.data(smallRecipe()), output: run.url)
        } throws: {
            "\($0)".hasSuffix("events.out.tfevents.0000000001.segnet: is not a regular file. Give the path of a file.")
        }
    }
}

@Suite("Validation pictures")
struct ValidationStripTests {
    @Test(
        "are chosen evenly, and always the same",
        arguments: [(0, []), (1, [0]), (2, [0, 1]), (3, [0, 1, 2]), (101, [16, 50, 84])] as [(Int, Set<Int>)]
    )
    func chosen(count: Int, expected: Set<Int>) { #expect(ValidationStrip.chosen(of: count) == expected) }

    @Test("show photo, truth and prediction in the colours of the classes; no truth in the ignored colour")
    func strip() throws {
        let table = ClassTable(
            name: "two",
            classes: [ClassTable.Entry("a", Color(1, 2, 3)), ClassTable.Entry("b", Color(4, 5, 6))],
            ignoredColor: Color(9, 9, 9)
        )
        let example = Example(
            pixels: [10, 20, 30, 40, 50, 60],
            width: 2,
            height: 1,
            channels: 3,
            labels: [1, Example.ignored]
        )
        let strip = try ValidationStrip.image(
            example,
            channels: .rgb,
            prediction: [0, 1],
            classes: table
        )
        #expect(strip.pixels == [10, 20, 30, 40, 50, 60, 4, 5, 6, 9, 9, 9, 1, 2, 3, 4, 5, 6])
        let depth = Example(pixels: [7, 8], width: 2, height: 1, channels: 1, labels: [0, 0])
        let gray = try ValidationStrip.image(depth, channels: ["depth"], prediction: [1, 1], classes: table)
        #expect(gray.pixels == [7, 7, 7, 8, 8, 8, 1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6])
    }

    @Test("are made smaller where they are wide, in their proportions")
    func size() throws {
        let (width, height) = (1000, 500)
        let example = Example(
            pixels: Array(repeating: 100, count: width * height * 3),
            width: width,
            height: height,
            channels: 3,
            labels: Array(repeating: 0, count: width * height)
        )
        let strip = try ValidationStrip.image(
            example,
            channels: .rgb,
            prediction: Array(repeating: 1, count: width * height),
            classes: .camVid11
        )
        #expect((strip.width, strip.height) == (960, 160))
    }
}
