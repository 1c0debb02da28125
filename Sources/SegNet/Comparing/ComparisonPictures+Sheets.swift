internal import SegNetData
internal import SegNetImages

extension ComparisonPictures {
    /// All shown pictures in one: one row per picture, one column for the photo, the truth and each system; nil if there are none.
    func sheet(_ classes: ClassTable) throws -> Image? {
        var sheet = Sheet(classes)
        for shown in shown {
            guard let first = shown.comparisons.first else { continue }
            let maps = [first.truth] + shown.comparisons.map(\.prediction)
            guard try sheet.append(photo: first.photo, maps: maps) else { break }
        }
        return try sheet.image
    }

    /// The systems' worst pictures in one: a row for each with photo, truth, prediction and errors; nil if there are none.
    /// - Parameter names: Those of the systems.
    /// - Returns: The picture, and what its rows show.
    func worstSheet(_ classes: ClassTable, names: [String]) throws -> (image: Image, rows: [String])? {
        var sheet = Sheet(classes)
        var rows: [String] = []
        for (name, entries) in zip(names, worst) {
            for entry in entries {
                let comparison = entry.comparison
                let errors = try comparison.errorMap(classCount: classes.classes.count)
                let maps = [comparison.truth, comparison.prediction]
                // A sheet can be full; what the text lists stays what it shows.
                guard try sheet.append(photo: comparison.photo, maps: maps, last: errors) else { break }
                let score = entry.score.map { " (\(Numbers.fixed(100 * $0, 1)) %)" } ?? ""
                rows.append("\(name), \(entry.name)\(score)")
            }
        }
        return try sheet.image.map { ($0, rows) }
    }
}

/// Pictures side by side and row above row, all tiles equally wide.
private struct Sheet {
    private static let tileWidth = 240
    private static let gap = 4
    /// A JPEG has at most 65,535 rows.
    private static let greatestHeight = 65_000

    private var table: ClassTable
    private var pixels: [UInt8] = []
    private var (width, height) = (0, 0)

    init(_ classes: ClassTable) {
        table = classes
        table.ignoredIDs = [Int(Example.ignored)]
    }

    /// Adds a row: a photo, label maps in colours, and perhaps one more picture. All rows have as many tiles.
    /// - Returns: False where no row more fits.
    mutating func append(photo: Image, maps: [LabelMap], last: Image? = nil) throws(ImageError) -> Bool {
        let (tileWidth, gap) = (Self.tileWidth, Self.gap)
        let tileHeight = max(1, (photo.height * tileWidth + photo.width / 2) / photo.width)
        guard height + gap + tileHeight <= Self.greatestHeight else { return false }
        var tiles = [try photo.resized(width: tileWidth, height: tileHeight, filter: .area)]
        for map in maps {
            let small = try map.resized(width: tileWidth, height: tileHeight, nearest: .center)
            tiles.append(small.colored(with: table))
        }
        if let last { tiles.append(try last.resized(width: tileWidth, height: tileHeight, filter: .area)) }
        width = tiles.count * (tileWidth + gap) - gap
        if height > 0 {
            pixels += [UInt8](repeating: 255, count: gap * width * 3)
            height += gap
        }
        for y in 0..<tileHeight {
            for (column, tile) in tiles.enumerated() {
                if column > 0 { pixels += [UInt8](repeating: 255, count: gap * 3) }
                pixels += tile.pixels[y * tileWidth * 3..<(y + 1) * tileWidth * 3]
            }
        }
        height += tileHeight
        return true
    }

    /// Nil without rows.
    var image: Image? {
        get throws(ImageError) {
            height > 0 ? try Image(width: width, height: height, channels: 3, pixels: pixels) : nil
        }
    }
}
