import Foundation
import SegNetToolkit
import Testing

@testable import SegNetServer

@Suite("docs/server.md")
struct DocumentationTests {
    /// The lines of its shell blocks.
    static let commands: [String] = {
        let file = TestFiles.repository.appending(path: "docs/server.md")
        let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
        return text.components(separatedBy: "```").filter { $0.hasPrefix("sh\n") }
            .flatMap { $0.split(separator: "\n").dropFirst().map(String.init) }
    }()

    static let curl = ["/usr/bin/curl", "/usr/local/bin/curl", "/opt/homebrew/bin/curl"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    @Test(
        "its commands do what they say, as they are written, with the bundled model",
        .enabled(if: curl != nil, "curl is not installed")
    )
    func examples() async throws {
        #expect(Self.commands.count > 10)
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "segnet-docs-\(UInt64.random(in: 0 ... .max))"
        )
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let models = TestFiles.repository.appending(path: "Models")
        try FileManager.default.copyItem(
            at: models.appending(path: "street.jpg"),
            to: folder.appending(path: "photo.jpg")
        )
        let configuration = ServiceConfiguration(threads: 2)
        let model = models.appending(path: "segnet-basic-camvid.safetensors").path
        let catalog = try ModelCatalog(
            try ModelCatalog.entries(named: [model], includesBundled: false),
            configuration: configuration
        )
        try await LiveServer.run(catalog: catalog) { server in
            for command in Self.commands {
                let line = command.replacing("http://127.0.0.1:8080", with: "http://127.0.0.1:\(server.port)")
                let status = try await Self.run(line, in: folder)
                #expect(status == 0, "\(command)")
            }
        }
        let mask = try LabelMap(path: folder.appending(path: "mask.png").path)
        #expect((mask.width, mask.height) == (546, 413))
        #expect(Set(mask.ids).count > 4)
        #expect(try NPYFile(folder.appending(path: "probabilities.npy")).shape == [11, 360, 480])
        let results = try JSONDecoder().decode(
            BatchEndpoint.Document.self,
            from: Data(contentsOf: folder.appending(path: "results.json"))
        )
        #expect(results.results.map(\.status) == [200, 200])
    }

    private static func run(_ command: String, in folder: URL) async throws -> Int32 {
        try await withCheckedThrowingContinuation { continuation in
            let process = Process()
            process.executableURL = URL(filePath: "/bin/sh")
            process.arguments = ["-c", command]
            process.currentDirectoryURL = folder
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
    }
}
