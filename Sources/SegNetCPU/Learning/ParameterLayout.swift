import CSegNetKernels
import SegNetGraph
package import SegNetNetworks
import SegNetPlatform

/// Where each parameter of a network lies in the flat memory, in the layout in which the kernels read it: independent of the size of
/// pictures and batches.
public struct ParameterLayout: Sendable {
    /// The network that learns.
    let network: Network
    let options: TrainingOptions
    /// All parameters, in the network's order.
    public let ranges: [ParameterRange]
    /// Floats of the memory.
    public let count: Int

    let graph: CPUGraph
    /// By node of the graph.
    let nodes: [NodeParameters]
    /// By layer.
    let convolutions: [String: ConvolutionPlan]
    package let normalizations: [(layer: String, kind: BatchNormalization, channels: Int)]
    var kernels: sn_kernels { options.instructionSet.kernels }

    package init(_ network: Network, options: TrainingOptions) throws(NetworkError) {
        self.network = network
        self.options = options
        graph = try CPUGraph(Graph.training(network), network: network, storesHalves: options.storage == .float16)
        let shapes = try graph.values(network)
        var parameters: [NodeParameters] = []
        var ranges: [ParameterRange] = []
        var convolutions: [String: ConvolutionPlan] = [:]
        var normalizations: [(layer: String, kind: BatchNormalization, channels: Int)] = []
        var count = 0
        /// Where the parameter begins, in bytes.
        func add(
            _ role: LayerParameter.Role,
            _ layer: String,
            _ floats: Int,
            _ multipliers: ParameterMultipliers.Pair
        ) -> Int {
            ranges.append(
                ParameterRange(
                    layer: layer,
                    role: role,
                    range: count..<count + floats,
                    learningRateMultiplier: options.frozenLayers.contains(layer) ? 0 : multipliers.learningRate,
                    layerRate: options.layerRates[layer] ?? 1,
                    decayMultiplier: multipliers.decay
                )
            )
            defer { count += (floats + 15) / 16 * 16 }
            return count * 4
        }
        let multipliers = options.multipliers
        for node in graph.graph.nodes {
            let input = shapes[node.inputs[0]]
            switch node.operation {
            case .convolution(let convolution):
                let layer = convolution.layer
                let output = shapes[node.outputs[0]]
                let plan = ConvolutionPlan(
                    convolution,
                    isThin: input.layout == .thin,
                    size: (output.height, output.width),
                    options: options.inference
                )
                convolutions[layer] = plan
                let weight = add(.weight, layer, plan.units.reduce(0) { $0 + $1.weightCount }, multipliers.weight)
                let bias =
                    convolution.hasBias ? add(.bias, layer, plan.outputBlocks * 16, multipliers.bias) : nil
                parameters.append(.convolution(plan, weight: weight, bias: bias))
            case .activation(let activation):
                guard case .layer(let layer, let kind, let hasShift) = activation.normalization else {
                    parameters.append(.none)
                    continue
                }
                normalizations.append((layer, kind, input.channels))
                let scale = add(.scale, layer, input.blocks * 16, multipliers.scale)
                let shift = hasShift ? add(.shift, layer, input.blocks * 16, multipliers.shift) : nil
                parameters.append(.normalization(scale: scale, shift: shift))
            default: parameters.append(.none)
            }
        }
        nodes = parameters
        self.ranges = ranges
        self.count = count
        self.convolutions = convolutions
        self.normalizations = normalizations
        byName = Dictionary(uniqueKeysWithValues: ranges.map { ($0.name, $0) })
        learningLayers = Set(ranges.lazy.filter(\.learns).map(\.layer))
    }

    private let byName: [String: ParameterRange]
    private let learningLayers: Set<String>

    /// The layers that are convolutions.
    package var convolutionLayers: Set<String> { Set(convolutions.keys) }
    /// Where a parameter of a layer begins, if the layer has it.
    package func start(_ layer: String, _ role: LayerParameter.Role) -> Int? { self[layer, role]?.range.lowerBound }
    /// Whether any parameter of a layer learns.
    package func learns(_ layer: String) -> Bool { learningLayers.contains(layer) }
    /// Whether a layer has this parameter, and it learns.
    func learns(_ layer: String, _ role: LayerParameter.Role) -> Bool { self[layer, role]?.learns ?? false }
    package subscript(layer: String, role: LayerParameter.Role) -> ParameterRange? { byName["\(layer).\(role)"] }
    package func normalizationIndex(_ layer: String) -> Int? { normalizations.firstIndex { $0.layer == layer } }

    /// Numbers of a parameter's tensor, without the padding of its range.
    package func tensorCount(_ range: ParameterRange) -> Int {
        if range.role == .weight, let plan = convolutions[range.layer] { return plan.tensorCount }
        if let plan = convolutions[range.layer] { return plan.node.outputChannels }
        return normalizations.first { $0.layer == range.layer }?.channels ?? 0
    }

    /// Writes a tensor's numbers to where the kernels read them. Padding stays as it is, 0.
    package func pack(_ tensor: [Float], _ range: ParameterRange, into memory: UnsafeMutablePointer<Float>) {
        let target = memory + range.range.lowerBound
        if range.role == .weight, var plan = convolutions[range.layer] {
            plan.node.weight = .values(tensor)
            plan.packWeights(to: target, kernels: kernels)
        } else {
            for (index, value) in tensor.enumerated() { target[index] = value }
        }
    }

    /// Reads a tensor's numbers back from any memory of this layout: parameters, gradients, velocities.
    package func unpack(_ range: ParameterRange, from memory: UnsafePointer<Float>) -> [Float] {
        let source = memory + range.range.lowerBound
        let count = tensorCount(range)
        if range.role == .weight, let plan = convolutions[range.layer] {
            var tensor = [Float](repeating: 0, count: count)
            plan.unpack(source, to: &tensor, panel: kernels.panel)
            return tensor
        }
        return Array(UnsafeBufferPointer(start: source, count: count))
    }
}

/// What Caffe calls `lr_mult` and `decay_mult`, by the kind of parameter. The defaults are those of the authors' SegNet
/// (docs/segnet.md, Training); their SegNet-Basic decays `shift` too.
public struct ParameterMultipliers: Sendable, Hashable {
    public struct Pair: Sendable, Hashable {
        public var learningRate: Float
        public var decay: Float

        public init(learningRate: Float, decay: Float) {
            self.learningRate = learningRate
            self.decay = decay
        }
    }

    public var weight = Pair(learningRate: 1, decay: 1)
    public var bias = Pair(learningRate: 2, decay: 0)
    public var scale = Pair(learningRate: 1, decay: 1)
    public var shift = Pair(learningRate: 1, decay: 0)

    public init() {}
}
