public import SegNetImages

extension LabelMap {
    /// The connected regions of equal class with their borders, by their first pixels, row by row.
    ///
    /// Borders run between pixels. Neighbours share them: each stretch between two places where three regions meet is simplified once,
    /// for both, so that no gap and no overlap comes about. Simplifying leaves out corners, moves none, never lets two borders touch or
    /// cross that did not before, and keeps every region and hole; corners of the picture stay.
    ///
    /// With a tolerance of 0 `LabelCanvas.fill` makes the same map of the polygons again. Polygons are simple: a ring meets itself nowhere,
    /// and two rings of one polygon meet at single corners at most.
    ///
    /// - Parameter tolerance: How far, in pixels, a corner that is left out may lie from the simplified border, at least 0.
    /// - Returns: The regions of all class ids, also of those that stand for void.
    /// - Complexity: Proportional to the pixels and corners; about 10 bytes of memory for each pixel.
    public func regions(tolerance: Double = 0) -> [LabelRegion] {
        var graph = BorderGraph(RegionLabels(self))
        if tolerance > 0 { graph.simplify(tolerance: tolerance) }
        return graph.regions()
    }
}
