import SegNetAnnotations
import SegNetImages
internal import SegNetPlatform

/// Which pictures each split of a YOLO data set has, as its `data.yaml` says.
///
/// A place in it is a folder, a list file or a single picture. A picture that several places name is in the split whose place is closest
/// to it: a list before a folder, a folder before those around it.
struct YOLOSplits {
    /// The pictures that a split has, in the order of the data set.
    private(set) var pictures: [(file: String, split: String)] = []
    /// Listed pictures that are missing, in full sentences.
    private(set) var problems: [String] = []
    /// What is not used as the file says, in the same form.
    private(set) var notes: [String] = []

    private let folder: Folder
    private let all: Set<String>

    /// - Parameters:
    ///   - description: What `data.yaml` says.
    ///   - path: Its path, for messages.
    ///   - folder: The folder of the data set. Paths in `data.yaml` and in lists may start from any other.
    ///   - pictures: The pictures of the data set, as paths from its folder.
    /// - Throws: `DatasetError` if no picture is at any place. A single place may be empty: pictures for `test` are often not published, and
    ///   a copy may hold one split only.
    init(_ description: YOLODescription, _ path: String, _ folder: Folder, _ pictures: [String]) throws(DatasetError) {
        self.folder = folder
        all = Set(pictures)
        var places: [(split: String, place: Place)] = []
        for split in ["train", "val", "test"] {
            for word in description.splits[split] ?? [] {
                if let place = self.place(word) {
                    places.append((split, place))
                } else {
                    notes.append("\(path): names '\(word)' for \(split), but there is no picture there; left out.")
                }
            }
        }
        guard !places.isEmpty else {
            throw DatasetError(
                "\(path): no picture is where it says; write folders, list files (.txt) or pictures that are in \(folder.directory)."
            )
        }
        divide(pictures, places, path)
    }

    private enum Place {
        /// All pictures below a folder, whose path ends in a slash; it is empty for the folder of the data set.
        case folder(String)
        case pictures(Set<String>)

        /// Larger for a place that is closer to a picture; nil if the picture is not there.
        func closeness(to picture: String) -> Int? {
            switch self {
            case .folder(let path): picture.hasPrefix(path) ? path.utf8.count : nil
            case .pictures(let files): files.contains(picture) ? Int.max : nil
            }
        }
    }

    /// The longest end of a path that is something in the folder.
    private static func end(of path: String, where isThere: (String) -> Bool) -> String? {
        let parts = path.split(separator: "/").filter { $0 != "." && $0 != ".." }
        let ends = parts.isEmpty ? [""] : parts.indices.map { parts[$0...].joined(separator: "/") }
        return ends.first(where: isThere)
    }

    /// What `data.yaml` means by a path; nil if no picture is there.
    private mutating func place(_ word: String) -> Place? {
        guard let found = Self.end(of: word, where: folder.has) else { return nil }
        if folder.hasFolder(found) {
            let start = found.isEmpty ? "" : found + "/"
            return all.contains { $0.hasPrefix(start) } ? .folder(start) : nil
        }
        if all.contains(found) { return .pictures([found]) }
        return found.lowercased().hasSuffix(".txt") ? list(found) : nil
    }

    /// The pictures of a list file, whose paths start from its folder or from any other.
    private mutating func list(_ file: String) -> Place? {
        guard let text = folder.text(file) else { return nil }
        let start = file.lastIndex(of: "/").map { file[...$0] } ?? ""
        var listed: Set<String> = []
        var missing: [String] = []
        for (number, line) in listEntries(text) {
            guard let picture = Self.end(of: "\(start)\(line)", where: all.contains) else {
                missing.append(
                    "\(folder.path(file)), line \(number): names the picture '\(line)', which is not in \(folder.directory); put it there, "
                        + "or remove the line."
                )
                continue
            }
            listed.insert(picture)
        }
        guard !listed.isEmpty else { return nil }
        problems += missing
        return .pictures(listed)
    }

    private mutating func divide(_ files: [String], _ places: [(split: String, place: Place)], _ path: String) {
        var outside: [String] = []
        var shared: [(file: String, splits: (String, String))] = []
        for file in files {
            let near = places.compactMap { split, place in
                place.closeness(to: file).map { (split: split, closeness: $0) }
            }
            guard let closest = near.map(\.closeness).max() else {
                outside.append(file)
                continue
            }
            let splits = near.filter { $0.closeness == closest }.map(\.split)
            pictures.append((file, splits[0]))
            if let other = splits.first(where: { $0 != splits[0] }) { shared.append((file, (splits[0], other))) }
        }
        if let first = shared.first {
            notes.append(
                "\(path): names \(counted(shared.count, "picture")) for more than one split, such as \(first.file) for \(first.splits.0) "
                    + "and \(first.splits.1); each counts only for the first of train, val and test that names it. Give each split its own "
                    + "pictures."
            )
        }
        if let first = outside.first {
            notes.append(
                "\(path): names no split for \(counted(outside.count, "picture")), such as \(first); left out. Add their folder to train, val or test."
            )
        }
    }
}
