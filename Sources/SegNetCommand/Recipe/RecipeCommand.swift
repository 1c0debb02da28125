import ArgumentParser
import SegNetToolkit

struct RecipeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recipe",
        abstract: "List, explain and check the recipes of 'segnet train'.",
        discussion: """
            EXAMPLES:
              segnet recipe list
              segnet recipe explain
              segnet recipe explain optimizer.weight-decay
              segnet recipe check segnet-streets my.yaml
            """,
        subcommands: [RecipeList.self, RecipeExplain.self, RecipeCheck.self]
    )
}

struct RecipeExplain: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "List all settings of a recipe, or explain one.",
        discussion: """
            EXAMPLES:
              segnet recipe explain
              segnet recipe explain augmentation
              segnet recipe explain schedule.warm-up
            """
    )

    @Argument(help: ArgumentHelp("A setting, such as optimizer.weight-decay.", valueName: "key"))
    var key: String?

    @Flag(help: "Print Markdown tables, as docs/recipes.md has them.")
    var markdown = false

    func validate() throws {
        if markdown, let key {
            throw ValidationError("Please leave '--markdown' out with '\(key)': its tables are of all settings.")
        }
    }

    func run(on console: Console) throws {
        guard let key else {
            console.print(markdown ? RecipeTable.markdown : RecipeTable.text(TrainingConfiguration.settings))
            return
        }
        guard let setting = TrainingConfiguration.setting(key) else {
            let closest = RecipeTable.path(meantBy: key) ?? closestName(to: key, among: RecipeTable.paths)
            let hint = closest.map { " Did you mean '\($0)'?" } ?? ""
            throw ValidationError("There is no setting '\(key)'.\(hint) 'segnet recipe explain' lists them.")
        }
        console.print(RecipeTable.explanation(setting, path: key))
    }
}

struct RecipeCheck: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check recipes without training.",
        discussion: """
            An error names the line, the key and what its value may be. Files that a recipe names are not opened.

            EXAMPLES:
              segnet recipe check recipes/*.yaml
            """
    )

    @Argument(
        help: ArgumentHelp(
            "Recipes: files, or names of those that come with the package ('segnet recipe list').",
            valueName: "file|name"
        ),
        completion: .file(extensions: ["yaml", "yml"])
    )
    var files: [String]

    func run(on console: Console) throws {
        var failed = false
        for file in files {
            do {
                let recipe = try TrainingConfiguration(path: try RecipeStore.standard(.recipe).resolve(file))
                do { try recipe.check() } catch { throw ConfigurationError("\(file): \(error)") }
                console.print("\(file): nothing is wrong")
                for sentence in recipe.unusedSettings { console.note("\(file): \(sentence)") }
            } catch {
                failed = true
                console.error("\(error)")
            }
        }
        if failed { throw ExitCode.failure }
    }
}

/// The settings of a recipe in print.
enum RecipeTable {
    /// All keys with those of their groups: `optimizer.weight-decay`.
    static var paths: [String] { paths(TrainingConfiguration.settings, "") }

    /// The setting that a word stands for, in full: `optimizer.weight-decay` for `weight-decay` and `wd`. Nil where it could be several.
    static func path(meantBy word: String) -> String? {
        let name = RecipeSetting.abbreviations[word] ?? word
        let inGroups = paths.filter { $0.hasSuffix(".\(name)") }
        return paths.contains(name) ? name : inGroups.count == 1 ? inGroups[0] : nil
    }

    private static func paths(_ settings: [RecipeSetting], _ prefix: String) -> [String] {
        settings.flatMap { [prefix + $0.key] + paths($0.settings, prefix + $0.key + ".") }
    }

    /// One line per setting.
    static func text(_ settings: [RecipeSetting], indent: String = "") -> String {
        settings.map { setting in
            let line = "\(indent)\(setting.key): \(form(setting))"
            return setting.settings.isEmpty ? line : line + "\n" + text(setting.settings, indent: indent + "  ")
        }.joined(separator: "\n")
    }

    static func explanation(_ setting: RecipeSetting, path: String) -> String {
        var lines = ["\(path): \(form(setting))", "  \(setting.help)"]
        if !setting.settings.isEmpty { lines.append(text(setting.settings, indent: "  ")) }
        return lines.joined(separator: "\n")
    }

    private static func form(_ setting: RecipeSetting) -> String {
        setting.standard.isEmpty ? "\(setting.form) (required)" : "\(setting.form) (default: \(setting.standard))"
    }

    /// One table for the recipe, one for each group.
    static var markdown: String { markdown(TrainingConfiguration.settings) }

    /// The same of other settings, such as a comparison plan's.
    static func markdown(_ settings: [RecipeSetting]) -> String {
        func table(_ settings: [RecipeSetting]) -> String {
            let rows = settings.map { setting in
                "| `\(setting.key)` | \(setting.form) | \(setting.standard.isEmpty ? "required" : setting.standard) | \(setting.help) |"
            }
            return "| key | value | default | what it does |\n| --- | --- | --- | --- |\n"
                + rows.joined(separator: "\n")
        }
        var parts = [table(settings)]
        for group in settings where !group.settings.isEmpty {
            parts.append("### `\(group.key)`\n\n" + table(group.settings))
            if let inner = group.settings.first(where: { !$0.settings.isEmpty }) {
                parts.append("Each of these has:\n\n" + table(inner.settings))
            }
        }
        return parts.joined(separator: "\n\n")
    }
}
