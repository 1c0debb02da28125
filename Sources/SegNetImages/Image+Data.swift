public import SegNetPlatform

extension Image {
    /// Decodes the bytes of a picture file of any known format; see `init(path:limits:)`.
    /// - Parameter name: What errors call it.
    public init(decoding data: Data, name: String = "picture", limits: DecodingLimits = DecodingLimits())
        throws(ImageError)
    {
        try self.init(decoding: [UInt8](data), name: name, limits: limits)
    }

    /// The picture as a PNG file of 8 bits per sample; see `encodedPNG()`.
    public func pngData() throws(ImageError) -> Data { Data(try encodedPNG()) }

    /// The picture as a JPEG file; see `encodedJPEG(quality:keepsFullColor:)`.
    public func jpegData(quality: Int = 90, keepsFullColor: Bool = false) throws(ImageError) -> Data {
        Data(try encodedJPEG(quality: quality, keepsFullColor: keepsFullColor))
    }
}

extension LabelMap {
    /// Decodes the bytes of a label PNG or TIFF; see `init(path:limits:)`.
    /// - Parameter name: What errors call it.
    public init(decoding data: Data, name: String = "labels", limits: DecodingLimits = DecodingLimits())
        throws(ImageError)
    {
        try self.init(decoding: [UInt8](data), name: name, limits: limits)
    }

    /// The map as a PNG file; see `encodedPNG(table:)`.
    public func pngData(table: ClassTable? = nil) throws(ImageError) -> Data { Data(try encodedPNG(table: table)) }
}
