import SegNetImages
import SegNetNetworks

extension Dataset {
    /// The ids of classes.
    /// - Throws: `DatasetError` naming one that the data set does not have, and the closest that it has.
    public func ids(of names: [String]) throws(DatasetError) -> Set<Int> {
        var ids: Set<Int> = []
        for name in names {
            guard let id = classes.id(named: name) else {
                let known = classes.classes.map(\.name)
                let hint = closestName(to: name, among: known).map { " Did you mean '\($0)'?" } ?? ""
                throw DatasetError(
                    "there is no class '\(name)'.\(hint) The classes are \(known.joined(separator: ", "))."
                )
            }
            ids.insert(id)
        }
        return ids
    }

    /// The classes that labels can name, by their names.
    /// - Returns: Their ids in order; nil where these are all, or nothing is said.
    /// - Throws: As `ids(of:)`.
    public func namedClasses(_ names: [String]) throws(DatasetError) -> [Int]? {
        let ids = try ids(of: names)
        return ids.isEmpty || ids.count == classes.classes.count ? nil : ids.sorted()
    }
}
