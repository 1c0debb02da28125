public import SegNetPlatform

extension LabelMap {
    /// Reads a label PNG or TIFF: the indices of a palette file, or the unchanged gray values of a gray file.
    ///
    /// 1, 2, 4, 8 and 16 bits. Nothing is scaled (a 2-bit gray 3 is class 3; as a picture it would be white), colours
    /// do not matter, and alpha next to gray is dropped. RGB pictures and other formats are refused: see
    /// `init(coloring:table:)`.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - limits: Limits for the file.
    /// - Throws: `ImageError` naming the file.
    public init(path: String, limits: DecodingLimits = DecodingLimits()) throws(ImageError) {
        if TIFFFile.isTIFF(path: path) {
            self = try LabelMap(TIFFFile(path: path), name: path, limits: limits)
            return
        }
        try self.init(decoding: try FileAccess.read(path, limit: limits.maximumFileBytes), name: path, limits: limits)
    }

    /// Reads a label PNG or TIFF; see `init(path:limits:)`.
    public init(contentsOf url: URL, limits: DecodingLimits = DecodingLimits()) throws(ImageError) {
        try self.init(path: url.path(percentEncoded: false), limits: limits)
    }

    /// Decodes the bytes of a label PNG or TIFF; see `init(path:limits:)`.
    /// - Parameters:
    ///   - bytes: The whole file.
    ///   - name: Its name in errors.
    ///   - limits: Limits for the file.
    public init(decoding bytes: [UInt8], name: String, limits: DecodingLimits = DecodingLimits()) throws(ImageError) {
        do throws(ImageError) {
            self = try ByteReader.read(bytes) { (file) throws(ImageError) in
                switch try PictureFormat(of: file) {
                case .png:
                    let (width, height, numbers) = try PNG.decodeNumbers(file, limits: limits)
                    return LabelMap(uncheckedWidth: width, height: height, ids: numbers)
                case .tiff: return try LabelMap(TIFFFile(file), name: name, limits: limits)
                case .jpeg: throw ImageError(nil, .notLabels("a JPEG, whose compression changes values"))
                case let other: throw ImageError(nil, .notLabels("a picture (\(other.rawValue))"))
                }
            }
        } catch {
            throw error.of(file: name)
        }
    }

    private init(_ file: TIFFFile, name: String, limits: DecodingLimits) throws(ImageError) {
        guard let numbers = try file.numbers(limits) else {
            throw ImageError(name, .notLabels("a picture in colours"))
        }
        self = LabelMap(uncheckedWidth: file.width, height: file.height, ids: numbers).turned(file.orientation)
    }

    /// The map as a PNG that `init(path:limits:)` reads back exactly.
    ///
    /// Without a table: gray of 8 bits, or of 16 if an id is above 255. With one: a palette file of 8 bits whose
    /// indices are the ids and whose colours are the table's; viewers show it in colour.
    ///
    /// - Throws: `ImageError` if a palette is asked for and an id is above 255.
    public func encodedPNG(table: ClassTable? = nil) throws(ImageError) -> [UInt8] {
        let greatest = Int(ids.max() ?? 0)
        if greatest <= 255 {
            let narrow = ids.map { UInt8(truncatingIfNeeded: $0) }
            let palette = table?.palette(count: max(greatest + 1, table?.classes.count ?? 0)) ?? []
            return try narrow.withUnsafeBufferPointer { (samples) throws(ImageError) in
                try PNG.encode(
                    samples,
                    width: width,
                    height: height,
                    colorType: palette.isEmpty ? 0 : 3,
                    palette: palette
                )
            }
        }
        guard table == nil else { throw ImageError(nil, .idTooLarge(greatest, limit: 255)) }
        return try ids.withUnsafeBufferPointer { (samples) throws(ImageError) in
            try PNG.encode(samples, width: width, height: height, colorType: 0)
        }
    }

    /// Writes the map as a PNG under a temporary name and renames it; see `encodedPNG(table:)`.
    public func write(path: String, table: ClassTable? = nil) throws(ImageError) {
        let bytes: [UInt8]
        do throws(ImageError) {
            bytes = try encodedPNG(table: table)
        } catch {
            throw error.of(file: path)
        }
        try FileAccess.write(bytes, to: path)
    }

    /// Writes the map as a PNG; see `write(path:table:)`.
    public func write(to url: URL, table: ClassTable? = nil) throws(ImageError) {
        try write(path: url.path(percentEncoded: false), table: table)
    }
}
