import ArgumentParser
import SegNet

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Which model is used.
struct ModelOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("A .safetensors file, or a .caffemodel with --network.", valueName: "file"),
        completion: .file(extensions: ["safetensors", "caffemodel"])
    )
    var model: String

    @Option(
        help: ArgumentHelp("The .prototxt that belongs to a .caffemodel.", valueName: "file"),
        completion: .file(extensions: ["prototxt"])
    )
    var network: String?

    /// Reads the model's description; its weights stay in the file until they are used.
    func load() throws -> LoadedModel {
        try LoadedModel(URL(filePath: model), network: network.map { URL(filePath: $0) })
    }
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
