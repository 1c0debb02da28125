import ArgumentParser
import SegNetToolkit

extension Convert {
    /// The files of the models that are averaged with the one that is converted.
    /// - Throws: `FormatError` for a name that no bundled model has.
    func averaged() throws -> [URL] { try averageWith.map { try ModelStore.standard.resolve($0) } }

    func checkAverage() throws {
        guard !averageWith.isEmpty else { return }
        for model in averageWith
        where !ModelStore.standard.isName(model) && URL(filePath: model).pathExtension.lowercased() != "safetensors" {
            throw ValidationError(
                "Please give '--average-with' a .safetensors file, or a bundled model by name ('segnet models'); found '\(model)'."
            )
        }
        guard statisticsFrom.isEmpty else {
            throw ValidationError(
                "Please give either '--average-with' or '--statistics-from', not both: models in training cannot be averaged."
            )
        }
    }

    /// The mean of the weights of the model that was read and the others.
    func average(with first: LoadedModel, _ console: Console) throws -> Model {
        let others = try averaged().map { url in
            let other = try LoadedModel(url)
            try other.model.weights.requireFinite(for: other.model.network, file: other.file)
            return other
        }
        let result = try Model.average(of: [first] + others)
        console.note("note: the mean of the weights of \(counted(others.count + 1, "model")).")
        if first.model.metadata.denseCRF != nil {
            console.note(
                "note: the dense CRF that 'segnet tune crf' found for \(first.file) is left out; it may not be the best for the mean."
            )
        }
        return result
    }
}
