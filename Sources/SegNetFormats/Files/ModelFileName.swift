package import SegNetNetworks
package import SegNetPlatform

/// What is said of a model's file by the ending of its name, before it is opened: the same words wherever a model is named.
package enum ModelFileName {
    package static let lacksNetwork = "a .caffemodel holds weights only; its network is missing"
    package static let lacksWeights = "a .prototxt describes a network; its weights are missing"

    /// The error for a file of no model's ending.
    /// - Parameter advice: What to give in its place, if it is not a folder with models.
    package static func unknown(_ url: URL, advice: String) -> FormatError {
        let isCheckpoint = url.pathExtension == "checkpoint"
        let folder = isCheckpoint ? url.deletingLastPathComponent() : url
        let isFolder = (try? FileManager.default.contentsOfDirectory(atPath: url.path(percentEncoded: false))) != nil
        let problem =
            isFolder
            ? "is a folder, not a model"
            : isCheckpoint
                ? "is a checkpoint, which training continues from, not a model"
                : "does not have the file extension of a model"
        return FormatError(
            file: url.relativePath,
            problem: problem,
            advice: model(in: folder).map { "Give the file \($0)" } ?? advice
        )
    }

    /// The model in a folder, such as a training's: the best one, or the first.
    private static func model(in folder: URL) -> String? {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false))) ?? []
        let models = files.filter { $0.hasSuffix(".safetensors") && !$0.hasPrefix(".") }.sorted()
        let best = models.first { $0 == "best.safetensors" } ?? models.first
        return best.map { folder.appending(path: $0).relativePath }
    }
}

extension SafetensorsFile {
    /// Reads a model that a user has named where only a file with its network in it will do.
    /// - Throws: `FormatError` as `readModel` does; for a file of another format what to do with it.
    package static func readNamedModel(_ url: URL) throws(FormatError) -> Model {
        func refusal(_ problem: String, other: String) -> FormatError {
            FormatError(
                file: url.relativePath,
                problem: problem,
                advice: "Turn it and its \(other) into a .safetensors file with 'segnet convert', and give that"
            )
        }
        switch url.pathExtension.lowercased() {
        case "safetensors": return try readModel(url)
        case "caffemodel": throw refusal(ModelFileName.lacksNetwork, other: ".prototxt")
        case "prototxt": throw refusal(ModelFileName.lacksWeights, other: ".caffemodel")
        default: throw ModelFileName.unknown(url, advice: "Give a .safetensors file")
        }
    }
}
