/// How to turn a picture that a camera stored as its sensor was held: EXIF's eight cases (EXIF 2.3, tag 0x0112).
enum Orientation: Int, CaseIterable {
    case upright = 1
    case mirror = 2
    case turnHalf = 3
    case flip = 4
    case transpose = 5
    case turnClockwise = 6
    case transverse = 7
    case turnCounterclockwise = 8

    /// Reads the orientation from an APP1 segment's payload.
    ///
    /// Nil if the segment is not an EXIF block; `upright` if it is one without a valid orientation: a photo with a
    /// damaged EXIF block is still a photo.
    init?(exifSegment file: ByteReader, at position: Int, count: Int) {
        guard count >= 14, file.has([0x45, 0x78, 0x69, 0x66, 0, 0], at: position) else { return nil }
        // The block's offsets must stay inside the segment.
        self = Orientation(block: file, at: position + 6, end: min(position + count, file.count))
    }

    /// Reads the orientation from an EXIF block: a TIFF file of its own, whose offsets count from its start.
    init(block file: ByteReader, at start: Int, end: Int) {
        self = .upright
        let bigEndian: Bool
        if file.has("MM\0*", at: start) {
            bigEndian = true
        } else if file.has("II*\0", at: start) {
            bigEndian = false
        } else {
            return
        }
        guard let offset = file.longWord(at: start + 4, bigEndian: bigEndian), offset < end - start else { return }
        let directory = start + offset
        guard directory + 2 <= end, let entries = file.word(at: directory, bigEndian: bigEndian) else { return }
        for entry in 0..<entries {
            let at = directory + 2 + 12 * entry
            guard at + 12 <= end else { return }
            guard file.word(at: at, bigEndian: bigEndian) == 0x0112 else { continue }
            // Type 3 is a 16-bit number, in the first two of the four value bytes.
            if file.word(at: at + 2, bigEndian: bigEndian) == 3,
                let value = file.word(at: at + 8, bigEndian: bigEndian), let found = Orientation(rawValue: value)
            {
                self = found
            }
            return
        }
    }

    /// Whether width and height change places.
    var swapsSides: Bool { rawValue >= 5 }

    /// Width and height, as seen, of a picture with this stored size.
    func seen(_ width: Int, _ height: Int) -> (Int, Int) { swapsSides ? (height, width) : (width, height) }
}

extension Image {
    /// The picture as it was seen through the camera.
    func turned(_ orientation: Orientation) -> Image {
        if orientation == .upright { return self }
        let newWidth = orientation.swapsSides ? height : width
        let newHeight = orientation.swapsSides ? width : height
        // Where the first pixel of the turned picture is in the stored one, and how far away its right and its lower
        // neighbour are.
        let (right, down) = (channels, width * channels)
        let (lastX, lastY) = ((width - 1) * right, (height - 1) * down)
        let (origin, stepX, stepY): (Int, Int, Int) =
            switch orientation {
            case .upright: (0, right, down)
            case .mirror: (lastX, -right, down)
            case .turnHalf: (lastX + lastY, -right, -down)
            case .flip: (lastY, right, -down)
            case .transpose: (0, down, right)
            case .turnClockwise: (lastY, -down, right)
            case .transverse: (lastX + lastY, -down, -right)
            case .turnCounterclockwise: (lastX, down, -right)
            }
        let turned = [UInt8](unsafeUninitializedCapacity: pixels.count) { target, initialized in
            pixels.withUnsafeBufferPointer { source in
                // Tiles, because a quarter turn reads columns: a tile's lines stay in the cache until they are used up.
                let tile = 32
                for top in stride(from: 0, to: newHeight, by: tile) {
                    for left in stride(from: 0, to: newWidth, by: tile) {
                        for y in top..<min(top + tile, newHeight) {
                            for x in left..<min(left + tile, newWidth) {
                                let from = origin + x * stepX + y * stepY
                                let to = (y * newWidth + x) * channels
                                for channel in 0..<channels { target[to + channel] = source[from + channel] }
                            }
                        }
                    }
                }
            }
            initialized = pixels.count
        }
        return Image(uncheckedWidth: newWidth, height: newHeight, channels: channels, pixels: turned)
    }
}

extension LabelMap {
    /// The map as it was seen through the camera.
    func turned(_ orientation: Orientation) -> LabelMap {
        if orientation == .upright { return self }
        let (newWidth, newHeight) = orientation.seen(width, height)
        var turned = LabelMap(
            uncheckedWidth: newWidth,
            height: newHeight,
            ids: [UInt16](repeating: 0, count: ids.count)
        )
        let (right, bottom) = (width - 1, height - 1)
        for y in 0..<newHeight {
            for x in 0..<newWidth {
                let (fromX, fromY): (Int, Int) =
                    switch orientation {
                    case .upright: (x, y)
                    case .mirror: (right - x, y)
                    case .turnHalf: (right - x, bottom - y)
                    case .flip: (x, bottom - y)
                    case .transpose: (y, x)
                    case .turnClockwise: (y, bottom - x)
                    case .transverse: (right - y, bottom - x)
                    case .turnCounterclockwise: (right - y, x)
                    }
                turned.ids[y * newWidth + x] = ids[fromY * width + fromX]
            }
        }
        return turned
    }
}
