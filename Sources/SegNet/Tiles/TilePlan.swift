internal import SegNetCPU
internal import SegNetPlatform

/// Where the tiles of a picture are, and what is taken from each.
package struct TilePlan: Sendable, Hashable {
    /// One axis: columns or rows.
    package struct Axis: Sendable, Hashable {
        /// The pixels that each tile reads. All tiles have the same length, except that the last may be shorter.
        package let tiles: [Range<Int>]
        /// Where one tile's part of the result ends and the next one's begins. There is one cut fewer than tiles.
        package let cuts: [Int]
        /// The number of pixels around a cut for which both tiles count; 0 for none.
        package let ramp: Int

        /// - Parameters:
        ///   - overlap: In whole grains, below `tile`.
        ///   - tile: In whole grains.
        init(size: Int, tile: Int, overlap: Int, grain: Int, ramp: Int) {
            var starts = [0]
            // The last tile ends with the picture and is shorter than the others by less than a grain.
            let last = max(0, size - tile + grain - 1) / grain * grain
            while let start = starts.last, start + tile < size { starts.append(min(start + tile - overlap, last)) }
            tiles = starts.map { $0..<min($0 + tile, size) }
            cuts = starts.dropFirst().map { $0 + overlap / 2 }
            self.ramp = ramp
        }

        /// The least number of pixels between neighbouring cuts; nil for fewer than two cuts.
        fileprivate var leastDistance: Int? { zip(cuts, cuts.dropFirst()).map { $1 - $0 }.min() }

        /// The part of the result that is taken from a tile, half of the ramps included.
        func part(_ index: Int) -> Range<Int> {
            let first = index == 0 ? 0 : cuts[index - 1] - ramp / 2
            return first..<(index == cuts.count ? tiles[index].upperBound : cuts[index] + ramp / 2)
        }

        /// Where the part that is final after a tile ends.
        func end(_ index: Int) -> Int { index == cuts.count ? tiles[index].upperBound : cuts[index] - ramp / 2 }

        /// The weight of the tile after a cut, at a pixel of its ramp.
        func weight(_ position: Int, cut: Int) -> Float {
            (Float(position - (cuts[cut] - ramp / 2)) + 0.5) / Float(ramp)
        }
    }

    package let columns: Axis
    package let rows: Axis
    /// The number of pixels that neighbouring tiles share.
    package let overlap: Int
    /// How closely the result agrees with that of the whole picture.
    package let agreement: Agreement

    package enum Agreement: Sendable, Hashable {
        /// The same, bit for bit.
        case exact
        /// The same except for rounding: tiles see all that their pixels depend on.
        case rounding
        /// Tiles see less, and probabilities are blended.
        case blended
    }

    /// The widest ramp. Probabilities in a ramp between rows of tiles are kept for the whole width of the picture. Further from the cut,
    /// one tile alone judges better anyway.
    private static let widestRamp = 64

    package var tileCount: Int { columns.tiles.count * rows.tiles.count }

    /// - Parameters:
    ///   - reach: The network's reach; nil if it is not known.
    ///   - blends: Whether there are probabilities, which can be blended.
    /// - Throws: `TilingProblem` if a tile is smaller than a pixel of the network's coarsest maps, or consists of overlap only.
    init(_ tiling: Segmenter.Tiling, width: Int, height: Int, reach: NetworkReach?, blends: Bool) throws(TilingProblem)
    {
        guard tiling.width > 0, tiling.height > 0, tiling.overlap ?? 0 >= 0 else {
            throw TilingProblem(
                reason: "tiles of \(tiling) are not possible; sides are at least 1, overlaps at least 0."
            )
        }
        let smaller = min(tiling.width, tiling.height)
        // 32 is the stride of most networks.
        let stride = reach?.totalStride ?? 32
        guard smaller >= stride else {
            // With the least overlap, two strides, something is left of it.
            let least = 3 * stride
            let side = reach.map { 2 * $0.windowOverlap }
            let sensible = side.map { "; from \($0)x\($0) up, a tile sees all that the whole picture would show it" }
            throw TilingProblem(
                reason:
                    "tiles of \(tiling.width)x\(tiling.height) are "
                    + (reach == nil
                        ? "too small for this network"
                        : "smaller than one pixel of its coarsest map, which covers \(stride)x\(stride) pixels of a picture")
                    + ". Give a \(UserChoice.tile) of at least \(least)x\(least)\(sensible ?? "")."
            )
        }
        let levels = reach.map { [$0.exactOverlap, $0.windowOverlap] } ?? []
        let wanted = tiling.overlap ?? levels.first { 2 * $0 <= smaller } ?? smaller / 4
        if let reach, wanted >= reach.exactOverlap {
            agreement = .exact
        } else if let reach, wanted >= reach.windowOverlap {
            agreement = .rounding
        } else {
            // A single tile is the whole picture.
            agreement = width <= tiling.width && height <= tiling.height ? .exact : .blended
        }
        // In whole strides, poolings see the same windows as in the whole picture.
        let grain = agreement == .exact ? reach?.grain ?? stride : stride
        // Whoever wants no limit gives the greatest number there is.
        func up(_ value: Int, _ unit: Int) -> Int { (min(value, Int.max - unit) + unit - 1) / unit * unit }
        // Half of it on either side of the cut.
        let overlap = up(wanted, 2 * grain)
        let (tileWidth, tileHeight) = (up(tiling.width, grain), up(tiling.height, grain))
        guard overlap < tileWidth || width <= tileWidth, overlap < tileHeight || height <= tileHeight else {
            throw TilingProblem(
                reason:
                    "tiles of \(tiling.width)x\(tiling.height) consist of overlap only (\(overlap) pixels, a multiple of "
                    + "\(2 * grain)); use a larger \(UserChoice.tile), or a smaller \(UserChoice.overlap)."
            )
        }
        self.overlap = overlap
        func axes(ramp: Int) -> (columns: Axis, rows: Axis) {
            func axis(_ size: Int, _ tile: Int) -> Axis {
                Axis(size: size, tile: tile, overlap: min(overlap, tile - grain), grain: grain, ramp: ramp)
            }
            return (axis(width, tileWidth), axis(height, tileHeight))
        }
        let plain = axes(ramp: 0)
        guard agreement == .blended, blends else {
            (columns, rows) = plain
            return
        }
        // The last tile may begin just after the one before it. Ramps that met would mix three tiles.
        let distances = [plain.columns, plain.rows].compactMap(\.leastDistance)
        // Half of it on either side of the cut.
        let ramp = min(overlap, Self.widestRamp, distances.min() ?? Self.widestRamp) / 2 * 2
        (columns, rows) = axes(ramp: ramp)
    }
}

/// A tiling that is not possible.
struct TilingProblem: Error {
    var reason: String
}
