internal import SegNetToolkit

/// The most memory that work takes, measured with pictures of noise, which compress least; docs/server.md has the figures.
enum MemoryNeed {
    /// For each pixel of the picture: the worst kind of file decoded (a progressive JPEG with four inks), the classes, and one picture of
    /// the answer being encoded.
    static let bytesPerPixel = 16
    /// For each pixel of a picture in JSON: the file in base64, and the text made from it.
    static let jsonBytesPerPixel = 12
    /// For each pixel of a run, in addition to the network's maps: the sum of the samples, their spread, the probabilities.
    static func bytesPerRunPixel(classes: Int) -> Int { 12 * classes }

    /// For a picture from its decoding to the answer's bytes.
    static func picture(pixels: Int, kinds: [OutputKind], isJSON: Bool) -> Int {
        let isLarge = isJSON && kinds.contains { [.overlay, .color, .cutout].contains($0) }
        return pixels * (isLarge ? bytesPerPixel + jsonBytesPerPixel : bytesPerPixel)
    }

    /// For a corner of the borders between classes: its tracing, its points in up to four rings, their text. Measured 2.2 KiB with a map of
    /// noise as GeoJSON, whose regions are of one pixel, and 0.5 KiB with long borders.
    static let bytesPerCorner = 2400

    /// For borders that are traced and written, in addition to the classes.
    static func polygons(pixels: Int, corners: Int) -> Int { pixels * bytesPerPixel + corners * bytesPerCorner }

    /// The most corners: as many as take no more than the largest picture does in JSON, which the forecast counts with.
    static func mostCorners(pixels: Int) -> Int { pixels * jsonBytesPerPixel / bytesPerCorner }

    /// For a network's run at another size than its own, whose memory was taken when the model was loaded.
    /// - Throws: `NetworkError` if the network does not fit the size.
    static func run(_ model: ServedModel, width: Int, height: Int) throws -> Int {
        let input = model.segmenter.network.input
        guard width != input.width || height != input.height else { return 0 }
        // Sides are below 2^31, and their product within the limit on pixels.
        let results = width * height * bytesPerRunPixel(classes: model.classes.count)
        return try model.segmenter.runBytes(width: width, height: height) + results
    }
}
