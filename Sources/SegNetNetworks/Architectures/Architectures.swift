/// The networks that this package knows by name: one file each.
public enum Architectures {}

/// An architecture by name, as the command line's `--architecture` takes it.
public enum Architecture: String, Sendable, CaseIterable, Codable {
    case segNet = "segnet"
    case segNetBasic = "segnet-basic"
    case bayesianSegNet = "bayesian-segnet"
    case bayesianSegNetBasic = "bayesian-segnet-basic"
    case fcn32s = "fcn-32s"
    case fcn16s = "fcn-16s"
    case fcn8s = "fcn-8s"
    case fcn8sAtOnce = "fcn-8s-at-once"
    case deepLabLargeFOV = "deeplab-largefov"
    case deconvNet = "deconvnet"
    case segNetBasicEncoderAddition = "segnet-basic-encoder-addition"
    case segNetBasicSingleChannelDecoder = "segnet-basic-single-channel-decoder"
    case fcnBasic = "fcn-basic"
    case fcnBasicNoAddition = "fcn-basic-no-addition"
    case fcnBasicNoDimReduction = "fcn-basic-no-dim-reduction"
    case fcnBasicNoAdditionNoDimReduction = "fcn-basic-no-addition-no-dim-reduction"
    case bilinearInterpolation = "bilinear-interpolation"

    /// One line for help texts.
    public var summary: String {
        switch self {
        case .segNet: "SegNet: VGG16's 13 convolutions down, 13 up"
        case .segNetBasic: "SegNet-Basic: 4 convolutions of 7x7 down, 4 up"
        case .bayesianSegNet: "SegNet with dropout at six places, for Monte-Carlo sampling"
        case .bayesianSegNetBasic: "SegNet-Basic with dropout at four places"
        case .fcn32s: "FCN: VGG16 as convolutions, one upsampling by 32"
        case .fcn16s: "FCN with the scores of pool4 added, upsampling by 16"
        case .fcn8s: "FCN with the scores of pool4 and pool3 added, upsampling by 8"
        case .fcn8sAtOnce: "FCN-8s for one training instead of three stages"
        case .deepLabLargeFOV: "DeepLab-LargeFOV: VGG16 with dilated convolutions, bilinear upsampling by 8"
        case .deconvNet: "DeconvNet: VGG16 with fc layers down, their mirror image with unpooling up"
        case .segNetBasicEncoderAddition: "SegNet-Basic whose decoders also add the encoder's pooled maps"
        case .segNetBasicSingleChannelDecoder: "SegNet-Basic with one filter per map in the decoder"
        case .fcnBasic: "SegNet-Basic's encoder, FCN's decoder: 1x1 reductions, learnt upsampling, sums"
        case .fcnBasicNoAddition: "FCN-Basic without sums"
        case .fcnBasicNoDimReduction: "FCN-Basic with all 64 maps in the decoder"
        case .fcnBasicNoAdditionNoDimReduction: "FCN-Basic with all 64 maps and without sums"
        case .bilinearInterpolation: "SegNet-Basic's encoder, a 1x1 reduction, fixed bilinear upsampling"
        }
    }

    /// The network with this many classes.
    public func network(classes: Int, options: ArchitectureOptions = ArchitectureOptions()) -> Network {
        var options = options
        switch self {
        case .bayesianSegNet, .bayesianSegNetBasic: options.dropout = .sampled
        default: break
        }
        switch self {
        case .segNet, .bayesianSegNet: return Architectures.segNet(classes: classes, options: options)
        case .segNetBasic, .bayesianSegNetBasic: return Architectures.segNetBasic(classes: classes, options: options)
        case .fcn32s: return Architectures.fcn32s(classes: classes, options: options)
        case .fcn16s: return Architectures.fcn16s(classes: classes, options: options)
        case .fcn8s: return Architectures.fcn8s(classes: classes, options: options)
        case .fcn8sAtOnce: return Architectures.fcn8s(classes: classes, options: options, isAtOnce: true)
        case .deepLabLargeFOV: return Architectures.deepLabLargeFOV(classes: classes, options: options)
        case .deconvNet: return Architectures.deconvNet(classes: classes, options: options)
        case .segNetBasicEncoderAddition:
            return Architectures.segNetBasicEncoderAddition(classes: classes, options: options)
        case .segNetBasicSingleChannelDecoder:
            return Architectures.segNetBasicSingleChannelDecoder(classes: classes, options: options)
        case .fcnBasic: return Architectures.fcnBasic(classes: classes, options: options)
        case .fcnBasicNoAddition: return Architectures.fcnBasic(classes: classes, options: options, adds: false)
        case .fcnBasicNoDimReduction: return Architectures.fcnBasic(classes: classes, options: options, reduces: false)
        case .fcnBasicNoAdditionNoDimReduction:
            return Architectures.fcnBasic(classes: classes, options: options, adds: false, reduces: false)
        case .bilinearInterpolation: return Architectures.bilinearInterpolation(classes: classes, options: options)
        }
    }
}
