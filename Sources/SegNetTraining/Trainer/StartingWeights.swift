import SegNetFormats
import SegNetNetworks
import SegNetTensors

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Weights that a training begins with.
enum StartingWeights {
    /// Takes the encoder's convolutions by name: VGG16's caffemodel or safetensors file.
    /// - Returns: A sentence about what was loaded.
    static func load(encoder path: String, into parameters: Parameters) throws -> String {
        var source = try tensors(path)
        let fitted = fitChannels(of: &source, file: path, to: parameters.network)
        let convolutions = parameters.layout.convolutions.keys
        let found = try copy(source, into: parameters, file: path) { convolutions.contains($0) && !$0.hasSuffix("_D") }
        guard !found.isEmpty else {
            throw ConfigurationError(
                "\(path): holds no weights for this network's encoder (\(parameters.layout.ranges[0].name), ...); VGG16's 13 convolutions fit "
                    + "the architecture segnet."
            )
        }
        let layers = Set(found.map { String($0.prefix { $0 != "." }) }).count
        return "encoder: \(layers) layers from \(path)." + (fitted.map { " " + $0 } ?? "")
    }

    /// Takes everything that fits by name; a classifier of another class count keeps its new weights.
    static func load(model path: String, into parameters: Parameters) throws -> String {
        var source: Weights
        if path.lowercased().hasSuffix(".safetensors") {
            let model = try SafetensorsFile.readModel(URL(filePath: path))
            source = model.weights
            let isFolded = model.network.layers.allSatisfy { layer in
                if case .batchNormalization(let kind) = layer.operation { return kind.statistics == .folded }
                return true
            }
            if isFolded { source = unfolded(model, parameters) }
        } else {
            source = try tensors(path)
        }
        let fitted = fitChannels(of: &source, file: path, to: parameters.network)
        var skipped: [String] = []
        for range in parameters.layout.ranges {
            guard let tensor = source[range.name], tensor.shape.count != parameters.layout.tensorCount(range) else {
                continue
            }
            skipped.append(range.layer)
            source[range.name] = nil
        }
        let found = try copy(source, into: parameters, file: path) { _ in true }
        guard !found.isEmpty else { throw ConfigurationError("\(path): holds no weights of this network's layers.") }
        let fresh = parameters.layout.ranges.map(\.name).filter { !found.contains($0) }
        let names = Set(fresh.map { String($0.prefix { $0 != "." }) }).sorted()
        let rest = names.isEmpty ? "" : "; new: \(names.joined(separator: ", "))"
        return "model: \(found.count) tensors from \(path)\(rest)." + (fitted.map { " " + $0 } ?? "")
    }

    /// A model whose statistics are folded in cannot be unfolded: its scale and shift are taken as they are, and the first steps, in which
    /// batch statistics normalise again, find the right scale by learning. What was folded into convolutions keeps its own scale there.
    private static func unfolded(_ model: Model, _ parameters: Parameters) -> Weights {
        var weights = model.weights
        for normalization in parameters.layout.normalizations {
            weights["\(normalization.layer).scale"] = nil
            weights["\(normalization.layer).shift"] = nil
        }
        return weights
    }

    private static func copy(
        _ source: Weights,
        into parameters: Parameters,
        file: String,
        where isWanted: (String) -> Bool
    ) throws -> Set<String> {
        var found: Set<String> = []
        let memory = parameters.valueBuffer
        guard let base = memory.baseAddress else { return found }
        for range in parameters.layout.ranges where isWanted(range.layer) {
            guard let tensor = source[range.name] else { continue }
            guard tensor.shape.count == parameters.layout.tensorCount(range) else {
                throw ConfigurationError(
                    "\(file): its '\(range.name)' is \(tensor.shape), the network needs \(parameters.layout.tensorCount(range)) numbers; "
                        + "it is of another architecture or has another number of input channels."
                )
            }
            parameters.layout.pack(tensor.floats(), range, into: base)
            tensor.release()
            found.insert(range.name)
        }
        for index in parameters.statistics.indices {
            let layer = parameters.statistics[index].layer
            if let mean = source["\(layer).mean"]?.floats(), let variance = source["\(layer).variance"]?.floats(),
                mean.count == parameters.statistics[index].mean.count
            {
                parameters.statistics[index].mean = mean.map(Double.init)
                parameters.statistics[index].variance = variance.map(Double.init)
            }
        }
        return found
    }

    private static func tensors(_ path: String) throws -> Weights {
        let url = URL(filePath: path)
        if path.lowercased().hasSuffix(".caffemodel") { return try Caffe.readConvolutions(url) }
        return try SafetensorsFile(url).weights
    }
}

/// A model file as a trainer reads it.
enum LoadedStart {
    static func model(_ url: URL) throws -> Model { try SafetensorsFile.readModel(url) }
}
