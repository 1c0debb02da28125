public import SegNetImages

extension LabelMap {
    /// The connected regions of equal class with their borders, in the order of their first pixels, row by row.
    ///
    /// Borders run between pixels. Neighbours share them: each stretch between two places where three regions meet is simplified once for
    /// both, so that there are no gaps and no overlaps. Simplifying leaves out corners but moves none. Borders that did not touch or cross
    /// before do not do so afterwards, every region and hole is kept, and so are the corners of the picture.
    ///
    /// With a tolerance of 0, `LabelCanvas.fill` turns the polygons back into the same map. Polygons are simple: a ring never meets itself,
    /// and two rings of one polygon meet at single corners at most.
    ///
    /// - Parameter tolerance: How far, in pixels, a corner that is left out may lie from the simplified border, at least 0.
    /// - Returns: The regions of all class ids, those for void included.
    /// - Complexity: Proportional to the pixels and corners; about 10 bytes of memory for each pixel.
    public func regions(tolerance: Double = 0) -> [LabelRegion] {
        var graph = BorderGraph(RegionLabels(self))
        if tolerance > 0 { graph.simplify(tolerance: tolerance) }
        return graph.regions()
    }

    /// At how many corners of pixels borders between classes, and that of the picture, turn or meet.
    ///
    /// `regions(tolerance: 0)` has each of these points once to four times, and no others: it says beforehand how much that will be.
    /// - Complexity: Proportional to the pixels; no memory.
    public var borderCornerCount: Int {
        // The picture's own corners.
        var count = 4
        ids.withUnsafeBufferPointer { ids in
            for x in 1..<width {
                if ids[x] != ids[x - 1] { count += 1 }
                let last = (height - 1) * width + x
                if ids[last] != ids[last - 1] { count += 1 }
            }
            for y in 1..<height {
                let (above, row) = ((y - 1) * width, y * width)
                if ids[row] != ids[above] { count += 1 }
                if ids[row + width - 1] != ids[above + width - 1] { count += 1 }
                for x in 1..<width {
                    let (northWest, northEast) = (ids[above + x - 1], ids[above + x])
                    let (southWest, southEast) = (ids[row + x - 1], ids[row + x])
                    let isStraight =
                        northWest == northEast && southWest == southEast
                        || northWest == southWest && northEast == southEast
                    if !isStraight { count += 1 }
                }
            }
        }
        return count
    }
}
