internal import SegNetPlatform

/// Runs a picture through the network tile by tile, row of tiles by row of tiles, and hands out finished rows.
///
/// Memory: the pixels of one row of tiles, the network's maps for one tile and, if tiles are blended, the probabilities of one ramp across
/// the picture.
package struct TiledRun {
    /// Finished rows of the result.
    package struct Rows {
        package var range: Range<Int>
        /// [rows, width]
        package var classIDs: [UInt16]
        /// [rows, width]; empty if it was not asked for.
        package var confidence: [Float]
    }

    private let segmenter: Segmenter
    private let plan: TilePlan
    private let request: Segmenter.Request
    private(set) var watch: StageWatch
    /// Called after each tile with the number of tiles that are done.
    package var onTile: ((_ done: Int) -> Void)?

    /// If neighbours are blended: the probabilities of the ramp between the last row of tiles and the next, across the picture. Each column
    /// is read for the last time before it is overwritten.
    private var between: [Float] = []
    /// Likewise for the ramp between the last tile and the next.
    private var beside: [Float] = []

    private var keepsConfidence: Bool { request.keeps.contains(.confidence) }
    private var isBlended: Bool { plan.columns.ramp > 0 }
    private var classCount: Int { segmenter.classCount }
    private var width: Int { plan.columns.tiles.last?.upperBound ?? 0 }

    package init(_ segmenter: Segmenter, _ plan: TilePlan, _ request: Segmenter.Request) {
        self.init(segmenter, plan, request, watch: StageWatch())
    }

    init(_ segmenter: Segmenter, _ plan: TilePlan, _ request: Segmenter.Request, watch: StageWatch) {
        self.segmenter = segmenter
        self.plan = plan
        self.request = request
        self.watch = watch
    }

    /// How many rows of the result are final after a number of rows of tiles.
    package static func finishedRows(_ plan: TilePlan, after tileRows: Int) -> Int {
        tileRows == 0 ? 0 : plan.rows.end(tileRows - 1)
    }

    /// All rows of tiles.
    /// - Parameters:
    ///   - first: The number of rows of tiles that an earlier run has done.
    ///   - each: Called with the rows that each row of tiles finishes, from the top down, without gaps.
    /// - Throws: `MemoryError`, `CancellationError`, and what the source and `each` throw.
    package mutating func all(of source: some PictureRows, from first: Int = 0, _ each: (Rows) throws -> Void) throws {
        if isBlended, first > 0 {
            // The ramp above was not kept: it is computed again.
            _ = try tileRow(first - 1, of: source)
        }
        for index in first..<plan.rows.tiles.count {
            let rows = try tileRow(index, of: source)
            if !rows.range.isEmpty { try each(rows) }
        }
    }

    /// The tiles of one row.
    private mutating func tileRow(_ index: Int, of source: some PictureRows) throws -> Rows {
        let range = plan.rows.tiles[index]
        let start = index == 0 ? 0 : plan.rows.end(index - 1)
        let finished = start..<plan.rows.end(index)
        var rows = Rows(
            range: finished,
            classIDs: [UInt16](repeating: 0, count: finished.count * width),
            confidence: keepsConfidence ? [Float](repeating: 0, count: finished.count * width) : []
        )
        if isBlended, between.isEmpty, !plan.rows.cuts.isEmpty {
            between = [Float](repeating: 0, count: classCount * plan.rows.ramp * width)
        }
        var watch = watch
        defer { self.watch = watch }
        let band = try source.picture(range)
        watch.lap(\.preparation)
        for column in plan.columns.tiles.indices {
            let tile = plan.columns.tiles[column]
            let picture = try band.cropped(columns: tile, rows: 0..<range.count)
            let size = PictureSize(width: tile.count, height: range.count)
            let answer = try segmenter.visit(picture, at: size, request, &watch) { workspace, pixels, watch in
                try segmenter.run(workspace, on: pixels, request, &watch)
                var asked = request
                asked.tiles = nil
                if isBlended { asked.keeps.insert(.probabilities) }
                asked.edges = .nearest
                return try segmenter.read(workspace, asked)
            }
            guard answer.width == tile.count, answer.height == range.count else {
                throw segmenter.failure(
                    "its result for a tile of \(tile.count)x\(range.count) is \(answer.width)x\(answer.height); tiles need a network "
                        + "whose result has the picture's size."
                )
            }
            let place = Place(row: index, column: column, finished: finished)
            if isBlended {
                blend(answer, at: place, into: &rows)
            } else {
                copy(answer, at: place, into: &rows)
            }
            watch.lap(\.reading)
            onTile?(index * plan.columns.tiles.count + column + 1)
        }
        return rows
    }

    /// The place of a tile.
    private struct Place {
        var row: Int
        var column: Int
        /// The rows that are final after its row of tiles.
        var finished: Range<Int>
    }

    /// Takes a tile's part.
    private func copy(_ answer: Segmenter.Answer, at place: Place, into rows: inout Rows) {
        let (left, top) = (
            plan.columns.tiles[place.column].lowerBound, plan.rows.tiles[place.row].lowerBound
        )
        let columns = plan.columns.part(place.column)
        for y in place.finished {
            let from = (y - top) * answer.width + columns.lowerBound - left
            let to = (y - place.finished.lowerBound) * width + columns.lowerBound
            rows.classIDs.replaceSubrange(to..<to + columns.count, with: answer.classIDs[from..<from + columns.count])
            if let confidence = answer.confidence {
                rows.confidence.replaceSubrange(to..<to + columns.count, with: confidence[from..<from + columns.count])
            }
        }
    }

    /// Takes a tile's part, mixed with its neighbours' in the ramps on its left and above, and keeps what is needed for the ramps on its
    /// right and below.
    private mutating func blend(_ answer: Segmenter.Answer, at place: Place, into rows: inout Rows) {
        guard let probabilities = answer.probabilities else { return }
        let (columnAxis, rowAxis, width, ramp) = (plan.columns, plan.rows, width, plan.columns.ramp)
        let (left, top) = (columnAxis.tiles[place.column].lowerBound, rowAxis.tiles[place.row].lowerBound)
        let (columns, part) = (columnAxis.part(place.column), rowAxis.part(place.row))
        let plane = answer.width * answer.height
        // Ramps of neighbouring cuts do not meet: the plan keeps them apart.
        let leftEnd = place.column == 0 ? columns.lowerBound : columns.lowerBound + ramp
        let rightStart = place.column == columnAxis.cuts.count ? columns.upperBound : columns.upperBound - ramp
        let topEnd = place.row == 0 ? part.lowerBound : part.lowerBound + ramp
        var next = [Float](
            repeating: 0,
            count: place.column == columnAxis.cuts.count ? 0 : classCount * part.count * ramp
        )
        var pixel = [Float](repeating: 0, count: classCount)
        for y in part {
            let isAbove = y < topEnd
            let isBelow = y >= place.finished.upperBound
            for x in columns {
                let at = (y - top) * answer.width + x - left
                if x >= rightStart {
                    // The ramp on the right, which is mixed with the next tile.
                    for id in 0..<classCount {
                        next[(id * part.count + y - part.lowerBound) * ramp + x - rightStart] =
                            probabilities[id * plane + at]
                    }
                    continue
                }
                let isBeside = x < leftEnd
                if !isAbove, !isBelow, !isBeside {
                    let to = (y - place.finished.lowerBound) * width + x
                    rows.classIDs[to] = answer.classIDs[at]
                    if let confidence = answer.confidence { rows.confidence[to] = confidence[at] }
                    continue
                }
                for id in 0..<classCount { pixel[id] = probabilities[id * plane + at] }
                if isBeside {
                    let weight = columnAxis.weight(x, cut: place.column - 1)
                    for id in 0..<classCount {
                        let other = beside[(id * part.count + y - part.lowerBound) * ramp + x - columns.lowerBound]
                        pixel[id] = other + (pixel[id] - other) * weight
                    }
                }
                if isAbove {
                    let weight = rowAxis.weight(y, cut: place.row - 1)
                    for id in 0..<classCount {
                        let other = between[(id * ramp + y - part.lowerBound) * width + x]
                        pixel[id] = other + (pixel[id] - other) * weight
                    }
                }
                if isBelow {
                    for id in 0..<classCount {
                        between[(id * ramp + y - place.finished.upperBound) * width + x] = pixel[id]
                    }
                } else {
                    store(pixel, at: (y - place.finished.lowerBound) * width + x, in: &rows)
                }
            }
        }
        beside = next
    }

    /// Stores the class with the highest probability; among equal ones the highest id, as everywhere.
    private func store(_ pixel: [Float], at index: Int, in rows: inout Rows) {
        var best = 0
        for id in pixel.indices where pixel[id] >= pixel[best] { best = id }
        rows.classIDs[index] = UInt16(truncatingIfNeeded: best)
        if keepsConfidence { rows.confidence[index] = pixel[best] }
    }
}
