extension LabelMap {
    /// The map as a picture: each pixel in its class's colour.
    public func colored(with table: ClassTable) -> Image {
        let colors = table.palette(count: greatestID + 1)
        let pixels = [UInt8](unsafeUninitializedCapacity: ids.count * 3) { target, initialized in
            colors.withUnsafeBufferPointer { colors in
                guard var to = target.baseAddress else { return }
                for id in ids {
                    let color = colors[Int(id)]
                    (to[0], to[1], to[2]) = (color.red, color.green, color.blue)
                    to += 3
                }
            }
            initialized = ids.count * 3
        }
        return Image(uncheckedWidth: width, height: height, channels: 3, pixels: pixels)
    }

    /// Class ids from a picture that was painted with a table's colours; the reverse of `colored(with:)`.
    ///
    /// If classes have the same colour, the first is taken; the ignored colour gives the table's first ignored id. Gray
    /// pictures count as RGB, and alpha is ignored.
    ///
    /// - Throws: `ImageError` with the first pixel whose colour the table does not have.
    public init(coloring image: Image, table: ClassTable) throws(ImageError) {
        let rgb = image.rgb()
        var known: [UInt32: UInt16] = [:]
        if let ignored = table.ignoredIDs.first { known[table.ignoredColor.packed] = UInt16(clamping: ignored) }
        for (id, entry) in table.classes.enumerated().reversed() { known[entry.color.packed] = UInt16(clamping: id) }
        var ids: [UInt16] = []
        ids.reserveCapacity(rgb.width * rgb.height)
        // Neighbours are mostly equal: the last answer is kept.
        var last: (color: UInt32, id: UInt16)?
        for index in 0..<rgb.width * rgb.height {
            let color = Color(rgb.pixels[3 * index], rgb.pixels[3 * index + 1], rgb.pixels[3 * index + 2])
            if let last, last.color == color.packed {
                ids.append(last.id)
                continue
            }
            guard let id = known[color.packed] else {
                let (y, x) = index.quotientAndRemainder(dividingBy: rgb.width)
                throw ImageError(nil, .unknownColor(color, x: x, y: y, table: table.name))
            }
            last = (color.packed, id)
            ids.append(id)
        }
        self.init(uncheckedWidth: rgb.width, height: rgb.height, ids: ids)
    }
}
