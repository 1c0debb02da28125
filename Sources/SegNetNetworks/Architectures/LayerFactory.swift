/// The pieces of which the architectures are made, named as in the original's files.
struct LayerFactory {
    var hasBias = true
    var kernel = 3
    /// Nil leaves batch normalisation out.
    var normalization: BatchNormalization? = BatchNormalization()

    func conv(_ name: String, _ channels: Int, kernel: Int? = nil) -> Layer {
        let extent = kernel ?? self.kernel
        return conv(name, channels, window: Window(extent, padding: (extent - 1) / 2))
    }

    func conv(_ name: String, _ channels: Int, window: Window, groups: Int = 1) -> Layer {
        Layer(
            name,
            .convolution(Convolution(outputChannels: channels, window: window, groups: groups, hasBias: hasBias))
        )
    }

    func convBN(_ name: String, _ channels: Int) -> [Layer] { normalized(conv(name, channels)) }

    /// `conv1_1` -> `conv1_1_bn`, `relu1_1`
    func convBNReLU(_ name: String, _ channels: Int, window: Window? = nil) -> [Layer] {
        let layer = window.map { conv(name, channels, window: $0) } ?? conv(name, channels)
        return normalized(layer) + [relu(reluName(name))]
    }

    /// A layer and the batch normalisation behind it, which works in place.
    func normalized(_ layer: Layer, as name: String? = nil) -> [Layer] {
        guard let normalization else { return [layer] }
        return [layer, Layer(name ?? layer.name + "_bn", outputs: [], .batchNormalization(normalization))]
    }

    func relu(_ name: String) -> Layer { Layer(name, outputs: [], .relu(ReLU())) }

    /// `conv1_1` -> `relu1_1`, `fc6` -> `relu6`
    private func reluName(_ name: String) -> String {
        for prefix in ["conv", "fc"] where name.hasPrefix(prefix) { return "relu" + name.dropFirst(prefix.count) }
        return name + "_relu"
    }

    /// With pooling indices as second output.
    func maxPool(_ name: String) -> Layer {
        Layer(name, outputs: [name, name + "_mask"], .maxPooling(MaxPooling()))
    }

    /// Without pooling indices.
    func maxPool(_ name: String, _ window: Window) -> Layer {
        Layer(name, .maxPooling(MaxPooling(window: window, givesIndices: false)))
    }

    func unpool(_ name: String, indices pool: String, output: String) -> Layer {
        Layer(name, inputs: [pool + "_mask"], outputs: [output], .unpooling(Unpooling()))
    }

    /// A transposed convolution.
    func deconv(_ name: String, _ channels: Int, _ window: Window, groups: Int = 1, hasBias: Bool = true) -> Layer {
        Layer(
            name,
            .transposedConvolution(
                TransposedConvolution(outputChannels: channels, window: window, groups: groups, hasBias: hasBias)
            )
        )
    }

    func dropout(_ name: String, samplesAtTest: Bool = false) -> Layer {
        Layer(name, outputs: [], .dropout(Dropout(ratio: 0.5, samplesAtTest: samplesAtTest)))
    }

    func add(_ name: String, _ one: String, _ other: String) -> Layer {
        Layer(name, inputs: [one, other], .addition(Addition()))
    }

    /// - Parameter reference: The blob that lends its size.
    func crop(_ name: String, _ blob: String, to reference: String, offset: Int = 0) -> Layer {
        Layer(name, inputs: [blob, reference], .crop(Crop(top: offset, left: offset)))
    }
}
