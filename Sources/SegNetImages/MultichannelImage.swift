/// A picture with further channels in addition to its colours, all of one size, for networks that read depth or heat.
///
///     let scene = try MultichannelImage(Image(path: "rgb.png"), ["depth": Plane(path: "depth.png")])
///     let result = try segmenter.segment(scene)
public struct MultichannelImage: Sendable, Hashable {
    /// The colours: gray, RGB or RGBA; nil where there are none.
    public let image: Image?
    /// Further channels by the names that the network has for them.
    public let planes: [String: Plane]
    /// Pixels in a row.
    public let width: Int
    /// Rows.
    public let height: Int

    /// - Throws: `ImageError` if there is neither picture nor plane, or if their sizes differ.
    public init(_ image: Image?, _ planes: [String: Plane] = [:]) throws(ImageError) {
        guard let size = image.map({ ($0.width, $0.height) }) ?? planes.values.first.map({ ($0.width, $0.height) })
        else { throw ImageError(nil, .impossibleShape(width: 0, height: 0, channels: 0, values: 0)) }
        for plane in planes.values where (plane.width, plane.height) != size {
            throw ImageError(
                nil,
                .sizesDiffer(width: plane.width, height: plane.height, neededWidth: size.0, neededHeight: size.1)
            )
        }
        self.image = image
        self.planes = planes
        (width, height) = size
    }

    /// A picture without further channels.
    public init(_ image: Image) {
        self.image = image
        planes = [:]
        (width, height) = (image.width, image.height)
    }

    /// A picture to look at: the picture itself, or the first plane by name as gray.
    /// - Throws: `ImageError` if there is neither, which `init` refuses.
    public func background() throws(ImageError) -> Image {
        if let image { return image }
        if let plane = planes.min(by: { $0.key < $1.key })?.value { return plane.image }
        return try Image(width: width, height: height, channels: 1)
    }
}
