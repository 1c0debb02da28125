import Foundation
import Testing

/// The example programs, built with the tests.
enum Example {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Test bundles lie in the folder of the built programs: on Linux as a file, on macOS deeper.
    static func url(_ name: String) -> URL? {
        let paths = CommandLine.arguments.prefix(1) + Bundle.allBundles.map(\.bundlePath)
        return paths.lazy.map { URL(filePath: $0).deletingLastPathComponent().appending(path: name) }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) }
    }

    static func run(_ name: String, _ arguments: String...) throws -> (code: Int32, text: String) {
        let program = try #require(url(name), "\(name) was not built with the tests")
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(
            ["SEGNET_MODELS": root.appending(path: "Models").path]
        ) { $1 }
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, text)
    }
}

/// A folder that goes with its last user.
private final class ScratchFolder {
    let url = FileManager.default.temporaryDirectory.appending(path: "segnet-examples-\(UInt64.random(in: 0 ... .max))")
    init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(at: url) }
    func holds(_ name: String) -> Bool { FileManager.default.fileExists(atPath: url.appending(path: name).path) }
}

@Suite("The examples", .serialized)
struct ExamplesTests {
    @Test("TrainOnStreets trains, scores, paints, and goes on where it stood")
    func trainOnStreets() throws {
        let folder = try ScratchFolder()
        let (code, text) = try Example.run("TrainOnStreets", folder.url.path, "6")
        #expect(code == 0, "\(text)")
        #expect(text.contains("step 1: loss ") && text.contains("step 6: loss "), "\(text)")
        #expect(text.contains("mean IoU 0."), "\(text)")
        for name in ["recipe.yaml", "best.safetensors", "last.safetensors", "street.png", "street.overlay.png"] {
            #expect(folder.holds(name), "\(name)")
        }
        let again = try Example.run("TrainOnStreets", folder.url.path, "6")
        #expect(again.code == 0 && !again.text.contains("step 1: "), "\(again.text)")
    }

    @Test("SegmentPhoto finds the road on the sample of the bundled model")
    func segmentPhoto() throws {
        let folder = try ScratchFolder()
        let street = folder.url.appending(path: "street.jpg")
        try FileManager.default.copyItem(at: Example.root.appending(path: "Models/street.jpg"), to: street)
        let (code, text) = try Example.run("SegmentPhoto", street.path)
        #expect(code == 0, "\(text)")
        #expect(text.contains("Road: ") && text.contains("street.overlay.png"), "\(text)")
        #expect(folder.holds("street.overlay.png"))
    }

    @Test("say what is wrong and end with 1")
    func errors() throws {
        #expect(try Example.run("SegmentPhoto") == (1, "SegmentPhoto: give a photo: SegmentPhoto PHOTO [MODEL]\n"))
        let missing = try Example.run("SegmentPhoto", "no/such.png")
        #expect(missing.code == 1 && missing.text.hasPrefix("SegmentPhoto: no/such.png: "), "\(missing.text)")
    }

    @Test(
        "the guides show the training's lines as they stand in the file",
        arguments: ["README.md", "docs/training.md"]
    )
    func shown(guide: String) throws {
        func lines(_ path: String) throws -> [String] {
            try String(contentsOf: Example.root.appending(path: path), encoding: .utf8)
                .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        }
        let source = try lines("Examples/TrainOnStreets/main.swift")
        let first = try #require(source.firstIndex { $0.contains("var recipe = TrainingConfiguration()") })
        let last = try #require(source.firstIndex { $0.contains("return (trainer, try Segmenter") })
        // Inside a function there, on their own here.
        let training = source[first..<last].map { String($0.dropFirst(4)) }
        #expect(training.count == 12)
        let text = try lines(guide).joined(separator: "\n")
        #expect(text.contains("```swift\nimport SegNet\n\n" + training.joined(separator: "\n") + "\n"))
    }
}
