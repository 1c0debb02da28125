import SegNetToolkit

/// The folder behind `--output`, or behind another option that errors then name.
enum OutputFolder {
    /// Makes the folder, and sees that files can be written into it, before hours of work are done for it.
    static func prepare(_ path: String, option: String? = "--output") throws(OutputFolderError) {
        try make(path, option: option)
        // Permissions do not tell of disks that are full or mounted for reading.
        let probe = LeftoverFiles.name(beside: "\(path)/probe")
        guard FileManager.default.createFile(atPath: probe, contents: Data([0])) else {
            throw OutputFolderError(path: path, problem: .writing, option: option)
        }
        try? FileManager.default.removeItem(atPath: probe)
    }

    /// Writes a small text.
    static func write(_ text: String, to path: String, option: String? = "--output") throws(OutputFolderError) {
        do { try FileTarget.write(text, to: path) } catch {
            throw OutputFolderError(path: path, problem: .writing, option: option)
        }
    }

    /// Makes the folder and those above it, where they are not there.
    static func make(_ path: String, option: String? = "--output") throws(OutputFolderError) {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw OutputFolderError(path: path, problem: .making, option: option)
        }
    }
}

/// The output folder cannot be made, or not be written to.
struct OutputFolderError: Error, CustomStringConvertible {
    enum Problem { case making, writing }

    var path: String
    var problem: Problem
    /// The option that names it; nil where an argument does.
    var option: String? = "--output"

    private var place: String { option.map { "'\($0)'" } ?? "folder" }

    var description: String {
        switch problem {
        case .making:
            "\(path): the folder cannot be made; choose another \(place), or check what has that name and its permissions."
        case .writing:
            "\(path): no file can be written into the folder; choose another \(place), or check its permissions and the disk."
        }
    }
}
