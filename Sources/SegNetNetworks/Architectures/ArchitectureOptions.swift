/// Where the paper and the released networks differ, and what users change.
///
/// The defaults are the released networks (docs/segnet.md, Paper and release).
public struct ArchitectureOptions: Sendable, Hashable {
    /// How the network normalises its input.
    public enum InputNormalization: String, Sendable, CaseIterable {
        /// As released: nothing for SegNet, LRN for SegNet-Basic (docs/segnet.md, Paper and release).
        case released
        /// Nothing.
        case none
        /// Local response normalisation across the input channels.
        case lrn
        /// Local contrast normalisation, as the paper's text has it.
        case lcn
    }

    /// Dropout at the published places (docs/segnet.md, Dropout and sampling).
    public enum DropoutPlacement: String, Sendable, CaseIterable {
        /// As in the authors' training files: none in SegNet, SegNet-Basic and DeconvNet; after the fc layers of FCN and DeepLab.
        case released
        case none
        /// For training; idle afterwards.
        case training
        /// Bayesian SegNet: sampled at test time as well.
        case sampled
    }

    /// The input: channels and size. Any size of at least 1x1 and any number of channels.
    public var input: InputDescription
    /// Multiplies every inner width; each is rounded up to a multiple of 16. 0.25 makes a small, fast net of the same kind.
    public var width: Double
    /// Biases before batch normalisation: the released networks have them, the paper's SegNet-Basic has none.
    public var convolutionBias: Bool
    public var inputNormalization: InputNormalization
    public var dropout: DropoutPlacement
    /// Whether every convolution except those that give scores is followed by batch normalisation, as in the paper's benchmark. Nil is as
    /// released: SegNet, DeconvNet and the variants of SegNet-Basic have it, FCN and DeepLab do not.
    public var batchNormalization: Bool?
    /// The width of `fc6` and `fc7`. Nil is as released: 4096, in DeepLab-LargeFOV 1024. The paper ran DeconvNet with 1024.
    public var fullyConnectedWidth: Int?
    /// ReLU after the decoder's convolutions. Nil is as released: SegNet has it, SegNet-Basic does not.
    public var decoderReLU: Bool?
    /// SegNet only: a 27th convolution after a full `conv1_1_D`, as in the zoo's `bayesian_segnet_camvid`.
    public var extraClassifier: Bool
    /// Folded by default, which is what inference needs; `batch` describes the network for training.
    public var statistics: BatchNormalization.Statistics

    public init(
        input: InputDescription = .bgr255(),
        width: Double = 1,
        convolutionBias: Bool = true,
        inputNormalization: InputNormalization = .released,
        dropout: DropoutPlacement = .released,
        batchNormalization: Bool? = nil,
        fullyConnectedWidth: Int? = nil,
        decoderReLU: Bool? = nil,
        extraClassifier: Bool = false,
        statistics: BatchNormalization.Statistics = .folded
    ) {
        self.input = input
        self.width = width
        self.convolutionBias = convolutionBias
        self.inputNormalization = inputNormalization
        self.dropout = dropout
        self.batchNormalization = batchNormalization
        self.fullyConnectedWidth = fullyConnectedWidth
        self.decoderReLU = decoderReLU
        self.extraClassifier = extraClassifier
        self.statistics = statistics
    }

    /// A published width under the multiplier: rounded up to a multiple of 16, the kernels' block, and at least 16.
    func channels(_ published: Int) -> Int {
        guard width > 0, width.isFinite else { return 16 }
        let scaled = (Double(published) * min(width, 64) / 16).rounded(.up)
        return max(16, 16 * Int(scaled))
    }

    /// The pieces of the network, with batch normalisation or without.
    /// - Parameter isNormalized: Whether the released network has it.
    func factory(kernel: Int = 3, isNormalized: Bool) -> LayerFactory {
        LayerFactory(
            hasBias: convolutionBias,
            kernel: kernel,
            normalization: batchNormalization ?? isNormalized ? BatchNormalization(statistics: statistics) : nil
        )
    }

    /// Whether there is dropout.
    /// - Parameter released: Whether the released network has it.
    func hasDropout(released: Bool) -> Bool { dropout == .released ? released : dropout != .none }

    func normalizationLayers(released: InputNormalization) -> [Layer] {
        switch inputNormalization == .released ? released : inputNormalization {
        case .released, .none: []
        case .lrn: input.brightness.map { [Layer("norm", .localResponseNormalization($0))] } ?? []
        case .lcn: [Layer("norm", .localContrastNormalization(LocalContrastNormalization()))]
        }
    }
}

extension InputDescription {
    /// LRN of a picture, over its colours alone. The channels behind them (alpha, depth) are not brightness and are
    /// left as they are; an input without colours has no LRN. A gray channel counts three times, as the equal red,
    /// green and blue that it stands for.
    fileprivate var brightness: LocalResponseNormalization? {
        let colors = channels.prefix { $0.isColor || $0 == .gray }.count
        guard colors > 0 else { return nil }
        var kind = LocalResponseNormalization()
        if colors == 1, channels[0] == .gray { kind.alpha *= 3 }
        if colors < channels.count { kind.channels = colors }
        return kind
    }
}
