import CSegNetKernels

/// Softmax over the channels.
struct SoftmaxStep: Step {
    let input: ValueID
    let output: ValueID

    func run(_ run: Run) {
        let channels = run.placements[input.index].channels
        var (input, output) = (run.map(input), run.map(output))
        withUnsafePointer(to: &input) { input in
            withUnsafePointer(to: &output) { output in
                run.forEachPiece(blocks: 1, height: output.pointee.height, width: output.pointee.width) {
                    run.kernels.softmax(input, channels, output, $1, $2)
                }
            }
        }
    }
}

/// The class with the greatest score of each pixel.
struct ArgmaxStep: Step {
    let input: ValueID
    let output: ValueID
    let height: Int
    let width: Int

    func run(_ run: Run) {
        let channels = run.placements[input.index].channels
        let ids = run.classIDs(output)
        var input = run.map(input)
        withUnsafePointer(to: &input) { input in
            run.forEachPiece(blocks: 1, height: input.pointee.height, width: input.pointee.width) {
                run.kernels.argmax(input, channels, ids, $1, $2)
            }
        }
    }
}

extension ArgmaxStep: RowLocalStep {
    /// About 64 KiB of scores an item.
    var rowGroups: RowGroups? {
        RowGroups(rows: max(1, min(height, 1024 / max(1, width))), height: height, items: 1)
    }

    func inputRows(for rows: Range<Int>) -> Range<Int> { rows.clamped(to: 0..<height) }

    func begin(_ run: Run) -> RowGroupBody {
        let channels = run.placements[input.index].channels
        let ids = run.classIDs(output)
        let map = run.map(input)
        let rows = max(1, min(height, 1024 / max(1, width)))
        return { _, group, _ in
            var map = map
            run.kernels.argmax(&map, channels, ids, group * rows, min(height, (group + 1) * rows))
        }
    }
}
