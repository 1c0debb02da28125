import SegNetToolkit

extension InputList {
    /// Whether a path of a list leads to a file. Pipes and devices may never end, and a list is made for long runs without anybody.
    static func isFile(_ path: String) -> Bool { FileAccess.kind(of: path) == .file }

    /// The path without links and dots; for one that does not exist yet, of the part that does.
    static func resolved(_ path: String) -> String {
        URL(filePath: path).standardizedFileURL.resolvingSymlinksInPath().path(percentEncoded: false).droppingLastSlash
    }

    /// The same for the folder alone: a link as a file of its own.
    static func place(_ path: String) -> String { "\(folder(of: path))/\(lastComponent(path))" }

    /// The folder of a file, without links and dots.
    static func folder(of path: String) -> String {
        resolved(path.lastIndex(of: "/").map { String(path[...$0]) } ?? ".")
    }

    static func lastComponent(_ path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? path
    }

    static func ending(of path: String) -> String {
        let name = lastComponent(path)
        guard let dot = name.lastIndex(of: "."), dot > name.startIndex else { return "" }
        return name[name.index(after: dot)...].lowercased()
    }

    static func withoutEnding(_ path: String) -> String {
        let count = ending(of: path).count
        return count > 0 ? String(path.dropLast(count + 1)) : path
    }
}

extension String {
    fileprivate var droppingLastSlash: String { count > 1 && hasSuffix("/") ? String(dropLast()) : self }
}
