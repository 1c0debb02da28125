internal import SegNetImages
internal import SegNetNetworks
internal import SegNetPlatform
internal import Yams

extension ComparisonPlan {
    /// Reads a plan.
    /// - Parameters:
    ///   - yaml: Its text.
    ///   - file: Its name in errors; relative paths of recipes begin at its folder.
    /// - Throws: `ConfigurationError` naming the line, the key, and what the value may be or the closest known key.
    public init(yaml: String, file: String) throws(ConfigurationError) {
        self.init()
        let root = try SettingsYAML.compose(yaml) { ConfigurationError("\(file): \($0)") }
        var place = SettingPlace(file: file, listedBy: nil)
        place.isNew = true
        try Self.table.read(
            root ?? .mapping(Node.Mapping([])),
            place,
            onto: &self,
            needs: "the keys of a comparison plan, each with a value"
        )
        source = yaml
        if let slash = file.lastIndex(of: "/") { folder = slash == file.startIndex ? "/" : String(file[..<slash]) }
        if let problem = problem() {
            let node = problem.entry.flatMap { root?["systems"]?.sequence?[$0] } ?? root?["budget"]
            throw place.error(node, problem.text)
        }
    }

    /// Reads a plan from a file.
    /// - Throws: `ConfigurationError`.
    public init(path: String) throws(ConfigurationError) {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ConfigurationError(
                "\(path): \(FileAccess.problem(of: path)); give the file or name of a comparison plan. See the \(UserChoice.recipes)."
            )
        }
        try self.init(yaml: fileText(data), file: path)
        file = path
    }

    /// Checks a plan that was made in Swift.
    /// - Throws: `ConfigurationError` naming the system and what it needs.
    public func check() throws(ConfigurationError) {
        if let problem = problem() { throw ConfigurationError(problem.text) }
        guard !systems.isEmpty else { throw ConfigurationError("systems: there are none; name at least one.") }
    }

    private struct Problem {
        /// The system, from 0; nil: the budget.
        var entry: Int?
        var text: String
    }

    /// Keys that contradict each other; each by itself was read without error.
    private func problem() -> Problem? {
        if budget.iterations != nil, budget.epochs != nil {
            return Problem(text: "budget: has iterations and epochs, which exclude each other; keep one.")
        }
        for (index, system) in systems.enumerated() {
            guard let text = problem(index, system) else { continue }
            let name = system.name.isEmpty ? "" : " (\(system.name))"
            return Problem(entry: index, text: "systems, entry \(index + 1)\(name): \(text)")
        }
        return nil
    }

    private func problem(_ index: Int, _ system: ComparedSystem) -> String? {
        let earlier = systems[..<index]
        if system.folderName.isEmpty {
            return "name: needs a letter or digit of ASCII, for the name of its folder; found '\(system.name)'."
        }
        if let other = earlier.first(where: { $0.folderName == system.folderName }) {
            return
                "name: its folder would be '\(system.folderName)', which '\(other.name)' already uses; give this system another name."
        }
        if let refine = system.refine, refine != "crf", !refine.hasPrefix("crf:") {
            return "refine: '\(refine)' is not known; give crf, or crf: with its numbers (docs/evaluation.md)."
        }
        let trained = systems.filter { $0.modelOf == nil && $0.name != system.name }.map(\.name)
        if let other = system.modelOf {
            guard trained.contains(other) else {
                return
                    "model-of: has to name a system of the plan that has a recipe; found '\(other)'.\(hint(other, trained))"
            }
            if system.recipe != nil || system.settings != nil || system.startFrom != nil {
                return
                    "model-of: the model of '\(other)' is used as it is; remove 'recipe', 'settings' and 'start-from', "
                    + "or remove 'model-of'."
            }
            return nil
        }
        if system.recipe == nil {
            return "lacks 'recipe' (a recipe's file, or the settings of a recipe), or 'model-of'."
        }
        let before = earlier.filter { $0.modelOf == nil }.map(\.name)
        if let other = system.startFrom, !before.contains(other) {
            return "start-from: has to name a system that comes earlier in the plan and has a recipe; found '\(other)'."
                + hint(other, before)
        }
        return nil
    }

    private func hint(_ name: String, _ names: [String]) -> String {
        closestName(to: name, among: names).map { " Did you mean '\($0)'?" } ?? ""
    }
}
