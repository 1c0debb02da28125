import ArgumentParser
import Foundation
import SegNetToolkit
import Testing

@testable import SegNetCommand

/// What a run of the command left behind.
struct CommandResult {
    var output: String
    var errors: String
    var exitCode: Int32
}

/// Runs the command in this process, as the shell would.
func segnet(_ arguments: String..., isTerminal: Bool = false) -> CommandResult {
    segnet(arguments, isTerminal: isTerminal)
}

func segnet(_ arguments: [String], isTerminal: Bool = false) -> CommandResult {
    let console = Console.recording(isTerminal: isTerminal)
    var failure: (any Error)?
    do {
        let words = try SegNetCommand.words(arguments)
        if words.contains(SegNetCommand.quiet) { console.beQuiet() }
        let command = try SegNetCommand.parseAsRoot(words.filter { $0 != SegNetCommand.quiet })
        if let command = command as? any ConsoleCommand {
            try command.execute(on: console)
        } else {
            var command = command
            try command.run()
        }
    } catch {
        failure = error
    }
    var result = CommandResult(output: console.recordedOutput, errors: console.recordedErrors, exitCode: 0)
    if let failure {
        result.exitCode = SegNetCommand.exitCode(for: failure).rawValue
        let message = SegNetCommand.message(for: failure)
        if !message.isEmpty { result.errors += message + "\n" }
    }
    return result
}

/// Sees that a command line is refused before anything is done: with exit code 64, these words, and nothing on standard output.
/// - Parameter isAll: Whether the message says nothing else.
func expectRefusal(
    of arguments: [String],
    _ words: String,
    isAll: Bool = false,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    let result = segnet(arguments)
    let isSaid = isAll ? result.errors == words + "\n" : result.errors.contains(words)
    #expect(
        isSaid && result.exitCode == 64 && result.output.isEmpty,
        "exit code \(result.exitCode): \(result.errors)",
        sourceLocation: sourceLocation
    )
}

/// A folder that is removed with the last test that holds it.
final class ScratchFolder {
    let url: URL
    var path: String { url.path }

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "segnet-tests-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func callAsFunction(_ name: String) -> String { url.appending(path: name).path }

    /// Writes a file and the folders above it.
    func write(_ text: String, _ name: String) throws {
        let file = url.appending(path: name)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    /// Writes a small noisy picture.
    @discardableResult
    func picture(_ name: String, width: Int = 24, height: Int = 18, seed: UInt64 = 1) throws -> Image {
        let file = url.appending(path: name)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        var random = RandomNumbers(seed: seed)
        let image = try Image(
            width: width,
            height: height,
            channels: 3,
            pixels: (0..<width * height * 3).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        )
        try image.write(path: file.path)
        return image
    }

    /// Writes a small net of SegNet-Basic's kind with random weights.
    @discardableResult
    func model(_ name: String, classes: Int = 11, width: Int = 32, height: Int = 24) throws -> Model {
        let network = Architectures.segNetBasic(
            classes: classes,
            options: ArchitectureOptions(input: .bgr255(height: height, width: width), width: 0.25)
        )
        let model = Model(network: network, weights: try Weights.initial(for: network, seed: 5))
        if name.hasSuffix(".caffemodel") {
            let target = url.appending(path: name)
            try Caffe.write(
                model,
                weights: target,
                network: target.deletingPathExtension().appendingPathExtension("prototxt")
            )
        } else {
            try SafetensorsFile.write(model, to: url.appending(path: name))
        }
        return model
    }

    /// All files below, relative, sorted.
    func files(_ folder: String = "") -> [String] {
        let root = folder.isEmpty ? url : url.appending(path: folder)
        let all = (try? FileManager.default.subpathsOfDirectory(atPath: root.path)) ?? []
        return all.filter { name in
            var isFolder = ObjCBool(false)
            _ = FileManager.default.fileExists(atPath: root.appending(path: name).path, isDirectory: &isFolder)
            return !isFolder.boolValue
        }.sorted()
    }
}
