import SegNetPlatform

extension ClassWeights {
    /// Reads class weights: one class per line, "name weight", in any order.
    /// - Throws: `DatasetError` naming file and line, and the classes that are missing, or the file if all weights are 0.
    public static func read(_ path: String, classes: [String]) throws(DatasetError) -> [Float] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw DatasetError("class-weights: '\(path)' is neither auto, authors, none nor a file that can be read.")
        }
        var weights: [String: Float] = [:]
        for (number, line) in listEntries(fileText(data)) {
            let words = line.split(whereSeparator: \.isWhitespace)
            let name = words.dropLast().joined(separator: " ")
            guard words.count > 1, let weight = Float(words[words.count - 1]), weight >= 0, weight.isFinite else {
                throw DatasetError(
                    "\(path), line \(number): '\(line)' is not \"class weight\" with a weight of at least 0."
                )
            }
            guard let known = classes.first(where: { $0.lowercased() == name.lowercased() }) else {
                throw DatasetError(
                    "\(path), line \(number): there is no class '\(name)'; the classes are \(classes.joined(separator: ", "))."
                )
            }
            guard weights.updateValue(weight, forKey: known) == nil else {
                throw DatasetError("\(path), line \(number): gives class '\(known)' a second weight; keep one.")
            }
        }
        let missing = classes.filter { weights[$0] == nil }
        guard missing.isEmpty else {
            throw DatasetError("\(path): gives no weight for \(missing.joined(separator: ", ")).")
        }
        guard weights.values.contains(where: { $0 > 0 }) else {
            throw DatasetError(
                "\(path): gives every class the weight 0, so nothing would be learnt; give the classes to learn a weight above 0."
            )
        }
        return classes.compactMap { weights[$0] }
    }
}
