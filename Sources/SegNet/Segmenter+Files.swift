public import SegNetPlatform

extension Segmenter {
    /// Segments a picture file of any format that `Image(path:)` reads; see `segment(_:_:)` of an image. A network that reads several
    /// files for a picture needs a `MultichannelImage`.
    /// - Throws: `ImageError` naming the file if it cannot be read; otherwise as for an image.
    public func segment(contentsOf url: URL, _ request: Request = Request()) throws -> Segmentation {
        try segment(read(url.path(percentEncoded: false)), request)
    }
}
