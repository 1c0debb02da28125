public import SegNetFormats
internal import SegNetNetworks
public import SegNetPlatform

/// The models that come with the package, by name: files `NAME.safetensors` in the folders of `SEGNET_MODELS`, next to the executable
/// (`Models/`), in the source tree it was built from, and where `make install` puts them (`share/segnet/models`).
public struct ModelStore: Sendable {
    /// Where models are looked for, in this order.
    public let folders: [URL]

    /// The model that is used where none is named, if it is there.
    public static let defaultName = "segnet-streets"

    public init(folders: [URL]) { self.folders = folders }

    /// The folders of this process.
    public static var standard: ModelStore {
        ModelStore(folders: folders(of: "SEGNET_MODELS", source: "Models", installed: "models"))
    }

    /// The folders in which files that come with the package are looked for.
    /// - Parameters:
    ///   - variable: The environment variable that names folders of the user's, with colons between them.
    ///   - source: The folder's name in the package, and next to the executable.
    ///   - installed: Its name below `share/segnet`.
    static func folders(of variable: String, source: String, installed: String) -> [URL] {
        var folders: [URL] = []
        if let value = ProcessInfo.processInfo.environment[variable] {
            folders += value.split(separator: ":").map { URL(filePath: String($0)) }
        }
        if let executable = executable {
            let folder = executable.deletingLastPathComponent()
            folders.append(folder.appending(path: source))
            // PREFIX/bin/segnet
            folders.append(folder.deletingLastPathComponent().appending(path: "share/segnet/\(installed)"))
            if let tree = sourceFolder(of: executable) { folders.append(tree.package.appending(path: source)) }
        }
        return folders
    }

    /// The file of the running program; nil where the system does not tell.
    public static var executable: URL? {
        #if os(Linux)
            let path = "/proc/self/exe"
            guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: path) else { return nil }
            return URL(filePath: target)
        #else
            return CommandLine.arguments.first.map { URL(filePath: $0).resolvingSymlinksInPath() }
        #endif
    }

    /// The package that a program was built in, PACKAGE/.build/TRIPLE/release/segnet, and where in `.build` it lies: TRIPLE/release.
    public static func sourceFolder(of executable: URL) -> (package: URL, build: String)? {
        var above = executable.deletingLastPathComponent()
        var build: [String] = []
        for _ in 0..<4 {
            if above.lastPathComponent == ".build" {
                return (above.deletingLastPathComponent(), build.joined(separator: "/"))
            }
            build.insert(above.lastPathComponent, at: 0)
            above = above.deletingLastPathComponent()
        }
        return nil
    }

    /// All models: name and file, the first folder's before a later one's of the same name.
    public var models: [(name: String, url: URL)] {
        var found: [String: URL] = [:]
        for folder in folders {
            let path = folder.path(percentEncoded: false)
            for file in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
            where file.hasSuffix(".safetensors") && !file.hasPrefix(".") {
                let name = String(file.dropLast(".safetensors".count))
                if found[name] == nil { found[name] = folder.appending(path: file) }
            }
        }
        return found.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// Another file of the folders, such as a sample picture; the first that is there.
    public func file(_ name: String) -> URL? {
        folders.map { $0.appending(path: name) }.first {
            FileManager.default.fileExists(atPath: $0.path(percentEncoded: false))
        }
    }

    /// The file of a model by name.
    public func url(of name: String) -> URL? { models.first { $0.name == name }?.url }

    /// Whether a text can only be the name of a bundled model: no file has that name (a folder may), and it does not look like a path, or
    /// there is a model of that name, such as `camvid-0.5`.
    public func isName(_ text: String) -> Bool {
        guard FileManager.default.isFolder(text) != false, !text.contains("/") else { return false }
        return !text.contains(".") || url(of: text) != nil
    }

    /// The model that a user names: a file, or else a model of the store.
    /// - Throws: `FormatError` listing the names, with the closest one.
    public func resolve(_ text: String) throws(FormatError) -> URL {
        guard isName(text) else { return URL(filePath: text) }
        if let url = url(of: text) { return url }
        // Its reader names the models inside.
        if FileManager.default.isFolder(text) == true { return URL(filePath: text) }
        let names = models.map(\.name)
        // Who gives the beginning of a name means that one, however many letters are missing.
        let closest =
            names.filter { !text.isEmpty && $0.hasPrefix(text) }.min { $0.count < $1.count }
            ?? closestName(to: text, among: names)
        let hint = closest.map { "Did you mean '\($0)'? " } ?? ""
        throw FormatError(
            file: text,
            problem: "is neither a file nor a bundled model",
            advice: hint
                + (names.isEmpty
                    ? "There are no bundled models; give a .safetensors file"
                    : "There are \(names.joined(separator: ", "))")
        )
    }

    /// The model that is used where none is named.
    /// - Throws: `FormatError` if it is not there.
    public func fallback() throws(FormatError) -> URL {
        if let url = url(of: Self.defaultName) ?? models.first?.url { return url }
        throw FormatError(
            file: Self.defaultName,
            problem: "no model was named, and none of the bundled ones is installed",
            advice: "Give a \(UserChoice.model), or the folder of models in SEGNET_MODELS"
        )
    }
}
