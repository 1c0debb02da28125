/// Names and colours of a data set's classes. It travels with a model: the same number means different classes in
/// different models.
public struct ClassTable: Sendable, Hashable {
    /// One class.
    public struct Entry: Sendable, Hashable, Codable {
        /// The class's name, such as "Road".
        public var name: String
        /// The colour that it is painted with.
        public var color: Color

        /// A class of this name and colour.
        public init(_ name: String, _ color: Color) {
            self.name = name
            self.color = color
        }
    }

    /// The table's name, such as "camvid11".
    public var name: String

    /// The classes in the order of the network's outputs: the index is the class id.
    public var classes: [Entry]

    /// Ids of pixels without ground truth ("void"). They are beyond the classes, or among them where a network has an
    /// output that is never trained (SUN RGB-D).
    public var ignoredIDs: [Int]

    /// The colour of ignored pixels.
    public var ignoredColor: Color

    /// The class that stands for "nothing of interest" (Pascal VOC), which overlays leave unpainted.
    public var backgroundID: Int?

    /// A table; ignored ids are painted black by default.
    public init(
        name: String,
        classes: [Entry],
        ignoredIDs: [Int] = [],
        ignoredColor: Color = .black,
        backgroundID: Int? = nil
    ) {
        self.name = name
        self.classes = classes
        self.ignoredIDs = ignoredIDs
        self.ignoredColor = ignoredColor
        self.backgroundID = backgroundID
    }

    /// What a number beyond the classes is, after "is": "none of the 3 classes 0...2".
    package var noneOfIDs: String {
        classes.count == 1 ? "not 0, the only class" : "none of the \(classes.count) classes 0...\(classes.count - 1)"
    }

    /// Whether pixels of this id have no ground truth.
    public func isIgnored(_ id: Int) -> Bool { ignoredIDs.contains(id) }

    /// The id's name: the class's, "void" if it is ignored, "class 14" if the table does not have it.
    public func name(of id: Int) -> String {
        if classes.indices.contains(id) { return classes[id].name }
        return isIgnored(id) ? "void" : "class \(id)"
    }

    /// The id's colour: the class's, the ignored colour, or the generic one if the table does not have the id.
    public func color(of id: Int) -> Color {
        if classes.indices.contains(id) { return classes[id].color }
        return isIgnored(id) ? ignoredColor : Self.genericColor(of: id)
    }

    /// The colours of the ids 0 ..< count.
    public func palette(count: Int) -> [Color] {
        (0..<max(count, 0)).map { color(of: $0) }
    }

    /// The id of the class with this name, ignoring case.
    public func id(named name: String) -> Int? {
        let wanted = name.lowercased()
        return classes.firstIndex { $0.name.lowercased() == wanted }
    }
}

extension ClassTable: Codable {
    private enum CodingKeys: String, CodingKey {
        case name, classes, ignoredIDs, ignoredColor, backgroundID
    }

    /// Reads a table; only its name and its classes are required.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            name: try fields.decode(String.self, forKey: .name),
            classes: try fields.decode([Entry].self, forKey: .classes),
            ignoredIDs: try fields.decodeIfPresent([Int].self, forKey: .ignoredIDs) ?? [],
            ignoredColor: try fields.decodeIfPresent(Color.self, forKey: .ignoredColor) ?? .black,
            backgroundID: try fields.decodeIfPresent(Int.self, forKey: .backgroundID)
        )
    }
}
