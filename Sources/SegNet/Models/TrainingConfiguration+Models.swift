import SegNetFormats
import SegNetTraining

extension TrainingConfiguration {
    /// Puts the files of bundled models in place of their names, in `model`, in `encoder` and for the teacher. A run's saved recipe has
    /// the files.
    /// - Throws: `FormatError` listing the names, with the closest one; it says if the name is the encoder's or the teacher's.
    package mutating func resolveModels() throws(FormatError) {
        if let name = model { model = try ModelStore.standard.resolve(name).relativePath }
        if let name = encoder { encoder = try Self.resolve(name, of: "encoder") }
        if let name = teacher?.model { teacher?.model = try Self.resolve(name, of: "teacher") }
    }

    private static func resolve(_ name: String, of key: String) throws(FormatError) -> String {
        do { return try ModelStore.standard.resolve(name).relativePath } catch {
            throw FormatError(file: "\(key): \(error.file)", problem: error.problem, advice: error.advice)
        }
    }
}
