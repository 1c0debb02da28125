import ArgumentParser
import SegNetToolkit

struct Compare: ConsoleCommand {
    static let configuration = CommandConfiguration(
        abstract: "Train, score and measure several systems side by side.",
        discussion: """
            Reads a plan (YAML): a data set, the settings that all systems share, and a list of systems with their recipes. Trains the \
            systems not trained yet, each in its own process and folder, scores and measures all, and writes comparison.html and \
            comparison.md: tables, curves, and the same pictures segmented by each system. How to write a plan: docs/compare.md.

            Ctrl-C saves and exits with 130; the same command continues from there. Finished work is not repeated. A system whose \
            recipe, training pictures or starting model has changed since it was trained is refused, or with --retrain trained again.

            EXAMPLES:
              segnet compare plan.yaml --check
              segnet compare plan.yaml --dry-run
              segnet compare plan.yaml --output runs/mine
              segnet compare plans/table-1.yaml --data CamVid --only SegNet-Basic --only FCN-Basic
            """
    )

    @Argument(
        help: ArgumentHelp("The plan: its file, or its name ('segnet recipe list').", valueName: "plan"),
        completion: .file(extensions: ["yaml", "yml"])
    )
    var plan: String

    @Option(
        help: ArgumentHelp(
            "The comparison's folder; made if it is missing. (default: runs/NAME, with the plan's name)",
            valueName: "folder"
        ),
        completion: .directory
    )
    var output: String?

    @Option(
        help: ArgumentHelp("The data set's folder, in place of the plan's.", valueName: "folder"),
        completion: .directory
    )
    var data: String?

    @Option(
        help: ArgumentHelp(
            "Train only this system; the pages show every system that has been trained. May be repeated.",
            valueName: "system"
        )
    )
    var only: [String] = []

    @Option(
        help: ArgumentHelp(
            "Any setting of a recipe, for all systems, such as encoder=vgg16.safetensors. May be repeated.",
            valueName: "key=value"
        )
    )
    var set: [String] = []

    @Flag(
        help:
            "Check the plan and its recipes, then exit. Warns of missing models; opens neither models nor pictures."
    )
    var check = false

    @Flag(
        help: "Print what is trained and what is missing, with training hours estimated from measured steps, then exit."
    )
    var dryRun = false

    @Flag(help: "Train nothing; score, measure and show the systems that are trained.")
    var noTraining = false

    @Flag(
        help: ArgumentHelp(
            "Train again the systems whose recipe, pictures or starting model has changed, or whose checkpoint is gone. The old training "
                + "is kept as <folder>~1."
        )
    )
    var retrain = false

    @OptionGroup var threadOptions: ThreadOptions

    func validate() throws {
        let modes = [("--check", check), ("--dry-run", dryRun), ("--no-training", noTraining)].filter(\.1).map(\.0)
        if modes.count > 1 {
            throw ValidationError("Please give one of '\(modes[0])' and '\(modes[1])', not both.")
        }
        if noTraining, retrain { throw ValidationError("Please give either '--no-training' or '--retrain', not both.") }
        if retrain, let mode = modes.first {
            throw ValidationError("Please leave '--retrain' out with '\(mode)', which trains nothing.")
        }
    }

    func run(on console: Console) throws {
        let name = URL(filePath: plan).deletingPathExtension().lastPathComponent
        let output = URL(filePath: output ?? "runs/\(name)")
        var plan = try ComparisonPlan(path: try RecipeStore.standard(.plan).resolve(plan))
        if let data { plan.data = data }
        plan.overrides = try set.map { word in
            guard let sign = word.firstIndex(of: "="), sign != word.startIndex else {
                throw ValidationError("Please give '--set' as key=value; found '\(word)'.")
            }
            return .init(String(word[..<sign]), String(word[word.index(after: sign)...]), at: "--set")
        }
        let comparison = try SystemComparison(plan, output: output).remembering()
        let names = comparison.systems.filter(\.trains).map(\.name)
        for wanted in only where !names.contains(wanted) {
            let hint = closestName(to: wanted, among: names).map { " Did you mean '\($0)'?" } ?? ""
            throw ValidationError(
                "Please give '--only' a system that the plan trains; found '\(wanted)'.\(hint) There are \(names.map { "'\($0)'" }.joined(separator: ", "))."
            )
        }
        if check {
            let isMissing = ComparisonRun.warnOfMissingFiles(comparison, on: console)
            console.print(
                "\(self.plan): nothing is wrong\(isMissing ? " except the missing files" : ""); \(counted(plan.systems.count, "system"))"
            )
            return
        }
        try comparison.requireSources()
        do { try comparison.requirePictures() } catch let error as DatasetError {
            throw DatasetError("\(error)\(advice(of: plan))")
        }
        var run = ComparisonRun(options: self, comparison: comparison, console: console)
        if dryRun { try run.printState() } else { try run.run() }
    }

    /// What the comment at a plan's head says of preparing its data: its indented lines, which are commands. Empty if there are none.
    private func advice(of plan: ComparisonPlan) -> String {
        let head = (plan.source ?? "").split(separator: "\n").prefix { $0.hasPrefix("#") }
        let commands = head.filter { $0.hasPrefix("#   ") }.map { "\n  " + $0.dropFirst(4) }
        return commands.isEmpty ? "" : " The comment at the top of \(self.plan) says how to run it:" + commands.joined()
    }
}
