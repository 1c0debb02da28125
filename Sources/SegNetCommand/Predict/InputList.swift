import SegNetToolkit

/// The pictures that a command line names: files, folders, lists, standard input.
struct InputList {
    /// A picture to be segmented.
    struct Picture: Sendable, Hashable {
        enum Source: Sendable, Hashable {
            case file(String)
            /// A file for each word of the network's inputs.
            case files([String])
            case standardInput
        }

        var source: Source
        /// As errors and reports call it.
        var name: String
        /// Where its outputs go below the output folder, without an ending: `trip/day1/photo`.
        var stem: String
    }

    private(set) var pictures: [Picture] = []
    /// Inputs that are not pictures, in full sentences that begin with the input's name.
    private(set) var problems: [(name: String, message: String)] = []

    /// What the user should know about inputs that were found, in full sentences.
    private(set) var notes: [String] = []

    private let output: String
    /// What the network reads: `rgb`, or several files a picture.
    private let words: [String]
    private var seenFiles: Set<String> = []
    private var seenFolders: Set<String> = []
    private var foldersOfEarlierInputs: Set<String> = []
    /// Pictures in folders, and folders that are done already.
    private var met = 0
    /// Files in folders that are not pictures.
    private var others = 0
    private var owners: [String: String] = [:]

    private static let endings = ["png", "jpg", "jpeg"]

    /// - Parameters:
    ///   - inputs: What the user typed.
    ///   - output: The output folder. Results of an earlier run in it are not inputs.
    ///   - words: What the network reads, one word per file. Several need list files.
    init(_ inputs: [String], output: String, words: [String] = ["rgb"]) {
        self.output = Self.resolved(output)
        self.words = words
        for input in inputs {
            if words.count > 1, Self.ending(of: input) != "txt" {
                problems.append(
                    (
                        input == "-" ? "standard input" : input,
                        "\(input == "-" ? "standard input" : input): the network reads \(words.joined(separator: ", ")), a file each; "
                            + "give a list (.txt) with a line \"\(words.joined(separator: " "))\" for each picture."
                    )
                )
                continue
            }
            if input == "-" {
                add(Picture(source: .standardInput, name: "standard input", stem: "stdin"))
                continue
            }
            guard let isFolder = FileManager.default.isFolder(input) else {
                problems.append((input, "\(input): there is no such file or folder; check the path."))
                continue
            }
            if isFolder {
                addFolder(input)
            } else if Self.ending(of: input) == "txt" {
                addList(input)
            } else {
                add(path: input, stem: Self.lastComponent(input))
            }
        }
        if others > 0 {
            notes.append(
                others == 1
                    ? "1 other file in the folders is neither PNG nor JPEG and left out."
                    : "\(others) other files in the folders are neither PNG nor JPEG and left out."
            )
        }
    }

    // MARK: Folders

    private mutating func addFolder(_ folder: String) {
        // Named before, or within one that was.
        guard !seenFolders.contains(Self.resolved(folder)) else { return }
        foldersOfEarlierInputs = seenFolders
        let before = (met, problems.count)
        walk(folder, prefix: "")
        if (met, problems.count) == before {
            problems.append((folder, "\(folder): holds no PNG or JPEG file; check the folder, or name the files."))
        }
    }

    private mutating func walk(_ folder: String, prefix: String) {
        let real = Self.resolved(folder)
        // Links may lead in circles.
        guard seenFolders.insert(real).inserted else {
            if foldersOfEarlierInputs.contains(real) { met += 1 }
            return
        }
        let isWithinOutput = real == output || real.hasPrefix(output + "/")
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        } catch {
            problems.append((folder, "\(folder): the folder cannot be read; check its permissions."))
            return
        }
        for name in names where !name.hasPrefix(".") {
            let path = folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
            let isPicture = Self.endings.contains(Self.ending(of: name))
            guard let isFolder = FileManager.default.isFolder(path) else {
                if isPicture {
                    problems.append((path, "\(path): is a link to a file that is not there; mend or remove the link."))
                }
                continue
            }
            if isFolder {
                // The output folder within the input folder: results of an earlier run.
                if Self.resolved(path) != output { walk(path, prefix: prefix + name + "/") }
            } else if isPicture {
                if isWithinOutput && OutputKind.isOutput(name) { continue }
                met += 1
                add(path: path, stem: prefix + name)
            } else if !isWithinOutput {
                others += 1
            }
        }
    }

    // MARK: Lists

    private mutating func addList(_ list: String) {
        guard let data = FileManager.default.contents(atPath: list) else {
            problems.append((list, "\(list): the list cannot be read; check its permissions."))
            return
        }
        // Some editors begin a file with a byte-order mark.
        let text = String(decoding: data.starts(with: [0xEF, 0xBB, 0xBF]) ? data.dropFirst(3) : data, as: UTF8.self)
        let folder = list.contains("/") ? String(list[...(list.lastIndex(of: "/") ?? list.startIndex)]) : ""
        var count = 0
        var moved: (count: Int, first: (written: String, found: String)?) = (0, nil)
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let line = Self.trimmed(line)
            guard !line.isEmpty, !line.hasPrefix("#") else { continue }
            count += 1
            if words.count > 1 {
                addFiles(of: line, in: folder, list: list, number: index + 1)
                continue
            }
            let candidates = Self.columns(of: line)
            if let entry = candidates.first(where: { Self.isFile($0.hasPrefix("/") ? $0 : folder + $0) }) {
                // Mirrors what the list says where that stays inside the output folder.
                let parts = entry.split(separator: "/").filter { $0 != "." }
                let isInside = !entry.hasPrefix("/") && !parts.contains("..")
                add(
                    path: entry.hasPrefix("/") ? entry : folder + entry,
                    stem: isInside ? parts.joined(separator: "/") : Self.lastComponent(entry)
                )
                continue
            }
            // The shortest that looks like a picture: what follows it is the label.
            let entry = candidates.last { Self.endings.contains(Self.ending(of: $0)) } ?? line
            if let tail = Self.tail(of: entry, in: folder) {
                moved.count += 1
                moved.first = moved.first ?? (entry, folder + tail)
                add(path: folder + tail, stem: tail)
                continue
            }
            let path = entry.hasPrefix("/") ? entry : folder + entry
            problems.append((path, "\(path): there is no such file (\(list), line \(index + 1)); check the list."))
        }
        if count == 0 { problems.append((list, "\(list): the list names no file; write one path on each line.")) }
        if let first = moved.first {
            let others = moved.count > 1 ? " and \(moved.count - 1) more" : ""
            notes.append(
                "\(list): \(first.written)\(others) cannot be found; taken from beside the list instead, as \(first.found)."
            )
        }
    }

    /// A line with a file for each input, and perhaps the label behind them.
    private mutating func addFiles(of line: String, in folder: String, list: String, number: Int) {
        let columns = line.split(whereSeparator: \.isWhitespace).map(String.init)
        guard columns.count == words.count || columns.count == words.count + 1 else {
            problems.append(
                (
                    list,
                    "\(list), line \(number): has \(columns.count) words; the network reads \(words.joined(separator: ", ")), so a line is "
                        + "\"\(words.joined(separator: " "))\", with or without a label behind."
                )
            )
            return
        }
        let paths = columns.prefix(words.count).map { $0.hasPrefix("/") ? $0 : folder + $0 }
        if let missing = paths.first(where: { !Self.isFile($0) }) {
            problems.append((missing, "\(missing): there is no such file (\(list), line \(number)); check the list."))
            return
        }
        let entry = columns[0]
        let parts = entry.split(separator: "/").filter { $0 != "." }
        let isInside = !entry.hasPrefix("/") && !parts.contains("..")
        let stem = isInside ? parts.joined(separator: "/") : Self.lastComponent(entry)
        guard seenFiles.insert(paths.map(Self.resolved).joined(separator: "\n")).inserted else { return }
        add(Picture(source: .files(paths), name: paths[0], stem: Self.withoutEnding(stem)))
    }

    /// What of a line may be the picture's path: all of it, or what stands before one of its gaps, longest first. The original's
    /// lists have the label behind the picture, `test/a.png testannot/a.png`, and paths may have spaces of their own.
    private static func columns(of line: String) -> [String] {
        var columns = [line]
        // No path is longer; each gap of such a line costs a look at the disk.
        guard line.utf8.count <= 8192 else { return columns }
        for index in line.indices.reversed() where line[index].isWhitespace {
            let column = trimmed(line[..<index])
            if column != columns.last { columns.append(column) }
        }
        return columns
    }

    /// The end of an absolute path that is there beside the list: a data set's lists name the machine that they were made on.
    private static func tail(of entry: String, in folder: String) -> String? {
        guard entry.hasPrefix("/") else { return nil }
        let parts = entry.split(separator: "/").filter { $0 != "." }
        guard !parts.contains("..") else { return nil }
        return parts.indices.lazy.map { parts[$0...].joined(separator: "/") }.first { isFile(folder + $0) }
    }

    // MARK: One picture

    private mutating func add(path: String, stem: String) {
        // The same file named twice is done once.
        guard seenFiles.insert(Self.resolved(path)).inserted else { return }
        add(Picture(source: .file(path), name: path, stem: Self.withoutEnding(stem)))
    }

    private mutating func add(_ picture: Picture) {
        if let owner = owners[picture.stem] {
            guard owner != picture.name else { return }
            problems.append(
                (
                    picture.name,
                    "\(picture.name): its outputs would have the same names as those of \(owner) (\(picture.stem).*); "
                        + "rename one, or segment them into different folders with --output."
                )
            )
            return
        }
        owners[picture.stem] = picture.name
        pictures.append(picture)
    }

    // MARK: Paths

    private static func isFile(_ path: String) -> Bool { FileManager.default.isFolder(path) == false }

    /// The path without links and dots; for one that does not exist yet, of the part that does.
    private static func resolved(_ path: String) -> String {
        URL(filePath: path).standardizedFileURL.resolvingSymlinksInPath().path(percentEncoded: false).droppingLastSlash
    }

    private static func lastComponent(_ path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? path
    }

    private static func ending(of path: String) -> String {
        let name = lastComponent(path)
        guard let dot = name.lastIndex(of: "."), dot > name.startIndex else { return "" }
        return name[name.index(after: dot)...].lowercased()
    }

    private static func withoutEnding(_ path: String) -> String {
        let count = ending(of: path).count
        return count > 0 ? String(path.dropLast(count + 1)) : path
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while let letter = text.first, letter.isWhitespace { text.removeFirst() }
        while let letter = text.last, letter.isWhitespace { text.removeLast() }
        return String(text)
    }
}

extension String {
    fileprivate var droppingLastSlash: String { count > 1 && hasSuffix("/") ? String(dropLast()) : self }
}
