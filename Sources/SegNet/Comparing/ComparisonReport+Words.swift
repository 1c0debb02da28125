internal import SegNetPlatform
internal import SegNetTraining

//  What both pages say between the tables.

extension ComparisonReport {
    /// How scores were taken, and what the other figures are.
    var scoreNote: String {
        "Over the split “\(plan.split)”, at the labels' own size; boundary F1 by the rule “one-to-one”. The best of each column is bold."
            + learntNote + chosenNote + publishedNote
    }

    private var learntNote: String {
        let learners = rows.filter(\.learnsFromScored).map(\.name)
        guard !learners.isEmpty else { return "" }
        let (subject, isOne) = SystemComparison.subject(learners, of: rows.map(\.name))
        let who = learners.count < rows.count ? subject : "The systems"
        let (verb, object) = isOne ? ("has", "it") : ("have", "them")
        return " \(who) \(verb) learnt from these pictures: the scores flatter \(object)."
    }

    private var chosenNote: String {
        let chosen = rows.filter(\.isChosenByScored).map(\.name)
        guard !chosen.isEmpty else { return "" }
        let isEach = chosen.count == rows.count
        let (subject, isOne) = SystemComparison.subject(chosen, of: rows.map(\.name))
        return isEach || isOne
            ? " The best model of \(isEach ? "each system" : subject) was chosen on these pictures: the scores flatter it a little."
            : " The best models of \(subject) were chosen on these pictures: the scores flatter them a little."
    }

    private var publishedNote: String {
        guard rows.contains(where: { $0.system.entry.published != nil }) else { return "" }
        return " Published figures are shown next to the measured ones: \(plan.published ?? "see the plan")."
    }

    /// How each figure was measured.
    var costNote: String {
        var text = "Forward: one picture through the finished network. Backward: the gradients of one picture."
        if rows.contains(where: { $0.system.entry.refine != nil }) {
            text += " Neither includes a refinement, such as a dense CRF."
        }
        let measured = rows.compactMap { row in
            row.measurement.map { (row.name, "\($0.width)x\($0.height)", $0.threads) }
        }
        if let first = measured.first {
            let others = measured.filter { $0.1 != first.1 }.map { "\($0.0): \($0.1)" }
            text +=
                " Pictures of \(first.1)\(others.isEmpty ? "" : " (\(others.joined(separator: ", ")))"), \(counted(first.2, "thread")), medians "
                + "of several runs; memory is a process's peak, in training with the recipe's batch size. MB are 10^6 bytes."
        }
        return text + publishedNote
    }

    /// The settings that are not the same in all recipes: key, and each trained system's value.
    var recipeDifferences: [(key: String, values: [String])] {
        let recipes = rows.filter(\.system.trains).map(\.system.configuration)
        guard let first = recipes.first, recipes.count > 1 else { return [] }
        let others = recipes.map { $0.differences(from: first) }
        var keys: [String] = []
        for key in others.flatMap({ $0.map(\.key) }) where !keys.contains(key) { keys.append(key) }
        return keys.map { key in
            let own = others.flatMap { $0 }.first { $0.key == key }?.old
            let values = others.map { list in list.first { $0.key == key }.map { $0.new ?? "-" } ?? own ?? "-" }
            return (key, values)
        }
    }

    /// The report in Markdown.
    /// - Parameters:
    ///   - curves: The names of the curves' files, next to the page.
    ///   - pictures: The name of the sheet of pictures, if there is one.
    ///   - worst: The name of the sheet of each system's worst pictures, and what its rows show.
    func markdown(curves: [String], pictures: String?, worst: (file: String, rows: [String])? = nil) -> String {
        // Names of systems and what the plan says may hold anything; its text is Markdown.
        let escaped = ComparisonTable.escaped
        var parts = ["# \(escaped(plan.title))"]
        if !plan.text.isEmpty { parts.append(plan.text) }
        let missing = rows.compactMap { row in row.gap.map { "\(row.name): \($0)" } }
        if !missing.isEmpty { parts.append("**Not complete.** \(escaped(missing.joined(separator: "; "))).") }
        parts += ["## Scores", escaped(scoreNote), scoreTable.markdown]
        if !curves.isEmpty {
            parts.append("## Learning")
            parts += zip(self.curves, curves).map { "![\($0.title)](\($1))" }
        }
        if !scored.isEmpty { parts += ["## Classes", classTable.markdown] }
        parts += ["## What they cost", escaped(costNote), costTable.markdown, trainingTable.markdown]
        if let pictures {
            let columns = ["the photo", "the truth"] + scored.map(\.name)
            parts += [
                "## The same pictures, segmented by each system",
                "From left to right: \(escaped(columns.joined(separator: ", "))).",
                "![](\(pictures))",
            ]
        }
        if let worst {
            parts += [
                "## Each system's worst pictures",
                "From left to right: the photo, the truth, the prediction, and in red what is wrong. From top to bottom, with the "
                    + "picture's own mean IoU:",
                worst.rows.map { "1. \(escaped($0))" }.joined(separator: "\n"),
                "![](\(worst.file))",
            ]
        }
        parts.append("## How these figures came about")
        parts.append(facts.map { "- \(escaped("\($0.name): \($0.value)"))" }.joined(separator: "\n"))
        if let source = plan.source {
            parts.append("The plan:\n\n```yaml\n\(source)\(source.hasSuffix("\n") ? "" : "\n")```")
        }
        return parts.joined(separator: "\n\n").replacing("\n\n\n", with: "\n\n") + "\n"
    }
}
