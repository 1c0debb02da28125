import SegNetNetworks
import SegNetPlatform

extension ONNXGraph {
    /// MaxPool, with the position of each maximum if an unpooling needs it.
    mutating func maxPooling(_ kind: MaxPooling, _ layer: Layer, _ x: String, input: Shape, output: Shape) {
        let window = kind.window
        guard kind.givesIndices else {
            values[layer.outputs[0]] = node(
                "MaxPool",
                [x],
                name: layer.name,
                attributes(window, input: input, output: output)
            )
            return
        }
        let (evenHeight, evenWidth) = (2 * output.height, 2 * output.width)
        var even = x
        if evenHeight != input.height || evenWidth != input.width {
            // A number that never wins: with an engine's own ceil mode, indices do not fit its unpooling.
            let lowest = -Float.greatestFiniteMagnitude
            let pads = constant([0, 0, 0, 0, 0, 0, evenHeight - input.height, evenWidth - input.width])
            even = node(
                "Pad",
                [x, pads, constant(lowest)],
                name: "\(layer.name)_even",
                [attribute("mode", "constant")]
            )
        }
        let attributes = [attribute("kernel_shape", [2, 2]), attribute("strides", [2, 2])]
        let position: String
        switch unpooling {
        case .indices:
            let results = nodes("MaxPool", [even], names: [layer.name, layer.outputs[1]], attributes)
            values[layer.outputs[0]] = results[0]
            position = results[1]
        case .standard:
            let pooled = node("MaxPool", [even], name: layer.name, attributes)
            values[layer.outputs[0]] = pooled
            position = positions(layer, even, pooled: pooled)
        }
        poolings[layer.outputs[1]] = Pooling(
            value: position,
            height: input.height,
            width: input.width,
            evenHeight: evenHeight,
            evenWidth: evenWidth
        )
    }

    /// A pooling's window. Sizes round up as in Caffe: what the last window lacks is padding below and to the right.
    private func attributes(_ window: Window, input: Shape, output: Shape) -> [Onnx_AttributeProto] {
        func missing(_ count: Int, _ stride: Int, _ extent: Int, _ size: Int, _ padding: Int) -> Int {
            max(0, (count - 1) * stride + extent - size - padding)
        }
        let below = missing(output.height, window.strideY, window.height, input.height, window.paddingY)
        let right = missing(output.width, window.strideX, window.width, input.width, window.paddingX)
        return [
            attribute("kernel_shape", [window.height, window.width]),
            attribute("strides", [window.strideY, window.strideX]),
            attribute("pads", [window.paddingY, window.paddingX, below, right]),
        ]
    }

    /// AveragePool divides by whole windows; where Caffe's divisor is smaller, a factor makes up for it.
    mutating func averagePooling(
        _ kind: AveragePooling,
        _ name: String,
        _ x: String,
        input: Shape,
        output: Shape
    ) -> String {
        guard let window = kind.window else { return node("GlobalAveragePool", [x], name: name) }
        func factors(_ count: Int, _ window: Int, _ stride: Int, _ padding: Int, _ size: Int) -> [Float] {
            (0..<count).map { index in
                let start = index * stride - padding
                return Float(window) / Float(min(start + window, size + padding) - start)
            }
        }
        let rows = factors(output.height, window.height, window.strideY, window.paddingY, input.height)
        let columns = factors(output.width, window.width, window.strideX, window.paddingX, input.width)
        let isWhole = (rows + columns).allSatisfy { $0 == 1 }
        let mean = node(
            "AveragePool",
            [x],
            name: isWhole ? name : "\(name)_whole",
            attributes(window, input: input, output: output) + [attribute("count_include_pad", 1)]
        )
        if isWhole { return mean }
        let factor = weights("\(name)_factors", [1, 1, rows.count, columns.count]) { () throws(FormatError) in
            rows.flatMap { row in columns.map { row * $0 } }
        }
        return node("Mul", [mean, factor], name: name)
    }

    /// The position of each maximum in its 2x2 window, 0...3 as floats: the first in row order that equals it.
    private mutating func positions(_ layer: Layer, _ even: String, pooled: String) -> String {
        var result = constant(Float(3))
        for position in [2, 1, 0] {
            let starts = constant([position / 2, position % 2])
            // Every second value from that corner on; Slice cuts the end to the map's.
            let ends = constant([Int(Int32.max), Int(Int32.max)])
            let corner = node(
                "Slice",
                [even, starts, ends, constant([2, 3]), constant([2, 2])],
                name: "\(layer.name)_corner\(position)"
            )
            let isHere = node("Equal", [corner, pooled], name: "\(layer.name)_is\(position)")
            let name = position == 0 ? layer.outputs[1] : "\(layer.outputs[1])_from\(position)"
            result = node("Where", [isHere, constant(Float(position)), result], name: name)
        }
        return result
    }

    /// The values of `x` where their pooling found them, zeros elsewhere.
    mutating func unpool(_ layer: Layer, _ x: String) throws(FormatError) -> String {
        guard let pooling = poolings[layer.inputs[1]] else {
            throw FormatError(file: file, problem: "layer '\(layer.name)' does not read the indices of a pooling layer")
        }
        let isEven = pooling.evenHeight == pooling.height && pooling.evenWidth == pooling.width
        let evenName = isEven ? layer.name : "\(layer.name)_even"
        let even: String
        switch unpooling {
        case .indices:
            even = node(
                "MaxUnpool",
                [x, pooling.value],
                name: evenName,
                [attribute("kernel_shape", [2, 2]), attribute("strides", [2, 2])]
            )
        case .standard:
            // Four maps, each with the values of one corner of the windows and zeros elsewhere, then interleaved.
            let corners = (0..<4).map { position in
                let isHere = node(
                    "Equal",
                    [pooling.value, constant(Float(position))],
                    name: "\(layer.name)_is\(position)"
                )
                return node("Where", [isHere, x, constant(Float(0))], name: "\(layer.name)_corner\(position)")
            }
            let stacked = node("Concat", corners, name: "\(layer.name)_corners", [attribute("axis", 1)])
            even = node(
                "DepthToSpace",
                [stacked],
                name: evenName,
                [attribute("blocksize", 2), attribute("mode", "DCR")]
            )
        }
        if isEven { return even }
        return slice(even, top: 0, left: 0, height: pooling.height, width: pooling.width, name: layer.name)
    }

    /// A cut-out of a map.
    mutating func slice(_ x: String, top: Int, left: Int, height: Int, width: Int, name: String) -> String {
        node(
            "Slice",
            [x, constant([top, left]), constant([top + height, left + width]), constant([2, 3])],
            name: name
        )
    }
}
