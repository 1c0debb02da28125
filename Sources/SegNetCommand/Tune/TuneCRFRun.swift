import SegNetToolkit

/// One call of `segnet tune crf`.
struct TuneCRFRun {
    let options: TuneCRF
    let console: Console

    /// Rows of the table that is printed.
    private static let rows = 10

    func run() throws {
        let file = try storedFile()
        // Before it is read: a training can write another model to its file while the search runs.
        let tuned = file == nil ? nil : try? options.model.checksum()
        let loaded = try options.model.load()
        let dataset = try options.choice.load(reader: InputFiles(of: loaded.model.network.input))
        let request = Segmenter.Request(
            options.views.augmentation == .none ? .once : .views(options.views.augmentation),
            size: Segmenter.RunSize(options.runSize.size)
        )
        let segmenter = try Segmenter(loaded, options: options.engine.segmenterOptions)
        for note in segmenter.notes { console.note("note: \(note)") }
        try segmenter.requireClasses(of: dataset)
        let all = try dataset.samples(of: options.split)
        let samples = spread(all)
        guard try dataset.frequencies(of: samples).pixels.contains(where: { $0 > 0 }) else {
            throw DatasetError(
                "data set '\(dataset.name)': the pictures used (\(samples.count) of \(all.count) of '\(options.split)') have no label at any pixel, "
                    + "so no CRF can score better than another. Use more pictures (--pictures) or another split (--split); a "
                    + "\(UserChoice.datasetCheck) shows what the labels contain."
            )
        }
        console.note("\(counted(samples.count, "picture")) of '\(options.split)', a coarse grid and a finer one")

        let base = DenseCRF(iterations: options.iterations, normalization: options.normalization)
        let coarse = DenseCRFSearch.coarse(base)
        // The finer grid is one smaller.
        let progress = Progress(total: samples.count * (2 * coarse.count - 1), console: console, unit: "refinement")
        var results = try search(coarse, samples, dataset, segmenter, request, progress)
        if let best = results.ranking.first {
            let finer = DenseCRFSearch.finer(around: best.crf)
            results.ranking += try search(finer, samples, dataset, segmenter, request, progress).ranking
        }
        console.clearStatus()
        // Sorted again over both grids; equal ones keep their order.
        let ranking = results.ranking.enumerated()
            .sorted { ($1.element.meanIoU, $0.offset) < ($0.element.meanIoU, $1.offset) }.map(\.element)
        for line in table(ranking, unrefined: results.unrefined) { console.print(line) }
        try finish(ranking.first, unrefined: results.unrefined, file, tuned)
    }

    private struct Results {
        var ranking: [DenseCRFSearch.Result]
        var unrefined: Scores
    }

    private func search(
        _ candidates: [DenseCRF],
        _ samples: [Sample],
        _ dataset: Dataset,
        _ segmenter: Segmenter,
        _ request: Segmenter.Request,
        _ progress: Progress
    ) throws -> Results {
        var search = DenseCRFSearch(candidates: candidates, segmenter: segmenter)
        for sample in samples {
            progress.begin(sample.name)
            let example = try dataset.example(sample)
            try search.add(
                try dataset.picture(of: example),
                truth: example.labels,
                request,
                read: { try $0.merged(dataset.mergedClasses) },
                isDone: {
                    progress.finish()
                    progress.begin(sample.name)
                }
            )
        }
        return Results(ranking: search.ranking(), unrefined: search.unrefined())
    }

    /// As many samples as are asked for, spread evenly: neighbours in a list are often neighbours in a film.
    private func spread(_ samples: [Sample]) -> [Sample] {
        let count = min(options.pictures, samples.count)
        return (0..<count).map { samples[$0 * samples.count / count] }
    }

    /// The file that will hold what is found; nil: none will.
    /// - Throws: `FormatError` for a file that cannot hold it, before the work and not after it.
    private func storedFile() throws -> URL? {
        guard options.store != false else { return nil }
        guard let model = options.model.model else {
            console.note("note: no model was named (--model), so nothing will be stored.")
            return nil
        }
        // Everybody's '--refine crf' would mean what one data set's pictures gave.
        guard options.store == true || !ModelStore.standard.isName(model) else { return nil }
        let url = try ModelStore.standard.resolve(model)
        guard url.pathExtension.lowercased() == "safetensors" else {
            throw FormatError(
                file: model,
                problem: "cannot hold a dense CRF",
                advice: "Convert the model to .safetensors first ('segnet convert'), or give --no-store"
            )
        }
        // A model that is not there is reported when it is read.
        guard FileManager.default.fileExists(atPath: url.path(percentEncoded: false)) else { return url }
        do { try SafetensorsFile.requireReplaceable(url) } catch {
            throw FormatError(
                file: error.file,
                problem: "\(error.problem), and what is found is to be stored in it",
                advice: "Check the permissions of its folder, copy the model to another, or give --no-store"
            )
        }
        return url
    }

    private func table(_ ranking: [DenseCRFSearch.Result], unrefined: Scores) -> [String] {
        var table = TextTable([
            ("w1", .right), ("sigma-alpha", .right), ("sigma-beta", .right), ("global", .right), ("class", .right),
            ("mean IoU", .right),
        ])
        func cells(_ scores: Scores) -> [String] {
            [scores.globalAccuracy, scores.classAverageAccuracy, scores.meanIoU].map {
                $0.map { Numbers.percent($0) } ?? "-"
            }
        }
        for result in ranking.prefix(Self.rows) {
            let numbers = [result.crf.w1, result.crf.sigmaAlpha, result.crf.sigmaBeta].map(DenseCRF.number)
            table.append(numbers + cells(result.scores))
        }
        table.append(["without", "", ""] + cells(unrefined))
        return table.lines
    }

    private func finish(_ best: DenseCRFSearch.Result?, unrefined: Scores, _ file: URL?, _ tuned: UInt32?) throws {
        guard let best, best.meanIoU > (unrefined.meanIoU ?? 0) else {
            console.print("No CRF of the grids is better than none; nothing is stored.")
            return
        }
        console.print("Best: --refine crf:\(best.crf)")
        guard let file else {
            if options.store == nil, let model = options.model.model {
                console.print(
                    "Not stored: '\(model)' is a bundled model, which others use too. Give this --refine where you want it, store it with "
                        + "--store, or tune a copy ('segnet convert \(model) mine.safetensors')."
                )
            }
            return
        }
        try store(best.crf, in: file, of: tuned)
        console.print("Stored in \(file.relativePath); '--refine crf' now means this.")
    }
}

extension TuneCRFRun {
    /// Stores what was found with the model, if its file still holds the model that was tuned.
    /// - Parameter tuned: That model's checksum.
    /// - Throws: `FormatError` if it does not, or cannot be written.
    func store(_ crf: DenseCRF, in file: URL, of tuned: UInt32?) throws {
        guard let now = try? options.model.checksum(), now == tuned else {
            throw FormatError(
                file: file.relativePath,
                problem:
                    "was replaced or removed while the search ran, so what was found for the model before is not stored",
                advice: "Tune the new one, or give the numbers yourself (--refine crf:\(crf)) with the old one"
            )
        }
        try SafetensorsFile.store(denseCRF: "\(crf)", in: file)
    }
}

extension DenseCRFSearch.Result {
    /// 0 where nothing is labelled.
    fileprivate var meanIoU: Double { scores.meanIoU ?? 0 }
}
