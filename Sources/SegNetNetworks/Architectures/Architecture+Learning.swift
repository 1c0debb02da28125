package import SegNetPlatform

/// The authors' choices for training each network that do not belong in a recipe, and the batch that its training is measured with.
extension Architecture {
    /// Whether the layers that enlarge maps learn.
    public enum Upsampling: String, Sendable, Hashable, CaseIterable {
        /// FCN's upsampling and that of bilinear-interpolation stay as they begin, that of fcn-basic and its variants learns.
        case released
        /// They stay as they begin, bilinear.
        case fixed
        case learnt
    }

    /// What the authors subtract from pictures in training: blue, green, red.
    public var mean: [Float] {
        switch self {
        case .fcn32s, .fcn16s, .fcn8s, .fcn8sAtOnce: [104.00699, 116.66877, 122.67892]
        case .deepLabLargeFOV, .deconvNet: [104.008, 116.669, 122.675]
        default: [0, 0, 0]
        }
    }

    /// What the authors subtract when they run the released weights. DeconvNet's scripts have FCN's numbers, not those of its training: a
    /// thousandth of a grey value that moves pooling indices of nearly equal values, and with them 2 % of the classes.
    public var inferenceMean: [Float] { self == .deconvNet ? Architecture.fcn8s.mean : mean }

    /// B, G, R bytes minus what the authors subtract when they run the released weights.
    public func input(height: Int = 360, width: Int = 480) -> InputDescription {
        var input = InputDescription.bgr255(height: height, width: width)
        input.mean = inferenceMean
        return input
    }

    /// Layers whose weights begin in another way than He's. FCN's new score layers begin at 0, as its files state no filler.
    public var starts: [String: LayerStart] {
        switch self {
        case .fcn32s, .fcn16s, .fcn8s:
            return ["score_fr": .constant(0), "score_pool4": .constant(0), "score_pool3": .constant(0)]
        case .fcn8sAtOnce:
            var starts = Architecture.fcn8s.starts
            starts["scale_pool4"] = .constant(0.01)
            starts["scale_pool3"] = .constant(0.0001)
            return starts
        case .deepLabLargeFOV: return ["fc8_voc12": .gaussian(deviation: 0.01)]
        case .deconvNet: return ["seg-score-voc": .gaussian(deviation: 0.01)]
        default: return [:]
        }
    }

    /// The layers of a network of this architecture that do not learn.
    public func fixedLayers(of network: Network, upsampling: Upsampling = .released) -> [String] {
        let isFixed: Bool
        switch (upsampling, self) {
        case (.fixed, _): isFixed = true
        case (.learnt, _): isFixed = false
        case (.released, .fcn32s), (.released, .fcn16s), (.released, .fcn8s), (.released, .fcn8sAtOnce),
            (.released, .bilinearInterpolation):
            isFixed = true
        default: isFixed = false
        }
        return network.layers.filter { layer in
            switch layer.operation {
            case .transposedConvolution(let kind): isFixed && kind.window.strideY > 1
            case .scale: self == .fcn8sAtOnce
            default: false
            }
        }.map(\.name)
    }

    /// How many pixels of a picture the loss of training shares a score: DeepLab's is taken on its grid of 1/8, against every eighth pixel
    /// of the labels.
    public var lossStride: Int { self == .deepLabLargeFOV ? 8 : 1 }

    /// The batch with which training steps are measured: as other programs are, in `Benchmarks/peers`.
    package var measuredBatch: (pictures: Int, size: PictureSize) {
        switch self {
        case .segNet, .bayesianSegNet: (2, PictureSize(width: 480, height: 352))
        case .fcn32s, .fcn16s, .fcn8s, .fcn8sAtOnce, .deepLabLargeFOV: (2, PictureSize(width: 240, height: 180))
        case .deconvNet: (2, PictureSize(width: 240, height: 224))
        case .segNetBasic, .bayesianSegNetBasic, .segNetBasicEncoderAddition, .segNetBasicSingleChannelDecoder,
            .fcnBasic, .fcnBasicNoAddition, .fcnBasicNoDimReduction, .fcnBasicNoAdditionNoDimReduction,
            .bilinearInterpolation:
            (4, PictureSize(width: 240, height: 176))
        }
    }
}
