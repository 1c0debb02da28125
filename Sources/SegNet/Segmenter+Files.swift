public import SegNetPlatform

extension Segmenter {
    /// Segments a PNG or JPEG file; see `segment(_:_:)` of an image. A network that reads several files for a picture gets a
    /// `MultichannelImage`.
    /// - Throws: `ImageError` naming the file if it cannot be read; else as of an image.
    public func segment(contentsOf url: URL, _ request: Request = Request()) throws -> Segmentation {
        try segment(read(url.path(percentEncoded: false)), request)
    }
}
