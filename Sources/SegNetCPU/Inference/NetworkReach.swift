import CSegNetKernels
import SegNetGraph
import SegNetNetworks
import SegNetPlatform

/// Which pixels of a picture decide a pixel of a network's result. This is needed to cut pictures into tiles.
///
/// It is found by walking from the result back to the picture through the prepared graph. A convolution in the Winograd domain rounds all
/// numbers of a tile of outputs together, so that a neighbour outside the window can change the last bit: there the whole tile counts. See
/// docs/pictures.md, Tiles.
public struct NetworkReach: Sendable, Hashable, Codable {
    /// The largest step of a map in pixels of the picture: 32 for five poolings.
    public let totalStride: Int
    /// The width in pixels of the area on which a pixel of the result depends, the largest at any place.
    public let receptiveField: Int
    /// Tiles that begin at multiples of this many pixels have pooling windows and Winograd tiles in the same places as the whole picture.
    public let grain: Int
    /// How far from a part that begins and ends at multiples of `grain` a pixel can change a bit of its result.
    public let exactMargin: Int
    /// How far from a part that begins and ends at multiples of `totalStride` a pixel can change its result by more than rounding.
    public let windowMargin: Int

    /// How far tiles have to overlap so that the result is that of the whole picture, bit for bit: the same on both sides of the middle, in
    /// whole grains.
    public var exactOverlap: Int { 2 * ((exactMargin + grain - 1) / grain * grain) }

    /// How far tiles have to overlap so that the result is that of the whole picture except for rounding, in whole strides.
    public var windowOverlap: Int { 2 * ((windowMargin + totalStride - 1) / totalStride * totalStride) }
}

extension PreparedNetwork {
    /// The network's reach. Nil if its result depends on the whole picture or on its size: because of fully connected layers, means over
    /// the picture, or maps that are enlarged with aligned corners.
    public var reach: NetworkReach? {
        guard let rows = ReachWalk(self, isVertical: true), let columns = ReachWalk(self, isVertical: false) else {
            return nil
        }
        let grain = leastCommonMultiple(rows.grain, columns.grain)
        guard grain <= 1 << 12 else { return nil }
        let stride = max(rows.totalStride, columns.totalStride)
        return NetworkReach(
            totalStride: stride,
            receptiveField: max(rows.receptiveField(grain: grain), columns.receptiveField(grain: grain)),
            grain: grain,
            exactMargin: max(rows.margin(unit: grain, rounding: true), columns.margin(unit: grain, rounding: true)),
            windowMargin: max(rows.margin(unit: stride, rounding: false), columns.margin(unit: stride, rounding: false))
        )
    }
}

private func leastCommonMultiple(_ a: Int, _ b: Int) -> Int {
    var (x, y) = (a, b)
    while y != 0 { (x, y) = (y, x % y) }
    return a / max(x, 1) * b
}

/// One axis of a graph: rows or columns.
private struct ReachWalk {
    /// How a node's output depends on its input along the axis.
    private enum Link {
        case same
        /// Windows, whose taps begin at `-padding`.
        case window(extent: Int, stride: Int, padding: Int)
        /// The inverse of a window.
        case transposed(extent: Int, stride: Int, padding: Int)
        case unpooled
        case enlarged(Int)
        case shifted(Int)
    }

    private struct Part {
        var output: ValueID
        var further: [ValueID]
        var inputs: [ValueID]
        /// From the output to the inputs.
        var links: [Link]
        /// Which of the links is a convolution; nil if none is.
        var convolution: Int?
        /// How many outputs of the convolution are rounded together; 1 if each is rounded alone.
        var tile: Int
    }

    private var parts: [Part] = []
    /// By value: pixels of the picture from one element to the next.
    private var strides: [Int: Int] = [ValueID.input.index: 1]
    private let output: ValueID
    private(set) var grain = 1
    private(set) var totalStride = 1

    init?(_ prepared: PreparedNetwork, isVertical: Bool) {
        let graph = prepared.graph.graph
        let kernels = prepared.options.instructionSet.kernels
        guard let name = prepared.network.scoresBlob, let output = graph.outputs[name],
            let shapes = try? graph.shapes(prepared.network)
        else { return nil }
        self.output = output
        func size(_ value: ValueID) -> Int { isVertical ? shapes[value].shape.height : shapes[value].shape.width }
        for (node, parameters) in zip(graph.nodes, prepared.parameters) {
            var tile = 1
            if case .convolution(let plan, _, _) = parameters {
                tile = plan.roundedTogether(isVertical: isVertical, kernels)
            }
            let factor = size(node.outputs[0]) / max(1, size(node.dataInputs[0]))
            guard let links = Self.links(node.operation, isVertical: isVertical, factor: factor),
                let stride = strides[node.dataInputs[0].index],
                let written = Self.stride(after: links, from: stride)
            else { return nil }
            let part = Part(
                output: node.outputs[0],
                further: Array(node.outputs.dropFirst()),
                inputs: node.dataInputs,
                links: links,
                convolution: Self.convolution(node.operation),
                tile: tile
            )
            parts.append(part)
            for value in node.outputs { strides[value.index] = written.last }
            grain = written.reduce(leastCommonMultiple(grain, stride)) { leastCommonMultiple($0, $1) }
            // The convolution's own outputs, before they are pooled.
            if let convolution = part.convolution {
                grain = leastCommonMultiple(grain, saturatingProduct(tile, written[convolution]))
            }
            totalStride = max(totalStride, written.max() ?? 1)
            guard grain <= 1 << 16 else { return nil }
        }
        // A result at the picture's size.
        guard strides[output.index] == 1, size(output) == size(.input) else { return nil }
    }

    /// Which link is the convolution. At most an unpooling comes before it, and at most its pooling after it.
    private static func convolution(_ operation: NodeOperation) -> Int? {
        if case .convolution(let node) = operation { node.readsUnpooled ? 1 : 0 } else { nil }
    }

    /// The links from the input to the output; nil if the operation depends on the whole picture.
    private static func links(_ operation: NodeOperation, isVertical: Bool, factor: Int) -> [Link]? {
        func link(_ window: Window) -> Link {
            isVertical
                ? .window(extent: window.extentY, stride: window.strideY, padding: window.paddingY)
                : .window(extent: window.extentX, stride: window.strideX, padding: window.paddingX)
        }
        let pooling = Link.window(extent: 2, stride: 2, padding: 0)
        switch operation {
        case .convolution(let node):
            var links: [Link] = node.readsUnpooled ? [.unpooled] : []
            if node.isTransposed, case .window(let extent, let stride, let padding) = link(node.window) {
                links.append(.transposed(extent: extent, stride: stride, padding: padding))
            } else {
                links.append(link(node.window))
            }
            return node.isPooled ? links + [pooling] : links
        case .activation(let activation): return [activation.isPooled ? pooling : .same]
        case .maxPooling(let window), .averagePooling(let window?): return [link(window)]
        case .unpooling: return [.unpooled]
        case .crop(let crop): return [.shifted(isVertical ? crop.top : crop.left)]
        case .resize(alignsCorners: false, let cut) where cut == Resize.Margins():
            // Weights are the same at every place only if they are sums of powers of two.
            return factor > 0 && factor & (factor - 1) == 0 ? [.enlarged(factor)] : nil
        case .elu, .localResponseNormalization, .addition, .concatenation, .padding, .softmax, .argmax, .copy:
            return [.same]
        // Global pooling and the like. So is a kind that is not listed here: tiles of a network with it are blended, never wrong.
        default: return nil
        }
    }

    /// The stride after each of the links; nil if one is not a whole number of pixels.
    private static func stride(after links: [Link], from stride: Int) -> [Int]? {
        var strides: [Int] = []
        var current = stride
        for link in links {
            let division: Int
            switch link {
            case .same, .shifted: division = 1
            case .window(_, let step, _):
                current *= step
                division = 1
            case .transposed(_, let step, _), .enlarged(let step): division = step
            case .unpooled: division = 2
            }
            guard current % division == 0, current <= 1 << 16 else { return nil }
            current /= division
            strides.append(current)
        }
        return strides
    }

    // MARK: Back to the picture

    private static func floorDivision(_ a: Int, _ b: Int) -> Int { a >= 0 ? a / b : -((b - 1 - a) / b) }

    /// The range of a link's input that decides a range of its output.
    private static func read(_ range: Range<Int>, _ link: Link) -> Range<Int> {
        let (first, last) = (range.lowerBound, range.upperBound - 1)
        switch link {
        case .same: return range
        case .window(let extent, let stride, let padding):
            return first * stride - padding..<last * stride - padding + extent
        case .transposed(let extent, let stride, let padding):
            let low = floorDivision(first + padding - extent + stride, stride)
            return low..<max(low, floorDivision(last + padding, stride)) + 1
        case .unpooled: return floorDivision(first, 2)..<floorDivision(last, 2) + 1
        case .enlarged(let factor):
            // (y + 0.5) / factor - 0.5 and the next.
            return floorDivision(2 * first + 1 - factor, 2 * factor)..<floorDivision(2 * last + 1 - factor, 2 * factor)
                + 2
        case .shifted(let offset): return first + offset..<last + offset + 1
        }
    }

    /// The pixels that decide a range of the result.
    /// - Parameter rounding: Whether outputs that are rounded together count.
    private func footprint(_ range: Range<Int>, rounding: Bool) -> Range<Int> {
        var needed: [Int: Range<Int>] = [output.index: range]
        func add(_ range: Range<Int>, to value: ValueID) {
            let known = needed[value.index] ?? range
            needed[value.index] =
                min(known.lowerBound, range.lowerBound)..<max(known.upperBound, range.upperBound)
        }
        for part in parts.reversed() {
            let ranges = ([part.output] + part.further).compactMap { needed[$0.index] }
            guard let first = ranges.first else { continue }
            var range = ranges.dropFirst().reduce(first) {
                min($0.lowerBound, $1.lowerBound)..<max($0.upperBound, $1.upperBound)
            }
            for (number, link) in part.links.enumerated().reversed() {
                if rounding, number == part.convolution, part.tile > 1 {
                    let low = Self.floorDivision(range.lowerBound, part.tile)
                    let high = Self.floorDivision(range.upperBound - 1, part.tile)
                    range = low * part.tile..<(high + 1) * part.tile
                }
                range = Self.read(range, link)
            }
            for input in part.inputs { add(range, to: input) }
        }
        return needed[ValueID.input.index] ?? range
    }

    /// How many pixels outside a part of `unit` pixels decide its result, on the worse side.
    func margin(unit: Int, rounding: Bool) -> Int {
        // Far from the border.
        let core = unit << 12..<(unit << 12) + unit
        let seen = footprint(core, rounding: rounding)
        return max(0, core.lowerBound - seen.lowerBound, seen.upperBound - core.upperBound)
    }

    func receptiveField(grain: Int) -> Int {
        (0..<grain).map { footprint((grain << 10) + $0..<(grain << 10) + $0 + 1, rounding: false).count }.max() ?? 1
    }
}

extension ConvolutionPlan {
    /// How many outputs along an axis are rounded together: those of a Winograd tile.
    fileprivate func roundedTogether(isVertical: Bool, _ kernels: sn_kernels) -> Int {
        func tile(_ variant: WinogradVariant) -> Int {
            variant.kernels(kernels).pointee.tile * (isVertical ? node.window.dilationY : node.window.dilationX)
        }
        switch (rowAlgorithm, algorithm) {
        case (.winograd(let variant), _): return isVertical ? 1 : tile(variant)
        case (nil, .winograd(let variant)): return tile(variant)
        case (.direct, _), (nil, .gather), (nil, .gatherThin), (nil, .depthwise): return 1
        }
    }
}
