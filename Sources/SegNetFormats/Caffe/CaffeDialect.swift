import SegNetNetworks
import SegNetPlatform
import SwiftProtobuf

/// Which Caffe a model is written for: no version knows the layers of all networks.
enum CaffeDialect: Sendable {
    /// The `layer` encoding: SegNet's Caffe and upstream's.
    case current
    /// DeepLab's of 2015: the old encoding, `hole`, INTERP.
    case deepLab
    /// DeconvNet's: the old encoding, UNPOOLING, BN.
    case deconvNet

    init(_ network: Network) {
        var names: Set<String> = []
        for layer in network.layers { names.insert(layer.operation.kindName) }
        let knownToDeepLab: Set = [
            Convolution.kindName, ReLU.kindName, MaxPooling.kindName, AveragePooling.kindName, Dropout.kindName,
            Addition.kindName, Concatenation.kindName, LocalResponseNormalization.kindName, Softmax.kindName,
            Argmax.kindName, InnerProduct.kindName, Resize.kindName,
        ]
        let knownToDeconvNet: Set = [
            Convolution.kindName, ReLU.kindName, MaxPooling.kindName, AveragePooling.kindName, Dropout.kindName,
            Addition.kindName, Concatenation.kindName, LocalResponseNormalization.kindName, Softmax.kindName,
            Argmax.kindName, InnerProduct.kindName, TransposedConvolution.kindName, BatchNormalization.kindName,
            Unpooling.kindName,
        ]
        // DeepLab's Caffe of 2016, in the new encoding, has these two; that of 2015 refuses them.
        let isOfSecondDeepLab = network.layers.contains { layer in
            guard case .resize(let kind) = layer.operation else { return false }
            switch kind.target {
            case .reference, .ratio: return true
            default: return false
            }
        }
        if names.contains(Resize.kindName), names.isSubset(of: knownToDeepLab), !isOfSecondDeepLab {
            self = .deepLab
        } else if names.contains(Unpooling.kindName), names.contains(TransposedConvolution.kindName),
            !network.layers.contains(where: \.isDilated),
            names.isSubset(of: knownToDeconvNet)
        {
            self = .deconvNet
        } else {
            self = .current
        }
    }

    /// Whether layers are in `layers`, with an enumeration for the type and four sizes for a blob.
    var isOld: Bool { self != .current }

    /// What the user should know.
    var note: String? {
        switch self {
        case .current: nil
        case .deepLab: "the files are in the old form of DeepLab's Caffe, which alone has hole and INTERP."
        case .deconvNet:
            "the files are in the old form of DeconvNet's Caffe, which alone has UNPOOLING and Deconvolution together."
        }
    }

    /// The old word of a layer's type, and its number in this Caffe.
    func oldType(_ type: String) -> (word: String, number: UInt8)? {
        let common: [String: (String, UInt8)] = [
            "Concat": ("CONCAT", 3), "Convolution": ("CONVOLUTION", 4), "Dropout": ("DROPOUT", 6),
            "InnerProduct": ("INNER_PRODUCT", 14), "LRN": ("LRN", 15), "Pooling": ("POOLING", 17), "ReLU": ("RELU", 18),
            "Softmax": ("SOFTMAX", 20), "Eltwise": ("ELTWISE", 25), "ArgMax": ("ARGMAX", 30),
        ]
        let own: [String: (String, UInt8)] =
            switch self {
            case .current: [:]
            case .deepLab: ["Interp": ("INTERP", 41)]
            case .deconvNet:
                ["Deconvolution": ("DECONVOLUTION", 39), "Unpooling": ("UNPOOLING", 42), "BN": ("BN", 43)]
            }
        return own[type] ?? common[type]
    }

    /// The model in a form that some Caffe has: no padding in front, no batch normalisation together with layers of a Caffe without it.
    static func prepared(_ model: Model, file: String, notes: inout [String]) throws(FormatError) -> Model {
        var model = model
        withoutPadding(&model.network, &notes)
        let lacksNormalization = model.network.layers.contains { layer in
            switch layer.operation {
            case .crop, .scale, .resize, .elu: true
            default: layer.isDilated
            }
        }
        let count = model.network.layers.count(where: { $0.batchNormalization != nil })
        guard lacksNormalization, count > 0 else { return model }
        do { model = try model.foldingBatchNormalization() } catch {
            throw FormatError(network: error, file: file, lines: [:])
        }
        let scaled = try scalingInstead(&model, file)
        let reason = "the Caffe version for the network's other layers lacks"
        let names = scaled.map { "'\($0)'" }.joined(separator: ", ")
        notes.append(
            scaled.isEmpty
                ? "batch normalisation is folded into the convolutions: \(reason) it."
                : scaled.count == count
                    ? "batch normalisation (\(names)) cannot be folded into a convolution and is written as Scale: \(reason) BN."
                    : "batch normalisation is folded into the convolutions; where that cannot be done (\(names)), it is written as Scale: "
                        + "\(reason) BN."
        )
        return model
    }

    /// Turns batch normalisation that no convolution could take, as after a pooling, into `Scale`, which does the same at test time.
    /// - Returns: The names of the layers.
    private static func scalingInstead(_ model: inout Model, _ file: String) throws(FormatError) -> [String] {
        var names: [String] = []
        for (index, layer) in model.network.layers.enumerated() {
            guard let kind = layer.batchNormalization else { continue }
            guard kind.statistics != .batch else {
                throw FormatError(
                    file: file,
                    problem:
                        "layer '\(layer.name)' normalises by the statistics of each batch (bn_mode LEARN), which the Caffe version "
                        + "for the network's other layers cannot do",
                    advice: "Convert the model with its training pictures as \(UserChoice.statistics)"
                )
            }
            let (scale, shift) = try model.weights.normalization(layer.name, kind, file: file)
            model.weights[layer.name, .scale] = scale
            model.weights[layer.name, .shift] = shift
            for role in [LayerParameter.Role.mean, .variance] { model.weights[layer.name, role] = nil }
            model.network.layers[index].operation = .scale(Scale(hasShift: true))
            names.append(layer.name)
        }
        return names
    }

    /// Takes the padding in front and the cut at the end of DeepLab away: its authors pad pictures before Caffe sees them.
    private static func withoutPadding(_ network: inout Network, _ notes: inout [String]) {
        guard let first = network.layers.first, case .padding(let padding) = first.operation,
            first.inputs == [network.input.name], let last = network.layers.last,
            last.operation == .crop(Crop()), last.inputs.count == 2, last.inputs[1] == network.input.name,
            let shape = try? padding.outputs(of: [BlobShape(network.input.shape)])[0].shape
        else { return }
        let (height, width) = (network.input.height, network.input.width)
        network.layers.removeFirst()
        network.layers.removeLast()
        for index in network.layers.indices {
            network.layers[index].inputs = network.layers[index].inputs.map {
                $0 == first.outputs[0] ? network.input.name : $0
            }
        }
        network = network.resized(height: shape.height, width: shape.width)
        notes.append(
            "pictures of \(width)x\(height) are expected with the mean (zeros after it is subtracted) added at the right and bottom to "
                + "\(shape.width)x\(shape.height); the top left \(width)x\(height) of the scores counts."
        )
    }
}

extension Layer {
    /// Whether its window has gaps.
    fileprivate var isDilated: Bool {
        switch operation {
        case .convolution(let kind): kind.window.dilationY != 1 || kind.window.dilationX != 1
        case .transposedConvolution(let kind): kind.window.dilationY != 1 || kind.window.dilationX != 1
        default: false
        }
    }

    fileprivate var batchNormalization: BatchNormalization? {
        if case .batchNormalization(let kind) = operation { kind } else { nil }
    }
}

extension CaffeWriter {
    /// The description as text.
    func text(_ net: Caffe_NetParameter) -> String {
        guard dialect.isOld else { return net.textFormatString() }
        var head = net
        head.layer = []
        var text = head.textFormatString()
        for parameter in net.layer {
            let old = parameter.asOldLayer()
            // The type's word is not part of the schema, which has upstream's only.
            let word = dialect.oldType(parameter.type)?.word ?? parameter.type
            text += "layers {\n  type: \(word)\n"
            for line in old.textFormatString().split(separator: "\n") { text += "  \(line)\n" }
            text += "}\n"
        }
        return text
    }
}

extension Caffe_LayerParameter {
    /// The same layer in the old encoding, without its type and blobs.
    fileprivate func asOldLayer() -> Caffe_V1LayerParameter {
        var old = Caffe_V1LayerParameter()
        old.name = name
        old.bottom = bottom
        old.top = top
        if hasConcatParam { old.concatParam = concatParam }
        if hasConvolutionParam { old.convolutionParam = convolutionParam }
        if hasDropoutParam { old.dropoutParam = dropoutParam }
        if hasEltwiseParam { old.eltwiseParam = eltwiseParam }
        if hasInnerProductParam { old.innerProductParam = innerProductParam }
        if hasLrnParam { old.lrnParam = lrnParam }
        if hasPoolingParam { old.poolingParam = poolingParam }
        if hasSoftmaxParam { old.softmaxParam = softmaxParam }
        if hasArgmaxParam { old.argmaxParam = argmaxParam }
        if hasBnParam { old.bnParam = bnParam }
        if hasInterpParam { old.interpParam = interpParam }
        if hasUnpoolingParam { old.unpoolingParam = unpoolingParam }
        return old
    }
}
