import CSegNetKernels
import SegNetGraph

//  Classes and probabilities from the class scores. Where a network learns, the loss takes the place of these layers, so they have no
//  gradient.

/// Softmax over the channels.
struct SoftmaxStep: Step {
    let input: ValueID
    let output: ValueID

    func forward(_ run: Run) {
        run.forEachRows(output) { picture, rows in
            let (from, to) = (run.map(input, picture: picture), run.map(output, picture: picture))
            run.kernels.softmax(from, channels: run.values[input].channels, to: to, rows)
        }
    }

    func backward(_ run: Run, _ gradients: Gradients) {}
}

/// The class with the greatest score of each pixel. Scores that are NaN or infinite leave `noClass` where they are looked for.
struct ArgmaxStep: Step {
    /// The id of a pixel whose scores are not finite. No class has it: their ids end below.
    static let noClass = UInt16.max

    let input: ValueID
    let output: ValueID
    let height: Int
    let width: Int

    func forward(_ run: Run) {
        let channels = run.values[input].channels
        run.forEachRows(input) { picture, rows in
            let ids = run.classIDs(output, picture: picture)
            Self.classify(run.map(input, picture: picture), channels, to: ids, rows, run.kernels)
        }
    }

    /// The scores of a band are gone after the run, so they are checked here.
    private static func classify(
        _ scores: sn_map,
        _ channels: Int,
        to ids: UnsafeMutablePointer<UInt16>,
        _ rows: Range<Int>,
        _ kernels: sn_kernels
    ) {
        kernels.argmax(scores, channels: channels, to: ids, rows)
        for row in rows {
            for column in scores.pixelsNotFinite(row: row, channels: channels) {
                ids[row * scores.width + column] = noClass
            }
        }
    }

    func backward(_ run: Run, _ gradients: Gradients) {}
}

/// The pixels whose scores are looked at for NaN and infinities: in each row every 32nd, along the diagonals of squares. Where
/// weights make scores overflow, they do so over larger areas than such a square, and a look at every pixel would cost a few per cent of a
/// small network's time.
enum CheckedPixels {
    static func columns(row: Int, width: Int) -> StrideTo<Int> { stride(from: row % 32, to: width, by: 32) }
}

extension sn_map {
    /// The checked columns of a row where a number is NaN or infinite.
    func pixelsNotFinite(row: Int, channels: Int) -> [Int] {
        guard let data else { return [] }
        let lanes = SIMD16<Int32>(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
        var found: [Int] = []
        let start = data + row % rows * width * 16
        for column in CheckedPixels.columns(row: row, width: width) {
            var sum = SIMD16<Float>()
            for block in 0..<blockCount(channels) {
                let line = UnsafeRawPointer(start + block * block_stride + column * 16)
                    .load(as: SIMD16<Float>.self)
                // 0, or NaN.
                sum += (line * 0).replacing(with: 0, where: lanes .>= Int32(truncatingIfNeeded: channels - block * 16))
            }
            if sum.sum() != 0 { found.append(column) }
        }
        return found
    }
}

extension ArgmaxStep: RowLocalStep {
    /// About 64 KiB of scores.
    private var rowsPerGroup: Int { max(1, min(height, 1024 / max(1, width))) }

    var rowGroups: RowGroups? { RowGroups(rows: rowsPerGroup, height: height, items: 1) }

    func inputRows(for rows: Range<Int>) -> Range<Int> { rows.clamped(to: 0..<height) }

    func begin(_ run: Run) -> RowGroupBody {
        let channels = run.values[input].channels
        let (map, ids) = (run.map(input), run.classIDs(output))
        let rows = rowsPerGroup
        return { _, group, _ in
            let range = group * rows..<min(height, (group + 1) * rows)
            Self.classify(map, channels, to: ids, range, run.kernels)
        }
    }
}
