/// A network with its weights and what a file says about both: what formats read and write.
public struct Model: Sendable {
    public var network: Network
    public var weights: Weights
    public var metadata: ModelMetadata

    public init(network: Network, weights: Weights, metadata: ModelMetadata = ModelMetadata()) {
        self.network = network
        self.weights = weights
        self.metadata = metadata
    }
}

/// What belongs to a model in addition to its network: plain values, so that every format can store them.
public struct ModelMetadata: Sendable, Hashable, Codable {
    /// A name for people to read.
    public var name: String?
    /// The class names in the order of the network's outputs; nil if unknown.
    public var classNames: [String]?
    /// One [red, green, blue] of 0...255 per class; nil if unknown.
    public var palette: [[UInt8]]?
    /// Outputs that are never a target, such as output 0 of the released SUN RGB-D nets.
    public var ignoredClasses: [Int]
    /// What `segnet tune crf` found for the model: the numbers of a dense CRF as a command line has them; nil if nobody has looked.
    public var denseCRF: String?
    /// Where the model comes from and under what terms; free text.
    public var notes: [String: String]

    public init(
        name: String? = nil,
        classNames: [String]? = nil,
        palette: [[UInt8]]? = nil,
        ignoredClasses: [Int] = [],
        denseCRF: String? = nil,
        notes: [String: String] = [:]
    ) {
        self.name = name
        self.classNames = classNames
        self.palette = palette
        self.ignoredClasses = ignoredClasses
        self.denseCRF = denseCRF
        self.notes = notes
    }
}

extension ModelMetadata {
    /// Whether the model has one of these classes at another number: then a class number means another class to it.
    package func hasOtherOrder(than names: [String]) -> Bool {
        let (own, names) = (Self.comparable(classNames ?? []), Self.comparable(names))
        return names.indices.contains { index in
            // A name that a table has twice is in its place at either number.
            (index >= own.count || own[index] != names[index]) && own.contains(names[index])
        }
    }

    /// Whether the model names its classes, and none of them as here.
    package func sharesNoName(with names: [String]) -> Bool {
        guard let classNames else { return false }
        return Set(Self.comparable(classNames)).isDisjoint(with: Self.comparable(names))
    }

    /// Options and tables do not tell "Road" from "road" either.
    private static func comparable(_ names: [String]) -> [String] { names.map { $0.lowercased() } }
}
