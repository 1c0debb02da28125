internal import SegNetNetworks
internal import Yams

/// One setting of a recipe for people: its key, what it may be, what it does.
public struct RecipeSetting: Sendable, Hashable {
    /// In kebab case.
    public var key: String
    /// "a number above 0"
    public var form: String
    /// The value where a recipe leaves it out, as YAML or in words; empty where there must be one.
    public var standard: String
    /// A sentence or two.
    public var help: String
    /// All values, where they can be listed.
    public var choices: [String] = []
    /// The settings of a group, or of each entry of a list.
    public var settings: [RecipeSetting] = []

    /// What other programs call some settings, for errors: they are not read.
    package static let abbreviations = [
        "lr": "learning-rate", "wd": "weight-decay", "bs": "batch-size", "aug": "augmentation", "arch": "architecture",
    ]

    init<Value>(_ key: String, _ form: SettingForm<Value>, standard: String, _ help: String) {
        self.key = key
        self.form = form.words
        self.standard = standard
        self.help = help
        choices = form.choices
        settings = form.settings
    }
}

/// A type with settings: a recipe, or a group or a list's entry inside it.
protocol SettingGroup: Sendable {
    /// Holds the defaults.
    static var standard: Self { get }
    /// All its settings.
    static var table: [Setting<Self>] { get }
}

/// One setting of a recipe: everything about it except the property that holds it and that property's default.
struct Setting<Root: SettingGroup>: Sendable {
    let description: RecipeSetting
    /// Spellings of earlier versions, which are read.
    let oldKeys: [String]
    /// Whether it is a group of settings.
    let isGroup: Bool
    /// Whether an entry without it is an error.
    let isRequired: Bool
    let read: @Sendable (Node, SettingPlace, inout Root) throws(ConfigurationError) -> Void
    /// Nil leaves the setting out.
    let write: @Sendable (Root) -> Node?
    /// The settings inside a group that are set and change nothing, as sentences.
    private let unusedInside: @Sendable (Root, _ key: String) -> [String]
    /// Why the setting changes nothing; nil where it counts.
    private var reasonUnused: @Sendable (Root) -> String? = { _ in nil }

    var key: String { description.key }

    /// - Parameters:
    ///   - path: The property.
    ///   - standard: A name for the default, where its YAML would say less.
    init<Value>(
        _ key: String,
        _ path: any WritableKeyPath<Root, Value> & Sendable,
        _ form: SettingForm<Value>,
        standard: String? = nil,
        old oldKeys: [String] = [],
        isRequired: Bool = false,
        _ help: String
    ) {
        let standard = standard ?? (isRequired ? "" : Self.text(form.write(Root.standard[keyPath: path])))
        description = RecipeSetting(key, form, standard: standard, help)
        self.oldKeys = oldKeys
        self.isGroup = form.isGroup
        self.isRequired = isRequired
        read = { (node, place, root) throws(ConfigurationError) in
            root[keyPath: path] = try form.read(node, place, root[keyPath: path])
        }
        write = { form.write($0[keyPath: path]) }
        unusedInside = { form.unused($0[keyPath: path], $1) }
    }

    /// A setting that may be absent: `null`, or not there.
    /// - Parameters:
    ///   - initial: The initial values of a group.
    ///   - standard: What happens without it.
    init<Value>(
        _ key: String,
        _ path: any WritableKeyPath<Root, Value?> & Sendable,
        _ form: SettingForm<Value>,
        initial: Value,
        standard: String,
        _ help: String
    ) {
        description = RecipeSetting(key, form, standard: standard, help)
        oldKeys = []
        isGroup = form.isGroup
        isRequired = false
        read = { (node, place, root) throws(ConfigurationError) in
            if let word = node.scalar?.string, ["", "~", "null"].contains(word) {
                root[keyPath: path] = nil
            } else {
                var place = place
                place.isNew = root[keyPath: path] == nil
                root[keyPath: path] = try form.read(node, place, root[keyPath: path] ?? initial)
            }
        }
        write = { $0[keyPath: path].map(form.write) }
        unusedInside = { root, key in root[keyPath: path].map { form.unused($0, key) } ?? [] }
    }

    /// The same setting, which counts only in some groups.
    /// - Parameter reason: Why it does not count in the others, after "but": "only adamw uses it".
    func counts(if condition: @escaping @Sendable (Root) -> Bool, else reason: String) -> Setting {
        var copy = self
        copy.reasonUnused = { condition($0) ? nil : reason }
        return copy
    }

    /// The sentences about this setting and those inside it that differ from their defaults and change nothing.
    /// - Parameter group: The keys before this one.
    func unused(_ root: Root, in group: String) -> [String] {
        let inside = unusedInside(root, group + key + ".")
        guard let reason = reasonUnused(root), write(root) != write(Root.standard) else { return inside }
        return ["\(group)\(key) is set, but \(reason): it changes nothing."] + inside
    }

    private static func text(_ node: Node) -> String {
        switch node {
        case .scalar(let scalar): scalar.string
        case .sequence(let entries): "[" + entries.map(text).joined(separator: ", ") + "]"
        case .mapping, .alias: ""
        }
    }
}

extension Array {
    /// Reads the settings of a group that are there; the others stay.
    /// - Parameter words: What the whole needs to be.
    func read<Root>(
        _ node: Node,
        _ place: SettingPlace,
        onto root: inout Root,
        needs words: String
    ) throws(ConfigurationError) where Element == Setting<Root> {
        guard let mapping = node.mapping else { throw place.error(node, needs: words) }
        var found: Set<String> = []
        for (keyNode, value) in mapping {
            let name = keyNode.string ?? "..."
            guard let setting = first(where: { $0.key == name || $0.oldKeys.contains(name) }) else {
                let meant = RecipeSetting.abbreviations[name] ?? name
                // A key that lacks only its group is certainly what was meant.
                let grouped = first { $0.isGroup && $0.description.settings.contains { $0.key == meant } }
                let closest = grouped.map { "\($0.key).\(meant)" } ?? closestName(to: meant, among: map(\.key))
                let hint = closest.map { " Did you mean '\($0)'?" } ?? ""
                let all = place.listedBy ?? "There are \(map(\.key).joined(separator: ", "))."
                let shown = SettingsYAML.excerpt(name).text
                throw place.error(keyNode, "there is no setting '\(shown)'.\(hint) \(all)")
            }
            guard found.insert(setting.key).inserted else {
                throw place.error(keyNode, "'\(setting.key)' is given twice; keep one.")
            }
            try setting.read(value, place.setting(setting.key), &root)
        }
        if place.isNew, let missing = first(where: { $0.isRequired && !found.contains($0.key) }) {
            throw place.error(node, "lacks '\(missing.key)' (\(missing.description.form)).")
        }
    }

    /// All settings as YAML, in the table's order.
    /// - Parameter initial: Leaves out what is as here.
    func written<Root>(_ root: Root, against initial: Root? = nil) -> Node.Mapping
    where Element == Setting<Root> {
        Node.Mapping(
            compactMap { setting in
                guard let node = setting.write(root) else { return nil }
                if !setting.isRequired, let initial, setting.write(initial) == node { return nil }
                return (Node(setting.key), node)
            }
        )
    }
}
