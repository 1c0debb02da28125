public import SegNetImages
internal import SegNetPlatform
internal import Synchronization

/// A folder of masks that any program has written for the pictures of a data set: to be scored against the truth.
///
/// A picture's mask is `STEM.png` or `STEM.mask.png`; where both are there, it is the second, since the first can be the picture itself.
/// Gray or palette PNGs hold class ids, RGB PNGs the classes' colours.
public struct PredictedMasks: Sendable {
    public let folder: String
    public let classes: ClassTable
    /// As `Dataset.mergedClasses`: what some classes count as.
    public let mergedClasses: [UInt16: UInt16?]

    /// Stands in a mask for pixels that were given no class. In its file these have the table's void number, one of its ignored ids or its
    /// ignored colour; or this number, as label maps of the library have.
    public static let none = Example.ignored

    /// The numbers in files for pixels without a class, besides `none`.
    private var voidIDs: Set<Int> { Set(classes.ignoredIDs + [classes.voidID]) }

    private let palettes = PaletteReadings()

    /// - Throws: `DatasetError` if there is no such folder.
    public init(folder: String, dataset: Dataset) throws(DatasetError) {
        guard Folder(folder).hasFolder("") else {
            throw DatasetError("\(folder): there is no such folder; give the right \(UserChoice.masks).")
        }
        self.folder = folder
        classes = dataset.classes
        mergedClasses = dataset.mergedClasses
    }

    /// Reads the mask of a sample: class ids, `PredictedMasks.none` where a pixel was given no class.
    /// - Parameters:
    ///   - width: Width of the truth.
    /// - Throws: `DatasetError` or `ImageError` naming the file: there is none, it has another size, a value or colour that is not a
    ///   class, or a palette that is to be read in another way than an earlier mask's.
    public func mask(of sample: Sample, width: Int, height: Int) throws -> LabelMap {
        let files = Folder(folder)
        let names = ["\(sample.name).mask.png", "\(sample.name).png"]
        guard let name = names.first(where: files.has) else {
            throw DatasetError(
                "\(files.path(names[1])): there is no mask of the picture '\(sample.name)'; name masks like the pictures, STEM.png or "
                    + "STEM.mask.png."
            )
        }
        let path = files.path(name)
        // Reading a pipe might never end.
        guard FileAccess.kind(of: path) == .file else {
            throw DatasetError("\(path): is a folder, a pipe or a device; a mask is a PNG file.")
        }
        var mask = try read(path)
        guard mask.width == width, mask.height == height else {
            throw DatasetError(
                "\(path): is \(mask.width)x\(mask.height), the labels of '\(sample.name)' are \(width)x\(height); write masks at the "
                    + "labels' size, or resize them without blending (nearest neighbour)."
            )
        }
        mask = try known(mask, path)
        return try mask.merged(mergedClasses)
    }

    private func read(_ path: String) throws -> LabelMap {
        let numbers: LabelMap
        do throws(ImageError) { numbers = try LabelMap(path: path) } catch {
            guard case .notLabels = error.reason else { throw error }
            return try LabelMap(painted: path, table: classes)
        }
        return try colors(of: path, numbers) ?? numbers
    }

    /// Some programs write palettes in the order in which colours occur. Where all colours of a palette file are those of classes and
    /// any stands at another class's number, the colours are meant.
    private func colors(of path: String, _ numbers: LabelMap) throws -> LabelMap? {
        let image = try Image(path: path)
        guard image.channels > 1 else { return nil }
        let painted: LabelMap
        do throws(ImageError) { painted = try LabelMap(coloring: image, table: classes) } catch {
            guard case .unknownColor(let color, let x, let y, _) = error.reason else { throw error }
            try palettes.add(path, otherColor: "(\(color.red), \(color.green), \(color.blue)) at x \(x), y \(y)")
            return nil
        }
        let void = voidIDs
        for (number, id) in zip(numbers.ids, painted.ids) where number != id {
            // Void has many numbers.
            if void.contains(Int(number)), void.contains(Int(id)) { continue }
            // Classes of equal colour.
            if Int(number) < classes.classes.count, Int(id) < classes.classes.count,
                classes.color(of: Int(number)) == classes.color(of: Int(id))
            {
                continue
            }
            try palettes.add(path, otherColor: nil)
            return painted
        }
        return nil
    }

    /// Ids below K as they are, the numbers of void as `none`.
    private func known(_ mask: LabelMap, _ path: String) throws -> LabelMap {
        let count = classes.classes.count
        let void = voidIDs
        var ids = mask.ids
        for index in ids.indices where Int(ids[index]) >= count {
            let value = ids[index]
            guard value == Self.none || void.contains(Int(value)) else {
                let pixels = mask.ids.count { $0 == value }
                throw DatasetError(
                    "\(path): has the value \(value) at x \(index % mask.width), y \(index / mask.width) (\(pixels) "
                        + "\(pixels == 1 ? "pixel" : "pixels")), which is \(classes.noneOfIDs) and not void "
                        + "(\(void.sorted().map(String.init).joined(separator: ", "))); write class ids in the order of "
                        + "'\(classes.name)', or its colours."
                )
            }
            ids[index] = Self.none
        }
        return try LabelMap(width: mask.width, height: mask.height, ids: ids)
    }
}

/// How the palette files of a folder were read: one program writes all of them in one way.
private final class PaletteReadings: Sendable {
    private struct State {
        /// The first file that was read by its colours.
        var colored: String?
        /// The first that was read by its numbers, with the colour that does not belong to a class.
        var numbered: (path: String, color: String)?
    }

    private let state = Mutex(State())

    /// - Parameter otherColor: A colour of the file that does not belong to a class, so that its numbers count; nil: its colours do.
    /// - Throws: `DatasetError` if another file was read in the other way.
    func add(_ path: String, otherColor: String?) throws(DatasetError) {
        let state = state.withLock { state in
            if let otherColor {
                state.numbered = state.numbered ?? (path, otherColor)
            } else {
                state.colored = state.colored ?? path
            }
            return state
        }
        guard let colored = state.colored, let numbered = state.numbered else { return }
        throw DatasetError(
            "\(numbered.path): has the colour \(numbered.color), which belongs to no class, so the numbers of its palette are "
                + "taken as class ids; in \(colored) these numbers do not match the classes of the colours, so there the colours are "
                + "taken. Write all masks as gray PNGs of class ids, or correct that colour."
        )
    }
}

extension LabelMap {
    /// With some ids counted as others, or (nil) as none.
    public func merged(_ classes: [UInt16: UInt16?]) throws -> LabelMap {
        guard !classes.isEmpty else { return self }
        return try LabelMap(
            width: width,
            height: height,
            ids: ids.map { id in classes[id].map { $0 ?? PredictedMasks.none } ?? id }
        )
    }
}
