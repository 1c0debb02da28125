import SegNetToolkit

/// How an evaluation came about, for its report.
struct Facts {
    /// The model, or the masks.
    var subject = ""
    /// Nil: masks of files were scored.
    var network: String?
    /// At which the network was trained.
    var networkSize: PictureSize?
    /// The dense CRF that refined the results; nil: none.
    var crf: String?
    /// Nil: masks of files were scored.
    var arithmetic: InferenceOptions?
    var pictures = 0
    var seconds = 0.0
    var date = Date()
    var command = CommandLine.arguments

    func list(_ options: Evaluate, dataset: Dataset, split: String) -> [(name: String, value: String)] {
        var facts: [(String, String)] = []
        if let network {
            facts.append(("model", "\(subject) (\(network))"))
            facts.append(("network's size", size(options.runSize.size)))
            let views = options.views.augmentation
            facts.append(("test-time augmentation", views == .none ? "none" : "\(views) (\(views.viewCount) views)"))
            if let crf { facts.append(("dense CRF", crf)) }
            if options.edges.edges == .smooth { facts.append(("edges", "smooth: probabilities were interpolated")) }
            if let samples = options.sampling.samples {
                facts.append(("Monte-Carlo samples", "\(samples), seed \(options.sampling.seed ?? 0)"))
            }
        } else {
            facts.append(("predictions", options.predictions ?? ""))
        }
        facts.append(("data set", "\(dataset.name) in \(options.choice.data), split \(split)"))
        if !options.choice.labels.map.isEmpty {
            facts.append(("changed labels", options.choice.labels.map.joined(separator: ", ")))
        }
        if let labelled = options.labelled {
            facts.append(("labelled classes", commaSeparated(labelled).joined(separator: ", ")))
        }
        facts.append(("absent classes", Self.words(options.metrics)))
        facts.append(("boundary rule", options.bf.rule.map(Self.words) ?? "none: no boundary F1 was computed"))
        let machine = Machine.current
        var parts = [
            machine.processor ?? "unknown processor", counted(machine.cores, "core"),
        ]
        if let arithmetic {
            parts.append(counted(options.engine.threadCount, "thread"))
            parts.append("\(arithmetic.instructionSet.name) kernels, \(arithmetic.accuracy.rawValue) arithmetic")
        }
        facts.append(("machine", parts.joined(separator: ", ")))
        facts.append(
            ("time", "\(Numbers.fixed(seconds, 1)) s with reading and scoring (\(counted(pictures, "picture")))")
        )
        facts.append(("date", date.formatted(.iso8601)))
        facts.append(("command", Self.shell(command)))
        return facts
    }

    private func size(_ size: RunSizeArgument?) -> String {
        switch size {
        case nil: "its own" + (networkSize.map { ", \($0)" } ?? "")
        case .native: "each picture's"
        case .fixed(let size): "\(size)"
        }
    }

    private static func words(_ rule: Scores.Rule) -> String {
        switch rule {
        case .present: "present: left out of means"
        case .original: "original: means are divided by all classes"
        }
    }

    private static func words(_ rule: BoundaryScore.Rule) -> String {
        switch rule {
        case .oneToOne:
            "one-to-one: within 0.75 % of the diagonal, each pixel matched once, classes with a boundary in the truth, nothing next to void"
        case .original: "original: the authors' script at 480x360, void a region like others, false classes count as 0"
        case .distance: "distance: as one-to-one, but a pixel matches any pixel within the distance"
        }
    }

    /// The command as it can be given to a shell again.
    static func shell(_ words: [String]) -> String {
        let name = words.first.map { $0.split(separator: "/").last.map(String.init) ?? $0 } ?? "segnet"
        return ShellWords.joined([name] + words.dropFirst())
    }
}
