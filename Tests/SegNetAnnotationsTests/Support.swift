import SegNetAnnotations
import SegNetImages
import SegNetPlatform

/// A label map from rows of letters: `a` is class 0.
func map(_ rows: String...) throws -> LabelMap {
    try LabelMap(
        width: rows[0].utf8.count,
        height: rows.count,
        ids: rows.joined().utf8.map { UInt16($0) - 97 }
    )
}

/// A map of random numbers, in which four pixels meet in every possible way.
func noise(width: Int, height: Int, classes: Int, seed: UInt64) throws -> LabelMap {
    var random = RandomNumbers(seed: seed)
    let ids = (0..<width * height).map { _ in UInt16((random.next() >> 20) % UInt64(classes)) }
    return try LabelMap(width: width, height: height, ids: ids)
}

/// A map of overlapping ellipses, which resembles segmented pictures.
func ellipses(width: Int, height: Int, classes: Int, count: Int, seed: UInt64) throws -> LabelMap {
    var random = RandomNumbers(seed: seed)
    func draw(_ range: Int) -> Int { Int(random.uniform() * Double(range)) }
    var ids = [UInt16](repeating: 0, count: width * height)
    for _ in 0..<count {
        let (middleX, middleY) = (draw(width), draw(height))
        let (across, down) = (1 + draw(width / 3), 1 + draw(height / 3))
        let id = UInt16(draw(classes))
        for y in 0..<height {
            for x in 0..<width {
                let (dx, dy) = ((x - middleX) * down, (y - middleY) * across)
                if dx * dx + dy * dy <= across * across * down * down { ids[y * width + x] = id }
            }
        }
    }
    return try LabelMap(width: width, height: height, ids: ids)
}

/// A file in the folder `Files` beside the tests.
func file(_ name: String) -> String {
    URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Files/\(name)").path(percentEncoded: false)
}

/// A folder that is removed with the last test that holds it.
final class ScratchFolder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "segnet-notes-\(UInt64.random(in: 0 ... .max))")
            .path(percentEncoded: false)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

    @discardableResult
    func write(_ text: String, _ name: String) throws -> String {
        try write(Data(text.utf8), name)
    }

    @discardableResult
    func write(_ data: Data, _ name: String) throws -> String {
        let file = self(name)
        let folder = file.split(separator: "/").dropLast().joined(separator: "/")
        try FileManager.default.createDirectory(atPath: "/" + folder, withIntermediateDirectories: true)
        try data.write(to: URL(filePath: file))
        return file
    }
}

extension AnnotationSet {
    /// The map of a picture with the caller's numbers, by the labels' names.
    func map(_ picture: AnnotatedPicture, width: Int, height: Int, numbers: [String: UInt16], unlabelled: UInt16) throws
        -> LabelMap
    {
        let raw = try picture.labelMap(width: width, height: height, unlabelled: 60_000, void: 60_001)
        let ids = raw.ids.map { $0 < 60_000 ? numbers[labels[Int($0)].name] ?? 50_000 : unlabelled }
        return try LabelMap(width: width, height: height, ids: ids)
    }
}
