import Foundation
import SegNetImages
import Testing

@testable import SegNetData

/// A folder that is removed with the last test that holds it.
final class ScratchFolder {
    let url: URL
    var path: String { url.path }

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "segnet-data-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func callAsFunction(_ name: String) -> String { url.appending(path: name).path }

    private func file(_ name: String) throws -> URL {
        let file = url.appending(path: name)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        return file
    }

    func write(_ text: String, _ name: String) throws { try Data(text.utf8).write(to: try file(name)) }

    /// A picture whose samples count up from `first`.
    func picture(_ name: String, width: Int = 4, height: Int = 3, channels: Int = 3, first: Int = 0) throws {
        let samples = (0..<width * height * channels).map { UInt8(truncatingIfNeeded: $0 + first) }
        try Image(width: width, height: height, channels: channels, pixels: samples).write(path: try file(name).path)
    }

    /// A gray label PNG.
    func labels(_ name: String, _ ids: [UInt16], width: Int = 4, height: Int = 3) throws {
        try LabelMap(width: width, height: height, ids: ids).write(path: try file(name).path)
    }

    /// A label PNG painted in colours.
    func painted(_ name: String, _ colors: [Color], width: Int = 4, height: Int = 3) throws {
        let samples = colors.flatMap { [$0.red, $0.green, $0.blue] }
        try Image(width: width, height: height, channels: 3, pixels: samples).write(path: try file(name).path)
    }
}

/// The data sets beside the package, if they are there.
enum Shared {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "shared/datasets")
    static let camVid = folder.appending(path: "CamVid").path
    static let nyuV2 = folder.appending(path: "NYUv2-37").path
    static let hasCamVid = FileManager.default.fileExists(atPath: camVid + "/train.txt")
    static let hasNYUv2 = FileManager.default.fileExists(atPath: nyuV2 + "/train.txt")
}

/// The text of the error that a body throws.
func message(of body: () throws -> Void) -> String {
    do {
        try body()
        return "nothing was thrown"
    } catch {
        return "\(error)"
    }
}

/// What `example` gives for the only sample of a split.
func onlyExample(_ dataset: Dataset, _ split: String = "train") throws -> Example {
    try dataset.example(try #require(try dataset.samples(of: split).first))
}
