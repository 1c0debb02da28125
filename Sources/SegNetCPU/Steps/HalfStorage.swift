import CSegNetKernels
import SegNetGraph

//  Maps that are stored in 16 bits between the passes (`TrainingStorage.float16`).
//
//  Arithmetic stays float32: whoever computes such a map rounds it once, and both passes read the rounded numbers, so that the backward
//  pass is the gradient of what the forward pass computed. Elementwise steps read and write items of rows through a worker's scratch, which
//  stays in its cache; a convolution reads a whole map, which `WideningStep` makes for it.

extension Run {
    /// Rows of a value as float32: the map itself, or a copy in the worker's scratch.
    func rows(_ value: ValueID, worker: Int, _ block: Int, picture: Int, _ range: Range<Int>) -> sn_map {
        let shape = values[value]
        guard shape.layout == .half else { return map(value, picture: picture) }
        let copy = sn_map(rows: range.count, of: shape, at: crew.scratch(worker))
        let from = halves(value, picture: picture)
        let line = shape.width * 16
        for row in range {
            kernels.widen(
                from + (block * shape.height + row) * line,
                crew.scratch(worker) + row % copy.rows * line,
                line
            )
        }
        return copy
    }

    /// Rounds rows of a float32 map to a value. Finite numbers beyond the range of float16 become its greatest; they are counted, so that a
    /// user is told. Infinities and NaN stay, so that a broken run is noticed as in float32.
    func store(_ map: sn_map, _ value: ValueID, worker: Int, _ block: Int, picture: Int, _ range: Range<Int>) {
        let shape = values[value]
        guard let data = map.data else { return }
        let to = halves(value, picture: picture)
        let line = shape.width * 16
        var count = 0
        for row in range {
            count += kernels.narrow_saturated(
                data + block * map.block_stride + row % map.rows * line,
                to + (block * shape.height + row) * line,
                line
            )
        }
        learning?.beyond[worker * LearningMemory.countStride] += count
    }

    private func halves(_ value: ValueID, picture: Int) -> UnsafeMutablePointer<UInt16> {
        data(value, picture: picture).assumingMemoryBound(to: UInt16.self)
    }
}

extension sn_map {
    /// Some rows of one block of a map, alone in memory: every block number leads to them.
    init(rows: Int, of shape: Value, at address: UnsafeMutablePointer<Float>) {
        self.init(
            data: address,
            blocks: shape.blocks,
            height: shape.height,
            width: shape.width,
            rows: max(1, rows),
            block_stride: 0
        )
    }
}
