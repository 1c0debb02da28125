import Foundation
import SegNetFuzzing
import Testing

/// Runs the program `FuzzFiles` that was built with the tests.
@Suite("Readers against damaged files", .serialized)
struct FuzzFilesTests {
    @Test("900 damaged files give an error that names them, or a result: no crash, no hang, no more than 1 GiB")
    func nineHundred() throws {
        let (code, text) = try fuzz(["--count", "900", "--seed", "8"] + GoodFiles.folders.flatMap { ["--good", $0] })
        #expect(code == 0, "\(text)")
        #expect(text.contains("900 files in ") && text.contains("failures: 0"), "\(text)")
        // A campaign whose files all stop at the first byte would prove nothing: each format's must run, too. Those whose libraries are
        // not on this machine are left out.
        let optional: [FileFormat] = [.tiff, .webp, .gif, .heic]
        for format in FileFormat.allCases {
            let rows = text.split(separator: "\n").map { $0.split(separator: " ") }.filter {
                $0.first == Substring(format.rawValue)
            }
            if rows.isEmpty, optional.contains(format) { continue }
            #expect(rows.count == 3, "\(text)")
            #expect(rows.compactMap { Int($0.last ?? "") }.reduce(0, +) > 0, "no \(format) file ran:\n\(text)")
        }
    }

    @Test(
        "a reader that crashes, hangs or takes too much memory is found, its file kept, and the rest still read",
        arguments: ["crash", "hang", "allocate"]
    )
    func findsMisbehaviour(kind: String) throws {
        let (code, text) = try fuzz([
            "--count", "30", "--misbehave", "\(kind):17", "--time-limit", "3", "--memory-limit", "256", "--jobs", "1",
        ])
        #expect(code == 1, "\(text)")
        #expect(text.contains("FAILED 000017-payload.") && text.contains("failures: 1"), "\(text)")
        #expect(text.contains("to read one again: --seed 1 --show 17"), "\(text)")
    }

    private func fuzz(_ arguments: [String]) throws -> (code: Int32, text: String) {
        let program = try #require(Self.program, "FuzzFiles was not built with the tests")
        let folder = FileManager.default.temporaryDirectory.appending(path: "segnet-fuzz-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let process = Process()
        process.executableURL = program
        process.arguments = arguments + ["--output", folder.path]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, text)
    }

    /// Test bundles lie in the folder of the built programs: on Linux as a file, on macOS as `Tests.xctest/Contents/MacOS/Tests`.
    private static let program: URL? = {
        let paths = CommandLine.arguments.prefix(1) + Bundle.allBundles.map(\.bundlePath)
        for path in paths {
            var folder = URL(filePath: path).deletingLastPathComponent()
            for _ in 0..<4 {
                let candidate = folder.appending(path: "FuzzFiles")
                var isFolder: ObjCBool = false
                if FileManager.default.fileExists(atPath: candidate.path, isDirectory: &isFolder), !isFolder.boolValue {
                    return candidate
                }
                folder.deleteLastPathComponent()
            }
        }
        return nil
    }()
}
