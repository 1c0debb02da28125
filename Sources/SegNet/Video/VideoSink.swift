internal import SegNetImages
internal import SegNetPlatform

/// A result to which the frames of a video are written, in order. A result that is one file gets its final name in `finish`.
protocol VideoSink: AnyObject {
    /// - Throws: `VideoError` or `ImageError` if it cannot be written.
    func write(_ frame: VideoSegmentation.Frame) throws
    /// Gives the result its name.
    /// - Parameter isWhole: Whether all frames have been written; false if the user stopped before the end.
    func finish(isWhole: Bool) throws
}

/// A PNG for each frame, `000042.mask.png`, with the frame's number from where the reading began. A file that exists is complete.
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

/// A table with one line per frame: its number, its time in seconds, and the share of each class.
final class ShareTable: VideoSink {
    private let path: String
    private let temporary: TemporaryFile
    private var text: String

    /// - Throws: `VideoError` if no file can be made in the folder.
    init(_ path: String, classNames: [String]) throws(VideoError) {
        self.path = path
        temporary = try TemporaryFile(beside: path)
        text = CSV.line(["frame", "seconds"] + classNames)
    }

    func write(_ frame: VideoSegmentation.Frame) throws {
        let classes = frame.segmentation.classes
        let pixels = Double(classes.width * classes.height)
        let shares = classes.pixelCounts(classCount: frame.segmentation.classCount).prefix(
            frame.segmentation.classCount
        )
        text += CSV.line(
            ["\(frame.number)", Numbers.fixed(frame.seconds, 6)] + shares.map { Numbers.fixed(Double($0) / pixels, 6) }
        )
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
}
