public import SegNetImages
import SegNetPlatform

extension ClassTable {
    /// Refuses two classes of one colour: all pixels of the second would be read as the first.
    /// - Throws: `DatasetError` naming both.
    public func requireDistinctColors() throws(DatasetError) {
        var known: [Color: String] = [:]
        for entry in classes {
            guard let other = known.updateValue(entry.name, forKey: entry.color) else { continue }
            throw DatasetError(
                "\(UserChoice.classes) '\(name)': the classes '\(other)' and '\(entry.name)' have the same colour \(entry.color), so they "
                    + "cannot be told apart in painted labels; give each a different colour."
            )
        }
    }
}
