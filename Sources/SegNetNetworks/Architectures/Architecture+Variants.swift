/// Which choices mean something for an architecture. The networks themselves say so: a choice that changes nothing means nothing.
extension Architecture {
    /// Whether it has the layers `fc6` and `fc7`, whose width `ArchitectureOptions.fullyConnectedWidth` chooses.
    public var hasFullyConnectedLayers: Bool {
        func network(_ width: Int) -> Network {
            self.network(classes: 2, options: ArchitectureOptions(fullyConnectedWidth: width))
        }
        return network(16) != network(32)
    }

    /// Whether it has transposed convolutions that enlarge maps, which `Upsampling` fixes or lets learn.
    public var hasUpsamplingLayers: Bool {
        let network = network(classes: 2)
        return fixedLayers(of: network, upsampling: .fixed) != fixedLayers(of: network, upsampling: .learnt)
    }
}
