import SegNetData
import SegNetFormats
import SegNetImages
package import SegNetPlatform

/// The names of all pictures of a training: by data set, those it learns from and those that validate it, in their order.
///
/// A checkpoint holds a short `PictureList` of each. The names themselves are in the run's folder (`pictures.txt`, one picture per line:
/// what it is for, the number of its data set, its name). They only help to say what has changed; a file that does not fit is not used.
package struct TrainingPictures: Hashable {
    static let fileName = "pictures.txt"

    private struct Names: Hashable {
        var use: PictureList.Use
        var source: Int
        var names: [String] = []

        var list: PictureList {
            var check = CRC32C()
            for name in names { Array("\(name)\n".utf8).withUnsafeBytes { check.add($0) } }
            return PictureList(use: use, source: source, count: names.count, checksum: check.checksum)
        }
    }

    private var parts: [Names] = []

    init(_ data: DatasetPool, validation: [DatasetPool.Item]) {
        for (index, source) in data.sources.enumerated() {
            let judging = validation.filter { $0.source == index }.map(\.sample.name)
            parts.append(Names(use: .training, source: index + 1, names: source.samples.map(\.name)))
            parts.append(Names(use: .validation, source: index + 1, names: judging))
        }
    }

    /// Reads the file; nil if it is something else.
    private init?(_ text: String) {
        for line in text.split(separator: "\n") {
            let words = line.split(separator: "\t", maxSplits: 2, omittingEmptySubsequences: false)
            guard words.count == 3, let use = PictureList.Use(rawValue: String(words[0])), let source = Int(words[1])
            else { return nil }
            if parts.last?.use != use || parts.last?.source != source { parts.append(Names(use: use, source: source)) }
            parts[parts.count - 1].names.append(String(words[2]))
        }
    }

    /// The names of the pictures that a run's model has learnt from.
    /// - Parameter run: The run's folder.
    /// - Returns: The file that says so, and its names; nil for a folder without such a file.
    package static func learnt(in run: URL) -> (file: URL, names: Set<String>)? {
        guard let pictures = Self(in: run) else { return nil }
        let names = pictures.parts.filter { $0.use == .training }.flatMap(\.names)
        return (run.appending(path: fileName), Set(names))
    }

    /// Reads the file in a run's folder; nil if there is none, or if it is something else.
    private init?(in output: URL) {
        guard let data = FileAccess.contents(of: output.appending(path: Self.fileName)) else { return nil }
        self.init(String(decoding: data, as: UTF8.self))
    }

    /// Whether a folder's file of that name is somebody's own: no list of a training's pictures.
    static func isForeign(in output: URL) -> Bool {
        let data = FileAccess.contents(of: output.appending(path: fileName))
        return data.map { Self(String(decoding: $0, as: UTF8.self)) == nil } ?? false
    }

    var lists: [PictureList] { parts.map(\.list) }

    private var text: String {
        parts.map { part in part.names.map { "\(part.use.rawValue)\t\(part.source)\t\($0)\n" }.joined() }.joined()
    }

    /// Writes the file, unless it is there.
    /// - Throws: `FormatError`.
    func write(in output: URL) throws {
        let (file, bytes) = (output.appending(path: Self.fileName), Array(text.utf8))
        if let old = FileAccess.contents(of: file), Array(old) == bytes { return }
        try SmallFile.write(bytes, to: file)
    }

    /// Refuses to go on with other pictures than those so far.
    /// - Parameters:
    ///   - lists: Those of the checkpoint.
    ///   - output: The run's folder.
    /// - Throws: `ConfigurationError` naming each data set, both counts and some of the pictures.
    func require(_ lists: [PictureList], of data: DatasetPool, in output: URL) throws(ConfigurationError) {
        let changes = changes(from: lists, Self(in: output), of: data)
        guard !changes.isEmpty else { return }
        throw ConfigurationError(
            "\(output.relativePath): the pictures have changed since the training there began, so it might be "
                + "validated on pictures that it has learnt from, or see some twice and others never: \(changes.joined(separator: "; ")). "
                + "Put the pictures back as they were, or \(Checkpoint.newRun(after: output))."
        )
    }

    /// What is different from earlier lists, by data set, in words.
    /// - Parameters:
    ///   - then: The names of those lists, where they are known.
    ///   - uses: The lists that count.
    ///   - isOrderCounted: Whether the same pictures in another order are a change.
    private func changes(
        from lists: [PictureList],
        _ then: Self?,
        of data: DatasetPool,
        uses: Set<PictureList.Use> = [.training, .validation],
        isOrderCounted: Bool = true
    ) -> [String] {
        parts.filter { uses.contains($0.use) }.compactMap { part in
            let now = part.list
            guard let old = lists.first(where: { $0.use == now.use && $0.source == now.source }), old != now
            else { return nil }
            let names = then?.parts.first { $0.list == old }?.names ?? (old.count == 0 ? [] : nil)
            if !isOrderCounted, let names, names.sorted() == part.names.sorted() { return nil }
            let dataset = data.sources[now.source - 1].dataset.name
            return "data set '\(dataset)': " + Self.change(from: old, names, to: now, part.names)
        }
    }

    /// What is different from the pictures of a run, in words.
    /// - Parameters:
    ///   - output: The run's folder.
    ///   - isFinished: Whether the training is over: then only pictures count that it has learnt from, in whatever order.
    fileprivate func changes(since output: URL, of data: DatasetPool, isFinished: Bool) -> [String] {
        let then = Self(in: output)
        // The names alone, where the checkpoint is gone.
        let progress = try? Checkpoint.progress(output.appending(path: Trainer.checkpointName))
        guard let lists = progress?.pictures ?? then?.lists else { return [] }
        return changes(
            from: lists,
            then,
            of: data,
            uses: isFinished ? [.training] : [.training, .validation],
            isOrderCounted: !isFinished
        )
    }

    private static func change(
        from old: PictureList,
        _ oldNames: [String]?,
        to new: PictureList,
        _ newNames: [String]
    ) -> String {
        var text = "\(counted(old.count, "\(old.use.rawValue) picture")) then, \(new.count) now"
        guard let oldNames else {
            return old.count == new.count ? text + " (others, or in another order)" : text
        }
        func some(_ names: [String], without others: [String]) -> String? {
            let others = Set(others)
            let names = names.filter { !others.contains($0) }
            guard !names.isEmpty else { return nil }
            let shown = names.prefix(2).map { "'\($0)'" }.joined(separator: ", ")
            return names.count > 2 ? "\(shown) and \(names.count - 2) more" : shown
        }
        let parts = [
            some(newNames, without: oldNames).map { "new: \($0)" },
            some(oldNames, without: newNames).map { "gone: \($0)" },
        ].compactMap { $0 }
        text += parts.isEmpty ? " (in another order)" : " (\(parts.joined(separator: "; ")))"
        return text
    }
}

extension TrainingConfiguration {
    /// How this recipe's pictures differ from those of a run so far, by data set, in words; empty: they do not, or that is unknown.
    /// - Parameters:
    ///   - output: The run's folder.
    ///   - isFinished: Whether its training is over. Then pictures for validation do not count, nor does the order.
    ///   - found: Where its pictures are looked up.
    package func pictureChanges(since output: URL, isFinished: Bool, in found: FoundPictures) -> [String] {
        // Data that cannot be found is reported by who needs it; where nobody knows what was learnt from, it need not be read.
        let isKnown = [TrainingPictures.fileName, Trainer.checkpointName].contains {
            FileManager.default.fileExists(atPath: output.appending(path: $0).path(percentEncoded: false))
        }
        guard isKnown, let sources = try? found.sources(of: self) else { return [] }
        let pictures = TrainingPictures(sources.pool, validation: sources.validation)
        return pictures.changes(since: output, of: sources.pool, isFinished: isFinished)
    }
}
