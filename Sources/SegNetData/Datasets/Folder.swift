import SegNetImages
internal import SegNetPlatform

/// A folder of a data set.
struct Folder {
    let directory: String

    init(_ directory: String) { self.directory = directory }

    /// The last part of its path.
    var name: String { directory.split(separator: "/").last.map(String.init) ?? "data" }

    func path(_ relative: String) -> String {
        directory.hasSuffix("/") ? directory + relative : "\(directory)/\(relative)"
    }

    /// The text of a list of file names, or nil if there is none. Names of any bytes are as `RawFileName` has them.
    func text(_ relative: String) -> String? {
        guard FileAccess.kind(of: path(relative)) == .file else { return nil }
        return FileManager.default.contents(atPath: path(relative)).map { RawFileName.text(withoutByteOrderMark($0)) }
    }

    /// Whether something has that name, though it may be a link that leads nowhere.
    func isTaken(_ relative: String) -> Bool {
        has(relative) || (try? FileManager.default.destinationOfSymbolicLink(atPath: path(relative))) != nil
    }

    func has(_ relative: String) -> Bool { FileManager.default.fileExists(atPath: path(relative)) }

    /// Whether it is a file, not a folder.
    var isFile: Bool { FileManager.default.isFolder(directory) == false }

    func hasFolder(_ relative: String) -> Bool { FileManager.default.isFolder(path(relative)) == true }

    /// Sorted, so that every machine has the same order.
    func files(_ relative: String) -> [String] {
        (RawFileName.names(in: path(relative)) ?? []).filter { !$0.hasPrefix(".") }.sorted()
    }

    /// Lists like `Val.txt`, which a file system that distinguishes upper and lower case does not find as `val.txt`: what they list
    /// would be left out without a word.
    var misnamedLists: [String] {
        files("").compactMap { name in
            let usual = name.lowercased()
            guard ["train.txt", "val.txt", "test.txt"].contains(usual), name != usual, !has(usual) else { return nil }
            return "\(path(name)): is not read, because the list must be named \(usual); rename it."
        }
    }

    /// - Throws: `DatasetError` for a folder whose files cannot be listed.
    func requireReadable(_ relative: String) throws(DatasetError) {
        guard hasFolder(relative), RawFileName.names(in: path(relative)) == nil else { return }
        throw DatasetError("\(path(relative)): the folder cannot be read; check its permissions.")
    }

    static func stem(_ file: String) -> String { file.lastIndex(of: ".").map { String(file[..<$0]) } ?? file }

    /// The picture files of a folder, by their endings. Pipes and the like are left out, whatever their names.
    func pictures(_ relative: String) -> [String] {
        files(relative).filter { file in
            PictureFormat.isFileName(file) && FileAccess.kind(of: path("\(relative)/\(file)")) == .file
        }
    }

    /// Picture files of a folder that are links to something that is not there.
    func danglingLinks(_ relative: String) -> [String] {
        files(relative).filter { file in
            PictureFormat.isFileName(file) && FileAccess.kind(of: path("\(relative)/\(file)")) == .missing
        }
    }

    /// The pictures of a folder by their names without endings, and an error for each that has the name of another.
    func picturesByName(_ relative: String) -> (files: [String: String], twice: [DatasetError]) {
        var files: [String: String] = [:]
        var twice: [DatasetError] = []
        for file in pictures(relative) {
            guard let other = files[Self.stem(file)] else {
                files[Self.stem(file)] = file
                continue
            }
            twice.append(
                DatasetError(
                    "\(path("\(relative)/\(file)")): has the same name as \(other) next to it, so that it is not clear which of them is meant; rename "
                        + "one, or remove it."
                )
            )
        }
        return (files, twice)
    }

    /// Gives each sample a further file, of the same name in another folder; samples without one are taken out.
    /// - Returns: Files that are missing, or there twice.
    func add(_ further: String, to samples: inout [Sample]) throws(DatasetError) -> [DatasetError] {
        guard hasFolder(further) else {
            throw DatasetError(
                "\(directory): holds no folder \(further)/; put the files of the input '\(further.prefix { $0 != "/" })' into it, named like "
                    + "the pictures."
            )
        }
        let (files, twice) = picturesByName(further)
        var missing = twice
        samples = samples.compactMap { sample in
            guard case .files(let images, let label) = sample.source else { return sample }
            guard let file = files[sample.name] else {
                missing.append(
                    DatasetError(
                        "\(images[0]): has no file of the same name in \(path(further)); add it, or remove the picture."
                    )
                )
                return nil
            }
            return Sample(images: images + [path("\(further)/\(file)")], label: label)
        }
        return missing
    }

    func folders(_ relative: String) -> [String] { files(relative).filter { hasFolder("\(relative)/\($0)") } }

    /// A path of a list: relative to this folder, absolute, or the authors' `/SegNet/CamVid/...`, which stands for this folder.
    func resolve(_ word: String) -> String {
        guard word.hasPrefix("/") else { return path(word) }
        for prefix in ["/SegNet/CamVid/", "/SegNet/"] where word.hasPrefix(prefix) {
            return path(String(word.dropFirst(prefix.count)))
        }
        return word
    }

    /// The classes that options or a file in the folder name.
    func classes(_ options: DatasetOptions) throws -> ClassTable {
        if let classes = options.classes { return classes }
        if has("classes.json") {
            do throws(DatasetError) { return try ClassTable(path: path("classes.json")) } catch {
                guard has("classes.txt") else { throw error }
                throw DatasetError(
                    "\(error) It takes precedence over the classes.txt next to it; correct it, or remove it to use classes.txt."
                )
            }
        }
        if has("classes.txt") { return try ClassTable(path: path("classes.txt")) }
        throw DatasetError(
            "\(directory): nothing says which classes the labels have; add classes.txt with one name per line, in the order of the label "
                + "values (\"name\" or \"name red green blue\"), or give a \(UserChoice.classes)."
        )
    }
}
