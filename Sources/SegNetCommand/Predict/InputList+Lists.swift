import SegNetToolkit

//  Text files with one picture per line, or with several files of one picture.

extension InputList {
    mutating func addList(_ list: String) {
        let shown = RawFileName.display(list)
        guard let bytes = try? FileAccess.read(list, limit: 1 << 30) else {
            problems.append((shown, "\(shown): the list cannot be read; check its permissions."))
            return
        }
        let folder = list.contains("/") ? String(list[...(list.lastIndex(of: "/") ?? list.startIndex)]) : ""
        // Paths may be of any bytes.
        let lines = listEntries(RawFileName.text(withoutByteOrderMark(Data(bytes))))
        var moved: (count: Int, first: (written: String, found: String)?) = (0, nil)
        for (number, line) in lines {
            if words.count > 1 {
                addFiles(of: line, in: folder, list: list, number: number)
                continue
            }
            let candidates = Self.columns(of: line)
            if let entry = candidates.first(where: { Self.isFile($0.hasPrefix("/") ? $0 : folder + $0) }) {
                // Mirrors what the list says where that stays inside the output folder.
                let parts = entry.split(separator: "/").filter { $0 != "." }
                let isInside = !entry.hasPrefix("/") && !parts.contains("..")
                let stem = isInside ? parts.joined(separator: "/") : Self.lastComponent(entry)
                if !isExcluded(Self.lastComponent(stem), entry) {
                    add(path: entry.hasPrefix("/") ? entry : folder + entry, stem: stem)
                }
                continue
            }
            // The shortest that looks like a picture: what follows it is the label.
            let entry =
                candidates.first { FileAccess.kind(of: $0.hasPrefix("/") ? $0 : folder + $0) == .other }
                ?? candidates.last { Self.endings.contains(Self.ending(of: $0)) } ?? line
            if let tail = Self.tail(of: entry, in: folder) {
                moved.count += 1
                moved.first = moved.first ?? (entry, folder + tail)
                if !isExcluded(Self.lastComponent(tail), tail) { add(path: folder + tail, stem: tail) }
                continue
            }
            addProblem(entry.hasPrefix("/") ? entry : folder + entry, shown, number)
        }
        if lines.isEmpty {
            problems.append((shown, "\(shown): the list names no file; write one path on each line."))
        }
        if let first = moved.first {
            let others = moved.count > 1 ? " and \(moved.count - 1) more" : ""
            notes.append(
                "\(shown): \(RawFileName.display(first.written))\(others) cannot be found; taken from the list's folder instead, as "
                    + "\(RawFileName.display(first.found))."
            )
        }
    }

    /// A line that names no file.
    private mutating func addProblem(_ path: String, _ list: String, _ number: Int) {
        let name = RawFileName.display(path)
        let place = "(\(list), line \(number))"
        let message =
            switch FileAccess.kind(of: path) {
            case .folder: "is a folder \(place); a list names files. Give the folder itself as an input."
            case .other: "is a pipe or a device \(place), which may never end; a list names files. Give it as an input."
            case .file, .missing: "there is no such file \(place); check the list."
            }
        problems.append((name, "\(name): \(message)"))
    }

    /// A line with a file for each input, and perhaps the label behind them.
    private mutating func addFiles(of line: String, in folder: String, list: String, number: Int) {
        let list = RawFileName.display(list)
        let columns = line.split(whereSeparator: \.isWhitespace).map(String.init)
        guard columns.count == words.count || columns.count == words.count + 1 else {
            problems.append(
                (
                    list,
                    "\(list), line \(number): has \(counted(columns.count, "word")); the network reads \(words.joined(separator: ", ")), "
                        + "so each line needs \"\(words.joined(separator: " "))\", optionally followed by a label."
                )
            )
            return
        }
        let paths = columns.prefix(words.count).map { $0.hasPrefix("/") ? $0 : folder + $0 }
        if let missing = paths.first(where: { !Self.isFile($0) }) { return addProblem(missing, list, number) }
        let entry = columns[0]
        let parts = entry.split(separator: "/").filter { $0 != "." }
        let isInside = !entry.hasPrefix("/") && !parts.contains("..")
        let stem = isInside ? parts.joined(separator: "/") : Self.lastComponent(entry)
        add(files: Array(paths), stem: stem)
    }

    /// The parts of a line that may be the picture's path: all of it, or the text before one of its gaps, longest first. The original's
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

    /// The end of an absolute path that is there next to the list: a data set's lists name the machine that they were made on.
    private static func tail(of entry: String, in folder: String) -> String? {
        guard entry.hasPrefix("/") else { return nil }
        let parts = entry.split(separator: "/").filter { $0 != "." }
        guard !parts.contains("..") else { return nil }
        return parts.indices.lazy.map { parts[$0...].joined(separator: "/") }.first { isFile(folder + $0) }
    }
}
