import SegNetToolkit

/// One call of `segnet evaluate`: every picture of a split through a segmenter, or its mask from a file, into one report.
struct EvaluationRun {
    let options: Evaluate
    let console: Console

    init(options: Evaluate, console: Console) {
        self.options = options
        self.console = console
    }

    func run() throws {
        // The model decides what the files of a sample give.
        let loaded = options.predictions == nil ? try options.model.load() : nil
        let dataset = try options.choice.load(reader: loaded.map { InputFiles(of: $0.model.network.input) })
        for warning in dataset.warnings { console.warning(RawFileName.display(warning)) }
        let split = options.split ?? Self.split(of: dataset)
        if options.split == nil, split != "test" {
            console.note(
                "note: the data set has no split 'test'; scoring '\(split)'\(split == "train" ? ", from which models learn" : "")."
            )
        }
        let samples = try dataset.samples(of: split)
        let namedClasses = try namedClasses(dataset)
        if options.saveMasks != nil || options.predictions != nil { try dataset.requireUniqueNames(split) }
        if let saveMasks = options.saveMasks {
            try refuseOverwriting(dataset, saveMasks)
            try OutputFolder.prepare(saveMasks, option: "--save-masks")
            if OutputFolder.ignoresCase(saveMasks) { try dataset.requireUniqueNames(split, ignoresCase: true) }
        }
        try warnOfLearntPictures(samples, split, dataset)
        try warnOfOtherLabels()
        try prepareResults(dataset)
        let history = try runHistory()
        var facts = Facts()
        let source = try maskSource(loaded, dataset, &facts)
        var report = EvaluationReport(
            classNames: dataset.classes.classes.map(\.name),
            rule: options.metrics,
            boundaryRule: options.bf.rule,
            namedClasses: namedClasses
        )
        var gallery = Gallery()
        let progress = Progress(total: samples.count, console: console)
        progress.begin(samples.first?.name)
        try source(samples) { sample, scored in
            let (example, mask) = (scored.example, scored.mask)
            if let uncertainty = scored.uncertainty {
                report.add(uncertainty: uncertainty, truth: example.labels, prediction: mask.ids)
            }
            let scores = report.add(
                name: sample.name,
                truth: example.labels,
                prediction: mask.ids,
                width: example.width,
                height: example.height
            )
            if options.report != nil {
                try gallery.add(scores) {
                    try Comparison(
                        photo: try dataset.picture(of: example).background(),
                        truth: try LabelMap(width: example.width, height: example.height, ids: example.labels),
                        prediction: mask
                    )
                }
            }
            if let saveMasks = options.saveMasks {
                try mask.write(path: "\(saveMasks)/\(sample.name).png", void: dataset.classes.voidID)
            }
            progress.finish()
            progress.begin(progress.done < samples.count ? samples[progress.done].name : nil)
        }
        console.clearStatus()
        // Behind the files, and also where one of them cannot be written after all.
        defer { if !options.printsJSON { for line in report.lines { console.print(line) } } }
        if options.printsJSON {
            console.print(try JSON.text(report))
        } else if let json = options.json {
            try OutputFolder.write(try JSON.text(report), to: json, option: "--json")
        }
        if let csv = options.csv { try OutputFolder.write(report.csv, to: csv, option: "--csv") }
        if let path = options.report {
            facts.pictures = samples.count
            facts.seconds = progress.seconds
            let page = EvaluationPage(
                title: "\(facts.subject) on \(dataset.name), \(split)",
                report: report,
                classes: dataset.classes,
                facts: facts.list(options, dataset: dataset, split: split),
                gallery: gallery,
                history: history
            )
            try OutputFolder.write(try page.html(), to: path, option: "--report")
        }
        try requireLabels(report, dataset, split)
    }

    /// The split that is scored where none is named.
    private static func split(of dataset: Dataset) -> String {
        ["test", "val", "train"].first { !(dataset.splits[$0] ?? []).isEmpty } ?? "test"
    }

    /// A sample with its mask, and with sampling each pixel's uncertainty, both at the labels' size.
    private struct Scored {
        var example: Example
        var mask: LabelMap
        var uncertainty: [Float]?
    }

    /// Gives all samples with their masks, in order.
    private typealias MaskSource = ([Sample], _ body: (Sample, Scored) throws -> Void) throws -> Void

    private func maskSource(_ loaded: LoadedModel?, _ dataset: Dataset, _ facts: inout Facts) throws -> MaskSource {
        guard let loaded else {
            let folder = options.predictions ?? ""
            facts.subject = "Masks in \(folder)"
            let masks = try PredictedMasks(folder: folder, dataset: dataset)
            return { samples, body in
                for sample in samples {
                    let example = try dataset.example(sample)
                    let mask = try masks.mask(of: sample, width: example.width, height: example.height)
                    try body(sample, Scored(example: example, mask: mask))
                }
            }
        }
        let request = Segmenter.Request(
            Segmenter.Runs(options.sampling, options.views),
            size: Segmenter.RunSize(options.runSize.size),
            edges: options.edges.edges,
            refinement: options.refining.refinement
        )
        let segmenter = try Segmenter(loaded, options: options.engine.segmenterOptions.serving(only: request))
        for note in segmenter.notes { console.note("note: \(note)") }
        do { try segmenter.requireClasses(of: dataset) } catch {
            if options.model.model == nil {
                console.note(
                    "note: no model was named, so '\(options.model.name)' was tried; name yours with '--model'."
                )
            }
            throw error
        }
        noteOtherNames(loaded.model.metadata, dataset)
        facts.crf = options.refining.refinement.map { "\(segmenter.crf(of: $0))" }
        facts.subject = options.model.name
        facts.network = loaded.model.network.name
        let input = loaded.model.network.input
        facts.networkSize = PictureSize(width: input.width, height: input.height)
        facts.arithmetic = segmenter.prepared.options
        let pipeline = SegmentationPipeline(segmenter, request) { (sample: Sample, request) in
            let example = try dataset.example(sample)
            let result = try segmenter.segment(dataset.picture(of: example), request)
            return Scored(
                example: example,
                mask: try result.classes.merged(dataset.mergedClasses),
                uncertainty: result.uncertainty.map {
                    resizedNearest(
                        $0.values,
                        width: $0.shape[1],
                        height: $0.shape[0],
                        toWidth: example.width,
                        height: example.height
                    )
                }
            )
        }
        return { samples, body in try pipeline.run(samples) { try body($0, $1.get()) } }
    }

    /// The log of the training run: of `--run`, which has to have one, or of the model's folder, which may.
    private func runHistory() throws -> RunHistory? {
        guard options.report != nil else { return nil }
        let folder = options.runFolder ?? options.model.model.map { Self.folder(of: $0) }
        guard let folder else { return nil }
        let path = "\(folder)/log.jsonl"
        guard let data = FileAccess.contents(of: URL(filePath: path)) else {
            guard options.runFolder == nil else {
                throw FormatError(
                    file: path,
                    problem: "there is no such log",
                    advice: "Give the folder of a training run (--run), or leave it out"
                )
            }
            return nil
        }
        return RunHistory(log: String(decoding: data, as: UTF8.self))
    }

    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
