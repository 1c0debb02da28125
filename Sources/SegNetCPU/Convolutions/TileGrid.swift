import CSegNetKernels
import SegNetNetworks
import SegNetPlatform

/// The Winograd tiles of one picture's output.
///
/// A window with dilation d reads every d-th pixel, so the convolution consists of d * d plain ones, each over the pixels
/// (p + d * i, q + d * j) of a phase (p, q). The tiles of all phases are numbered consecutively, so that one matrix product can take tiles
/// of several phases.
struct TileGrid: Sendable {
    /// Tiles in a row of tiles.
    let across: Int
    /// Rows of tiles of one phase.
    private let down: Int
    private let window: Window
    private let height: Int
    private let width: Int

    /// - Parameters:
    ///   - tile: m, the side of a tile.
    ///   - height, width: The size of the convolution's own output.
    init(_ window: Window, tile: Int, height: Int, width: Int) {
        self.window = window
        self.height = height
        self.width = width
        func tiles(_ size: Int, _ dilation: Int) -> Int { ((size + dilation - 1) / dilation + tile - 1) / tile }
        across = tiles(width, window.dilationX)
        down = tiles(height, window.dilationY)
    }

    /// All tiles of the picture.
    var count: Int { saturatingProduct(across, down, window.dilationY, window.dilationX) }

    var isDilated: Bool { window.dilationY > 1 || window.dilationX > 1 }

    /// The grid from one tile on.
    func kernelGrid(first: Int) -> sn_tile_grid {
        sn_tile_grid(
            across: across,
            first: first,
            padding_y: window.paddingY,
            padding_x: window.paddingX,
            height: height,
            width: width,
            dilation_y: window.dilationY,
            dilation_x: window.dilationX,
            down: down
        )
    }
}
