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

    /// The model's file: the one that was named, a bundled one, or the one that is used where none is named.
    func file() throws -> URL {
        try model.map { try ModelStore.standard.resolve($0) } ?? ModelStore.standard.fallback()
    }

    /// Reads the model's description; its weights stay in the file until they are used.
    func load() throws -> LoadedModel {
        try LoadedModel(try file(), network: network.map { URL(filePath: $0) }, mean: mean?.values)
    }

    /// A checksum (CRC-32C) of the bytes of the model's files. A file's size and date would not tell of every change, and would tell of
    /// copies that are alike.
    func checksum() throws -> UInt32 {
        var check = CRC32C()
        for file in [try file()] + [network.map { URL(filePath: $0) }].compactMap({ $0 }) {
            try Data(contentsOf: file, options: .mappedIfSafe).withUnsafeBytes { check.add($0) }
        }
        return check.checksum
    }

    /// The model's name in reports.
    var name: String { model ?? ModelStore.defaultName }
}

extension WeightsReport {
    /// One line for a terminal: a count of what was loaded, the names of what was not.
    var summary: String {
        var parts = ["weights for \(counted(loaded.count, "layer")) loaded"]
        if !initial.isEmpty { parts.append("left at their initial values: \(initial.joined(separator: ", "))") }
        if !unused.isEmpty { parts.append("in the file but not used: \(unused.joined(separator: ", "))") }
        return "\(file): \(parts.joined(separator: "; "))."
    }
}
