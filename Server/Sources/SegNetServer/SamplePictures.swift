public import SegNetToolkit

/// Pictures to try the service with: from a folder that the user names, or those of the page and those next to the
/// models.
public struct SamplePictures: Sendable {
    struct Sample: Sendable {
        /// The file's name without its ending.
        var name: String
        var title: String
        var file: ServerFiles.File
        var fileName: String
    }

    /// In the order in which the page shows them.
    let samples: [Sample]

    private static let mostBytes = 8 << 20
    /// Titles and order of a folder's pictures, in the form of `/v1/samples`.
    private static let list = "samples.json"

    /// - Parameters:
    ///   - page: The folder of the page; nil: the one that came with the program.
    ///   - models: Folders of models: a picture next to them is used if the page has none.
    /// - Throws: `ServiceError` as `init(folders:)`, and where there is no page.
    public init(page: URL?, models: [URL]) throws(ServiceError) {
        try self.init(folders: [ServerFiles.page(page).appending(path: ServerFiles.samplesFolder)] + models)
    }

    /// - Parameter folders: Searched for JPEG and PNG files; of files with the same name the first is used. Files
    ///   beyond 8 MiB are left out. A folder's `samples.json` gives titles, and what comes first in which order; the
    ///   others follow by name.
    /// - Throws: `ServiceError` if a `samples.json` cannot be read, or names a picture that is not there.
    public init(folders: [URL]) throws(ServiceError) {
        var samples: [Sample] = []
        for folder in folders {
            let path = folder.path(percentEncoded: false)
            let files = (try? FileManager.default.contentsOfDirectory(atPath: path))?.sorted() ?? []
            let listed = files.contains(Self.list) ? try Self.listed(in: path, files) : []
            for fileName in listed.map(\.fileName) + files {
                let url = URL(filePath: fileName)
                let name = url.deletingPathExtension().lastPathComponent
                guard ["jpg", "jpeg", "png"].contains(url.pathExtension.lowercased()), !name.hasPrefix("."),
                    !samples.contains(where: { $0.name == name }),
                    let data = FileManager.default.contents(atPath: "\(path)/\(fileName)"), data.count <= Self.mostBytes
                else { continue }
                samples.append(
                    Sample(
                        name: name,
                        title: listed.first { $0.fileName == fileName }?.title
                            ?? name.split { $0 == "-" || $0 == "_" }.joined(separator: " "),
                        file: ServerFiles.File([UInt8](data), name: fileName),
                        fileName: fileName
                    )
                )
            }
        }
        self.samples = samples
    }

    /// The content of a folder's list.
    private static func listed(
        in folder: String,
        _ files: [String]
    ) throws(ServiceError) -> [(fileName: String, title: String)] {
        let path = "\(folder.hasSuffix("/") ? String(folder.dropLast()) : folder)/\(list)"
        guard let data = FileManager.default.contents(atPath: path),
            let document = try? JSONDecoder().decode(InformationEndpoints.Samples.self, from: data)
        else {
            throw ServiceError(
                "\(path): this is not a list of samples; it needs the form "
                    + #"{"samples": [{"name": "street", "title": "A street", "url": "/samples/street.jpg"}]}."#
            )
        }
        var listed: [(fileName: String, title: String)] = []
        for sample in document.samples {
            let escaped = sample.url.split(separator: "/").last ?? ""
            let fileName = PercentEncoding.decode(escaped).map { String(decoding: $0, as: UTF8.self) } ?? ""
            guard files.contains(fileName) else {
                throw ServiceError(
                    "\(path): there is no picture '\(fileName)' next to it for '\(sample.name)'; add it, or take it off the list."
                )
            }
            listed.append((fileName, sample.title))
        }
        return listed
    }

    /// A sample by its file's name.
    func file(_ fileName: String) -> ServerFiles.File? { samples.first { $0.fileName == fileName }?.file }
}
