import SegNetNetworks
import SegNetPlatform

/// How a value lies in memory.
enum ValueLayout: Hashable, Sendable {
    /// [H][W][C] for pictures.
    case thin
    /// [C/16][H][W][16]
    case blocked
    /// The same in float16: what learning keeps from the forward to the backward pass.
    case half
    /// 2 bits per pooled value.
    case indices
    /// One class id of 16 bits per pixel.
    case classIDs
}

/// A value at one size: its shape and its layout, for one picture.
struct Value: Sendable, Hashable {
    var layout: ValueLayout
    var channels: Int
    var height: Int
    var width: Int
    /// For pooling indices: the size of the map that was pooled.
    var pooledHeight = 0
    var pooledWidth = 0
    /// Rows that exist at a time, if the map is a ring between two steps of a chain; nil: all.
    var ringRows: Int?
    /// Whether a learnt parameter lies before it, so that its gradient is wanted.
    var needsGradient = false

    init(_ blob: BlobShape, _ layout: ValueLayout) {
        self.layout = layout
        channels = blob.shape.channels
        height = blob.shape.height
        width = blob.shape.width
        pooledHeight = blob.pooledFrom?.height ?? 0
        pooledWidth = blob.pooledFrom?.width ?? 0
    }

    var pooledSize: (Int, Int) { (pooledHeight, pooledWidth) }

    var blocks: Int { blockCount(channels) }
    /// Rows that exist at a time: row y of a blocked map lies at y % rows.
    var rows: Int { ringRows ?? height }

    /// Whole cache lines.
    var byteCount: Int {
        let bytes =
            switch layout {
            case .thin: saturatingProduct(channels, height, width, 4)
            case .blocked: saturatingProduct(blocks, rows, width, 64)
            case .half: saturatingProduct(blocks, height, width, 32)
            case .indices: saturatingProduct(blocks, height, width, 4)
            case .classIDs: saturatingProduct(height, width, 2)
            }
        return saturatingSum([bytes, 63]) / 64 * 64
    }

    /// Bytes of the gradient, which is always blocked and float32.
    var gradientByteCount: Int { saturatingProduct(blocks, height, width, 64) }
}
