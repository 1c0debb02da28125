public import SegNetImages
internal import SegNetNetworks

extension Segmentation {
    /// Where the picture shows one class: white (255), black elsewhere, at the picture's own size.
    /// - Throws: `SegmenterError` if there is no class of that name, with the names that there are.
    public func mask(of name: String) throws -> Image {
        guard let id = classTable.id(named: name), id < classCount else {
            let names = (0..<classCount).map(classTable.name(of:))
            let hint = closestName(to: name, among: names).map { " Did you mean '\($0)'?" } ?? ""
            throw SegmenterError(
                network: classTable.name,
                reason: "there is no class '\(name)'.\(hint) The classes are \(names.joined(separator: ", "))."
            )
        }
        return try Image(
            width: classes.width,
            height: classes.height,
            channels: 1,
            pixels: classes.ids.map { Int($0) == id ? 255 : 0 }
        )
    }
}

extension [Segmentation.Share] {
    /// A class's part of the picture, 0...1; 0 where the picture does not show it, or where no class has that name.
    public subscript(name: String) -> Double { first { $0.name == name }?.share ?? 0 }
}
