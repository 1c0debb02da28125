internal import SegNetImages
internal import SegNetNetworks
internal import SegNetPlatform

extension ClassTable {
    /// The classes of a model: what its file says, or else the known table with so many classes, and a sentence about what was assumed.
    static func of(_ metadata: ModelMetadata, classCount: Int) -> (table: ClassTable, note: String?) {
        let assumed = guess(classCount: classCount)
        let names = metadata.classNames.flatMap { $0.count == classCount ? $0 : nil }
        let colors = metadata.palette.flatMap { palette in
            palette.count >= classCount && palette.allSatisfy { $0.count == 3 } ? palette : nil
        }
        guard names != nil || colors != nil else {
            let isKnown = assumed != generic(classCount: classCount)
            let note =
                isKnown
                ? "the model does not name its \(classCount) classes; those of '\(assumed.name)' are assumed from their number "
                    + "(convert the model with a \(UserChoice.classNames) to store names)."
                : nil
            return (assumed, note)
        }
        // A file that has names without colours, or the reverse, gets the rest from the table of the same number of classes.
        let classes = (0..<classCount).map { id in
            let color = colors.map { Color($0[id][0], $0[id][1], $0[id][2]) }
            return Entry(names?[id] ?? assumed.name(of: id), color ?? assumed.color(of: id))
        }
        // Pascal VOC's class of nothing: left unpainted in overlays where a model calls a class so.
        let background = classes.firstIndex { $0.name.lowercased() == "background" }
        let table = ClassTable(
            name: metadata.name ?? "model",
            classes: classes,
            ignoredIDs: metadata.ignoredClasses,
            backgroundID: background
        )
        return (table, nil)
    }
}
