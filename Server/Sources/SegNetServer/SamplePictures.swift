#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// Pictures to try the service with: those beside the models, and those of a folder that the user names.
public struct SamplePictures: Sendable {
    struct Sample: Sendable {
        /// The file's name without its ending.
        var name: String
        var title: String
        var file: ServerFiles.File
        var fileName: String
    }

    let samples: [Sample]

    /// What the pictures that come with the package show.
    private static let titles = ["street": "A street of CamVid"]
    private static let mostBytes = 8 << 20

    /// - Parameter folders: Searched for JPEG and PNG files; of equal names the first counts. Files beyond 8 MiB are left out.
    public init(folders: [URL]) {
        var found: [String: Sample] = [:]
        for folder in folders {
            let path = folder.path(percentEncoded: false)
            for fileName in (try? FileManager.default.contentsOfDirectory(atPath: path))?.sorted() ?? [] {
                let url = URL(filePath: fileName)
                let name = url.deletingPathExtension().lastPathComponent
                guard ["jpg", "jpeg", "png"].contains(url.pathExtension.lowercased()), !name.hasPrefix("."),
                    found[name] == nil,
                    let data = FileManager.default.contents(atPath: "\(path)/\(fileName)"), data.count <= Self.mostBytes
                else { continue }
                found[name] = Sample(
                    name: name,
                    title: Self.titles[name] ?? name.split { $0 == "-" || $0 == "_" }.joined(separator: " "),
                    file: ServerFiles.File([UInt8](data), name: fileName),
                    fileName: fileName
                )
            }
        }
        samples = found.values.sorted { $0.name < $1.name }
    }

    /// A sample by its file's name.
    func file(_ fileName: String) -> ServerFiles.File? { samples.first { $0.fileName == fileName }?.file }
}
