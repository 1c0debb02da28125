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

        /// Its first file; nil for standard input.
        var file: String? {
            switch source {
            case .file(let path): path
            case .files(let paths): paths.first
            case .standardInput: nil
            }
        }

        /// The bytes of its first file's path, which tell pictures apart: Swift calls names equal that Unicode has in two forms, and two
        /// names may be shown alike (`RawFileName.display`).
        var identity: [UInt8] { Array((file ?? "").utf8) }
    }

    private(set) var pictures: [Picture] = []
    /// Inputs that are not pictures, in full sentences that begin with the input's name.
    var problems: [(name: String, message: String)] = []

    /// What the user should know about inputs that were found, in full sentences.
    var notes: [String] = []

    private let output: String
    /// What the network reads: `rgb`, or several files per picture.
    let words: [String]
    /// Names are told apart by their bytes: two that Unicode calls equal are two files.
    private var seenFiles: Set<[UInt8]> = []
    /// The first picture of each file.
    private var realFiles: [[UInt8]: Picture] = [:]
    private var links: [(name: String, file: String)] = []
    private var stems: [String: [UInt8]] = [:]
    /// Names that look like another's.
    private var lookAlikes: [String] = []
    private var seenFolders: Set<String> = []
    private var foldersOfEarlierInputs: Set<String> = []
    /// Pictures in folders, and folders that are done already.
    private var met = 0
    /// Patterns of files and folders that are left out.
    private let excluded: [String]
    /// How many they have left out.
    private var excludedCount = 0
    /// Files in folders that are not pictures.
    private var others = 0
    /// Pipes and the like in folders.
    private var pipes: [String] = []
    /// Pictures in folders that are named as results of an earlier run.
    private var results: [String] = []
    /// Where pictures lie that were found in a folder, not named: `place`.
    private var found: Set<[UInt8]> = []
    /// By stem.
    private var owners: [[UInt8]: Picture] = [:]

    static let endings = PictureFormat.fileEndings

    /// - Parameters:
    ///   - inputs: The arguments as the user typed them.
    ///   - output: The output folder. Results of an earlier run in it are not inputs.
    ///   - words: What the network reads, one word per file. Several need list files.
    ///   - excluded: Patterns of names and paths that are left out.
    init(_ inputs: [String], output: String, words: [String] = ["rgb"], excluding excluded: [String] = []) {
        self.excluded = excluded
        self.output = Self.resolved(output)
        self.words = words
        for input in inputs {
            if words.count > 1, Self.ending(of: input) != "txt" {
                let name = input == "-" ? "standard input" : RawFileName.display(input)
                problems.append(
                    (
                        name,
                        "\(name): the network reads \(words.joined(separator: ", ")), one file each; "
                            + "give a list (.txt) with a line \"\(words.joined(separator: " "))\" for each picture."
                    )
                )
                continue
            }
            if input == "-" {
                add(Picture(source: .standardInput, name: "standard input", stem: "stdin"))
                continue
            }
            let kind = FileAccess.kind(of: input)
            if kind == .missing {
                let name = RawFileName.display(input)
                problems.append((name, "\(name): there is no such file or folder; check the path."))
            } else if kind == .folder {
                addFolder(input)
            } else if Self.ending(of: input) == "txt" {
                addList(input)
            } else {
                let name = Self.lastComponent(input)
                if !isExcluded(name, input) { add(path: input, stem: name) }
            }
        }
        if pictures.isEmpty, problems.isEmpty, excludedCount > 0, let first = inputs.first {
            let name = RawFileName.display(first)
            problems.append((name, "\(name): --exclude leaves out every picture; check its patterns."))
        }
        leaveOutResults()
        addNotes()
    }

    /// `photos/*.png` has the results of the run before, when these lie next to the pictures.
    private mutating func leaveOutResults() {
        // In folders they are left out already, so that what is named like one was named itself. Mostly there is none.
        let alike = pictures.compactMap { picture in
            picture.file.flatMap { file in
                OutputKind.source(of: Self.lastComponent(file)).map { (picture: picture, file: file, result: $0) }
            }
        }
        guard !alike.isEmpty else { return }
        var named: [[UInt8]: String] = [:]
        for case let file? in pictures.map(\.file) {
            let place = Self.place(file)
            if !found.contains(Array(place.utf8)) { named[Array(Self.withoutEnding(place).utf8)] = file }
        }
        let left = alike.filter { entry in
            guard let source = named[Array("\(Self.folder(of: entry.file))/\(entry.result.stem)".utf8)] else {
                return false
            }
            return Self.mayBeResult(entry.file, isGray: entry.result.isGray, of: source)
        }
        .map(\.picture)
        guard !left.isEmpty else { return }
        let identities = Set(left.map(\.identity))
        pictures.removeAll { identities.contains($0.identity) }
        results += left.map(\.name)
    }

    /// Whether a file can be what a run has made of a picture: results have the picture's size, and some have no colours. A photo that is
    /// only named like one is a picture of its own. Where nothing can be seen, the name decides.
    private static func mayBeResult(_ file: String, isGray: Bool, of source: String) -> Bool {
        if let size = try? PictureHeader(path: source).size, let own = try? PictureHeader(path: file).size, size != own
        {
            return false
        }
        // The colour type of a PNG: 0 is gray, 3 has a palette.
        let start = (try? FileAccess.readStart(file, most: 26)) ?? []
        return !isGray || ending(of: file) != "png" || start.count < 26 || [0, 3].contains(start[25])
    }

    private mutating func addNotes() {
        if others > 0 {
            notes.append(
                others == 1
                    ? "1 other file in the folders is not a picture and is left out."
                    : "\(others) other files in the folders are not pictures and are left out."
            )
        }
        if excludedCount > 0 {
            notes.append("\(counted(excludedCount, "name is", plural: "names are")) left out by --exclude.")
        }
        func more(_ count: Int) -> String { count > 1 ? " and \(count - 1) more" : "" }
        if let first = pipes.first {
            notes.append("\(first)\(more(pipes.count)) left out: pipes and devices in folders are not read.")
        }
        if let first = results.first {
            notes.append(
                "\(first)\(more(results.count)) left out: named like results of an earlier run. To segment such a file, give it without "
                    + "its picture."
            )
        }
        if let first = links.first {
            let others = links.count > 1 ? ", and \(links.count - 1) more such" : ""
            notes.append("\(first.name) is the same file as \(first.file)\(others); each name gets results.")
        }
        if let first = lookAlikes.first {
            notes.append(
                "\(first)\(more(lookAlikes.count)): another file has the same name in a different Unicode form; both get results."
            )
        }
    }

    // MARK: Folders

    private mutating func addFolder(_ folder: String) {
        // Named before, or within one that was.
        guard !seenFolders.contains(Self.resolved(folder)) else { return }
        foldersOfEarlierInputs = seenFolders
        let before = (met, problems.count, results.count)
        walk(folder, prefix: "")
        guard (met, problems.count) == (before.0, before.1) else { return }
        let name = RawFileName.display(folder)
        problems.append(
            results.count > before.2
                ? (name, "\(name): holds only results of an earlier run; check the folder, or name the files.")
                : (name, "\(name): holds no picture; check the folder, or name the files.")
        )
    }

    private mutating func walk(_ folder: String, prefix: String) {
        let real = Self.resolved(folder)
        // Links may lead in circles.
        guard seenFolders.insert(real).inserted else {
            if foldersOfEarlierInputs.contains(real) { met += 1 }
            return
        }
        let isWithinOutput = real == output || real.hasPrefix(output + "/")
        guard let names = RawFileName.names(in: folder)?.sorted() else {
            let name = RawFileName.display(folder)
            problems.append((name, "\(name): the folder cannot be read; check its permissions."))
            return
        }
        for name in names where !name.hasPrefix(".") {
            let path = folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
            if isExcluded(name, prefix + name) { continue }
            let isPicture = Self.endings.contains(Self.ending(of: name))
            switch FileAccess.kind(of: path) {
            case .missing where isPicture:
                let name = RawFileName.display(path)
                problems.append((name, "\(name): is a link to a file that is not there; fix or remove the link."))
            case .missing: break
            case .folder:
                // The output folder within the input folder: results of an earlier run.
                if Self.resolved(path) != output { walk(path, prefix: prefix + name + "/") }
            case .other: pipes.append(RawFileName.display(path))
            case .file where isPicture:
                if OutputKind.isOutput(name) {
                    if !isWithinOutput { results.append(RawFileName.display(path)) }
                    continue
                }
                met += 1
                found.insert(Array("\(real)/\(name)".utf8))
                add(path: path, stem: prefix + name)
            case .file:
                if !isWithinOutput { others += 1 }
            }
        }
    }

    // MARK: One picture

    /// Whether a pattern matches a name or its path, as in the shell.
    /// - Parameter path: From the input on, whose own name is not matched if it is a folder.
    mutating func isExcluded(_ name: String, _ path: String) -> Bool {
        // With a slash in front, so that "*/b/*" finds a folder b of the input too.
        let names = [name, path, "/" + path]
        guard excluded.contains(where: { pattern in names.contains { fnmatch(pattern, $0, 0) == 0 } }) else {
            return false
        }
        excludedCount += 1
        met += 1
        return true
    }

    mutating func add(path: String, stem: String) {
        // The same file named twice is done once; a link to another file of the list is another name, which gets results too.
        guard seenFiles.insert(Array(Self.place(path).utf8)).inserted else { return }
        let file = Array(Self.resolved(path).utf8)
        let picture = Picture(
            source: .file(path),
            name: RawFileName.display(path),
            stem: RawFileName.display(Self.withoutEnding(stem))
        )
        if let first = realFiles[file] {
            guard owners[Array(picture.stem.utf8)]?.identity != first.identity else { return }
            links.append((picture.name, first.name))
        } else {
            realFiles[file] = picture
        }
        add(picture)
    }

    /// A picture of several files; done once, however often it is named.
    mutating func add(files: [String], stem: String) {
        guard seenFiles.insert(Array(files.map(Self.resolved).joined(separator: "\n").utf8)).inserted else { return }
        add(
            Picture(
                source: .files(files),
                name: RawFileName.display(files[0]),
                stem: RawFileName.display(Self.withoutEnding(stem))
            )
        )
    }

    private mutating func add(_ picture: Picture) {
        let stem = Array(picture.stem.utf8)
        if let owner = owners[stem] {
            guard owner.source != picture.source else { return }
            if case .files = picture.source, owner.identity == picture.identity {
                problems.append(
                    (
                        picture.name,
                        "\(picture.name): is listed twice, with different further files, and results are named after it "
                            + "(\(picture.stem).*); list it once, or copy it under another name."
                    )
                )
                return
            }
            // A file may be called what the bytes of another's name are shown as.
            let other = owner.name == picture.name ? "another file that is shown as \(owner.name)" : owner.name
            problems.append(
                (
                    picture.name,
                    "\(picture.name): its outputs would have the same names as those of \(other) (\(picture.stem).*); "
                        + "rename one, or segment them into different folders with --output."
                )
            )
            return
        }
        if let other = stems.updateValue(stem, forKey: picture.stem), other != stem { lookAlikes.append(picture.name) }
        owners[stem] = picture
        pictures.append(picture)
    }
}
