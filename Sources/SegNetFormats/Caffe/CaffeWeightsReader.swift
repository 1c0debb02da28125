import SegNetNetworks
import SegNetPlatform

/// Matches the layers of a `.caffemodel` with those of a network, by name as Caffe does.
///
/// Caffe silently skips what does not match, so that a misspelled classifier stays random (docs/segnet.md, Caffe
/// files). Here it is an error that names the closest layer in the file.
struct CaffeWeightsReader {
    let file: CaffeModelFile
    let description: CaffeNetworkDescription
    let options: Caffe.ReadingOptions

    func read() throws(FormatError) -> (Weights, WeightsReport) {
        let network = description.network
        var needed: [(layer: Layer, parameters: [LayerParameter])] = []
        do {
            for (layer, _, parameter) in try network.parameters() {
                if needed.last?.layer.name == layer.name {
                    needed[needed.count - 1].parameters.append(parameter)
                } else {
                    needed.append((layer, [parameter]))
                }
            }
        } catch {
            throw FormatError(network: error, file: description.file, lines: description.lines)
        }

        // Caffe copies layer after layer: of two with the same name, the last one stays.
        var stored: [String: CaffeModelFile.Layer] = [:]
        for layer in file.layers where !layer.blobs.isEmpty { stored[layer.name] = layer }

        var weights = Weights()
        var report = WeightsReport(file: file.file.name)
        var missing: [String] = []
        for (layer, parameters) in needed {
            guard let source = stored[layer.name] else {
                report.initial.append(layer.name)
                if let filling = description.fillings[layer.name] {
                    fill(layer, parameters, with: filling, &weights, &report)
                } else {
                    missing.append(layer.name)
                }
                continue
            }
            try load(layer, parameters, from: source, into: &weights)
            report.loaded.append(layer.name)
        }
        let names = Set(needed.map(\.layer.name))
        var seen: Set<String> = []
        report.unused = file.layers.filter { stored[$0.name] != nil && !names.contains($0.name) }.map(\.name)
            .filter { seen.insert($0).inserted }

        if let name = missing.first {
            let parameters = needed.first { $0.layer.name == name }?.parameters ?? []
            try fill(name, others: missing.count - 1, parameters, stored, report, &weights)
        }
        try checkStatistics(weights, &report)
        return (weights, report)
    }

    private func load(
        _ layer: Layer,
        _ parameters: [LayerParameter],
        from source: CaffeModelFile.Layer,
        into weights: inout Weights
    ) throws(FormatError) {
        if case .batchNormalization = layer.operation, source.blobs.count == 4, parameters.count == 2 {
            throw FormatError(
                file: file.file.name,
                problem: "layer '\(layer.name)' has 4 blobs. \(CaffeNetworkReader.otherNormalization)",
                advice: CaffeNetworkReader.foldStatistics
            )
        }
        guard source.blobs.count == parameters.count else {
            let names = parameters.map(\.name).joined(separator: " and ")
            throw FormatError(
                file: file.file.name,
                problem:
                    "layer '\(layer.name)' has \(source.blobs.count) blobs, the network needs \(parameters.count) (\(names))",
                advice: "Check that the description (\(description.file)) belongs to these weights"
            )
        }
        for (blob, parameter) in zip(source.blobs, parameters) {
            guard blob.fits(parameter.shape.extents, isStrict: !description.looseLayers.contains(layer.name)) else {
                throw FormatError(
                    file: file.file.name,
                    problem: "layer '\(layer.name)' has a \(parameter.name) of shape \(Shape(blob.shape)), the network "
                        + "needs \(parameter.shape)",
                    advice: "Check that the description (\(description.file)) belongs to these weights"
                )
            }
            weights[layer.name, parameter.role] = file.tensor(blob, shape: parameter.shape)
        }
    }

    /// Gives a Scale layer that the file lacks its filler's constant, as Caffe does.
    private func fill(
        _ layer: Layer,
        _ parameters: [LayerParameter],
        with filling: CaffeNetworkDescription.Filling,
        _ weights: inout Weights,
        _ report: inout WeightsReport
    ) {
        for parameter in parameters {
            let value = parameter.role == .scale ? filling.scale : filling.shift
            let values = Array(repeating: value, count: parameter.shape.count)
            weights[layer.name, parameter.role] = WeightTensor(shape: parameter.shape, values: values)
        }
        report.notes.append(
            "\(file.file.name) has no weights for layer '\(layer.name)', so its filler's value is used: \(filling.scale)."
        )
    }

    /// Handles layers that the file lacks; `name` is the first of them.
    private func fill(
        _ name: String,
        others: Int,
        _ parameters: [LayerParameter],
        _ stored: [String: CaffeModelFile.Layer],
        _ report: WeightsReport,
        _ weights: inout Weights
    ) throws(FormatError) {
        switch options.missingWeights {
        case .initialize(let seed):
            let initial: Weights
            do { initial = try Weights.initial(for: description.network, seed: seed) } catch {
                throw FormatError(network: error, file: description.file, lines: description.lines)
            }
            for (name, tensor) in initial.tensors where weights[name] == nil { weights[name] = tensor }
        case .refuse:
            // First among the file's unused layers of the right shapes: a renamed layer is one of them.
            let fitting = report.unused.filter { candidate in
                guard let blobs = stored[candidate]?.blobs, blobs.count == parameters.count else { return false }
                return zip(blobs, parameters).allSatisfy { $0.fits($1.shape.extents) }
            }
            let closest =
                closestName(to: name, among: fitting) ?? fitting.first ?? closestName(to: name, among: report.unused)
                ?? closestName(to: name, among: Array(stored.keys))
            let more = others == 0 ? "" : " and \(others) more layer\(others == 1 ? "" : "s")"
            throw FormatError(
                file: file.file.name,
                problem: "has no weights for layer '\(name)'\(more), which would stay random",
                advice: closest.map {
                    "The closest name in the file is '\($0)': if it is meant, rename the layer in \(description.file)"
                } ?? "Check that the description (\(description.file)) belongs to these weights"
            )
        }
    }

    /// Refuses batch normalisation without statistics, and warns where they seem not to be folded in.
    private func checkStatistics(_ weights: Weights, _ report: inout WeightsReport) throws(FormatError) {
        var folded: [String] = []
        var learning: [String] = []
        for layer in description.network.layers {
            guard case .batchNormalization(let kind) = layer.operation else { continue }
            if kind.statistics == .batch { learning.append(layer.name) } else { folded.append(layer.name) }
        }
        if let name = learning.first {
            let looksTrained = looksUnfolded(learning, weights)
            guard options.allowsBatchStatistics else {
                throw FormatError(
                    file: description.file,
                    line: description.lines[name],
                    problem:
                        "layer '\(name)' has its batch normalisation in LEARN mode: it divides by statistics of each "
                        + "batch, and there are none to use instead",
                    advice: looksTrained
                        ? "The scales in \(file.file.name) look as trained, without statistics: convert the model with the "
                            + "training pictures as \(UserChoice.statistics)"
                        : "The scales in \(file.file.name) look as if statistics were folded in already: use a description "
                            + "that says bn_mode: INFERENCE"
                )
            }
            if !looksTrained {
                report.notes.append(
                    "the scales in \(file.file.name) look as if statistics were folded in already: a description that says "
                        + "bn_mode: INFERENCE belongs to such weights."
                )
            }
        }
        if !folded.isEmpty, looksUnfolded(folded, weights) {
            report.notes.append(
                "every batch normalisation in \(file.file.name) has scales near 1 and shifts near 0, as training leaves "
                    + "them: if one or two classes cover the whole picture, the statistics were never folded in; "
                    + "convert the model with \(UserChoice.statistics) and the description of the training."
            )
        }
    }

    /// Whether scales and shifts look as training leaves them, without statistics folded in. Nothing in the file says so;
    /// folded scales carry 1 / deviation and spread over decades (docs/segnet.md, Batch normalisation), trained ones
    /// stay near their start.
    private func looksUnfolded(_ layers: [String], _ weights: Weights) -> Bool {
        func median(_ layer: String, _ role: LayerParameter.Role) -> Float? {
            guard let values = weights[layer, role]?.floats().map(abs).sorted(), !values.isEmpty else { return nil }
            return values[values.count / 2]
        }
        return layers.allSatisfy { layer in
            guard let scale = median(layer, .scale), let shift = median(layer, .shift) else { return false }
            return (0.25...4).contains(scale) && shift < 1
        }
    }
}
