internal import Yams

/// Settings of a recipe that are laid over another: only those that it names change.
public struct RecipeChanges: Sendable, Hashable {
    /// As YAML, checked: a mapping, or nothing.
    public let yaml: String

    /// - Parameter yaml: Settings as a recipe has them.
    /// - Throws: `ConfigurationError` naming the key and what its value may be.
    public init(_ yaml: String) throws(ConfigurationError) {
        let checked = RecipeChanges(checked: yaml)
        var scratch = TrainingConfiguration()
        try checked.apply(to: &scratch)
        self = checked
    }

    private init(checked yaml: String) { self.yaml = yaml }

    static let empty = RecipeChanges(checked: "")

    static let words = "settings of a recipe, each a key and a value"

    /// Settings in a plan.
    init(_ node: Node, _ place: SettingPlace) throws(ConfigurationError) {
        var scratch = TrainingConfiguration()
        var place = place
        place.listedBy = SettingPlace.recipeList
        try TrainingConfiguration.table.read(node, place, onto: &scratch, needs: Self.words)
        let text: String
        do { text = try Yams.serialize(node: node, width: -1) } catch {
            throw place.error(node, "holds something that cannot be written as YAML again; give it as plain text.")
        }
        self.init(checked: text)
    }

    /// Lays the settings over a recipe. Of steps and epochs, which exclude each other, the one that is said here counts.
    public func apply(to configuration: inout TrainingConfiguration) throws(ConfigurationError) {
        let place = SettingPlace(file: nil)
        guard let node = try node(place) else { return }
        try TrainingConfiguration.table.read(node, place, onto: &configuration, needs: Self.words)
        let keys = node.mapping?.keys.compactMap(\.string) ?? []
        if keys.contains("epochs"), !keys.contains("iterations") { configuration.iterations = nil }
    }

    private func node(_ place: SettingPlace) throws(ConfigurationError) -> Node? {
        let node = try SettingsYAML.compose(yaml) { place.error(nil, $0) }
        return node?.null == nil ? node : nil
    }

    /// For saving.
    var mapping: Node { ((try? Yams.compose(yaml: yaml)) ?? nil) ?? .mapping(Node.Mapping([])) }
}

extension SettingForm where Value == RecipeChanges {
    /// Settings of a recipe under one key of a plan.
    static let recipe = SettingForm(
        words: RecipeChanges.words,
        read: { (node, place, _) throws(ConfigurationError) in try RecipeChanges(node, place) },
        write: { $0.mapping }
    )
}

extension SettingForm where Value == ComparedSystem.RecipeSource {
    /// A recipe's file, or its settings.
    static let recipeSource = SettingForm(
        words: "a recipe's file, or the settings of a recipe",
        read: { (node, place, _) throws(ConfigurationError) in
            if let file = node.scalar?.string, !file.isEmpty { return .file(file) }
            guard node.mapping != nil else {
                throw place.error(node, needs: "a recipe's file, or the settings of a recipe")
            }
            return .settings(try RecipeChanges(node, place))
        },
        write: {
            switch $0 {
            case .file(let file): Node(file)
            case .settings(let changes): changes.mapping
            }
        }
    )
}
