import SegNetFormats
import SegNetTraining

extension TrainingConfiguration {
    /// Puts the files of bundled models in place of their names, in `model` and for the teacher. A run's saved recipe has the files.
    /// - Throws: `FormatError` listing the names, with the closest one; it says if the name is the teacher's.
    package mutating func resolveModels() throws(FormatError) {
        if let name = model { model = try ModelStore.standard.resolve(name).relativePath }
        guard let name = teacher?.model else { return }
        do { teacher?.model = try ModelStore.standard.resolve(name).relativePath } catch {
            throw FormatError(file: "teacher: \(error.file)", problem: error.problem, advice: error.advice)
        }
    }
}
