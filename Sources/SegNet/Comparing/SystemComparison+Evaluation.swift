internal import SegNetData
internal import SegNetImages
internal import SegNetPlatform
internal import SegNetTraining

extension SystemComparison {
    /// The scores of a system; nil if there are none for its model and for the split's pictures and labels as they are now, or if some of
    /// their masks are gone.
    public func scores(of system: System) -> Evaluation? {
        // Looked for first: finding all pictures takes longer.
        guard FileAccess.kind(of: evaluationFile(system).path(percentEncoded: false)) == .file else { return nil }
        return (try? subject(system, conditions: try scoringConditions(system))).flatMap { scores(of: system, by: $0) }
    }

    private func scores(of system: System, by subject: ScoredSubject) -> Evaluation? {
        let file = ScoredSubject.read(EvaluationFile<Evaluation>.self, evaluationFile(system), of: subject)
        guard let scores = file?.report else { return nil }
        let hasMasks = scores.perImage.allSatisfy {
            FileAccess.kind(of: maskFile(of: system, $0.name).path(percentEncoded: false)) == .file
        }
        return hasMasks ? scores : nil
    }

    /// Scores a system's model on the split and writes its masks (`masks/`, class ids) and scores (`evaluation.json`), unless they are
    /// there.
    ///
    /// The network runs at its own size, scores are taken at the labels': as `segnet evaluate` does.
    /// - Parameters:
    ///   - threads: Nil means all cores.
    ///   - progress: Called after each picture: done, of all. What it throws ends the evaluation.
    /// - Returns: Whether it was scored now; false: its scores were there.
    /// - Throws: `ConfigurationError` if the model is missing; errors of reading it or a picture; `SegmenterError` if model and data set
    ///   have different classes.
    @discardableResult
    public func evaluate(
        _ system: System,
        threads: Int? = nil,
        progress: (Int, Int) throws -> Void = { _, _ in }
    ) throws -> Bool {
        if try state(of: system) == .trained { try rememberStart(of: system, isBeginning: false) }
        let subject = try subject(system, conditions: try scoringConditions(system))
        guard scores(of: system, by: subject) == nil else { return false }
        let start = ContinuousClock.now
        let dataset = try scoredDataset()
        let samples = try dataset.samples(of: plan.split)
        try dataset.requireUniqueNames(plan.split)
        let request = Segmenter.Request(refinement: try system.refinement)
        let options = Segmenter.Options(accuracy: system.configuration.accuracy, threads: threads)
        let segmenter = try Segmenter(LoadedModel(system.modelFile), options: options.serving(only: request))
        try segmenter.requireClasses(of: dataset)
        var report = EvaluationReport(classNames: dataset.classes.classes.map(\.name))
        try Self.makeFolder(masks(of: system))
        let pipeline = SegmentationPipeline(segmenter, request) { (sample: Sample, request) in
            let example = try dataset.example(sample)
            let mask = try segmenter.segment(dataset.picture(of: example), request).classes.merged(
                dataset.mergedClasses
            )
            try mask.write(
                path: maskFile(of: system, sample.name).path(percentEncoded: false),
                void: dataset.classes.voidID
            )
            return (example: example, mask: mask)
        }
        try pipeline.run(samples) { sample, result in
            let (example, mask) = try result.get()
            report.add(
                name: sample.name,
                truth: example.labels,
                prediction: mask.ids,
                width: example.width,
                height: example.height
            )
            try progress(report.perImage.count, samples.count)
        }
        let seconds = (ContinuousClock.now - start).inSeconds
        try ScoredSubject.write(
            EvaluationFile(subject: subject, seconds: seconds, report: report),
            to: evaluationFile(system)
        )
        return true
    }

    func masks(of system: System) -> URL { system.folder.appending(path: "masks") }

    private func maskFile(of system: System, _ name: String) -> URL { masks(of: system).appending(path: "\(name).png") }

    private func evaluationFile(_ system: System) -> URL { system.folder.appending(path: "evaluation.json") }

    func subject(_ system: System, conditions: String) throws -> ScoredSubject {
        try requireModel(of: system)
        return try ScoredSubject(system.modelFile, conditions: conditions)
    }

    private func scoringConditions(_ system: System) throws -> String {
        var parts = [
            "\(scored.dataset.rawValue), split \(plan.split): \(try truth())", "inputs \(scored.inputs)",
        ]
        if scored.colored { parts.append("colored") }
        if !scored.ignore.isEmpty { parts.append("ignore \(scored.ignore)") }
        for (old, new) in scored.map.sorted(by: { $0.key < $1.key }) { parts.append("\(old)=\(new)") }
        if let classes = scored.classes { parts.append("classes \(classes)") }
        if let refine = system.entry.refine { parts.append("refine \(refine)") }
        if scored.dataset == .synthetic { parts.append("seed \(scored.seed), \(scored.count) streets") }
        return parts.joined(separator: ", ")
    }
}

extension SystemComparison.System {
    /// How its model's probabilities are refined; nil: not at all.
    /// - Throws: `Segmenter.WordsError` with the number that is wrong.
    var refinement: Segmenter.Refinement? {
        get throws(Segmenter.WordsError) {
            guard let text = entry.refine else { return nil }
            return try Segmenter.Refinement(text)
        }
    }
}

extension Segmenter {
    /// - Throws: `SegmenterError` if the network has more or fewer classes than the data set, or the same in another order.
    package func requireClasses(of dataset: Dataset) throws(SegmenterError) {
        let count = dataset.classes.classes.count
        guard classCount == count else {
            throw failure(
                "it has \(classCount) classes, but the data set '\(dataset.name)' has \(count); score it on the data set "
                    + "it was trained for, or give that one's \(UserChoice.classes), and a \(UserChoice.labelChange) for each label with another meaning."
            )
        }
        let names = dataset.classes.classes.map(\.name)
        guard !metadata.hasOtherOrder(than: names) else {
            let own = metadata.classNames ?? []
            guard Set(own.map { $0.lowercased() }) == Set(names.map { $0.lowercased() }) else {
                throw failure(
                    "its classes are \(own.joined(separator: ", ")), but those of the data set '\(dataset.name)' are "
                        + "\(names.joined(separator: ", ")): some are in both, under different numbers. Give the model's table as "
                        + "the data's \(UserChoice.classes), and a \(UserChoice.labelChange) for each label whose number differs."
                )
            }
            throw failure(
                "its classes are \((metadata.classNames ?? []).joined(separator: ", ")), but the data set '\(dataset.name)' has them in the order "
                    + "\(names.joined(separator: ", ")); give the model's order as the data's \(UserChoice.classes)."
            )
        }
    }
}
