import ArgumentParser
import Foundation
import SegNetToolkit
import Testing

@testable import SegNetCommand

@Suite("Shards")
struct ShardTests {
    static func shard(_ text: String, _ environment: [String: String] = [:]) throws -> Shard {
        try Shard(text) { environment[$0] }
    }

    @Test("are every n-th picture, and together all of them", arguments: [0, 1, 6, 7, 20], [1, 2, 7, 30])
    func parts(pictures: Int, count: Int) throws {
        let all = Array(0..<pictures)
        let parts = try (1...count).map { try Self.shard("\($0)/\(count)").part(of: all) }
        #expect(parts.joined().sorted() == all)
        let sizes = parts.map(\.count)
        #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 1)
    }

    @Test(
        "take their number from a batch system",
        arguments: [
            (
                "auto",
                [
                    "SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_MIN": "1", "SLURM_ARRAY_TASK_MAX": "8",
                    "SLURM_ARRAY_TASK_COUNT": "8",
                ], "3/8"
            ),
            // Two tasks of sixty-four, submitted again.
            (
                "auto/64",
                [
                    "SLURM_ARRAY_TASK_ID": "9", "SLURM_ARRAY_TASK_MIN": "9", "SLURM_ARRAY_TASK_MAX": "11",
                    "SLURM_ARRAY_TASK_COUNT": "2",
                ], "9/64"
            ),
            ("AUTO/4", ["JOB_COMPLETION_INDEX": "0"], "1/4"), ("auto/4", ["JOB_COMPLETION_INDEX": "3"], "4/4"),
            ("3/64", ["SLURM_ARRAY_TASK_ID": "9"], "3/64"),
        ]
    )
    func automatic(text: String, environment: [String: String], expected: String) throws {
        #expect(try Self.shard(text, environment).description == expected)
    }

    @Test(
        "that are impossible are refused",
        arguments: [
            ("3", [:], "A shard is written as 3/64: which part, and how many there are; found '3'."),
            ("1/2/3", [:], "A shard is written as 3/64: which part, and how many there are; found '1/2/3'."),
            ("1/0", [:], "The number of parts has to be in 1...1000000; found '0'."),
            ("1/x", [:], "The number of parts has to be in 1...1000000; found 'x'."),
            ("0/4", [:], "The part has to be in 1...4; found '0'."),
            ("5/4", [:], "The part has to be in 1...4; found '5'."),
            (
                "auto/4", ["JOB_COMPLETION_INDEX": "4"],
                "The part has to be in 1...4; found '5'."
            ),
            (
                "auto", [:],
                "'--shard auto' finds neither SLURM_ARRAY_TASK_ID nor JOB_COMPLETION_INDEX; give the part, as in '--shard 3/64'."
            ),
            (
                "auto", ["JOB_COMPLETION_INDEX": "1"],
                "Kubernetes does not say how many parts there are; give the job's 'completions', as in '--shard auto/64'."
            ),
            (
                "auto",
                [
                    "SLURM_ARRAY_TASK_ID": "9", "SLURM_ARRAY_TASK_MIN": "9", "SLURM_ARRAY_TASK_MAX": "9",
                    "SLURM_ARRAY_TASK_COUNT": "1",
                ],
                "Slurm's array does not say how many parts there are; give their number, as in '--shard auto/64', so that single tasks can also be submitted again."
            ),
            (
                "auto/8", ["SLURM_ARRAY_TASK_ID": "0"],
                "Slurm's task 0: '--shard auto' counts tasks from 1; submit with --array=1-8."
            ),
        ] as [(String, [String: String], String)]
    )
    func refused(text: String, environment: [String: String], message: String) {
        do {
            let shard = try Self.shard(text, environment)
            Issue.record("\(shard)")
        } catch { #expect((error as? ValidationError)?.message == message, "\(error)") }
    }

    /// Every file below a folder but the reports, with its bytes.
    static func files(_ folder: String) throws -> [String: Data] {
        var files: [String: Data] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: folder) {
            let path = "\(folder)/\(name)"
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue,
                !name.hasPrefix(ShardReport.folderName)
            else { continue }
            files[name] = try Data(contentsOf: URL(filePath: path))
        }
        return files
    }

    @Test(
        "of which some are killed and run again give byte for byte the files of one run",
        .enabled(if: BuiltCommand.isThere, "the segnet command is not built")
    )
    func killed() throws {
        let scratch = try ScratchFolder()
        try scratch.model("m.safetensors", width: 160, height: 120)
        for number in 0..<63 { try scratch.picture("in/\(number % 5)/\(number).png", seed: UInt64(number)) }
        let options = ["--model", scratch("m.safetensors"), "--threads", "1"]
        #expect(segnet(["predict", scratch("in"), "--output", scratch("one")] + options).exitCode == 0)
        var kills = 0
        for number in 1...7 {
            let arguments = ["predict", scratch("in"), "--output", scratch("many"), "--shard", "\(number)/7"] + options
            guard number % 2 == 0 else {
                #expect(segnet(arguments).exitCode == 0)
                continue
            }
            let before = (try? Self.files(scratch("many")).count) ?? 0
            let process = Process()
            (process.executableURL, process.arguments) = (BuiltCommand.url, arguments)
            (process.standardOutput, process.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
            try process.run()
            // After its first pictures, somewhere among the next.
            while process.isRunning, try Self.files(scratch("many")).count < before + 4 { usleep(1000) }
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            if process.terminationReason == .uncaughtSignal { kills += 1 }
        }
        #expect(kills > 0)
        // Missing parts are named, and make the command fail.
        let early = segnet("predict", "--merge", scratch("many"))
        #expect(early.exitCode == 1 && early.errors.contains("missing; run "), "\(early.errors)")
        for number in 1...7 {
            let arguments = ["predict", scratch("in"), "--output", scratch("many"), "--shard", "\(number)/7"] + options
            let again = segnet(arguments)
            #expect(again.exitCode == 0)
            #expect(
                number % 2 == 0
                    || again.errors.contains("shard \(number)/7: done already, 9 pictures; nothing to do.\n")
            )
        }
        let merged = segnet("predict", "--merge", scratch("many"))
        #expect(merged.exitCode == 0, "\(merged.errors)")
        #expect(merged.output.hasPrefix("7 of 7 shards done: 63 pictures, 0 failed; "), "\(merged.output)")
        let (one, many) = (try Self.files(scratch("one")), try Self.files(scratch("many")))
        #expect(one.count == 63 * 3)
        #expect(one == many, "\(Set(many.keys).symmetricDifference(one.keys))")
    }

    /// Segments one part of the pictures in `in` into `out`.
    private static func predict(_ scratch: ScratchFolder, _ part: String, _ more: String...) -> CommandResult {
        segnet(
            [
                "predict", scratch("in"), "--output", scratch("out"), "--model", scratch("m.safetensors"), "--shard",
                part,
            ] + more
        )
    }

    private struct Summary: Decodable {
        struct Failure: Decodable { var input: String }
        struct Class: Decodable { var pixels: Int }
        var shards: Int
        var missing: [Int]
        var pictures: Int
        var failures: [Failure]
        var classes: [Class]
    }

    @Test("all fail where no input can be read, and one without a picture says so")
    func nothing() throws {
        let scratch = try ScratchFolder()
        try scratch.model("m.safetensors")
        for part in ["1/3", "3/3"] {
            let result = Self.predict(scratch, part)
            #expect(result.exitCode == 1, "\(part)")
            #expect(
                result.errors.contains("\(scratch("in")): there is no such file or folder; check the path.\n"),
                "\(result.errors)"
            )
        }
        try scratch.picture("in/0.png")
        let empty = Self.predict(scratch, "2/3")
        #expect(empty.exitCode == 0 && empty.errors.contains("shard 2/3: nothing was left to do.\n"), "\(empty.errors)")
    }

    @Test("are merged into one summary, with all failures and the pixels of each class")
    func merge() throws {
        let scratch = try ScratchFolder()
        try scratch.model("m.safetensors")
        for number in 0..<5 { try scratch.picture("in/\(number).png", seed: UInt64(number)) }
        try scratch.write("no picture", "in/bad.png")
        for number in [1, 3] {
            let result = Self.predict(scratch, "\(number)/3", "--save", "mask")
            // 0 1 2 3 4 bad: the last is the third's.
            #expect(result.exitCode == (number == 3 ? 1 : 0), "\(result.errors)")
        }
        let merged = segnet("predict", "--merge", scratch("out"), "--json")
        let summary = try JSONDecoder().decode(Summary.self, from: Data(merged.output.utf8))
        #expect(summary.shards == 3 && summary.missing == [2] && summary.pictures == 3)
        #expect(summary.failures.map(\.input) == [scratch("in/bad.png")])
        #expect(summary.classes.reduce(0) { $0 + $1.pixels } == 3 * 24 * 18)
        #expect(merged.exitCode == 1)
        #expect(
            merged.errors.contains("error: \(scratch("out")): shard 2/3 is missing; run it again with --shard.\n"),
            "\(merged.errors)"
        )
        // A shard with a failure is done again.
        let again = Self.predict(scratch, "3/3", "--save", "mask")
        #expect(
            again.errors.contains("shard 3/3: 1 picture failed in the last run; the shard is done again.\n"),
            "\(again.errors)"
        )
    }

    @Test("with other pictures or settings are done again, and not merged")
    func mixed() throws {
        let scratch = try ScratchFolder()
        try scratch.model("m.safetensors")
        for number in 0..<4 { try scratch.picture("in/\(number).png", seed: UInt64(number)) }
        #expect(Self.predict(scratch, "1/2").exitCode == 0)
        #expect(Self.predict(scratch, "1/2").errors.contains("done already"))
        #expect(!Self.predict(scratch, "1/2", "--edges", "smooth").errors.contains("done already"))
        #expect(Self.predict(scratch, "2/2").exitCode == 0)
        let merged = segnet("predict", "--merge", scratch("out"))
        #expect(merged.exitCode == 1)
        #expect(
            merged.errors.contains(
                "\(scratch("out")): shard 2/2 does not have the same pictures and settings as shard 1/2: '"
            ),
            "\(merged.errors)"
        )
        try scratch.picture("in/5.png", seed: 5)
        #expect(!Self.predict(scratch, "2/2").errors.contains("done already"))
        let other = segnet("predict", "--merge", scratch("out"))
        #expect(
            other.errors.contains("5 pictures in all, not 4. Run one of them again, or remove its report in"),
            "\(other.errors)"
        )
    }

    @Test("whose model has changed under the same name, or whose results are gone, are done again")
    func changedModel() throws {
        let scratch = try ScratchFolder()
        let model = try scratch.model("m.safetensors")
        for number in 0..<4 { try scratch.picture("in/\(number).png", seed: UInt64(number)) }
        for part in ["1/2", "2/2"] { #expect(Self.predict(scratch, part, "--save", "mask").exitCode == 0) }
        let mask = scratch("out/0.mask.png")
        try FileManager.default.removeItem(atPath: mask)
        let gone = Self.predict(scratch, "1/2", "--save", "mask")
        #expect(gone.errors.contains("shard 1/2: 1 result is missing, such as \(mask); the shard is done again.\n"))
        #expect(FileManager.default.fileExists(atPath: mask))
        #expect(Self.predict(scratch, "1/2", "--save", "mask").errors.contains("shard 1/2: done already, 2 pictures"))

        let file = URL(filePath: scratch("m.safetensors"))
        let date = try FileManager.default.attributesOfItem(atPath: file.path)[.modificationDate] as? Date
        var other = model
        other.weights = try Weights.initial(for: model.network, seed: 6)
        try SafetensorsFile.write(other, to: file)
        // Neither its size nor its date tells.
        try FileManager.default.setAttributes([.modificationDate: try #require(date)], ofItemAtPath: file.path)
        let again = Self.predict(scratch, "1/2", "--save", "mask")
        #expect(again.exitCode == 0)
        #expect(
            again.errors.contains("shard 1/2: the model file (--model) has changed; the shard is done again.\n"),
            "\(again.errors)"
        )
        let merged = segnet("predict", "--merge", scratch("out"))
        #expect(
            merged.errors.contains(
                "shard 2/2 does not have the same pictures and settings as shard 1/2: a model file (--model) with other contents. Run "
                    + "one"
            ),
            "\(merged.errors)"
        )
        #expect(Self.predict(scratch, "2/2", "--save", "mask").exitCode == 0)
        #expect(segnet("predict", "--merge", scratch("out")).exitCode == 0)
    }

    @Test("of a TIFF in pieces have TIFFs as results, which are found", PredictTilesTests.needsTIFF)
    func tiledResults() throws {
        let scratch = try ScratchFolder()
        try scratch.model("m.safetensors")
        try FileManager.default.createDirectory(atPath: scratch("in"), withIntermediateDirectories: true)
        try PredictTilesTests.picture(scratch("in/a.tif"), width: 100, height: 80)
        for isDone in [false, true] {
            let result = Self.predict(scratch, "1/1", "--tile", "448x448")
            #expect(result.exitCode == 0, "\(result.errors)")
            #expect(result.errors.contains("done already, 1 picture;") == isDone, "\(result.errors)")
        }
        #expect(scratch.files("out").contains("a.mask.tif"))
    }

    @Test("need a folder with readable reports; --merge takes no inputs")
    func errors() throws {
        let scratch = try ScratchFolder()
        try scratch.write("x", "out/a.txt")
        let none = segnet("predict", "--merge", scratch("out"))
        #expect(
            none.errors
                == "\(scratch("out")): holds no reports of shards; give the '--output' of 'segnet predict --shard'.\n"
                && none.exitCode == 1
        )
        try scratch.write("{", "out/.segnet-shards/1-of-2.json")
        let broken = segnet("predict", "--merge", scratch("out"))
        #expect(
            broken.errors
                == "\(scratch("out"))/.segnet-shards/1-of-2.json: is not a report of a shard; remove the file, and run that shard again.\n"
        )
        let both = segnet("predict", "a.png", "--merge", scratch("out"))
        #expect(both.exitCode == 64)
        for more in [
            ["--model", "m"], ["--save", "mask"], ["--output", "o"], ["--tile", "9x9"], ["--skip-existing"],
            ["--shard", "1/2"],
        ] {
            let refused = segnet(["predict", "--merge", scratch("out")] + more)
            #expect(
                refused.exitCode == 64
                    && refused.errors.contains(
                        "Please leave '\(more[0])' out with '--merge', which reads the reports of shards that are done."
                    ),
                "\(refused.errors)"
            )
        }
        let json = segnet("predict", "a.png", "--shard", "1/2", "--json")
        #expect(
            json.errors.contains(
                "Please leave '--json' out with '--shard'; '--merge FOLDER --json' covers all parts."
            )
        )
        #expect(both.errors.contains("Please give '--merge' alone: it reads the reports of shards that are done."))
    }
}
