internal import SegNetCPU
internal import SegNetData
internal import SegNetPlatform
internal import SegNetTraining

extension SystemComparison {
    /// The words of the command that gives a system's scores: with every setting that differs from the defaults of
    /// `segnet evaluate`.
    package func evaluationCommand(of system: System) -> [String] {
        var words = [
            "segnet", "evaluate", "--model", system.modelFile.relativePath, "--dataset", scored.dataset.rawValue,
        ]
        func add(_ option: String, _ value: String?) { if let value { words += [option, value] } }
        add("--data", scored.data == "." ? nil : scored.data)
        add("--split", plan.split)
        add("--refine", system.entry.refine)
        add("--accuracy", system.configuration.accuracy?.rawValue)
        // By itself it reads what the model reads.
        let isUsual = scored.inputs == InputFiles.rgb.words && system.configuration.inputs == scored.inputs
        add("--inputs", isUsual ? nil : scored.inputs.joined(separator: ","))
        if scored.folds > 0 {
            add("--folds", "\(scored.folds)")
            add("--fold", "\(scored.fold)")
        } else if scored.usedValidationShare != DatasetOptions().validationShare {
            add("--val-share", "\(scored.usedValidationShare)")
        }
        if scored.colored { words.append("--colored") }
        add("--classes", scored.classes)
        add("--label-offset", scored.labelOffset.map { "\($0)" })
        // In one word, as it may begin with a dash.
        if let suffix = scored.labelSuffix { words.append("--label-suffix=\(suffix)") }
        add("--unlabelled", scored.unlabelled)
        for number in scored.ignore { add("--ignore", "\(number)") }
        for (old, new) in scored.map.sorted(by: { $0.key < $1.key }) { add("--map", "\(old)=\(new)") }
        return words
    }
}
