public import SegNetNetworks
public import SegNetPlatform
import SwiftProtobuf

extension Caffe {
    /// Writes a model as the original's two files, so that the original program loads them: SegNet's Caffe or upstream's, DeepLab's where
    /// maps are resized, DeconvNet's where maps are unpooled for transposed convolutions (`CaffeDialect`).
    ///
    /// Batch normalisation is in INFERENCE mode with scale and shift. Where the Caffe that has the other layers lacks it, it is folded into
    /// the convolutions, or written as `Scale` where that cannot be done. Unpooled sizes are spelled out.
    /// - Returns: Notes for the user: full sentences.
    /// - Throws: `FormatError` if the network has a layer that Caffe does not know, if weights are missing, or if a file
    ///   cannot be written.
    @discardableResult
    public static func write(_ model: Model, weights: URL, network: URL) throws(FormatError) -> [String] {
        try model.weights.checked(for: model.network, file: weights.relativePath)
        var notes: [String] = []
        let model = try CaffeDialect.prepared(model, file: network.relativePath, notes: &notes)
        let writer = CaffeWriter(model: model, file: network.relativePath)
        let net = try writer.description(&notes)
        // Always the first line, as nothing else in the file tells a reader what is subtracted.
        let input = CaffeInputComment(model.network.input)
        var text = "# \(input.sentence)\n"
        for note in notes { text += "# \(note)\n" }
        text += writer.text(net)
        // Both are whole before either has its name: new weights next to an old network would be another model.
        var weightsOutput = try FileWriter(replacing: weights)
        var output = try FileWriter(replacing: network)
        try writer.writeWeights(net, to: &weightsOutput)
        try output.write(text)
        try weightsOutput.complete(durable: true)
        try output.complete(durable: true)
        try weightsOutput.finish(durable: true)
        try output.finish(durable: true)
        return (input.isRaw ? [] : [input.sentence]) + notes
    }
}

/// Spells a network in Caffe's words.
struct CaffeWriter {
    let model: Model
    /// The name of the description in errors.
    let file: String
    let dialect: CaffeDialect

    init(model: Model, file: String) {
        self.model = model
        self.file = file
        dialect = CaffeDialect(model.network)
    }

    /// The description without weights, in the new encoding.
    func description(_ notes: inout [String]) throws(FormatError) -> Caffe_NetParameter {
        let network = model.network
        let shapes: NetworkShapes
        do { shapes = try network.shapes() } catch { throw FormatError(network: error, file: file, lines: [:]) }
        var net = Caffe_NetParameter()
        net.name = network.name
        net.input = [network.input.name]
        net.inputDim = network.input.shape.extents.map { Int32(clamping: $0) }
        for (layer, blobs) in zip(network.layers, shapes.layers) {
            net.layer.append(try self.layer(layer, outputs: blobs.outputs, notes: &notes))
        }
        if let note = dialect.note { notes.append(note) }
        return net
    }

    private func layer(
        _ layer: Layer,
        outputs: [BlobShape],
        notes: inout [String]
    ) throws(FormatError) -> Caffe_LayerParameter {
        var result = Caffe_LayerParameter()
        result.name = layer.name
        result.bottom = layer.inputs
        result.top = layer.outputs
        switch layer.operation {
        case .convolution(let kind):
            result.type = "Convolution"
            result.convolutionParam = convolution(kind.outputChannels, kind.window, kind.groups, kind.hasBias)
        case .transposedConvolution(let kind):
            result.type = "Deconvolution"
            result.convolutionParam = convolution(kind.outputChannels, kind.window, kind.groups, kind.hasBias)
        case .batchNormalization(let kind):
            result.type = "BN"
            result.bnParam.bnMode = kind.statistics == .batch ? .learn : .inference
        case .scale(let kind):
            result.type = "Scale"
            if kind.hasShift { result.scaleParam.biasTerm = true }
            notes.append("layer '\(layer.name)' (Scale) is known to later Caffes, not to caffe-segnet.")
        case .relu: result.type = "ReLU"
        case .elu(let kind):
            result.type = "ELU"
            result.eluParam.alpha = Float(kind.alpha)
            notes.append("layer '\(layer.name)' (ELU) is known to later Caffes, not to caffe-segnet.")
        case .maxPooling(let kind):
            result.type = "Pooling"
            result.poolingParam = pooling(kind.window)
        case .averagePooling(let kind):
            result.type = "Pooling"
            result.poolingParam = averagePooling(kind)
        case .unpooling: unpooling(outputs[0].shape, &result)
        case .localResponseNormalization(let kind):
            result.type = "LRN"
            result.lrnParam = try normalization(kind, layer.name)
        case .dropout(let kind):
            result.type = "Dropout"
            result.dropoutParam.dropoutRatio = Float(kind.ratio)
            if kind.samplesAtTest { result.dropoutParam.sampleWeightsTest = true }
        case .addition(let kind):
            result.type = "Eltwise"
            result.eltwiseParam.operation = .sum
            result.eltwiseParam.coeff = kind.coefficients ?? []
        case .concatenation: result.type = "Concat"
        case .crop(let kind):
            result.type = "Crop"
            result.cropParam.axis = 2
            result.cropParam.offset = [UInt32(clamping: kind.top), UInt32(clamping: kind.left)]
            notes.append("layer '\(layer.name)' (Crop) is known to later Caffes, not to caffe-segnet.")
        case .resize(let kind):
            result.type = "Interp"
            result.interpParam = interpolation(kind)
        case .softmax: result.type = "Softmax"
        case .argmax:
            result.type = "ArgMax"
            result.argmaxParam.axis = 1
        case .innerProduct(let kind):
            result.type = "InnerProduct"
            result.innerProductParam.numOutput = UInt32(clamping: kind.outputChannels)
            if !kind.hasBias { result.innerProductParam.biasTerm = false }
        case .localContrastNormalization, .bilinearUpsampling, .padding:
            throw FormatError(
                file: file,
                problem: "layer '\(layer.name)' is of the kind \(layer.operation.kindName), which Caffe does not have",
                advice: "Convert to .onnx or .safetensors instead"
            )
        }
        return result
    }

    private func averagePooling(_ kind: AveragePooling) -> Caffe_PoolingParameter {
        var result = Caffe_PoolingParameter()
        if let window = kind.window { result = pooling(window) } else { result.globalPooling = true }
        result.pool = .ave
        return result
    }

    /// Unpooling to a size: a layer of its own in either of the forks that have one.
    private func unpooling(_ shape: Shape, _ result: inout Caffe_LayerParameter) {
        let (height, width) = (UInt32(clamping: shape.height), UInt32(clamping: shape.width))
        guard dialect == .deconvNet else {
            result.type = "Upsample"
            result.upsampleParam.scale = 2
            (result.upsampleParam.upsampleH, result.upsampleParam.upsampleW) = (height, width)
            return
        }
        result.type = "Unpooling"
        result.unpoolingParam.unpool = .max
        result.unpoolingParam.kernelSize = 2
        result.unpoolingParam.stride = 2
        if height == width {
            result.unpoolingParam.unpoolSize = height
        } else {
            (result.unpoolingParam.unpoolH, result.unpoolingParam.unpoolW) = (height, width)
        }
    }

    private func normalization(_ kind: LocalResponseNormalization, _ name: String) throws(FormatError)
        -> Caffe_LRNParameter
    {
        if kind.channels != nil {
            throw FormatError(
                file: file,
                problem:
                    "layer '\(name)' normalises the colours of a picture and leaves its other channels, which Caffe has no layer for",
                advice: "Use safetensors or ONNX"
            )
        }
        var result = Caffe_LRNParameter()
        result.localSize = UInt32(clamping: kind.size)
        result.alpha = Float(kind.alpha)
        result.beta = Float(kind.beta)
        result.k = Float(kind.k)
        return result
    }

    private func interpolation(_ kind: Resize) -> Caffe_InterpParameter {
        var result = Caffe_InterpParameter()
        switch kind.target {
        case .factor(let factor): result.zoomFactor = Int32(clamping: factor)
        case .shrunk(let factor): result.shrinkFactor = Int32(clamping: factor)
        case .ratio(let shrink, let zoom):
            (result.shrinkFactor, result.zoomFactor) = (Int32(clamping: shrink), Int32(clamping: zoom))
        case .size(let height, let width):
            (result.height, result.width) = (Int32(clamping: height), Int32(clamping: width))
        case .reference: break
        }
        if let cut = kind.cut {
            result.padBeg = Int32(clamping: -cut.begin)
            result.padEnd = Int32(clamping: -cut.end)
        }
        return result
    }

    private func convolution(
        _ outputChannels: Int,
        _ window: Window,
        _ groups: Int,
        _ hasBias: Bool
    ) -> Caffe_ConvolutionParameter {
        var result = Caffe_ConvolutionParameter()
        result.numOutput = UInt32(clamping: outputChannels)
        if !hasBias { result.biasTerm = false }
        if groups != 1 { result.group = UInt32(clamping: groups) }
        // Equal axes in the short form, which every version of Caffe knows.
        if window.height == window.width {
            result.kernelSize = [UInt32(clamping: window.height)]
        } else {
            result.kernelH = UInt32(clamping: window.height)
            result.kernelW = UInt32(clamping: window.width)
        }
        if window.paddingY == window.paddingX {
            if window.paddingY != 0 { result.pad = [UInt32(clamping: window.paddingY)] }
        } else {
            result.padH = UInt32(clamping: window.paddingY)
            result.padW = UInt32(clamping: window.paddingX)
        }
        if window.strideY == window.strideX {
            if window.strideY != 1 { result.stride = [UInt32(clamping: window.strideY)] }
        } else {
            result.strideH = UInt32(clamping: window.strideY)
            result.strideW = UInt32(clamping: window.strideX)
        }
        if window.dilationY != 1 || window.dilationX != 1 {
            if dialect == .deepLab, window.dilationY == window.dilationX {
                result.hole = UInt32(clamping: window.dilationY)
            } else if dialect == .deepLab {
                result.holeH = UInt32(clamping: window.dilationY)
                result.holeW = UInt32(clamping: window.dilationX)
            } else {
                result.dilation = [UInt32(clamping: window.dilationY), UInt32(clamping: window.dilationX)]
            }
        }
        return result
    }

    private func pooling(_ window: Window) -> Caffe_PoolingParameter {
        var result = Caffe_PoolingParameter()
        result.pool = .max
        if window.height == window.width {
            result.kernelSize = UInt32(clamping: window.height)
        } else {
            result.kernelH = UInt32(clamping: window.height)
            result.kernelW = UInt32(clamping: window.width)
        }
        if window.strideY == window.strideX {
            result.stride = UInt32(clamping: window.strideY)
        } else {
            result.strideH = UInt32(clamping: window.strideY)
            result.strideW = UInt32(clamping: window.strideX)
        }
        if window.paddingY == window.paddingX {
            if window.paddingY != 0 { result.pad = UInt32(clamping: window.paddingY) }
        } else {
            result.padH = UInt32(clamping: window.paddingY)
            result.padW = UInt32(clamping: window.paddingX)
        }
        return result
    }
}
