/// The Winograd tiles of one picture within a block of tiles, which may hold tiles of several pictures.
struct TileSegment {
    var picture: Int
    /// The first of its tiles in the picture's grid.
    var first: Int
    var count: Int
    /// Tiles of other pictures before it in the block.
    var before: Int

    /// Cuts a block of tiles, numbered through all pictures of `tiles` each, at the pictures' borders.
    static func cut(_ block: Range<Int>, tiles: Int) -> [TileSegment] {
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
