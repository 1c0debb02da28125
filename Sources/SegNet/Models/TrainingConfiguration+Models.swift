import SegNetFormats
import SegNetTraining

extension TrainingConfiguration {
    /// Puts the files of bundled models in place of their names, in `model` and for the teacher. A run's saved recipe has the files.
    /// - Throws: `FormatError` listing the names, with the closest one.
    package mutating func resolveModels() throws(FormatError) {
        if let name = model { model = try ModelStore.standard.resolve(name).relativePath }
        if let name = teacher?.model { teacher?.model = try ModelStore.standard.resolve(name).relativePath }
    }
}
