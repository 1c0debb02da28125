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
}
