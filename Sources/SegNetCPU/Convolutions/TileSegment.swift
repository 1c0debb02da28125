/// The Winograd tiles of one picture within a block of tiles, which may hold tiles of several pictures.
package struct TileSegment {
    package var picture: Int
    /// The first of its tiles in the picture's grid.
    package var first: Int
    package var count: Int
    /// Tiles of other pictures before it in the block.
    package var before: Int

    package init(picture: Int, first: Int, count: Int, before: Int) {
        self.picture = picture
        self.first = first
        self.count = count
        self.before = before
    }

    /// Cuts a block of tiles, numbered through all pictures of `tiles` each, at the pictures' borders.
    package static func cut(_ block: Range<Int>, tiles: Int) -> [TileSegment] {
        var result: [TileSegment] = []
        var start = block.lowerBound
        while start < block.upperBound {
            let picture = start / tiles
            let end = min(block.upperBound, (picture + 1) * tiles)
            result.append(
                TileSegment(
                    picture: picture,
                    first: start - picture * tiles,
                    count: end - start,
                    before: start - block.lowerBound
                )
            )
            start = end
        }
        return result
    }
}
