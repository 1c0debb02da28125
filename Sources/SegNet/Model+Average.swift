public import SegNetNetworks
import SegNetPlatform

extension Model {
    /// The mean of several models' weights, number by number, with the first one's names and notes.
    ///
    /// Often better than each of them where one was trained from another, or all from one model (Wortsman and others, "Model soups",
    /// arXiv 2203.05482). Networks that were trained independently have nothing to do with each other, and their mean is no network that
    /// has learnt anything. Batch normalisation is folded into the convolutions first, as what one stage of a training takes and what it
    /// writes may differ in that.
    /// - Parameter models: At least one; all of the same network.
    /// - Throws: `ModelAverageError`, naming the file, and the layer or the tensor and both shapes; `NetworkError` if a network does not
    ///   fit together.
    public static func average(of models: [LoadedModel]) throws -> Model {
        precondition(!models.isEmpty)
        let first = models[0]
        var result = try first.model.foldingBatchNormalization()
        var others: [Weights] = []
        for other in models.dropFirst() {
            let folded = try other.model.foldingBatchNormalization()
            try folded.requireSameNetwork(as: result, file: other.file, first: first.file)
            others.append(folded.weights)
        }
        for (_, name, _) in try result.network.parameters() {
            let tensors = ([result.weights] + others).compactMap { $0[name] }
            var sums = [Double](repeating: 0, count: tensors[0].shape.count)
            for tensor in tensors {
                for (index, value) in tensor.floats().enumerated() { sums[index] += Double(value) }
                tensor.release()
            }
            let count = Double(tensors.count)
            result.weights[name] = WeightTensor(shape: tensors[0].shape, values: sums.map { Float($0 / count) })
        }
        // It was found for the scores of the first model.
        result.metadata.denseCRF = nil
        return result
    }

    /// Refuses a model whose weights mean something else than those of the first one.
    private func requireSameNetwork(as first: Model, file: String, first firstFile: String) throws {
        func refuse(_ problem: String) -> ModelAverageError {
            ModelAverageError(file: file, first: firstFile, problem: problem)
        }
        func text(_ numbers: [Float]) -> String { numbers.map { "\($0)" }.joined(separator: ", ") }
        let (own, needed) = (network.input, first.network.input)
        guard own.channels == needed.channels else {
            throw refuse(
                "it takes the channels \(own.channels.names()), the first model takes \(needed.channels.names())"
            )
        }
        func checkShapes() throws {
            do {
                try weights.check(for: first.network, file: file)
            } catch let error as WeightsError {
                throw refuse(error.problem)
            }
        }
        for (layer, expected) in zip(network.layers, first.network.layers) where layer != expected {
            guard layer.name == expected.name else {
                throw refuse(
                    "its network is \(network.name), with the layer '\(layer.name)' where the first model, \(first.network.name), has "
                        + "'\(expected.name)'"
                )
            }
            // Where shapes differ, they say more.
            try checkShapes()
            throw refuse("its layer '\(layer.name)' has other settings than the first model's")
        }
        guard network.layers.count == first.network.layers.count else {
            throw refuse(
                "it has \(counted(network.layers.count, "layer")), the first model has \(first.network.layers.count)"
            )
        }
        // Those of inner products depend on the size of the input.
        try checkShapes()
        guard own.mean == needed.mean, own.scale == needed.scale else {
            throw refuse(
                "it subtracts \(text(own.mean)) from its input and multiplies by \(text(own.scale)), whereas the first model subtracts "
                    + "\(text(needed.mean)) and multiplies by \(text(needed.scale))"
            )
        }
        if let classes = metadata.classNames, let expected = first.metadata.classNames, classes != expected {
            throw refuse(
                "its classes are \(classes.joined(separator: ", ")), "
                    + "the first model's are \(expected.joined(separator: ", "))"
            )
        }
    }
}

/// The weights of two models cannot be averaged: the same number means something else in each.
public struct ModelAverageError: Error, Hashable, CustomStringConvertible {
    public let file: String
    /// The file of the model that it does not go with.
    public let first: String
    let problem: String

    public var description: String {
        "\(file): \(problem). The first model is \(first). Only models of the same network, trained from one another or from one model, can "
            + "be averaged."
    }
}
