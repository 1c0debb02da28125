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

/// A map of random numbers, in which every way in which four pixels can meet comes about.
func noise(width: Int, height: Int, classes: Int, seed: UInt64) throws -> LabelMap {
    var random = RandomNumbers(seed: seed)
    let ids = (0..<width * height).map { _ in UInt16((random.next() >> 20) % UInt64(classes)) }
    return try LabelMap(width: width, height: height, ids: ids)
}

/// A map of ellipses over one another, as segmented pictures are.
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

/// What lies in the folder `Files` beside the tests.
func file(_ name: String) -> String {
    URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Files/\(name)").path(percentEncoded: false)
}
