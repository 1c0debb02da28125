internal import SegNetImages
internal import SegNetNetworks
internal import SegNetPlatform
internal import Yams

extension TrainingConfiguration {
    private static let words = "settings of a training, each a key and a value"

    /// Reads a recipe.
    /// - Parameters:
    ///   - yaml: Its text.
    ///   - file: Its name in errors.
    /// - Throws: `ConfigurationError` naming the line, the key, and what the value may be or the closest known key.
    public init(yaml: String, file: String) throws(ConfigurationError) {
        self.init()
        let root = try SettingsYAML.compose(yaml) { ConfigurationError("\(file): \($0)") }
        guard let root, root.null == nil else { return }
        let place = SettingPlace(file: file)
        try Self.table.read(root, place, onto: &self, needs: Self.words)
        guard let mapping = root.mapping else { return }
        try checkFold(mapping.first { $0.key.string == "fold" }?.value, place)
        guard !datasets.isEmpty else { return }
        if let key = mapping.keys.first(where: { Self.keysOfOneDataset.contains($0.string ?? "") }) {
            throw place.error(
                key,
                "'\(key.string ?? "")' cannot be used with 'datasets'; set it in the entries of 'datasets', or remove 'datasets'."
            )
        }
    }

    /// Reads a recipe from a file.
    /// - Throws: `ConfigurationError`.
    public init(path: String) throws(ConfigurationError) {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ConfigurationError(
                "\(path): \(FileAccess.problem(of: path)); give a recipe's file or name. See the \(UserChoice.recipes)."
            )
        }
        let text = fileText(data)
        guard !Self.isEmpty(text) else {
            throw ConfigurationError("\(path): is empty; give a recipe with settings. See the \(UserChoice.recipes).")
        }
        try self.init(yaml: text, file: path)
    }

    /// The settings to which a recipe's file gives a value. Those that it leaves out have their defaults, and cannot be told from others.
    /// - Throws: `ConfigurationError`.
    package static func givenKeys(path: String) throws(ConfigurationError) -> Set<String> {
        let text = FileManager.default.contents(atPath: path).map { fileText($0) } ?? ""
        let root = try SettingsYAML.compose(text) { ConfigurationError("\(path): \($0)") }
        return Set((root?.mapping ?? [:]).compactMap { key, value in value.null == nil ? key.string : nil })
    }

    /// Whether the text of a recipe holds no setting, but comments at most.
    static func isEmpty(_ yaml: String) -> Bool { listEntries(yaml).allSatisfy { $0.text == "---" } }

    /// The recipe as YAML, with every setting, in the order of `settings`.
    public func yaml() throws -> String {
        try Yams.serialize(node: .mapping(node), width: -1)
    }

    /// Every setting that counts.
    var node: Node.Mapping {
        let unused = datasets.isEmpty ? ["datasets", "phases"] : Self.keysOfOneDataset
        let pairs = Self.table.written(self).filter { !unused.contains($0.key.string ?? "") }
        return Node.Mapping(pairs.map { ($0.key, $0.value) })
    }

    /// What `datasets` says for each data set of its own.
    package static let keysOfOneDataset =
        ["dataset", "data", "train-split", "validation-split", "count"] + labelTable.map(\.key)

    /// Sets what a command's user writes.
    /// - Parameters:
    ///   - key: `batch-size`, `optimizer.weight-decay`, `rates.conv1_1`.
    ///   - text: The value as in YAML; lists also with commas between their entries, sizes also as `480x360`.
    ///   - option: The name of the place it was written in for errors, if the key alone does not say it: `--set`.
    /// - Throws: `ConfigurationError`.
    public mutating func set(_ key: String, to text: String, option: String? = nil) throws(ConfigurationError) {
        var node = Node(text)
        if let first = text.first, "[{".contains(first) {
            let place = SettingPlace(file: option).setting(key)
            node = try SettingsYAML.compose(text) { place.error(nil, $0) } ?? node
        }
        for part in key.split(separator: ".", omittingEmptySubsequences: false).reversed() {
            node = .mapping(Node.Mapping([(Node(String(part)), node)]))
        }
        try Self.table.read(node, SettingPlace(file: option), onto: &self, needs: Self.words)
        // A number of steps and a number of epochs exclude each other: the one that was said last counts.
        if key == "epochs" { iterations = nil }
    }

    /// Checks values that were set from Swift.
    /// - Throws: `ConfigurationError` naming the setting and what it may be.
    public func check() throws(ConfigurationError) {
        var copy = self
        let node = Node.mapping(Self.table.written(self))
        try Self.table.read(node, SettingPlace(file: nil), onto: &copy, needs: Self.words)
        try checkFold(node.mapping?.first { $0.key.string == "fold" }?.value, SettingPlace(file: nil))
        guard folds == 0 || validationSplit == Self.standard.validationSplit else {
            throw ConfigurationError(
                "folds: \(folds) parts of 'train' and 'val' take turns as 'val', but validation-split is '\(validationSplit)', so that one of them "
                    + "would neither teach nor validate; leave 'folds' or 'validation-split' out."
            )
        }
        try checkDatasets()
        try checkArchitecture()
    }

    /// A sentence for each setting that differs from its default and that another one leaves without effect, such as the momentum of
    /// AdamW.
    public var unusedSettings: [String] { Self.table.flatMap { $0.unused(self, in: "") } }

    /// Refuses a fold that is not there.
    /// - Parameter node: The fold in a recipe; nil where the recipe leaves it out, so that it is 1.
    private func checkFold(_ node: Node?, _ place: SettingPlace) throws(ConfigurationError) {
        guard let node, folds > 0, fold > folds else { return }
        throw place.setting("fold").error(node, needs: "a whole number in 1...\(folds), since folds is \(folds)")
    }

    /// Refuses a choice that the network does not have.
    private func checkArchitecture() throws(ConfigurationError) {
        func refuse(_ key: String, _ standard: String, _ lack: String, _ has: (Architecture) -> Bool)
            throws(ConfigurationError)
        {
            guard !has(architecture) else { return }
            let names = Architecture.allCases.filter(has).map(\.rawValue).joined(separator: ", ")
            throw ConfigurationError(
                "\(key): \(architecture.rawValue) has no \(lack), so it changes nothing; leave it out, or set it back (\(key)=\(standard)). Those with "
                    + "them are \(names)."
            )
        }
        if fullyConnectedWidth != nil { try refuse("fc", "null", "layers fc6 and fc7", \.hasFullyConnectedLayers) }
        if upsampling != .released {
            try refuse("upsampling", "released", "transposed convolutions that enlarge maps", \.hasUpsamplingLayers)
        }
    }

    /// All settings of a recipe, with those of groups inside them.
    public static var settings: [RecipeSetting] { table.map(\.description) }

    /// The setting of a key such as `optimizer.weight-decay`; nil if there is none.
    public static func setting(_ path: String) -> RecipeSetting? {
        var settings = settings
        var found: RecipeSetting?
        for key in path.split(separator: ".", omittingEmptySubsequences: false) {
            found = settings.first { $0.key == key }
            settings = found?.settings ?? []
        }
        return found
    }
}
