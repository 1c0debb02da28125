import ArgumentParser
import SegNetToolkit

/// Which model is used.
struct ModelOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A .safetensors file, a .caffemodel with --network, or a bundled model by name ('segnet models'). "
                + "(default: \(ModelStore.defaultName))",
            valueName: "file|name"
        ),
        completion: .file(extensions: ["safetensors", "caffemodel"])
    )
    var model: String?

    @Option(
        help: ArgumentHelp("The .prototxt that belongs to a .caffemodel.", valueName: "file"),
        completion: .file(extensions: ["prototxt"])
    )
    var network: String?

    @Option(
        help: ArgumentHelp(
            "What is subtracted from each channel, in the network's order (blue, green, red for Caffe's), or one number for all. "
                + "(default: what the files say)",
            valueName: "numbers"
        )
    )
    var mean: MeanArgument?

    /// Reads the model's description; its weights stay in the file until they are used.
    func load() throws -> LoadedModel {
        let url = try model.map { try ModelStore.standard.resolve($0) } ?? ModelStore.standard.fallback()
        return try LoadedModel(url, network: network.map { URL(filePath: $0) }, mean: mean?.values)
    }

    /// The model's name in reports.
    var name: String { model ?? ModelStore.defaultName }
}

extension WeightsReport {
    /// One line for a terminal: a count of what was loaded, the names of what was not.
    var summary: String {
        var parts = ["weights for \(loaded.count) layers loaded"]
        if !initial.isEmpty { parts.append("left at their initial values: \(initial.joined(separator: ", "))") }
        if !unused.isEmpty { parts.append("in the file but not used: \(unused.joined(separator: ", "))") }
        return "\(file): \(parts.joined(separator: "; "))."
    }
}
