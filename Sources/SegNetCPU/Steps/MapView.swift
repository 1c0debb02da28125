import CSegNetKernels

/// A blocked map by channel, row and column, for layers that plain loops serve.
struct MapView {
    let map: sn_map
    private let data: UnsafeMutablePointer<Float>

    init(_ map: sn_map) {
        self.map = map
        // A map of a plan always has memory; an empty one would have no pixels either.
        data = map.data ?? UnsafeMutablePointer<Float>(bitPattern: 64).unsafelyUnwrapped
    }

    var height: Int { map.height }
    var width: Int { map.width }

    subscript(_ channel: Int, _ y: Int, _ x: Int) -> Float {
        @inline(__always) get { data[index(channel, y, x)] }
        @inline(__always) nonmutating set { data[index(channel, y, x)] = newValue }
    }

    @inline(__always)
    private func index(_ channel: Int, _ y: Int, _ x: Int) -> Int {
        channel / 16 * map.block_stride + (y * map.width + x) * 16 + channel % 16
    }

    /// The numbers of some rows of a block, which lie one behind the other.
    func rows(_ rows: Range<Int>, block: Int) -> UnsafeMutableBufferPointer<Float> {
        let line = map.width * 16
        return UnsafeMutableBufferPointer(
            start: data + block * map.block_stride + rows.lowerBound * line,
            count: rows.count * line
        )
    }

    /// The 16 channels of one pixel of a block.
    @inline(__always)
    func line(_ block: Int, _ y: Int, _ x: Int) -> SIMD16<Float> {
        UnsafeRawPointer(data + index(block * 16, y, x)).load(as: SIMD16<Float>.self)
    }

    @inline(__always)
    func setLine(_ block: Int, _ y: Int, _ x: Int, _ line: SIMD16<Float>) {
        UnsafeMutableRawPointer(data + index(block * 16, y, x)).storeBytes(of: line, as: SIMD16<Float>.self)
    }

    func clear(block: Int) {
        (data + block * map.block_stride).update(repeating: 0, count: map.height * map.width * 16)
    }
    func clear() { for block in 0..<map.blocks { clear(block: block) } }
}
