internal import SegNetPlatform

extension DatasetKind {
    /// The kind whose layout a folder has, where it cannot be mistaken; nil for any other folder.
    package static func recognized(in directory: String) -> DatasetKind? { Folder(directory).recognizedKind }
}

extension Folder {
    fileprivate var recognizedKind: DatasetKind? {
        if hasFolder("leftImg8bit"), hasFolder("gtFine") { return .cityscapes }
        if hasFolder("JPEGImages"), hasFolder("SegmentationClass") { return .voc }
        let lists = ["train.txt", "val.txt", "test.txt"].compactMap(text)
        if let line = lists.lazy.compactMap({ listEntries($0).first?.text }).first {
            return recognizedKind(ofLine: line)
        }
        guard hasFolder("images"), hasFolder("labels") else { return nil }
        if has("data.yaml") { return .yolo }
        // Lists of other names say which of the pictures are meant.
        let texts = files("").filter { $0.hasSuffix(".txt") && $0 != "classes.txt" }
        return texts.isEmpty && (hasFolder("labels/train") || !pictures("labels").isEmpty) ? .folder : nil
    }

    /// Which of the kinds with lists has this line in one: their labels are numbered in different ways, so that a wrong guess would teach
    /// wrong classes.
    private func recognizedKind(ofLine line: String) -> DatasetKind? {
        guard line.split(whereSeparator: \.isWhitespace).count == 2 else { return nil }
        if line.contains("/CamVid/") || line.hasSuffix("_L.png") { return .camVid }
        if has("classes.txt") || has("classes.json") { return .list }
        let kinds = DatasetKind.allCases.filter { $0.hasLists && $0 != .list }
        return kinds.last { name.lowercased().hasPrefix($0.rawValue) }
    }

    /// The error for a folder without what a kind needs.
    /// - Parameters:
    ///   - missing: What is not there.
    ///   - advice: What to do, where the folder has not the layout of another kind.
    func lacks(_ missing: String, of kind: DatasetKind, _ advice: String) -> DatasetError {
        guard let other = recognizedKind, other != kind else {
            return DatasetError("\(directory): holds no \(missing); \(advice)")
        }
        return DatasetError(
            "\(directory): holds no \(missing), but looks like '\(other.rawValue)'; give that as the \(UserChoice.dataset)."
        )
    }
}
