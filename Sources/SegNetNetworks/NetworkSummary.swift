public import SegNetPlatform

/// What a network costs, layer by layer, at one input size.
public struct NetworkSummary: Sendable, Codable {
    public struct Row: Sendable, Codable {
        public var name: String
        /// `convolution 3x3`, `maxPooling`, ...
        public var kind: String
        /// The names of the blobs that it writes, which are often not its own: `conv1_1_bn` writes `conv1_1` in place.
        public var blobs: [String]
        /// [N, C, H, W] of the first output.
        public var output: Shape
        /// Learnt numbers (statistics not counted).
        public var parameters: Int
        /// Multiply-accumulates of the plain algorithm.
        public var multiplyAccumulates: Int
        /// Bytes of the first output as float32.
        public var bytes: Int
        /// The extent of the picture, in pixels, that one output value sees.
        public var receptiveField: Int
    }

    public var name: String
    public var input: Shape
    public var rows: [Row]
    public var parameters: Int
    public var multiplyAccumulates: Int
    /// Bytes of all learnt numbers as float32.
    public var weightBytes: Int
    public var classes: Int?
}

extension Network {
    /// The cost table.
    /// - Throws: `NetworkError` where the shapes do not fit.
    public func summary() throws(NetworkError) -> NetworkSummary {
        let shapes = try shapes()
        // Receptive field of each blob: extent, and the distance in picture pixels between neighbouring values.
        var fields: [String: (extent: Int, jump: Int)] = [input.name: (1, 1)]
        var rows: [NetworkSummary.Row] = []
        for (layer, blobs) in zip(layers, shapes.layers) {
            let kind = layer.operation.kind
            var field = layer.inputs.compactMap { fields[$0] }.max { $0.extent < $1.extent } ?? (1, 1)
            let window = kind.receptiveWindow
            if case .unpooling = layer.operation {
                // Back on the finer grid: neighbours are as close as before the pooling.
                let fine = layer.inputs.dropFirst().compactMap { fields[$0] }.first ?? (1, 2)
                field.jump = max(1, fine.jump / 2)
            } else {
                field.extent = saturatingSum([field.extent, saturatingProduct(window.extent - 1, field.jump)])
                field.jump = saturatingProduct(field.jump, window.step)
            }
            for output in layer.outputs { fields[output] = field }
            var description = layer.operation.kindName
            if case .convolution(let kind) = layer.operation { description += " " + kind.window.description }
            if case .transposedConvolution(let kind) = layer.operation { description += " " + kind.window.description }
            let parameters = kind.parameters(for: blobs.inputs).filter { !$0.isStatistic }
            let output = blobs.outputs.first?.shape ?? []
            rows.append(
                NetworkSummary.Row(
                    name: layer.name,
                    kind: description,
                    blobs: layer.outputs,
                    output: output,
                    parameters: saturatingSum(parameters.map(\.shape.count)),
                    multiplyAccumulates: kind.multiplyAccumulates(inputs: blobs.inputs, outputs: blobs.outputs),
                    bytes: saturatingProduct(output.count, 4),
                    receptiveField: field.extent
                )
            )
        }
        let parameters = saturatingSum(rows.map(\.parameters))
        return NetworkSummary(
            name: name,
            input: input.shape,
            rows: rows,
            parameters: parameters,
            multiplyAccumulates: saturatingSum(rows.map(\.multiplyAccumulates)),
            weightBytes: saturatingProduct(parameters, 4),
            classes: scoresBlob.flatMap { shapes.blobs[$0]?.shape.channels }
        )
    }
}
