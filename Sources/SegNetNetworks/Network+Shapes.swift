import SegNetPlatform

/// The shapes of a network at one input size.
public struct NetworkShapes: Sendable {
    /// For each layer the shapes it reads and writes, in the network's order.
    public internal(set) var layers: [(inputs: [BlobShape], outputs: [BlobShape])] = []
    /// The final shape of each blob by name, the input included.
    public internal(set) var blobs: [String: BlobShape] = [:]
}

extension Network {
    /// The largest height, width or channel count of a blob: far beyond what a machine can hold, small enough that products fit.
    static let largestExtent = 1 << 20

    /// The most layers of a network: the deepest that were published have some thousands, and preparing takes the square of their number.
    static let mostLayers = 10_000

    /// Infers every shape at the input's size.
    /// - Throws: `NetworkError` naming the first layer that does not fit, with both shapes.
    public func shapes() throws(NetworkError) -> NetworkShapes {
        guard !input.channels.isEmpty, input.height > 0, input.width > 0, input.height <= Self.largestExtent,
            input.width <= Self.largestExtent, input.channels.count <= Self.largestExtent
        else {
            throw NetworkError(
                network: name,
                layer: nil,
                problem: "the input \(input.shape) must have at least one channel, row and column, and at most "
                    + "\(Self.largestExtent) of each; use another \(UserChoice.size)"
            )
        }
        guard input.mean.count == input.channels.count, input.scale.count == input.channels.count else {
            throw NetworkError(
                network: name,
                layer: nil,
                problem: "the input has \(input.channels.count) channels, but \(input.mean.count) means and "
                    + "\(input.scale.count) scales; give one of each per channel"
            )
        }
        guard layers.count <= Self.mostLayers else {
            throw NetworkError(
                network: name,
                layer: nil,
                problem: "it has \(layers.count) layers; at most \(Self.mostLayers) can be read"
            )
        }
        if let index = layers.firstIndex(where: { $0.name.isEmpty || ($0.inputs + $0.outputs).contains("") }) {
            throw NetworkError(
                network: name,
                layer: nil,
                problem:
                    "layer \(index + 1), a \(layers[index].operation.kindName), or a blob of it has an empty name; name it"
            )
        }
        if let index = scoresWriter, let scores = scoresBlob {
            throw NetworkError(
                network: name,
                layer: layers[index].name,
                problem:
                    "it overwrites the scores '\(scores)', which softmax or argmax has read and which would be lost; "
                    + "give its output another name"
            )
        }
        var result = NetworkShapes()
        result.blobs[input.name] = BlobShape(input.shape)
        var names: Set<String> = []
        var inputIsThere = true
        for layer in layers {
            guard names.insert(layer.name).inserted else {
                throw NetworkError(
                    network: name,
                    layer: layer.name,
                    problem: "two layers have this name; weights are matched by name, so rename one"
                )
            }
            let (inputs, outputs) = try shapes(of: layer, blobs: result.blobs)
            if case .localResponseNormalization(let kind) = layer.operation, kind.channels != nil,
                !inputIsThere || layer.inputs[0] != input.name
            {
                throw NetworkError(
                    network: name,
                    layer: layer.name,
                    problem:
                        "it normalises some channels and copies the others, which is for the network's input; move it to the front"
                )
            }
            if layer.outputs.contains(input.name) { inputIsThere = false }
            for (blob, shape) in zip(layer.outputs, outputs) { result.blobs[blob] = shape }
            result.layers.append((inputs, outputs))
        }
        return result
    }

    private func shapes(
        of layer: Layer,
        blobs: [String: BlobShape]
    ) throws(NetworkError) -> (inputs: [BlobShape], outputs: [BlobShape]) {
        func failure(_ problem: String) -> NetworkError {
            NetworkError(network: name, layer: layer.name, problem: problem)
        }
        let kind = layer.operation.kind
        guard kind.inputCount.contains(layer.inputs.count) else {
            let needed = kind.inputCount
            let isTooMany = needed.count > 1 && layer.inputs.count > needed.upperBound
            let count =
                isTooMany
                ? "at most \(needed.upperBound)" : "\(needed.lowerBound)\(needed.count == 1 ? "" : " or more")"
            throw failure(
                "its kind, \(layer.operation.kindName), reads \(count) blobs; found \(layer.inputs.count)"
                    + (isTooMany
                        ? ". Split it into several layers, of which each reads at most \(needed.upperBound)" : "")
            )
        }
        var inputs: [BlobShape] = []
        for blob in layer.inputs {
            guard let shape = blobs[blob] else {
                throw failure(
                    "no layer before it writes its input '\(blob)'; correct the name or the order of the layers"
                )
            }
            if shape.pooledFrom != nil {
                guard case .unpooling = layer.operation, inputs.count == 1 else {
                    throw failure(
                        "'\(blob)' holds pooling indices, which only unpooling can read, as its second input"
                    )
                }
            }
            if shape.isClassIDs {
                throw failure(
                    "'\(blob)' holds class ids, with which no layer can compute; let it read the scores instead"
                )
            }
            inputs.append(shape)
        }
        let outputs: [BlobShape]
        do { outputs = try kind.outputs(of: inputs) } catch { throw failure(error.problem) }
        guard outputs.count == layer.outputs.count else {
            throw failure("it writes \(outputs.count) blobs; found \(layer.outputs.count) names")
        }
        for output in outputs where output.shape.extents.contains(where: { $0 < 1 || $0 > Self.largestExtent }) {
            throw failure(
                "its output would be \(output.shape); each dimension must be between 1 and \(Self.largestExtent)"
            )
        }
        return (inputs, outputs)
    }

    /// Every tensor that the network needs, by full name (`conv1_1.weight`), in layer order.
    /// - Throws: `NetworkError` where the shapes do not fit.
    public func parameters() throws(NetworkError) -> [(layer: Layer, name: String, parameter: LayerParameter)] {
        let shapes = try shapes()
        var result: [(layer: Layer, name: String, parameter: LayerParameter)] = []
        for (layer, blobs) in zip(layers, shapes.layers) {
            for parameter in layer.operation.kind.parameters(for: blobs.inputs) {
                result.append((layer, "\(layer.name).\(parameter.name)", parameter))
            }
        }
        return result
    }

    /// The first layer whose map is far larger than the picture, more than twice as high and wide, and that map's size. Where memory is
    /// missing, it is why: maps are seldom larger than the picture.
    package var enlargement: (layer: String, height: Int, width: Int)? {
        guard let shapes = try? shapes() else { return nil }
        for (layer, blobs) in zip(layers, shapes.layers) {
            let map = blobs.outputs[0].shape
            guard map.height * map.width > 4 * input.height * input.width else { continue }
            return (layer.name, map.height, map.width)
        }
        return nil
    }

    /// Unpooled sizes that files declare and the encoder contradicts, for a note to the user.
    public func unpoolingNotes() throws(NetworkError) -> [String] {
        let shapes = try shapes()
        var notes: [String] = []
        for (layer, blobs) in zip(layers, shapes.layers) {
            guard case .unpooling(let kind) = layer.operation else { continue }
            let size = blobs.outputs[0].shape
            guard
                (kind.declaredHeight ?? size.height) != size.height || (kind.declaredWidth ?? size.width) != size.width
            else { continue }
            notes.append(
                "layer '\(layer.name)': the file declares \(kind.declaredHeight ?? size.height)x"
                    + "\(kind.declaredWidth ?? size.width), the encoder's map is \(size.height)x\(size.width); using the encoder's."
            )
        }
        return notes
    }
}
