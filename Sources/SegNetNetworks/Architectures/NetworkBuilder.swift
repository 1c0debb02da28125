/// Collects the layers of a network in reading order. A layer that names no input reads the output of the layer before.
@resultBuilder
public enum NetworkBuilder {
    public static func buildExpression(_ layers: [Layer]) -> [Layer] { layers }
    public static func buildExpression(_ layer: Layer) -> [Layer] { [layer] }
    public static func buildBlock(_ layers: [Layer]...) -> [Layer] { layers.flatMap { $0 } }
    public static func buildOptional(_ layers: [Layer]?) -> [Layer] { layers ?? [] }
    public static func buildEither(first layers: [Layer]) -> [Layer] { layers }
    public static func buildEither(second layers: [Layer]) -> [Layer] { layers }
}

extension Network {
    /// A network from layers written down in order; see `Architectures.segNet`.
    public init(_ name: String, input: InputDescription, @NetworkBuilder layers: () -> [Layer]) {
        var blob = input.name
        var chained: [Layer] = []
        for var layer in layers() {
            switch layer.operation {
            case .unpooling where layer.inputs.count == 1: layer.inputs.insert(blob, at: 0)
            default: if layer.inputs.isEmpty { layer.inputs = [blob] }
            }
            // In place, as the original's files have it: the layer rewrites the blob it reads.
            if layer.outputs.isEmpty { layer.outputs = [layer.inputs[0]] }
            blob = layer.outputs[0]
            chained.append(layer)
        }
        self.init(name: name, input: input, layers: chained)
    }
}

/// The pieces of which the architectures are made, named as in the original's files.
struct LayerFactory {
    var hasBias = true
    var kernel = 3
    var normalization = BatchNormalization()

    func conv(_ name: String, _ channels: Int, kernel: Int? = nil) -> Layer {
        let extent = kernel ?? self.kernel
        let window = Window(extent, padding: (extent - 1) / 2)
        return Layer(name, .convolution(Convolution(outputChannels: channels, window: window, hasBias: hasBias)))
    }

    func convBN(_ name: String, _ channels: Int) -> [Layer] {
        [conv(name, channels), Layer(name + "_bn", outputs: [], .batchNormalization(normalization))]
    }

    /// `conv1_1` -> `conv1_1_bn`, `relu1_1`
    func convBNReLU(_ name: String, _ channels: Int) -> [Layer] {
        let reluName = name.hasPrefix("conv") ? "relu" + name.dropFirst(4) : name + "_relu"
        return convBN(name, channels) + [Layer(reluName, outputs: [], .relu(ReLU()))]
    }

    func maxPool(_ name: String) -> Layer {
        Layer(name, outputs: [name, name + "_mask"], .maxPooling(MaxPooling()))
    }

    func unpool(_ name: String, indices pool: String, output: String) -> Layer {
        Layer(name, inputs: [pool + "_mask"], outputs: [output], .unpooling(Unpooling()))
    }

    func dropout(_ name: String, samplesAtTest: Bool) -> Layer {
        Layer(name, outputs: [], .dropout(Dropout(ratio: 0.5, samplesAtTest: samplesAtTest)))
    }
}
