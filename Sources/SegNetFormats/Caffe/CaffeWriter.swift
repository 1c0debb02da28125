public import SegNetNetworks
public import SegNetPlatform
import SwiftProtobuf

extension Caffe {
    /// Writes a model as the original's two files: the `layer` encoding, blobs with shapes, batch normalisation in
    /// INFERENCE mode with scale and shift, unpooled sizes spelled out. The original program loads them.
    /// - Returns: Notes for the user: full sentences.
    /// - Throws: `FormatError` if the network has a layer that Caffe does not know, if weights are missing, or if a file
    ///   cannot be written.
    @discardableResult
    public static func write(_ model: Model, weights: URL, network: URL) throws(FormatError) -> [String] {
        try model.weights.checked(for: model.network, file: weights.relativePath)
        let writer = CaffeWriter(model: model, file: network.relativePath)
        let (net, notes) = try writer.description()
        var text = ""
        for note in notes { text += "# \(note)\n" }
        text += net.textFormatString()
        try writer.writeWeights(net, to: weights)
        var output = try FileWriter(replacing: network)
        try output.write(text)
        try output.finish(durable: true)
        return notes
    }
}

/// Spells a network in Caffe's words.
struct CaffeWriter {
    let model: Model
    /// The name of the description in errors.
    let file: String

    /// The description without weights.
    func description() throws(FormatError) -> (Caffe_NetParameter, notes: [String]) {
        let network = model.network
        let shapes: NetworkShapes
        do { shapes = try network.shapes() } catch { throw FormatError(network: error, file: file, lines: [:]) }
        var notes: [String] = []
        var net = Caffe_NetParameter()
        net.name = network.name
        net.input = [network.input.name]
        net.inputDim = network.input.shape.extents.map { Int32(clamping: $0) }
        let input = network.input
        if input.mean.contains(where: { $0 != 0 }) || input.scale.contains(where: { $0 != 1 }) {
            let mean = input.mean.map { "\($0)" }.joined(separator: ", ")
            let scale = input.scale.map { "\($0)" }.joined(separator: ", ")
            notes.append(
                "the input is expected as (value - mean) * scale; mean \(mean), scale \(scale): subtract and scale before."
            )
        }
        for (layer, blobs) in zip(network.layers, shapes.layers) {
            net.layer.append(try self.layer(layer, outputs: blobs.outputs, notes: &notes))
        }
        return (net, notes)
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
            if let window = kind.window {
                result.poolingParam = pooling(window)
            } else {
                result.poolingParam.globalPooling = true
            }
            result.poolingParam.pool = .ave
        case .unpooling:
            result.type = "Upsample"
            result.upsampleParam.scale = 2
            result.upsampleParam.upsampleH = UInt32(clamping: outputs[0].shape.height)
            result.upsampleParam.upsampleW = UInt32(clamping: outputs[0].shape.width)
        case .localResponseNormalization(let kind):
            if kind.channels != nil {
                throw FormatError(
                    file: file,
                    problem:
                        "layer '\(layer.name)' normalises the colours of a picture and leaves its other channels, which Caffe has no "
                        + "layer for",
                    advice: "Use safetensors or ONNX"
                )
            }
            result.type = "LRN"
            result.lrnParam.localSize = UInt32(clamping: kind.size)
            result.lrnParam.alpha = Float(kind.alpha)
            result.lrnParam.beta = Float(kind.beta)
            result.lrnParam.k = Float(kind.k)
        case .dropout(let kind):
            result.type = "Dropout"
            result.dropoutParam.dropoutRatio = Float(kind.ratio)
            if kind.samplesAtTest { result.dropoutParam.sampleWeightsTest = true }
        case .addition:
            result.type = "Eltwise"
            result.eltwiseParam.operation = .sum
        case .concatenation: result.type = "Concat"
        case .crop(let kind):
            result.type = "Crop"
            result.cropParam.axis = 2
            result.cropParam.offset = [UInt32(clamping: kind.top), UInt32(clamping: kind.left)]
            notes.append("layer '\(layer.name)' (Crop) is known to later Caffes, not to caffe-segnet.")
        case .resize(let kind):
            result.type = "Interp"
            switch kind.target {
            case .factor(let factor): result.interpParam.zoomFactor = Int32(clamping: factor)
            case .size(let height, let width):
                (result.interpParam.height, result.interpParam.width) = (
                    Int32(clamping: height), Int32(clamping: width)
                )
            case .reference: break
            }
            notes.append("layer '\(layer.name)' (Interp) is known to DeepLab's Caffe, not to caffe-segnet.")
        case .softmax: result.type = "Softmax"
        case .argmax:
            result.type = "ArgMax"
            result.argmaxParam.axis = 1
        case .innerProduct(let kind):
            result.type = "InnerProduct"
            result.innerProductParam.numOutput = UInt32(clamping: kind.outputChannels)
            if !kind.hasBias { result.innerProductParam.biasTerm = false }
        case .localContrastNormalization, .bilinearUpsampling:
            throw FormatError(
                file: file,
                problem: "layer '\(layer.name)' is of the kind \(layer.operation.kindName), which Caffe does not have",
                advice: "Convert to .onnx or .safetensors instead"
            )
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
            result.dilation = [UInt32(clamping: window.dilationY), UInt32(clamping: window.dilationX)]
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

    // MARK: Weights

    /// Writes the `.caffemodel`: each layer's description, then its blobs, one tensor in memory at a time.
    func writeWeights(_ net: Caffe_NetParameter, to url: URL) throws(FormatError) {
        var writer = try FileWriter(replacing: url)
        var head = Caffe_NetParameter()
        head.name = net.name
        try writer.write(try bytes(head))
        for (layer, parameter) in zip(model.network.layers, net.layer) {
            let description = try bytes(parameter)
            let blobs = try self.blobs(of: layer)
            var length = description.count
            var prefixes: [[UInt8]] = []
            for blob in blobs {
                // The shape is a message of its own; the numbers follow as one packed field.
                var message = Caffe_BlobProto()
                message.shape.dim = blob.shape.extents.map { Int64($0) }
                let start = try bytes(message) + WireWriter.prefix(field: 5, length: 4 * blob.shape.count)
                let blobLength = start.count + 4 * blob.shape.count
                let prefix = WireWriter.prefix(field: 7, length: blobLength) + start
                prefixes.append(prefix)
                length += prefix.count + 4 * blob.shape.count
            }
            try writer.write(WireWriter.prefix(field: 100, length: length))
            try writer.write(description)
            for (blob, prefix) in zip(blobs, prefixes) {
                try writer.write(prefix)
                try writer.writeFloats(of: blob)
            }
        }
        try writer.finish(durable: true)
    }

    private func bytes(_ message: some Message) throws(FormatError) -> [UInt8] {
        do {
            return try message.serializedBytes()
        } catch {
            throw FormatError(file: file, problem: "cannot be spelled as protobuf (\(error))")
        }
    }

    /// A layer's tensors in Caffe's order and shapes.
    private func blobs(of layer: Layer) throws(FormatError) -> [WeightTensor] {
        func tensor(_ name: String) throws(FormatError) -> WeightTensor {
            guard let tensor = model.weights["\(layer.name).\(name)"] else {
                throw FormatError(file: file, problem: "layer '\(layer.name)' has no \(name)")
            }
            return tensor
        }
        switch layer.operation {
        case .convolution(let kind):
            return kind.hasBias ? [try tensor("weight"), try tensor("bias")] : [try tensor("weight")]
        case .transposedConvolution(let kind):
            return kind.hasBias ? [try tensor("weight"), try tensor("bias")] : [try tensor("weight")]
        case .innerProduct(let kind):
            return kind.hasBias ? [try tensor("weight"), try tensor("bias")] : [try tensor("weight")]
        case .batchNormalization(let kind):
            let (scale, shift) = try model.weights.foldedBatchNormalization(layer.name, kind, file: file)
            let shape: Shape = [1, scale.shape.count, 1, 1]
            return [scale.reshaped(shape), shift.reshaped(shape)]
        case .scale(let kind): return try (kind.hasShift ? ["scale", "shift"] : ["scale"]).map(tensor)
        default: return []
        }
    }
}

extension Weights {
    /// Scale and shift of y = x * scale + shift, with the statistics folded in if they are kept separately.
    func foldedBatchNormalization(
        _ layer: String,
        _ kind: BatchNormalization,
        file: String
    ) throws(FormatError) -> (scale: WeightTensor, shift: WeightTensor) {
        guard let scale = self[layer, .scale], let shift = self[layer, .shift] else {
            throw FormatError(file: file, problem: "layer '\(layer)' has no scale and shift")
        }
        guard kind.statistics == .kept else { return (scale, shift) }
        guard
            let factors = kind.factors(
                scale: scale.floats(),
                shift: shift.floats(),
                mean: self[layer, .mean]?.floats(),
                variance: self[layer, .variance]?.floats()
            )
        else { throw FormatError(file: file, problem: "layer '\(layer)' has no mean and variance") }
        return (
            WeightTensor(shape: scale.shape, values: factors.scale),
            WeightTensor(shape: shift.shape, values: factors.shift)
        )
    }
}

extension FileWriter {
    /// Appends a tensor's numbers as float32 and releases its memory.
    mutating func writeFloats(of tensor: WeightTensor) throws(FormatError) {
        defer { tensor.release() }
        if tensor.elementType == .float32 {
            let result = tensor.withBytes { bytes in
                Result { () throws(FormatError) in try self.write(bytes) }
            }
            try result.get()
        } else {
            try write(floats: tensor.floats())
        }
    }

    /// Appends float32 numbers.
    mutating func write(floats values: [Float]) throws(FormatError) {
        let result = values.withUnsafeBytes { bytes in
            Result { () throws(FormatError) in try self.write(bytes) }
        }
        try result.get()
    }
}
