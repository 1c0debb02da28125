public import SegNetImages
internal import SegNetNetworks

extension Segmentation {
    /// Where the picture shows one class, by its name, ignoring case: white (255), black elsewhere, at the picture's own size.
    /// - Throws: `SegmenterError` if there is no class of that name, with the names that there are.
    public func mask(of name: String) throws -> Image {
        let id = try classTable.requiredID(named: name, below: classCount)
        return try Image(
            width: classes.width,
            height: classes.height,
            channels: 1,
            pixels: classes.ids.map { Int($0) == id ? 255 : 0 }
        )
    }
}

extension Segmentation {
    /// The picture at its own size, transparent wherever it shows none of the given classes.
    /// - Parameter names: Names of classes, ignoring case.
    /// - Throws: `SegmenterError` if no class has the name; the error lists the names.
    public func cutout(of names: [String]) throws -> Image {
        var isShown = [Bool](repeating: false, count: 65_536)
        for name in names { isShown[try classTable.requiredID(named: name, below: classCount)] = true }
        let rgb = image.rgb().pixels
        let pixels = [UInt8](unsafeUninitializedCapacity: 4 * classes.ids.count) { target, count in
            for (index, id) in classes.ids.enumerated() {
                // Hidden pixels are also black: that compresses well and gives nothing away.
                let isShown = isShown[Int(id)]
                for color in 0..<3 { target[4 * index + color] = isShown ? rgb[3 * index + color] : 0 }
                target[4 * index + 3] = isShown ? 255 : 0
            }
            count = 4 * classes.ids.count
        }
        return try Image(width: classes.width, height: classes.height, channels: 4, pixels: pixels)
    }
}

extension Segmenter {
    /// The id of the class with a name, ignoring case.
    /// - Throws: `SegmenterError` if there is none, with the closest name and all names that there are.
    public func classID(named name: String) throws(SegmenterError) -> Int {
        try classTable.requiredID(named: name, below: classCount)
    }

    /// The classes that the network has an output for, by id: those that annotations list.
    public var outputClasses: ClassTable {
        var table = classTable
        table.classes = (0..<classCount).map {
            classTable.classes.indices.contains($0)
                ? classTable.classes[$0] : ClassTable.Entry(classTable.name(of: $0), classTable.color(of: $0))
        }
        return table
    }
}

extension ClassTable {
    /// The id of the class with a name, ignoring case.
    /// - Throws: `SegmenterError` if there is none below `count`; the error lists the names.
    package func requiredID(named name: String, below count: Int) throws(SegmenterError) -> Int {
        if let id = id(named: name), id < count { return id }
        let names = (0..<count).map(self.name(of:))
        // A class without a name in the table goes by its number.
        if let id = names.firstIndex(where: { $0.lowercased() == name.lowercased() }) { return id }
        let hint = closestName(to: name, among: names).map { " Did you mean '\($0)'?" } ?? ""
        throw SegmenterError(
            network: self.name,
            reason: "there is no class '\(name)'.\(hint) The classes are \(names.joined(separator: ", "))."
        )
    }
}

extension [Segmentation.Share] {
    /// A class's part of the picture, 0...1, by its name, ignoring case; 0 where the picture does not show it, or where no class has that
    /// name.
    public subscript(name: String) -> Double {
        let wanted = name.lowercased()
        return first { $0.name.lowercased() == wanted }?.share ?? 0
    }
}
