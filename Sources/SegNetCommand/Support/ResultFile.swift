import ArgumentParser
import SegNetToolkit

/// A file for a command's result. What is there already may be replaced, but nothing that the command reads, or that belongs to a data set:
/// photos, labels and models are seldom kept twice.
struct ResultFile {
    var path: String
    /// The option that names it.
    var option: String

    /// How files of `segnet evaluate` begin: results of an earlier run may lie among a data set's files, and may be replaced.
    private static let beginnings = ["{\n  \"boundaryF1\"", "class,iou,accuracy,pixels", "<!DOCTYPE html>"]

    /// What trainings and models are made of, in whatever folder: hours of work, or what a resumed run begins with.
    private static let keptNames = ["last.checkpoint", "recipe.yaml", "log.jsonl", "pictures.txt"]
    private static let keptEndings = ["safetensors", "checkpoint", "caffemodel", "prototxt", "onnx"]

    /// - Parameters:
    ///   - inputs: Files that the command reads, and what they are: "the model".
    ///   - dataset: The data set that it reads.
    ///   - folders: The data set's folder and others, none of whose files may be replaced either, and whose they are: "the data set's".
    /// - Throws: `ValidationError` naming the file that would be replaced.
    func requireApart(
        from inputs: [(path: String, what: String)],
        _ dataset: Dataset,
        folders: [(path: String, owner: String)]
    ) throws(ValidationError) {
        // A new file replaces nothing, and pipes and devices are written as they are.
        guard FileAccess.kind(of: path) == .file else { return }
        let target = InputList.resolved(path)
        if let input = inputs.first(where: { InputList.resolved($0.path) == target }) {
            throw refusal("is \(input.what)")
        }
        if dataset.files.contains(where: { InputList.resolved($0) == target }) {
            throw refusal("is one of the data set's files")
        }
        let name = InputList.lastComponent(target).lowercased()
        if Self.keptNames.contains(name) || Self.keptEndings.contains(InputList.ending(of: name)), !isEarlierResult {
            throw refusal("is a file of a training or a model")
        }
        for folder in folders {
            let base = InputList.resolved(folder.path)
            guard target.hasPrefix(base.hasSuffix("/") ? base : base + "/"), !isEarlierResult else { continue }
            throw refusal("lies in \(folder.owner) folder, is not an earlier result")
        }
    }

    /// Makes its folder, and sees that the file can be written.
    /// - Throws: `FormatError`, before the work and not after it.
    func prepare() throws(FormatError) {
        guard FileAccess.kind(of: path) != .folder else {
            throw FormatError(file: path, problem: "is a folder", advice: "Give a file (\(option))")
        }
        let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        do { try OutputFolder.prepare(folder) } catch {
            throw FormatError(
                file: path,
                problem: "cannot be written",
                advice: "Give another file (\(option)), or check the permissions of its folder and the disk"
            )
        }
    }

    private var isEarlierResult: Bool {
        guard let start = try? FileAccess.readStart(path, most: 64) else { return false }
        return start.isEmpty || Self.beginnings.contains { start.starts(with: $0.utf8) }
    }

    private func refusal(_ problem: String) -> ValidationError {
        ValidationError("Please give '\(option)' another file: \(path) \(problem), and would be replaced.")
    }
}

extension Dataset {
    /// The files of all pictures and labels.
    var files: [String] {
        splits.values.joined().flatMap { sample -> [String] in
            switch sample.source {
            case .files(let images, let label): images + [label]
            case .annotated(let image, let picture, _):
                [image, picture.source] + [picture.segments?.file].compactMap { $0 }
            case .street: []
            }
        }
    }
}
