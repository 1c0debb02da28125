#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The folder behind `--output`.
enum OutputFolder {
    /// Makes the folder and those above it, where they are not there.
    static func make(_ path: String) throws(OutputFolderError) {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw OutputFolderError(path: path)
        }
    }
}

/// The output folder cannot be made.
struct OutputFolderError: Error, CustomStringConvertible {
    var path: String

    var description: String {
        "\(path): the folder cannot be made; choose another '--output', or check what has that name and its permissions."
    }
}
