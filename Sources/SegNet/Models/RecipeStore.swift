import SegNetNetworks
import SegNetPlatform
package import SegNetTraining

/// The recipes or the plans of comparisons that come with the package, by name: files `NAME.yaml` in the folders of an environment
/// variable, next to the executable, in the source tree it was built from, and where `make install` puts them.
///
/// What they refer to by a relative path is looked for as if the file had been named by its path.
package struct RecipeStore: Sendable {
    /// What the files are.
    package enum Kind: String, Sendable, CaseIterable {
        case recipe
        case plan

        /// The folder of the package with these files; `make install` puts it below `share/segnet`.
        var folderName: String { "\(rawValue)s" }
    }

    package let kind: Kind
    /// Where the files are looked for, in this order.
    package let folders: [URL]

    package init(_ kind: Kind, folders: [URL]) {
        self.kind = kind
        self.folders = folders
    }

    /// Those of this process: of `SEGNET_RECIPES` or `SEGNET_PLANS`, and what came with the program.
    package static func standard(_ kind: Kind) -> RecipeStore {
        RecipeStore(
            kind,
            folders: ModelStore.folders(
                of: "SEGNET_\(kind.folderName.uppercased())",
                source: kind.folderName,
                installed: kind.folderName
            )
        )
    }

    /// All files, those in a folder below after the others: `segnet-basic-camvid`, `compare/fcn-8s`. Of two with the same name, the one in the
    /// earlier folder.
    package var files: [(name: String, url: URL)] {
        var found: [String: URL] = [:]
        for folder in folders {
            for name in Self.names(in: folder) where found[name] == nil {
                found[name] = folder.appending(path: "\(name).yaml")
            }
        }
        return found.map { (name: $0.key, url: $0.value) }.sorted {
            ($0.name.contains("/") ? 1 : 0, $0.name) < ($1.name.contains("/") ? 1 : 0, $1.name)
        }
    }

    private static func names(in folder: URL) -> [String] {
        func entries(_ url: URL) -> [String] {
            let all = try? FileManager.default.contentsOfDirectory(atPath: url.path(percentEncoded: false))
            return (all ?? []).filter { !$0.hasPrefix(".") }
        }
        func files(_ entries: [String]) -> [String] {
            entries.filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(".yaml".count)) }
        }
        let own = entries(folder)
        let below = own.filter { !$0.contains(".") }.flatMap { inner in
            files(entries(folder.appending(path: inner))).map { "\(inner)/\($0)" }
        }
        return files(own) + below
    }

    /// The path of the file that a user names: a path, or else a name.
    /// - Throws: `ConfigurationError` with the closest name, if a text without a slash or a dot is neither.
    package func resolve(_ text: String) throws(ConfigurationError) -> String {
        // Folders have no recipe to read, so they hide none.
        let isFolder = FileManager.default.isFolder(text)
        guard isFolder != false else { return text }
        let files = files
        if let url = files.first(where: { $0.name == text })?.url { return url.path(percentEncoded: false) }
        let names = files.map(\.name)
        // A path into this package, given in another folder.
        if isFolder == nil, let own = names.first(where: { "/\(text)".hasSuffix("/\($0).yaml") }) {
            throw ConfigurationError(
                "\(text): there is no such file. Did you mean '\(own)', the \(kind.rawValue) that comes with the package?"
            )
        }
        guard !text.contains(".") else { return text }
        let closest = names.first { $0.hasSuffix("/\(text)") } ?? closestName(to: text, among: names)
        guard closest != nil || !text.contains("/"), isFolder == nil else { return text }
        throw ConfigurationError(
            "\(text): is neither a file nor the name of a \(kind.rawValue) that comes with the package."
                + (closest.map { " Did you mean '\($0)'?" } ?? "") + " See the \(UserChoice.recipes)."
        )
    }

    /// What a file says of itself: the first sentence of the comment at its head; empty if there is none.
    package static func summary(of url: URL) -> String {
        let bytes = FileManager.default.contents(atPath: url.path(percentEncoded: false)) ?? Data()
        let head = String(decoding: bytes, as: UTF8.self).split(separator: "\n").prefix { $0.hasPrefix("#") }
        let text = head.map { $0.drop { "# ".contains($0) } }.joined(separator: " ")
        return text.firstRange(of: ". ").map { String(text[..<$0.lowerBound]) + "." } ?? text
    }
}
