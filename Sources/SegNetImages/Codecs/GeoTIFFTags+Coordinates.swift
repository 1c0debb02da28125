// The tags of a GeoTIFF that give a pixel's corner its coordinates. Source: OGC GeoTIFF 1.1 (19-008r4).

extension GeoTIFFTags {
    /// From a place in the picture to coordinates: x = a * column + b * row + c, y = d * column + e * row + f, with columns and rows from
    /// the outer corner of the first pixel.
    package struct Transform: Sendable, Hashable {
        package var a: Double
        package var b: Double
        package var c: Double
        package var d: Double
        package var e: Double
        package var f: Double

        /// The same where columns and rows are counted from the middle of the first pixel.
        fileprivate var fromCorner: Transform {
            Transform(a: a, b: b, c: c - (a + b) / 2, d: d, e: e, f: f - (d + e) / 2)
        }

        /// Whether it leads every place to one of its own, in numbers.
        fileprivate var isUsable: Bool {
            [a, b, c, d, e, f].allSatisfy(\.isFinite) && a * e - b * d != 0
        }
    }

    /// ModelTransformation, or else ModelPixelScale with one ModelTiepoint; nil where the file has neither, or numbers that make no sense.
    ///
    /// A file with several tiepoints and no scale is stretched between them, which no transform says.
    package var transform: Transform? {
        let found: Transform
        let matrix = numbers(34264)
        let (scale, tiepoint) = (numbers(33550), numbers(33922))
        if matrix.count == 16 {
            found = Transform(a: matrix[0], b: matrix[1], c: matrix[3], d: matrix[4], e: matrix[5], f: matrix[7])
        } else if scale.count >= 2, tiepoint.count >= 6 {
            // Rows count downwards, and y upwards.
            let (a, e) = (scale[0], -scale[1])
            found = Transform(
                a: a,
                b: 0,
                c: tiepoint[3] - a * tiepoint[0],
                d: 0,
                e: e,
                f: tiepoint[4] - e * tiepoint[1]
            )
        } else {
            return nil
        }
        // GTRasterTypeGeoKey: 2 (RasterPixelIsPoint) puts places into the middles of pixels.
        let placed = key(1025) == 2 ? found.fromCorner : found
        return placed.isUsable ? placed : nil
    }

    /// The EPSG code of the coordinates' reference system, of the projected one if there is one; nil where the file names none.
    package var epsgCode: Int? {
        // GTModelTypeGeoKey: 1 is projected (ProjectedCRSGeoKey), 2 geographic (GeodeticCRSGeoKey). 32767 stands for one of the user's own.
        let code: Int? =
            switch key(1024) {
            case 1: key(3072)
            case 2: key(2048)
            default: nil
            }
        return code.flatMap { (1024..<32767).contains($0) ? $0 : nil }
    }

    /// A key of the GeoKeyDirectory whose value stands in the directory itself.
    private func key(_ number: Int) -> Int? {
        let words = words(34735)
        // A head of four numbers, the last of them the count of keys; then four for each key: its number, where its value is (0: here),
        // how many, the value.
        guard words.count >= 4 else { return nil }
        for start in stride(from: 4, through: min(words.count, 4 + 4 * words[3]) - 4, by: 4) {
            if words[start] == number, words[start + 1] == 0, words[start + 2] == 1 { return words[start + 3] }
        }
        return nil
    }

    private func numbers(_ tag: UInt32) -> [Double] { values(tag, as: Double.self) }

    private func words(_ tag: UInt32) -> [Int] { values(tag, as: UInt16.self).map(Int.init) }

    private func values<Value: BitwiseCopyable>(_ number: UInt32, as type: Value.Type) -> [Value] {
        guard let tag = tags.first(where: { $0.number == number }) else { return [] }
        return tag.bytes.withUnsafeBytes { bytes in
            stride(from: 0, through: bytes.count - MemoryLayout<Value>.size, by: MemoryLayout<Value>.size).map {
                bytes.loadUnaligned(fromByteOffset: $0, as: type)
            }
        }
    }
}
