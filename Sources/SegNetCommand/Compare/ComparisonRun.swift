import ArgumentParser
import SegNetToolkit

/// One call of `segnet compare`: what is missing is trained and scored, then the pages are written.
struct ComparisonRun {
    let options: Compare
    /// It remembers which pictures there are, until a training has taken its time.
    var comparison: SystemComparison
    let console: Console

    mutating func run() throws {
        try OutputFolder.prepare(comparison.output.path(percentEncoded: false))
        // Two at once would train the same systems, and one of them would report failures that are none.
        let lock = try RunLock(comparison.output, for: .comparing)
        defer { withExtendedLifetime(lock) {} }
        StopRequest.listen()
        try warnOfLearners()
        try comparison.rememberStarts()
        if !options.noTraining { try requireStarts() }
        if options.retrain {
            // What --only leaves out is not trained, so it has to fit as it is.
            try comparison.requireUnchanged(comparison.systems.filter { !isWanted($0) })
            try setOldAside()
        }
        try comparison.requireUnchanged()
        if !options.noTraining { try comparison.requireCheckpoints(comparison.systems.filter(isWanted)) }
        var failed: [String] = []
        // All trainings first: a process begins as large as the one that starts it, and this one grows when it scores.
        if !options.noTraining {
            for system in comparison.systems where system.trains && isWanted(system) {
                if try !train(system) { failed.append(system.name) }
            }
        }
        let trained = try comparison.systems.filter { try comparison.state(of: $0) == .trained }
        var memory: [String: Int] = [:]
        for system in trained where comparison.measurement(of: system, threads: options.threadOptions.threads) == nil {
            memory[system.name] = try inferenceMemory(of: system)
        }
        for system in trained {
            try evaluate(system)
            try stopIfAsked()
            console.status("\(system.name): measuring")
            try comparison.measure(
                system,
                threads: options.threadOptions.threads,
                inferencePeakBytes: memory[system.name]
            )
            console.clearStatus()
        }
        let pages = try comparison.writePages(threads: options.threadOptions.threads, command: CommandLine.arguments)
        console.print(pages.html.relativePath)
        console.print(pages.markdown.relativePath)
        guard failed.isEmpty else {
            console.note(
                "not trained: \(failed.joined(separator: ", ")); the messages are above. The same command continues."
            )
            throw ExitCode.failure
        }
    }

    private func warnOfLearners() throws {
        let learners = try comparison.learners().map(\.name)
        guard !learners.isEmpty else { return }
        let (subject, isOne) = SystemComparison.subject(learners, of: comparison.systems.map(\.name))
        console.warning(
            "\(subject) \(isOne ? "learns" : "learn") from '\(comparison.plan.split)', the split that is scored: the scores flatter "
                + "\(isOne ? "it" : "them"). Score another split to see what \(isOne ? "it recognises" : "they recognise")."
        )
    }

    private func isWanted(_ system: SystemComparison.System) -> Bool {
        options.only.isEmpty || options.only.contains(system.name)
    }

    /// Sees, before anything is trained, that what builds on another system can do so, and is not left with the model before.
    private func requireStarts() throws {
        let wanted = comparison.systems.filter { $0.trains && isWanted($0) }
        for system in wanted {
            guard let start = comparison.start(of: system), !isWanted(start),
                try comparison.state(of: system) == .missing, try comparison.state(of: start) != .trained
            else { continue }
            throw ConfigurationError(
                "\(system.name): needs the finished model of \(start.name), which is not in \(start.runFolder.relativePath); train "
                    + "\(start.name) first (--only \(ShellWords.quoted(start.name))), or leave out --only."
            )
        }
        let left = try comparison.leftBehind(by: wanted, retrains: options.retrain)
        guard !left.isEmpty else { return }
        let lines = left.map { system in
            "\(system.name): was trained from the model of \(system.entry.startFrom ?? ""), which is to be retrained."
        }
        let advice =
            options.retrain
            ? "leave out --only, or add " + left.map { "--only \(ShellWords.quoted($0.name))" }.joined(separator: " ")
                + ", so that \(left.count == 1 ? "it is" : "they are") trained too"
            : "\(UserChoice.retraining) as well, which keeps the old training next to the new one"
        throw ConfigurationError(
            lines.joined(separator: "\n") + "\nPut the earlier system's training back, or \(advice)."
        )
    }

    private func setOldAside() throws {
        for system in comparison.systems where system.trains && isWanted(system) { try setAsideIfOld(system) }
    }

    /// Moves a training aside that has changed, or that cannot go on.
    private func setAsideIfOld(_ system: SystemComparison.System) throws {
        let reason: String
        switch try comparison.state(of: system) {
        case .changed(let changes): reason = "\(changes.sentence) (\(changes.words))"
        case .cutOff: reason = "last.checkpoint is missing"
        case .missing, .begun, .trained: return
        }
        let old = try comparison.setAside(system)
        console.note("\(system.name): \(reason); the old training is \(old.relativePath)")
    }

    private func stopIfAsked() throws {
        guard StopRequest.isAsked else { return }
        console.clearStatus()
        console.note("stopped; the same command continues from here.")
        // As a shell has it for a program that a signal has ended.
        throw ExitCode(Int32(128 + (StopRequest.signalNumber ?? 2)))
    }

    // MARK: Training

    /// Trains a system in a process of its own, from where it is.
    /// - Returns: False if the training failed; its message stands on standard error.
    private mutating func train(_ system: SystemComparison.System) throws -> Bool {
        try stopIfAsked()
        if try comparison.state(of: system) == .trained { return true }
        // A system that this one starts from may have another model since a minute ago.
        if options.retrain { try setAsideIfOld(system) }
        do throws(ConfigurationError) { try comparison.requireUnchanged([system]) } catch {
            console.error("\(error)")
            return false
        }
        if let start = comparison.start(of: system), try comparison.state(of: start) != .trained {
            console.error("\(system.name): needs the finished model of \(start.name), whose training has not ended.")
            return false
        }
        if let start = comparison.start(of: system), !Trainer.hasCheckpoint(system.runFolder),
            !FileManager.default.fileExists(atPath: start.futureModelFile.path(percentEncoded: false))
        {
            console.error(
                "\(system.name): starts from the best model of \(start.name), but \(start.futureModelFile.relativePath) is missing; "
                    + "perhaps no validation gave a score. Give \(start.name) 'model: last' in the plan, or put the file back."
            )
            return false
        }
        let recipe = try comparison.writeRecipe(of: system)
        console.note("\(system.name): training in \(system.runFolder.relativePath)")
        var arguments = [
            "train", "--config", recipe.path(percentEncoded: false),
            "--output", system.runFolder.path(percentEncoded: false), "--resume",
            "--parent", "\(getpid())",
        ]
        if let threads = options.threadOptions.threads { arguments += ["--threads", "\(threads)"] }
        if console.isQuiet { arguments.append(SegNetCommand.quiet) }
        let status = ChildProcess.runInSight(arguments, shouldStop: { StopRequest.isAsked })
        comparison = comparison.remembering()
        try stopIfAsked()
        return try status == 0 && comparison.state(of: system) == .trained
    }

    // MARK: Scores and measurements

    private func evaluate(_ system: SystemComparison.System) throws {
        let isNew = try comparison.evaluate(system, threads: options.threadOptions.threads) { done, total in
            console.status("\(system.name): scored \(done) of \(total) pictures")
            try stopIfAsked()
        }
        console.clearStatus()
        guard isNew, let scores = comparison.scores(of: system) else { return }
        let percent = { (value: Double?) in value.map { Numbers.fixed(100 * $0, 2) } ?? "-" }
        console.note(
            "\(system.name): mean IoU \(percent(scores.meanIoU)) %, global accuracy \(percent(scores.globalAccuracy)) %, class average "
                + "\(percent(scores.classAverageAccuracy)) %, boundary F1 \(percent(scores.boundaryF1)) %"
        )
    }

    /// The most memory of a process that segments one picture of the split.
    /// - Returns: Nil where a picture is more than one file, or that process fails: the page then shows none.
    private func inferenceMemory(of system: SystemComparison.System) throws -> Int? {
        struct Peak: Decodable { var peakMemoryBytes: Int }
        try stopIfAsked()
        let dataset = try comparison.scoredDataset()
        let scratch = try OutputFolder.temporary()
        defer { try? FileManager.default.removeItem(at: scratch) }
        guard let sample = try dataset.samples(of: comparison.plan.split).first, dataset.inputs.planeChannels.isEmpty
        else {
            return nil
        }
        let picture = scratch.appending(path: "picture.png").path(percentEncoded: false)
        try dataset.picture(of: try dataset.example(sample)).background().write(path: picture)
        console.status("\(system.name): measuring the memory of 'segnet predict'")
        defer { console.clearStatus() }
        var arguments = [
            "predict", picture, "--model", system.modelFile.path(percentEncoded: false), "--json", "--output",
            scratch.appending(path: "results").path(percentEncoded: false),
        ]
        if let refine = system.entry.refine { arguments += ["--refine", refine] }
        if let threads = options.threadOptions.threads { arguments += ["--threads", "\(threads)"] }
        guard let (output, status) = ChildProcess.run(arguments, scratch: scratch), status == 0 else { return nil }
        return try? JSONDecoder().decode(Peak.self, from: output).peakMemoryBytes
    }

    // MARK: What is there

    /// - Returns: Whether a file is missing that a training begins with.
    @discardableResult
    static func warnOfMissingFiles(_ comparison: SystemComparison, on console: Console) -> Bool {
        var isMissing = false
        for system in comparison.systems {
            for file in comparison.missingFiles(of: system) {
                console.warning("\(system.name): \(file) is not there; its training would fail.")
                isMissing = true
            }
        }
        return isMissing
    }

    /// Prints what is there and what is missing.
    func printState() throws {
        var table = TextTable([
            ("system", .left), ("state", .left), ("steps to go", .right), ("s/step", .right), ("hours", .right),
        ])
        var hours = 0.0
        var others = "validations, statistics and scores"
        for system in comparison.systems {
            let state = try comparison.state(of: system)
            var cells = [system.name, words(state, system)]
            if system.trains, state != .trained {
                console.status("\(system.name): measuring steps")
                // A system whose recipe changed starts anew.
                let estimate = try comparison.estimate(system, threads: options.threadOptions.threads)
                hours += estimate.secondsLeft / 3600
                if system.configuration.teacher != nil { others = "validations, statistics, scores and teachers" }
                cells += [
                    Numbers.grouped(estimate.stepsLeft), Numbers.fixed(estimate.secondsPerStep, 2),
                    Numbers.fixed(estimate.secondsLeft / 3600, 2),
                ]
            }
            table.append(cells)
        }
        console.clearStatus()
        for line in table.lines { console.print(line) }
        Self.warnOfMissingFiles(comparison, on: console)
        console.print("")
        console.print(
            "\(Numbers.fixed(hours, 2)) hours of steps to go; \(others) come on top. Pages: "
                + comparison.output.appending(path: "comparison.html").relativePath
        )
    }

    private func words(_ state: SystemComparison.TrainingState, _ system: SystemComparison.System) -> String {
        guard system.trains else { return "shares the model of \(system.entry.modelOf ?? "")" }
        switch state {
        case .missing: return "missing"
        case .begun(let step, let total): return "at step \(step)" + (total.map { " of \($0)" } ?? "")
        case .trained: return comparison.scores(of: system) == nil ? "trained, not scored" : "trained and scored"
        case .cutOff: return "cut off: last.checkpoint is missing"
        case .changed(let changes): return "changed: \(changes.words)"
        }
    }
}
