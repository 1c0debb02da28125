import Foundation
import SegNetToolkit
import Testing

@testable import SegNetCommand

@Suite("The pictures of a command line")
struct InputListTests {
    private static func list(_ scratch: ScratchFolder, _ inputs: String...) -> InputList {
        InputList(inputs.map { scratch($0) }, output: scratch("out"))
    }

    @Test("results of earlier runs into other folders are left out, and it is said; named themselves they are taken")
    func results() throws {
        let scratch = try ScratchFolder()
        try scratch.picture("few/a.png")
        try scratch.model("m.safetensors")
        let first = segnet(
            "predict",
            scratch("few"),
            "--model",
            scratch("m.safetensors"),
            "--output",
            scratch("few/first")
        )
        #expect(first.exitCode == 0)
        let list = Self.list(scratch, "few")
        #expect(list.pictures.map(\.stem) == ["a"] && list.problems.isEmpty)
        #expect(
            list.notes == [
                "\(scratch("few/first/a.color.png")) and 2 more left out: named like results of an earlier run. To segment such a file, "
                    + "give it without its picture."
            ]
        )
        #expect(Self.list(scratch, "few/first/a.mask.png").pictures.map(\.stem) == ["a.mask"])
        #expect(
            Self.list(scratch, "few/first").problems.map(\.message) == [
                "\(scratch("few/first")): holds only results of an earlier run; check the folder, or name the files."
            ]
        )
    }

    @Test("the examples of Spark and Ray look for the same endings")
    func endings() throws {
        let root = #filePath.dropLast("Tests/SegNetCommandTests/InputListTests.swift".count)
        let text = try String(contentsOfFile: "\(root)Examples/Scaling/segnet_batches.py", encoding: .utf8)
        #expect(text.contains("\"\(InputList.endings.map { "." + $0 }.joined(separator: " "))\""))
    }

    @Test("a link does not displace the file that it leads to: both get results")
    func links() throws {
        let scratch = try ScratchFolder()
        try scratch.picture("few/zebra.jpg")
        for name in ["alias", "other"] {
            try FileManager.default.createSymbolicLink(
                atPath: scratch("few/\(name).jpg"),
                withDestinationPath: "zebra.jpg"
            )
        }
        let list = Self.list(scratch, "few", "few/zebra.jpg")
        #expect(list.pictures.map(\.stem) == ["alias", "other", "zebra"] && list.problems.isEmpty)
        #expect(
            list.notes == [
                "\(scratch("few/other.jpg")) is the same file as \(scratch("few/alias.jpg")), and 1 more such; each name gets results."
            ]
        )
        #expect(Self.list(scratch, "few/zebra.jpg", "few/../few/zebra.jpg").pictures.count == 1)
    }

    @Test("two Unicode forms of a name are two pictures")
    func unicodeForms() throws {
        let scratch = try ScratchFolder()
        // Written by their bytes, since Swift calls the two names equal.
        let names = ["caf\u{E9}", "cafe\u{301}"]
        for name in names { try scratch.picture("few/\(name).png") }
        try scratch.model("m.safetensors")
        let result = segnet(
            "predict",
            scratch("few"),
            "--model",
            scratch("m.safetensors"),
            "--output",
            scratch("out"),
            "--save",
            "mask"
        )
        #expect(result.exitCode == 0 && result.output.contains("2 pictures in "), "\(result.errors)")
        #expect(
            result.errors.contains(
                ": another file has the same name in a different Unicode form; both get results.\n"
            )
        )
        let written = Set((RawFileName.names(in: scratch("out")) ?? []).map { Array($0.utf8) })
        #expect(written == Set(names.map { Array("\($0).mask.png".utf8) }))
    }

    @Test("pipes in folders are left out, and it is said")
    func pipes() throws {
        let scratch = try ScratchFolder()
        try scratch.picture("few/a.png")
        #expect(mkfifo(scratch("few/pipe.png"), 0o600) == 0)
        let list = Self.list(scratch, "few")
        #expect(
            list.pictures.map(\.stem) == ["a"]
                && list.notes == ["\(scratch("few/pipe.png")) left out: pipes and devices in folders are not read."]
        )
    }

    @Test("names that are not UTF-8 are read, shown with %, and written as they are shown")
    func bytes() throws {
        let scratch = try ScratchFolder()
        let image = try scratch.picture("few/plain.png")
        let bytes: [UInt8] = Array(scratch("few/caf").utf8) + [0xE9] + Array("/x.png".utf8)
        let path = RawFileName.text(bytes)
        #expect(RawFileName.display(path) == scratch("few/caf%E9/x.png"))
        #expect(mkdir((bytes.dropLast(6) + [0]).map { CChar(bitPattern: $0) }, 0o700) == 0)
        try image.write(path: path)
        #expect(FileAccess.kind(of: path) == .file)
        try scratch.model("m.safetensors")
        let result = segnet(
            "predict",
            scratch("few"),
            "--model",
            scratch("m.safetensors"),
            "--output",
            scratch("out"),
            "--save",
            "mask"
        )
        #expect(result.exitCode == 0 && result.output.contains("\(scratch("few/caf%E9/x.png")): "), "\(result.errors)")
        #expect(scratch.files("out") == ["caf%E9/x.mask.png", "plain.mask.png"])
        #expect(segnet("predict", path, "--model", scratch("m.safetensors"), "--output", scratch("out2")).exitCode == 0)
    }

    @Test("a file that is called what another is shown as does not take its place in silence")
    func shownAlike() throws {
        let scratch = try ScratchFolder()
        let image = try scratch.picture("few/p%E9.png")
        try image.write(path: RawFileName.text(Array(scratch("few/p").utf8) + [0xE9] + Array(".png".utf8)))
        let list = Self.list(scratch, "few")
        #expect(list.pictures.map(\.stem) == ["p%E9"])
        let name = scratch("few/p%E9.png")
        #expect(
            list.problems.map(\.message) == [
                "\(name): its outputs would have the same names as those of another file that is shown as \(name) (p%E9.*); rename one, "
                    + "or segment them into different folders with --output."
            ]
        )
    }

    @Test("names with other bytes are shown in different ways, text as it is")
    func display() {
        func shown(_ bytes: [UInt8]) -> String { RawFileName.display(RawFileName.text(bytes)) }
        #expect(shown(Array("a%20b%E9 100%.png".utf8)) == "a%20b%E9 100%.png")
        #expect(shown(Array("a%E9".utf8) + [0xE9]) == "a%25E9%E9")
        #expect(shown([0x61, 0xE9, 0xE9]) == "a%E9%E9")
        #expect(shown([0xE9] + Array("100%".utf8)) == "%E9100%")
        #expect(shown(Array("a\nb\u{1B}[31m\u{9B}%41\u{7F}é.png".utf8)) == "a%0Ab%1B[31m%C2%9B%2541%7Fé.png")
    }

    @Test("lists may name files of any bytes, and be called by any")
    func listOfBytes() throws {
        let scratch = try ScratchFolder()
        let image = try scratch.picture("few/plain.png")
        let name = Array("caf".utf8) + [0xE9] + Array(".png".utf8)
        try image.write(path: RawFileName.text(Array("\(scratch("few"))/".utf8) + name))
        let line = name + [0x0A] + Array("plain.png".utf8) + [0x0A, 0xE8] + Array(".png".utf8)
        let list = RawFileName.text(Array(scratch("few/l").utf8) + [0xE9] + Array(".txt".utf8))
        let file = try #require(RawFileName.withPath(list) { fopen($0, "w") })
        #expect(fwrite(line, 1, line.count, file) == line.count)
        fclose(file)
        let found = InputList([list], output: scratch("out"))
        #expect(found.pictures.map(\.stem) == ["caf%E9", "plain"])
        let missing = scratch("few/%E8.png")
        #expect(
            found.problems.map(\.message) == [
                "\(missing): there is no such file (\(scratch("few/l%E9.txt")), line 3); check the list."
            ]
        )
    }

    @Test("a folder in a list is called one, and a name with a line's end stays on one line")
    func foldersAndLines() throws {
        let scratch = try ScratchFolder()
        try scratch.picture("few/in/a\nb.png")
        try scratch.write("in\ngone.png\n", "few/list.txt")
        let list = InputList([scratch("few/list.txt"), scratch("few/in")], output: scratch("out"))
        let place = "(\(scratch("few/list.txt")), line"
        #expect(
            list.problems.map(\.message) == [
                "\(scratch("few/in")): is a folder \(place) 1); a list names files. Give the folder itself as an input.",
                "\(scratch("few/gone.png")): there is no such file \(place) 2); check the list.",
            ]
        )
        #expect(list.pictures.map(\.stem) == ["a%0Ab"])
        #expect(list.pictures.map(\.name) == [scratch("few/in/a%0Ab.png")])
    }

    @Test("bytes become text and bytes again")
    func roundTrip() {
        for bytes: [UInt8] in [
            [], [0x61], [0xE9], [0x61, 0xC3, 0xA9, 0xFF, 0xC3], [0xF0, 0x9F, 0x98, 0x80, 0xED, 0xA0, 0x80],
            [0xE2, 0x82],
        ] {
            let text = RawFileName.text(bytes)
            let again: [UInt8] = RawFileName.withPath(text) { start in
                (0..<strlen(start)).map { UInt8(bitPattern: start[$0]) }
            }
            #expect(again == bytes, "\(bytes)")
        }
    }
}

@Suite(
    "Standard output that takes nothing",
    .serialized,
    .enabled(if: BuiltCommand.isThere, "the segnet command is not built")
)
struct StandardOutputTests {
    private static func shell(_ script: String) throws -> (status: Int32, errors: String) {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", script, BuiltCommand.url.path]
        let errors = Pipe()
        process.standardError = errors
        try process.run()
        let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, text)
    }

    @Test(
        "is an error",
        arguments: ["> /dev/full", ">&-"],
        ["info segnet-basic --json", "predict PICTURE --model MODEL --output OUT --json", "models", "tune --help"]
    )
    func lost(redirection: String, command: String) throws {
        let scratch = try ScratchFolder()
        try scratch.picture("a.png")
        try scratch.model("m.safetensors")
        let command = command.replacing("PICTURE", with: scratch("a.png")).replacing(
            "MODEL",
            with: scratch("m.safetensors")
        )
        .replacing("OUT", with: scratch("out"))
        let result = try Self.shell("exec \"$0\" \(command) \(redirection)")
        #expect(result.status == 1)
        #expect(result.errors.contains("Error: standard output: cannot be written ("), "\(result.errors)")
        // Nothing was printed into a file that happened to get standard output's number.
        if command.hasPrefix("predict") { #expect(try LabelMap(path: scratch("out/a.mask.png")).width == 24) }
    }

    /// Runs the command with nobody reading its standard output.
    private static func unread(_ arguments: [String]) throws -> (process: Process, errors: String) {
        let process = Process()
        (process.executableURL, process.arguments) = (BuiltCommand.url, arguments)
        let (output, errors) = (Pipe(), Pipe())
        (process.standardOutput, process.standardError) = (output, errors)
        try process.run()
        try output.fileHandleForReading.close()
        let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process, text)
    }

    @Test("is none where its reader has gone: the files are written all the same")
    func readerGone() throws {
        let scratch = try ScratchFolder()
        try EvaluateTests.data(scratch)
        try scratch.model("m.safetensors")
        for (arguments, files) in [
            (
                ["predict", scratch("d/images"), "--model", scratch("m.safetensors"), "--output", scratch("out")],
                ["out/test/b.overlay.png"]
            ),
            (
                ["evaluate", "--dataset", "folder", "--data", scratch("d"), "--predictions", scratch("masks")]
                    + ["--json", scratch("s.json"), "--report", scratch("s.html")], ["s.json", "s.html"]
            ),
            (["predict", "--help"], []), (["info", "segnet-basic"], []),
        ] {
            let (process, errors) = try Self.unread(arguments)
            #expect(process.terminationReason == .exit && process.terminationStatus == 0, "\(arguments[0]): \(errors)")
            for file in files { #expect(FileManager.default.fileExists(atPath: scratch(file)), "\(file)") }
        }
    }

    @Test(
        "a run that is stopped writes the files for all pictures with those that are done",
        arguments: [SIGINT, SIGTERM]
    )
    func stopped(signal: Int32) throws {
        let scratch = try ScratchFolder()
        try scratch.model("m.safetensors")
        for number in 0..<60 { try scratch.picture("in/\(number).png", seed: UInt64(number + 1)) }
        let process = Process()
        process.executableURL = BuiltCommand.url
        process.arguments = [
            "predict", scratch("in"), "--model", scratch("m.safetensors"), "--output", scratch("out"), "--threads", "1",
            "--size", "640x480", "--save", "shares", "--polygons", "coco",
        ]
        let (output, errors) = (Pipe(), Pipe())
        (process.standardOutput, process.standardError) = (output, errors)
        try process.run()
        // The line of the first picture.
        _ = output.fileHandleForReading.availableData
        kill(process.processIdentifier, signal)
        let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationReason == .exit && process.terminationStatus == 128 + signal, "\(text)")
        let shares = try String(contentsOfFile: scratch("out/shares.csv"), encoding: .utf8)
        let done = shares.split(separator: "\r\n").count - 1
        #expect((1..<60).contains(done))
        #expect(
            text.contains("note: stopped after \(done) of 60 pictures; the results hold only what was done.\n"),
            "\(text)"
        )
        #expect(try AnnotationSet(coco: scratch("out/annotations.coco.json")).pictures.count == done)
    }

    @Test("names of arguments may be any bytes")
    func arguments() throws {
        let scratch = try ScratchFolder()
        let image = try scratch.picture("a.png")
        try image.write(path: RawFileName.text(Array(scratch("caf").utf8) + [0xE9] + Array(".png".utf8)))
        try scratch.model("m.safetensors")
        let result = try Self.shell(
            "cd '\(scratch.path)' && exec \"$0\" predict \"$(printf 'caf\\351.png')\" --model m.safetensors --output out > list"
        )
        #expect(result.status == 0, "\(result.errors)")
        #expect(scratch.files("out").contains("caf%E9.mask.png"))
    }
}
