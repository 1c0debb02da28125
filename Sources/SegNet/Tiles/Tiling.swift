extension Segmenter {
    /// How a picture is cut into tiles that run through the network one after the other at the picture's own size, so that memory does
    /// not grow with the picture.
    ///
    ///     segmenter.segment(aerial, .init(tiles: .init(width: 2048, height: 1024)))
    ///
    /// If tiles overlap by at least `NetworkReach.exactOverlap`, the result is that of the whole picture, bit for bit; with at least
    /// `windowOverlap` it is the same except for rounding. With less, neighbouring tiles see different things, and their probabilities are
    /// blended in the middle of the overlap. See docs/pictures.md, Tiles.
    public struct Tiling: Sendable, Hashable {
        /// The number of columns of a tile, overlaps included. It is rounded up to the network's grain.
        public var width: Int
        /// The number of rows of a tile, likewise.
        public var height: Int
        /// The number of pixels that neighbouring tiles share, rounded up to a multiple of two strides of the network, or of two grains
        /// where the result is exact. Nil chooses the overlap that gives the whole picture's result bit for bit if that is at most half of
        /// a tile; else the one that gives it except for rounding, likewise; else a quarter of a tile.
        public var overlap: Int?

        public init(width: Int = 1024, height: Int = 1024, overlap: Int? = nil) {
            self.width = width
            self.height = height
            self.overlap = overlap
        }
    }
}

extension Segmenter.Tiling: CustomStringConvertible {
    /// `1024x1024`, `2048x1024 overlap 256`
    public var description: String { "\(width)x\(height)" + (overlap.map { " overlap \($0)" } ?? "") }
}
