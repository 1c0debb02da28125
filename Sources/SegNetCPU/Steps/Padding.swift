import CSegNetKernels
import SegNetGraph

/// A map with zeros at the bottom and right, up to the size of the output. The gradient leaves them out.
struct PaddingStep: Step {
    let input: ValueID
    let output: ValueID

    func forward(_ run: Run) {
        let isThin = run.values[input].layout == .thin
        run.forEachRows(output) { picture, rows in
            if isThin {
                copyThin(run, picture, rows)
            } else {
                copyBlocked(run, picture, rows)
            }
        }
    }

    private func copyThin(_ run: Run, _ picture: Int, _ rows: Range<Int>) {
        let (from, to) = (run.thin(input, picture: picture), run.thin(output, picture: picture))
        guard let source = from.data, let target = to.data else { return }
        let (length, width) = (from.width * from.channels, to.width * to.channels)
        for row in rows {
            let count = row < from.height ? length : 0
            if count > 0 { (target + row * width).update(from: source + row * length, count: count) }
            (target + row * width + count).update(repeating: 0, count: width - count)
        }
    }

    private func copyBlocked(_ run: Run, _ picture: Int, _ rows: Range<Int>) {
        let (from, to) = (run.map(input, picture: picture), run.map(output, picture: picture))
        guard let source = from.data, let target = to.data else { return }
        let (length, width) = (from.width * 16, to.width * 16)
        for block in 0..<to.blocks {
            for row in rows {
                let line = target + block * to.block_stride + row * width
                let count = row < from.height ? length : 0
                if count > 0 { line.update(from: source + block * from.block_stride + row * length, count: count) }
                (line + count).update(repeating: 0, count: width - count)
            }
        }
    }

    func backward(_ run: Run, _ gradients: Gradients) {
        guard gradients.wants(input) else { return }
        run.forEachItem(input) { block, picture, rows in
            let dx = MapView(gradients.target(input, picture: picture))
            let dy = MapView(gradients.map(output, picture: picture))
            for row in rows {
                for column in 0..<dx.width { dx.setLine(block, row, column, dy.line(block, row, column)) }
            }
        }
    }
}
