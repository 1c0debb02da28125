import SegNetNetworks
import SegNetPlatform

extension Graph {
    /// Gives the graph the numbers of a model: convolutions get their tensors, batch normalisation becomes constants.
    ///
    /// Weights must have been checked against the network.
    /// - Throws: `NetworkError` if batch normalisation has no stored statistics.
    mutating func bind(_ weights: Weights, of network: Network) throws(NetworkError) {
        for position in nodes.indices {
            switch nodes[position].operation {
            case .convolution(var convolution):
                guard let weight = weights[convolution.layer, .weight] else {
                    throw NetworkError(network: network.name, layer: convolution.layer, problem: "it has no weights")
                }
                convolution.weight = .tensor(weight)
                convolution.bias =
                    weights[convolution.layer, .bias]?.floats()
                    ?? Array(repeating: 0, count: convolution.outputChannels)
                nodes[position].operation = .convolution(convolution)
            case .activation(var activation):
                guard case .layer(let layer, let kind, let hasShift) = activation.normalization else { continue }
                activation.normalization = try constants(of: layer, kind, hasShift: hasShift, weights, network)
                nodes[position].operation = .activation(activation)
            default: break
            }
        }
    }

    private func constants(
        of layer: String,
        _ kind: BatchNormalization,
        hasShift: Bool,
        _ weights: Weights,
        _ network: Network
    ) throws(NetworkError) -> Activation.Normalization {
        func failure(_ problem: String) -> NetworkError {
            NetworkError(network: network.name, layer: layer, problem: problem)
        }
        func vector(_ role: LayerParameter.Role) -> [Float]? { weights[layer, role]?.floats() }
        guard let scale = vector(.scale), let shift = hasShift ? vector(.shift) : scale.map({ _ in 0 }) else {
            throw failure("it has no scale and shift")
        }
        guard
            let factors = kind.factors(scale: scale, shift: shift, mean: vector(.mean), variance: vector(.variance))
        else {
            throw failure(
                "it normalises by the statistics of each batch (bn_mode LEARN) and none are stored, so the network "
                    + "cannot be used for inference. Convert the model with its training pictures as \(UserChoice.statistics); "
                    + "for a file whose statistics are already folded use its prototxt with "
                    + "bn_mode: INFERENCE"
            )
        }
        return .constants(scale: factors.scale, shift: factors.shift)
    }
}
