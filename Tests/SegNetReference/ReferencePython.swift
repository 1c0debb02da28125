package import Foundation

/// Runs Python programs with which ours are compared: `.venv/bin/python` (scripts/setup-python), or the Python that `SEGNET_PYTHON` names.
package enum ReferencePython {
    /// The folder of the package.
    package static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static let program: String =
        ProcessInfo.processInfo.environment["SEGNET_PYTHON"] ?? root.appending(path: ".venv/bin/python").path

    /// Which of a program's texts is read.
    package enum Stream { case output, errors }

    /// Whether Python is there and has some modules.
    package static func has(_ modules: String...) -> Bool {
        guard FileManager.default.isExecutableFile(atPath: program) else { return false }
        return (try? run(["-c", "import \(modules.joined(separator: ", "))"], reading: .output))?.status == 0
    }

    /// Runs a program and waits for it.
    /// - Returns: Its exit code, and what it wrote to the stream that is read.
    package static func run(_ arguments: [String], reading stream: Stream) throws -> (status: Int32, text: Data) {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = stream == .output ? pipe : FileHandle.nullDevice
        process.standardError = stream == .errors ? pipe : FileHandle.nullDevice
        try process.run()
        let text = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, text)
    }
}
