public import SegNetImages
internal import SegNetPlatform

extension Dataset {
    /// Samples side by side: each picture, and next to it the picture under its labels' colours.
    ///
    /// Pictures are shrunk to one width, rows are as high as the highest. Of several files the first is shown.
    /// - Parameters:
    ///   - samples: At least one.
    ///   - columns: Samples in a row, at least 1.
    ///   - tileWidth: Pixels of a picture, at least 1.
    ///   - augmentation: Changes each sample as training would.
    ///   - seed: Seed of the augmentation.
    /// - Throws: Errors of reading a sample; `ImageError` if the sheet would be too large.
    public func contactSheet(
        of samples: [Sample],
        columns: Int = 3,
        tileWidth: Int = 240,
        augmentation: Augmentation = Augmentation(),
        seed: UInt64 = 1
    ) throws -> Image {
        let (columns, tileWidth, gap) = (max(1, min(columns, max(1, samples.count))), max(1, tileWidth), 4)
        let width = columns * (2 * tileWidth + gap) - gap
        var rows: [[UInt8]] = []
        var height = 0
        for start in stride(from: 0, to: samples.count, by: columns) {
            let tiles = try (start..<min(start + columns, samples.count)).map { index in
                var random = RandomNumbers(seed: seed, stream: UInt64(index))
                let example = augmentation.apply(try example(samples[index]), random: &random)
                return try tile(example, width: tileWidth)
            }
            let rowHeight = (tiles.map(\.height).max() ?? 0) + (rows.isEmpty ? 0 : gap)
            let top = rows.isEmpty ? 0 : gap
            var pixels = [UInt8](repeating: 255, count: rowHeight * width * 3)
            for (column, tile) in tiles.enumerated() {
                let left = column * (2 * tileWidth + gap) * 3
                for y in 0..<tile.height {
                    let from = y * tile.width * 3
                    let to = (top + y) * width * 3 + left
                    pixels.replaceSubrange(to..<to + tile.width * 3, with: tile.pixels[from..<from + tile.width * 3])
                }
            }
            rows.append(pixels)
            height += rowHeight
        }
        return try Image(width: width, height: height, channels: 3, pixels: Array(rows.joined()))
    }

    /// A picture and its overlay, side by side, each of this width.
    private func tile(_ example: Example, width: Int) throws -> Image {
        let photo = try picture(of: example).background().rgb()
        // `UInt16.max` would make a palette of 65536 colours; the number after the classes is free.
        let count = classes.classes.count
        let ids = example.labels.map { Int($0) < count ? $0 : UInt16(clamping: count) }
        var table = classes
        table.ignoredIDs = [count]
        let overlay = try photo.overlay(
            try LabelMap(width: example.width, height: example.height, ids: ids),
            table: table,
            opacity: 0.65
        )
        let height = max(1, (example.height * width + example.width / 2) / example.width)
        let parts = try [photo, overlay].map { try $0.resized(width: width, height: height, filter: .area) }
        var result: [UInt8] = []
        result.reserveCapacity(2 * width * height * 3)
        for y in 0..<height {
            for part in parts { result += part.pixels[y * width * 3..<(y + 1) * width * 3] }
        }
        return try Image(width: 2 * width, height: height, channels: 3, pixels: result)
    }
}
