import Foundation
import SegNetToolkit
import Testing

@testable import SegNet

/// Videos that the installed ffmpeg makes for a test, in a folder that is removed with the last test that holds it.
final class Clips: Sendable {
    static let ffmpeg = try? FFmpeg()
    /// Why tests are skipped.
    static let missing: Comment = "ffmpeg and ffprobe are not installed"

    let folder: URL
    var path: String { folder.path }

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "segnet-clips-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func callAsFunction(_ name: String) -> String { folder.appending(path: name).path }

    /// What is in the folder, hidden files too.
    var files: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }

    struct Failure: Error, CustomStringConvertible { var description: String }

    /// Runs ffmpeg in the folder.
    @discardableResult
    func ffmpeg(_ arguments: String) throws -> Self {
        let words = ["-y", "-loglevel", "error"] + arguments.split(separator: " ").map(String.init)
        let (code, _, errors) = try Self.run(#require(Self.ffmpeg).ffmpeg, words, in: folder)
        guard code == 0 else { throw Failure(description: "ffmpeg \(arguments): \(errors)") }
        return self
    }

    static func run(_ program: String, _ words: [String], in folder: URL) throws -> (Int32, Data, String) {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = words
        process.currentDirectoryURL = folder
        process.standardInput = FileHandle.nullDevice
        let errors = folder.appending(path: ".errors")
        try Data().write(to: errors)
        let output = Pipe()
        process.standardOutput = output
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let text = (try? String(contentsOf: errors, encoding: .utf8)) ?? ""
        try? FileManager.default.removeItem(at: errors)
        return (process.terminationStatus, data, text)
    }

    /// A moving test picture. Lossless, so that tests know each frame's colours.
    @discardableResult
    func moving(_ name: String, size: String = "32x24", frames: Int = 12, rate: String = "25", more: String = "") throws
        -> Self
    {
        try ffmpeg(
            // The source itself has only even sizes.
            "-f lavfi -i testsrc2=size=128x96:rate=\(rate),format=rgb24,scale=\(size.replacing("x", with: ":")):flags=neighbor "
                + "-frames:v \(frames) \(more) -c:v ffv1 -pix_fmt bgr0 \(name)"
        )
    }

    /// What ffprobe says about the pictures: `entries("a.mp4", "stream=width,height")`.
    func entries(_ name: String, _ entries: String, stream: String = "v") throws -> [String] {
        let words = ["-loglevel", "error", "-select_streams", stream, "-show_entries", entries, "-of", "csv=p=0", name]
        let (code, data, errors) = try Self.run(#require(Self.ffmpeg).ffprobe, words, in: folder)
        guard code == 0 else { throw Failure(description: "ffprobe \(name): \(errors)") }
        return String(decoding: data, as: UTF8.self).split(separator: "\n").map {
            String($0).trimmingCharacters(in: CharacterSet(charactersIn: ", "))
        }
    }

    /// Seconds.
    func duration(_ name: String) throws -> Double? {
        try entries(name, "format=duration").first.flatMap { Double($0) }
    }

    /// When each frame is shown, in seconds.
    func times(_ name: String) throws -> [Double] {
        try entries(name, "frame=pts_time").compactMap { Double($0) }
    }

    /// All frames, as ffmpeg shows them.
    func frames(_ name: String, channels: Int = 3) throws -> [[UInt8]] {
        let words = [
            "-loglevel", "error", "-i", name, "-map", "0:v", "-vsync", "passthrough", "-f", "rawvideo", "-pix_fmt",
            channels == 3 ? "rgb24" : "gray", "pipe:1",
        ]
        let (code, data, errors) = try Self.run(#require(Self.ffmpeg).ffmpeg, words, in: folder)
        guard code == 0 else { throw Failure(description: "ffmpeg \(name): \(errors)") }
        let count = try entries(name, "frame=pkt_size").count
        guard count > 0 else { return [] }
        let size = data.count / count
        return (0..<count).map { Array(data[$0 * size..<($0 + 1) * size]) }
    }

    /// A segmenter with random weights, in whose results several classes occur.
    static func segmenter(_ options: Segmenter.Options = Segmenter.Options(threads: 2)) throws -> Segmenter {
        try Segmenter(LoadedModel(try smallModel(height: 24, width: 32), name: "small"), options: options)
    }

    /// Runs videos through it with the usual options.
    @discardableResult
    func run(
        _ name: String,
        to outputs: [VideoSegmentation.Output],
        _ change: (inout VideoSegmentation.Options) -> Void = { _ in },
        shouldStop: @escaping @Sendable () -> Bool = { false },
        each: (VideoSegmentation.Frame, VideoSegmentation.Progress) throws -> Void = { _, _ in }
    ) throws -> VideoSegmentation.Report {
        var options = VideoSegmentation.Options()
        change(&options)
        let videos = VideoSegmentation(try Self.segmenter(), options: options, ffmpeg: try #require(Self.ffmpeg))
        return try videos.run(.file(self(name)), to: outputs, shouldStop: shouldStop, each: each)
    }
}
