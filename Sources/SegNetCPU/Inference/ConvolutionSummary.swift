import SegNetGraph
import SegNetNetworks
import SegNetPlatform

/// How a plan computes one of its convolutions, for reports.
public struct ConvolutionSummary: Sendable, Hashable, Codable {
    /// The name of the layer, or of the last of the layers that were joined into it.
    public var name: String
    /// `F(6,3)` and the like for Winograd convolution, `gather` for products over gathered windows, `depthwise`.
    public var algorithm: String
    /// How the work is cut.
    public var schedule: String
    public var inputChannels: Int
    public var outputChannels: Int
    /// Size of the output, before pooling.
    public var height: Int
    public var width: Int
    /// Multiplications of the direct convolution, with what was composed into it.
    public var multiplyAccumulates: Int
}

extension InferencePlan {
    /// The plan's convolutions in the order in which they run.
    public var convolutions: [ConvolutionSummary] {
        steps.flatMap { name, step in
            if let bands = step as? BandStep {
                return zip(bands.names, bands.links).compactMap { Self.summary($0, $1.step) }
            }
            return Self.summary(name, step).map { [$0] } ?? []
        }
    }

    private static func summary(_ name: String, _ step: any Step) -> ConvolutionSummary? {
        guard let convolution = step as? ConvolutionStep else { return nil }
        let (geometry, node) = (convolution.geometry, convolution.geometry.plan.node)
        return ConvolutionSummary(
            name: name,
            algorithm: geometry.plan.algorithmDescription,
            schedule: convolution.schedule.description,
            inputChannels: node.inputChannels,
            outputChannels: node.outputChannels,
            height: geometry.height,
            width: geometry.width,
            multiplyAccumulates: saturatingProduct(
                node.outputChannels,
                node.inputChannels / node.groups,
                node.window.taps,
                node.isTransposed ? geometry.inputHeight * geometry.inputWidth : geometry.height * geometry.width
            )
        )
    }
}

extension ConvolutionPlan {
    package var algorithmDescription: String {
        switch rowAlgorithm {
        case .direct: "direct"
        case .winograd(let variant): "\(variant.rawValue) in rows"
        case nil: algorithm.description
        }
    }
}

extension ConvolutionPlan.Algorithm: CustomStringConvertible {
    package var description: String {
        switch self {
        case .winograd(let variant): variant.rawValue
        case .gather, .gatherThin: "gather"
        case .depthwise: "depthwise"
        }
    }
}
