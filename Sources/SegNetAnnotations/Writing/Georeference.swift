internal import SegNetImages
import SegNetPlatform

/// Where on Earth a picture's pixels lie: an affine map from pixels to the coordinates of some reference system. The tags of a TIFF that
/// say so are `GeoTIFFTags`.
public struct Georeference: Sendable, Hashable {
    /// x = a * column + b * row + c, y = d * column + e * row + f, with columns and rows from the picture's upper left corner.
    public var a: Double
    public var b: Double
    public var c: Double
    public var d: Double
    public var e: Double
    public var f: Double
    /// The EPSG code of the reference system; nil where it is not known, as with a world file alone.
    public var epsgCode: Int?

    public init(a: Double, b: Double, c: Double, d: Double, e: Double, f: Double, epsgCode: Int? = nil) {
        (self.a, self.b, self.c) = (a, b, c)
        (self.d, self.e, self.f) = (d, e, f)
        self.epsgCode = epsgCode
    }

    /// Reads the place from a picture's GeoTIFF tags, or else from the world file next to it; nil if there is neither.
    ///
    /// The tags are the transformation, or the pixel scale with its tiepoint. Those of a picture that is stored turned are not read,
    /// because they are about the pixels as they are stored.
    /// - Throws: `AnnotationError` as `init(worldFile:)`, about the tags too.
    public init?(picture path: String) throws(AnnotationError) {
        // Whoever reads the picture reports a file that cannot be read as a TIFF.
        let tags = TIFFFile.isTIFF(path: path) ? try? GeoTIFFTags(path: path) : nil
        if let place = tags?.transform {
            self.init(a: place.a, b: place.b, c: place.c, d: place.d, e: place.e, f: place.f)
            guard isUsable else {
                throw AnnotationError(
                    "\(path): its GeoTIFF tags give its pixels no place on a map; correct them, or remove them."
                )
            }
        } else {
            try self.init(besides: path)
        }
        epsgCode = tags?.epsgCode
    }

    /// Reads a world file: six lines with a, d, b, e and the place of the first pixel's centre.
    /// - Throws: `AnnotationError` if it does not have six numbers, or these map all pixels to a line or beyond all coordinates.
    public init(worldFile path: String) throws(AnnotationError) {
        let text = String(decoding: try AnnotationText.read(path), as: UTF8.self)
        let words = text.split(whereSeparator: \.isWhitespace)
        let numbers = words.compactMap { Double($0) }.filter(\.isFinite)
        guard words.count == 6, numbers.count == 6 else {
            throw AnnotationError(
                "\(path): is not a world file, which has six lines with one number each; correct it, or remove it."
            )
        }
        self.init(a: numbers[0], b: numbers[2], c: 0, d: numbers[1], e: numbers[3], f: 0)
        c = numbers[4] - a / 2 - b / 2
        f = numbers[5] - d / 2 - e / 2
        guard isUsable else {
            let found = numbers.map { "\($0)" }.joined(separator: ", ")
            throw AnnotationError(
                "\(path): its numbers (\(found)) give the pixels no place on a map; correct it, or remove it."
            )
        }
    }

    /// Whether each pixel has a place of its own, with coordinates that are numbers.
    private var isUsable: Bool {
        // Far beyond any map; a million times that is still a number.
        [a, b, c, d, e, f].allSatisfy { abs($0) <= 1e100 } && a * e - b * d != 0
    }

    /// Reads the world file next to a picture, if there is one: `photo.jpg` may have `photo.jgw`, `photo.jpgw` or `photo.wld`.
    /// - Throws: `AnnotationError` as `init(worldFile:)` does.
    public init?(besides picture: String) throws(AnnotationError) {
        guard let dot = picture.lastIndex(of: "."), !picture[dot...].contains("/") else { return nil }
        let (stem, ending) = (picture[..<dot], picture[picture.index(after: dot)...])
        guard let first = ending.first, let last = ending.last else { return nil }
        let endings = ["\(first)\(last)w", "\(ending)w", "wld"]
        let files = (endings + endings.map { $0.uppercased() }).map { "\(stem).\($0)" }
        guard let file = files.first(where: { FileManager.default.fileExists(atPath: $0) }) else { return nil }
        try self.init(worldFile: file)
    }

    func map(_ point: PixelPoint) -> [Double] {
        [a * point.x + b * point.y + c, d * point.x + e * point.y + f]
    }

    /// Whether it turns clockwise into anticlockwise, as north-up pictures do.
    var isMirrored: Bool { a * e - b * d < 0 }
}
