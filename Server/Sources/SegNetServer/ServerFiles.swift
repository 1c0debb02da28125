internal import SegNetToolkit

/// Finds and holds the files that the service serves: the page and the OpenAPI description. Nothing is read while
/// requests are answered, so no request can name a file.
struct ServerFiles: Sendable {
    struct File: Sendable {
        var bytes: [UInt8]
        var contentType: String
        /// Changes with the content.
        var tag: String

        init(_ bytes: [UInt8], name: String) {
            self.bytes = bytes
            contentType = Self.contentType(name)
            // FNV-1a: a tag, not a secret.
            let hash = bytes.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
            tag = "\"\(String(hash, radix: 16))-\(bytes.count)\""
        }

        private static func contentType(_ name: String) -> String {
            switch name.split(separator: ".").last?.lowercased() {
            case "html": "text/html; charset=utf-8"
            case "css": "text/css; charset=utf-8"
            case "js", "mjs": "text/javascript; charset=utf-8"
            case "json": "application/json"
            case "webmanifest": "application/manifest+json"
            case "svg": "image/svg+xml"
            case "png": "image/png"
            case "jpg", "jpeg": "image/jpeg"
            case "ico": "image/x-icon"
            case "woff2": "font/woff2"
            case "txt", "md": "text/plain; charset=utf-8"
            default: "application/octet-stream"
            }
        }
    }

    /// The page's files by path: `index.html`, `assets/page.js`.
    private(set) var page: [String: File] = [:]
    let openAPI: File

    /// - Parameter page: The folder of the page; nil: the one that came with the program.
    /// - Throws: `ServiceError` naming the folders that were searched.
    init(page folder: URL?) throws(ServiceError) {
        let path = try Self.page(folder).path(percentEncoded: false)
        for name in (try? FileManager.default.subpathsOfDirectory(atPath: path)) ?? [] {
            guard !name.split(separator: "/").contains(where: { $0.hasPrefix(".") }),
                !name.hasPrefix(Self.samplesFolder + "/"),
                let data = FileManager.default.contents(atPath: "\(path)/\(name)")
            else { continue }
            page[name] = File([UInt8](data), name: name)
        }
        guard page["index.html"] != nil else {
            throw ServiceError("\(path): there is no index.html in the page's folder; name the right one with --page.")
        }
        let description = try Self.find("openapi.json", containing: nil)
        openAPI = File(
            FileManager.default.contents(atPath: description.path(percentEncoded: false)).map { [UInt8]($0) } ?? [],
            name: "openapi.json"
        )
    }

    /// The page's sample pictures, which `SamplePictures` reads.
    static let samplesFolder = "samples"

    /// The folder of the page.
    /// - Parameter folder: As the user names it; nil: the one that came with the program.
    static func page(_ folder: URL?) throws(ServiceError) -> URL {
        if let folder { return folder }
        return try find("Page", containing: "index.html")
    }

    /// Where files of the program can be: next to the executable, where SwiftPM puts them and as `make install` does; in the source tree.
    private static func find(_ name: String, containing file: String?) throws(ServiceError) -> URL {
        let candidates = folders.map { $0.appending(path: name) }
        for candidate in candidates {
            let path = (file.map { candidate.appending(path: $0) } ?? candidate).path(percentEncoded: false)
            if FileManager.default.fileExists(atPath: path) { return candidate }
        }
        throw ServiceError(
            "'\(name)' of the server was not found; it was looked for as "
                + candidates.map { $0.path(percentEncoded: false) }.joined(separator: ", ")
                + ". Install the server with 'make install', or keep the folder segnet-server_SegNetServer.resources next to it."
        )
    }

    private static var folders: [URL] {
        guard let executable = ModelStore.executable else {
            return sourceFolders.map { $0.appending(path: "Sources/SegNetServer") }
        }
        let folder = executable.deletingLastPathComponent()
        return [
            folder.appending(path: "segnet-server_SegNetServer.resources"),
            folder.deletingLastPathComponent().appending(path: "share/segnet/server"),
        ] + sourceFolders.map { $0.appending(path: "Sources/SegNetServer") }
    }

    /// The folder of this package, if the program lies in its `.build`, or was built from it and the sources are still there.
    static var sourceFolders: [URL] {
        ModelStore.executable.flatMap(ModelStore.sourceFolder(of:)).map { [$0.package] } ?? []
    }
}
