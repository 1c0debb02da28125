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
