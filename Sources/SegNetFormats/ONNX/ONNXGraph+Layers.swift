import SegNetNetworks
import SegNetPlatform

extension ONNXGraph {
    /// Spells one layer.
    mutating func append(_ layer: Layer, inputs: [BlobShape], outputs: [BlobShape]) throws(FormatError) {
        let x = layer.inputs.map { values[$0] ?? $0 }
        let name = layer.name
        let result: String
        switch layer.operation {
        case .convolution(let kind):
            result = try convolution("Conv", layer, x[0], kind.window, kind.groups, hasBias: kind.hasBias)
        case .transposedConvolution(let kind):
            result = try convolution("ConvTranspose", layer, x[0], kind.window, kind.groups, hasBias: kind.hasBias)
        case .batchNormalization(let kind): result = try batchNormalization(kind, layer, x)
        case .scale(let kind): result = try scale(kind, name, x[0], channels: inputs[0].shape.channels)
        case .relu: result = node("Relu", x, name: name)
        case .elu(let kind): result = node("Elu", x, name: name, [attribute("alpha", kind.alpha)])
        case .maxPooling(let kind):
            maxPooling(kind, layer, x[0], input: inputs[0].shape, output: outputs[0].shape)
            return
        case .averagePooling(let kind):
            result = averagePooling(kind, name, x[0], input: inputs[0].shape, output: outputs[0].shape)
        case .unpooling: result = try unpool(layer, x[0])
        case .localResponseNormalization(let kind):
            result = localResponseNormalization(kind, name, x[0], channels: inputs[0].shape.channels)
        case .localContrastNormalization(let kind):
            result = try localContrastNormalization(kind, layer, x[0], input: inputs[0].shape)
        case .dropout: result = x[0]
        case .addition(let kind): result = addition(kind, name, x)
        case .concatenation: result = node("Concat", x, name: name, [attribute("axis", 1)])
        case .crop(let kind):
            result = slice(
                x[0],
                top: kind.top,
                left: kind.left,
                height: outputs[0].shape.height,
                width: outputs[0].shape.width,
                name: name
            )
        case .padding:
            let (from, to) = (inputs[0].shape, outputs[0].shape)
            let ends = [0, 0, to.height - from.height, to.width - from.width]
            result = node("Pad", [x[0], constant([0, 0, 0, 0] + ends)], name: name)
        case .bilinearUpsampling(let kind): result = bilinearUpsampling(kind, name, x[0])
        case .resize(let kind): result = resize(kind, name, x[0], input: inputs[0].shape, output: outputs[0].shape)
        case .softmax: result = node("Softmax", x, name: name, [attribute("axis", 1)])
        case .argmax:
            result = node(
                "ArgMax",
                x,
                name: name,
                [attribute("axis", 1), attribute("keepdims", 1), attribute("select_last_index", 1)]
            )
        case .innerProduct(let kind): result = try innerProduct(kind, layer, x[0], input: inputs[0].shape)
        }
        values[layer.outputs[0]] = result
    }

    private mutating func addition(_ kind: Addition, _ name: String, _ x: [String]) -> String {
        let terms = x.enumerated().map { index, value in
            guard let factor = kind.coefficients?[index], factor != 1 else { return value }
            return node("Mul", [value, constant(factor)], name: "\(name)_term\(index)")
        }
        var sum = terms[0]
        for (index, other) in terms.enumerated().dropFirst() {
            sum = node("Add", [sum, other], name: index == x.count - 1 ? name : "\(name)_\(index)")
        }
        return sum
    }

    private mutating func bilinearUpsampling(_ kind: BilinearUpsampling, _ name: String, _ x: String) -> String {
        let factors = weights("\(name)_scales", [4]) { () throws(FormatError) in
            [1, 1, Float(kind.factor), Float(kind.factor)]
        }
        return node(
            "Resize",
            [x, "", factors],
            name: name,
            [attribute("mode", "linear"), attribute("coordinate_transformation_mode", "half_pixel")]
        )
    }

    private mutating func resize(_ kind: Resize, _ name: String, _ x: String, input: Shape, output: Shape) -> String {
        let cut = kind.cut ?? Resize.Margins()
        let margin = cut.begin + cut.end
        let source =
            margin == 0
            ? x
            : slice(
                x,
                top: cut.begin,
                left: cut.begin,
                height: input.height - margin,
                width: input.width - margin,
                name: "\(name)_cut"
            )
        return node(
            "Resize",
            [source, "", "", constant(output.extents)],
            name: name,
            [attribute("mode", "linear"), attribute("coordinate_transformation_mode", "align_corners")]
        )
    }

    // MARK: Layers with weights

    private mutating func scale(_ kind: Scale, _ name: String, _ x: String, channels: Int) throws(FormatError) -> String
    {
        let shape = [1, channels, 1, 1]
        let factors = try fetched(name, .scale, shape: shape)
        let scaled = node("Mul", [x, factors], name: kind.hasShift ? "\(name)_scaled" : name)
        guard kind.hasShift else { return scaled }
        return node("Add", [scaled, try fetched(name, .shift, shape: shape)], name: name)
    }

    private func windowAttributes(_ window: Window, groups: Int) -> [Onnx_AttributeProto] {
        [
            attribute("kernel_shape", [window.height, window.width]),
            attribute("strides", [window.strideY, window.strideX]),
            attribute("pads", [window.paddingY, window.paddingX, window.paddingY, window.paddingX]),
            attribute("dilations", [window.dilationY, window.dilationX]),
            attribute("group", groups),
        ]
    }

    /// A convolution of either kind.
    private mutating func convolution(
        _ type: String,
        _ layer: Layer,
        _ x: String,
        _ window: Window,
        _ groups: Int,
        hasBias: Bool
    ) throws(FormatError) -> String {
        var names = [x, try fetched(layer.name, .weight, mayBeHalf: true)]
        if hasBias { names.append(try fetched(layer.name, .bias)) }
        return node(type, names, name: layer.name, windowAttributes(window, groups: groups))
    }

    /// The numbers of a layer's tensor, fetched when they are written.
    private mutating func fetched(
        _ layer: String,
        _ role: LayerParameter.Role,
        shape: [Int]? = nil,
        mayBeHalf: Bool = false
    ) throws(FormatError) -> String {
        guard let tensor = model.weights[layer, role] else {
            throw FormatError(file: file, problem: "layer '\(layer)' has no \(role)")
        }
        return fetched(tensor, layer, role, shape: shape ?? tensor.shape.extents, mayBeHalf: mayBeHalf)
    }

    /// The numbers of a tensor in the place of a layer's, fetched when they are written.
    private mutating func fetched(
        _ tensor: WeightTensor,
        _ layer: String,
        _ role: LayerParameter.Role,
        shape: [Int],
        mayBeHalf: Bool = false
    ) -> String {
        weights("\(layer).\(role)", shape, mayBeHalf: mayBeHalf) { () throws(FormatError) in
            let values = tensor.floats()
            tensor.release()
            return values
        }
    }

    private func missingStatistics(_ layer: Layer) -> FormatError {
        FormatError(
            file: file,
            problem: "layer '\(layer.name)' normalises by the statistics of each batch, which cannot be exported",
            advice: "Compute its statistics first"
        )
    }

    /// A batch normalisation that stands alone: multiply, then add.
    private mutating func batchNormalization(
        _ kind: BatchNormalization,
        _ layer: Layer,
        _ x: [String]
    ) throws(FormatError) -> String {
        if kind.statistics == .batch { throw missingStatistics(layer) }
        let (scale, shift) = try model.weights.normalization(layer.name, kind, file: file)
        let shape = [1, scale.shape.count, 1, 1]
        let scaleName = fetched(scale, layer.name, .scale, shape: shape)
        let shiftName = fetched(shift, layer.name, .shift, shape: shape)
        let scaled = node("Mul", [x[0], scaleName], name: "\(layer.name)_scaled")
        return node("Add", [scaled, shiftName], name: layer.name)
    }

    /// A fully connected layer is a convolution whose window is the whole map.
    private mutating func innerProduct(
        _ kind: InnerProduct,
        _ layer: Layer,
        _ x: String,
        input: Shape
    ) throws(FormatError) -> String {
        let shape = [kind.outputChannels, input.channels, input.height, input.width]
        var names = [x, try fetched(layer.name, .weight, shape: shape, mayBeHalf: true)]
        if kind.hasBias { names.append(try fetched(layer.name, .bias)) }
        return node("Conv", names, name: layer.name, [attribute("kernel_shape", [input.height, input.width])])
    }
}
