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

    func clear(block: Int) {
        (data + block * map.block_stride).update(repeating: 0, count: map.height * map.width * 16)
    }
    func clear() { for block in 0..<map.blocks { clear(block: block) } }
}
