/// The tags of a GeoTIFF that say where on Earth it is, kept unchanged for the files that are made of it. What they mean for a pixel is a
/// `Georeference`.
public struct GeoTIFFTags: Sendable, Hashable {
    struct Tag: Sendable, Hashable {
        var number: UInt32
        var type: Int32
        var count: Int
        var bytes: [UInt8]
    }

    let tags: [Tag]

    /// ModelPixelScale, ModelTiepoint, ModelTransformation, GeoKeyDirectory, GeoDoubleParams, GeoAsciiParams (OGC GeoTIFF 1.1) and
    /// GDAL's value for pixels without data, with their types: 12 double, 3 short, 2 ASCII.
    private static let known: [(UInt32, Int32)] = [
        (33550, 12), (33922, 12), (34264, 12), (34735, 3), (34736, 12), (34737, 2), (42113, 2),
    ]

    /// The tags as the file has them, which are about the pixels as stored; nil if it has none.
    package init?(_ file: TIFFFile) {
        tags = Self.known.compactMap { number, type in
            file.tag(number, type: type).map { Tag(number: number, type: type, count: $0.count, bytes: $0.bytes) }
        }
        if tags.isEmpty { return nil }
    }

    /// Reads the tags of a TIFF; nil if it has none, or is stored turned: a result has the pixels as they are seen.
    /// - Throws: `ImageError` naming the file if it cannot be read, or is not a TIFF.
    public init?(path: String) throws(ImageError) {
        let file = try TIFFFile(path: path)
        guard file.isUpright else { return nil }
        self.init(file)
    }
}
