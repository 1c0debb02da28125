import Foundation
import Testing

@testable import SegNetCommand

@Suite("Choices in the environment", .enabled(if: BuiltCommand.isThere, "the segnet command is not built"))
struct EnvironmentTests {
    @Test(
        "a wrong one is refused by every command before it reads anything",
        arguments: [
            ["predict", "missing.png", "--accuracy", "exact"],
            ["train", "--config", "missing.yaml", "--output", "missing"],
            ["compare", "missing.yaml"], ["convert", "missing.safetensors", "missing.onnx"],
            ["evaluate", "--model", "missing.safetensors", "--dataset", "camvid", "--data", "missing"],
            ["info", "segnet"],
            ["tune", "crf", "--model", "missing.safetensors", "--dataset", "camvid", "--data", "missing"],
        ]
    )
    func refused(arguments: [String]) throws {
        for (name, value, message) in [
            ("SEGNET_ACCURACY", "best", "there is no accuracy 'best'; choose one of fast, accurate, exact."),
            ("SEGNET_ISA", "sse", "instruction set 'sse' is not available here; choose one of "),
        ] {
            let process = Process()
            process.executableURL = BuiltCommand.url
            process.arguments = arguments
            process.environment = ProcessInfo.processInfo.environment.merging([name: value]) { $1 }
            let errors = Pipe()
            process.standardError = errors
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            #expect(
                process.terminationStatus == 1 && text.contains("environment variable \(name): \(message)"),
                "\(text)"
            )
        }
    }
}
