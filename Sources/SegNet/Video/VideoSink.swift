internal import SegNetImages
internal import SegNetPlatform

/// Something into which the frames of a video go, in their order. Nothing that is one file has its final name before `finish`.
protocol VideoSink: AnyObject {
    /// - Throws: `VideoError` or `ImageError` if it cannot be written.
    func write(_ frame: VideoSegmentation.Frame) throws
    /// Gives what was written its name.
    /// - Parameter isWhole: Whether all frames have come; false if the user has stopped before.
    func finish(isWhole: Bool) throws
}

/// A PNG for each frame, `000042.mask.png` with the frame's number in the video. Each is complete as soon as it is there.
final class FramePictures: VideoSink {
    private let folder: String
    private let layer: VideoSegmentation.Layer

    /// - Throws: `VideoError` if the folder cannot be made.
    init(_ folder: String, _ layer: VideoSegmentation.Layer) throws(VideoError) {
        self.folder = folder
        self.layer = layer
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch { throw VideoError(folder, .unwritable("the folder cannot be made")) }
    }

    func write(_ frame: VideoSegmentation.Frame) throws {
        let number = String(frame.number)
        let path = "\(folder)/\(String(repeating: "0", count: max(0, 6 - number.count)))\(number).\(layer.name).png"
        switch layer {
        case .overlay(let opacity): try frame.segmentation.overlay(opacity: opacity).write(path: path)
        case .color: try frame.segmentation.colored().write(path: path)
        case .mask: try frame.segmentation.classes.write(path: path)
        }
    }

    func finish(isWhole: Bool) {}
}

/// A table with a line for each frame: its number, its time in seconds, and the share of each class.
final class ShareTable: VideoSink {
    private let path: String
    private let temporary: TemporaryFile
    private var text: String

    /// - Throws: `VideoError` if the folder takes no file.
    init(_ path: String, classNames: [String]) throws(VideoError) {
        self.path = path
        temporary = try TemporaryFile(beside: path)
        text = (["frame", "seconds"] + classNames.map(Self.field)).joined(separator: ",") + "\n"
    }

    func write(_ frame: VideoSegmentation.Frame) throws {
        let classes = frame.segmentation.classes
        let pixels = Double(classes.width * classes.height)
        let shares = classes.pixelCounts(classCount: frame.segmentation.classCount).prefix(
            frame.segmentation.classCount
        )
        text +=
            (["\(frame.number)", Numbers.fixed(frame.seconds, 6)] + shares.map { Numbers.fixed(Double($0) / pixels, 6) })
            .joined(separator: ",")
        text += "\n"
        if text.utf8.count > 1 << 16 { try flush() }
    }

    func finish(isWhole: Bool) throws {
        try flush()
        try temporary.rename()
    }

    private func flush() throws {
        try temporary.append(text)
        text = ""
    }

    /// As RFC 4180 has it.
    private static func field(_ name: String) -> String {
        name.contains { $0 == "," || $0 == "\"" || $0.isNewline } ? "\"\(name.replacing("\"", with: "\"\""))\"" : name
    }
}
