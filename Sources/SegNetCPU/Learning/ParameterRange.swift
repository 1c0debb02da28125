public import SegNetNetworks

/// Where one learnt tensor lies in the flat memory of all parameters, in the layout in which the kernels read it. Gradients, velocities
/// and moments lie likewise, so that optimisers work on numbers without knowing layers.
public struct ParameterRange: Sendable, Hashable {
    /// The tensor's layer, `conv1_1`.
    public var layer: String
    /// What the tensor does in it.
    public var role: LayerParameter.Role
    /// Floats from the beginning of the memory; padding between kernels' blocks included, where everything stays 0.
    public var range: Range<Int>
    /// Multiplied to the learning rate (Caffe's `lr_mult`); 0 where the layer is frozen.
    public var learningRateMultiplier: Float
    /// Multiplied to the learning rate as well: the rate of the parameter's layer.
    public var layerRate: Double
    /// Multiplied to the weight decay (Caffe's `decay_mult`).
    public var decayMultiplier: Float

    /// The tensor's name, `conv1_1.weight`.
    public var name: String { "\(layer).\(role)" }

    /// Whether steps change it. Steps, the exchange of gradients and the optimiser all ask this, so that nobody computes a gradient that
    /// nobody takes.
    public var learns: Bool { learningRateMultiplier > 0 && layerRate > 0 }

    public init(
        layer: String,
        role: LayerParameter.Role,
        range: Range<Int>,
        learningRateMultiplier: Float = 1,
        layerRate: Double = 1,
        decayMultiplier: Float = 1
    ) {
        self.layer = layer
        self.role = role
        self.range = range
        self.learningRateMultiplier = learningRateMultiplier
        self.layerRate = layerRate
        self.decayMultiplier = decayMultiplier
    }
}
