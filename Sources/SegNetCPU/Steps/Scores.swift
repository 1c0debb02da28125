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

/// The class with the greatest score of each pixel.
struct ArgmaxStep: Step {
    let input: ValueID
    let output: ValueID
    let height: Int
    let width: Int

    func forward(_ run: Run) {
        let channels = run.values[input].channels
        run.forEachRows(input) { picture, rows in
            let ids = run.classIDs(output, picture: picture)
            run.kernels.argmax(run.map(input, picture: picture), channels: channels, to: ids, rows)
        }
    }

    func backward(_ run: Run, _ gradients: Gradients) {}
}

extension ArgmaxStep: RowLocalStep {
    /// About 64 KiB of scores an item.
    var rowGroups: RowGroups? {
        RowGroups(rows: max(1, min(height, 1024 / max(1, width))), height: height, items: 1)
    }

    func inputRows(for rows: Range<Int>) -> Range<Int> { rows.clamped(to: 0..<height) }

    func begin(_ run: Run) -> RowGroupBody {
        let channels = run.values[input].channels
        let (map, ids) = (run.map(input), run.classIDs(output))
        let rows = max(1, min(height, 1024 / max(1, width)))
        return { _, group, _ in
            let range = group * rows..<min(height, (group + 1) * rows)
            run.kernels.argmax(map, channels: channels, to: ids, range)
        }
    }
}
