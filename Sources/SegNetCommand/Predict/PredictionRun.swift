import ArgumentParser
import SegNetToolkit

/// One call of `segnet predict`: all pictures through one segmenter.
struct PredictionRun {
    let options: Predict
    private let console: Console
    private let clock = ContinuousClock()

    init(options: Predict, console: Console) {
        self.options = options
        self.console = console
    }

    /// - Throws: Errors that make all pictures impossible (the model, the output folder); `ExitCode.failure` at the end if some failed.
    func run() throws {
        let segmenter = try makeSegmenter()
        let list = InputList(
            options.inputs,
            output: options.output,
            words: segmenter.inputs.words,
            excluding: options.outputs.exclude
        )
        try Self.checkClasses(options, segmenter)
        let outputs = RunOutputs(options.outputs, folder: options.output, segmenter: segmenter)
        let own = options.shards.shard?.part(of: list.pictures) ?? list.pictures
        let all = own.count
        let pictures = Self.chosen(own, options, outputs, on: console)
        // All pictures: another shard reads what this one would replace.
        if !options.isPipe { try Self.requireApart(list.pictures, options, outputs) }
        if options.isPipe || options.outputs.dryRun { return try runSmall(segmenter, list, pictures, outputs) }
        try prepareFolders(pictures, all: list.pictures, outputs)
        let notes = segmenter.notes + list.notes
        for note in notes { console.note("note: \(note)") }
        if let report = segmenter.weightsReport { console.note(report.summary) }

        var report = makeReport(segmenter, notes)
        var shard = try shardReport(list, report)
        if let shard, try isDone(shard, own, outputs, on: console) { return }
        // If no input can be read, such as a list that this machine lacks, each shard reports it: otherwise only one would fail.
        let problems =
            list.pictures.isEmpty ? list.problems : options.shards.shard?.part(of: list.problems) ?? list.problems
        for problem in problems {
            console.error(problem.message)
            report.pictures.append(PredictionReport.Picture(input: problem.name, error: problem.message))
        }
        report.failed = report.pictures.count

        let progress = Progress(total: pictures.count, console: console)
        var sum = PredictionReport.Milliseconds()
        progress.begin(pictures.first?.name)
        // What covers all pictures is written at the end, and would be lost without one.
        if options.outputs.kindForAll(options.kinds) != nil { StopRequest.listen() }
        let pipeline = SegmentationPipeline(segmenter, request) { picture, request in
            try process(picture, segmenter, request, outputs)
        }
        do {
            try pipeline.run(pictures) { picture, result in
                progress.finish()
                let entry = tell(picture, result, progress)
                report.pictures.append(entry)
                if entry.error != nil { report.failed += 1 }
                if let milliseconds = entry.milliseconds { sum += milliseconds }
                progress.begin(progress.done < pictures.count ? pictures[progress.done].name : nil)
                if StopRequest.isAsked { throw Stopped() }
            }
        } catch is Stopped {}
        console.clearStatus()
        try outputs.finish(options.kinds, pictures)
        let found = PictureNotes.take() + outputs.notes
        for note in found { console.note("note: \(note)") }
        report.notes += found

        report.milliseconds = sum.divided(by: report.pictures.count - report.failed)
        report.seconds = progress.seconds
        report.peakMemoryBytes = MachineMemory.peak
        if let part = options.shards.shard {
            for picture in report.pictures { shard?.add(picture) }
            shard?.skipped = all - pictures.count
            shard?.seconds = report.seconds
            shard?.peakMemoryBytes = report.peakMemoryBytes
            try shard?.write(to: ShardReport.path(part, in: options.output))
        }
        if options.json { console.print(try JSON.text(report)) } else { printSummary(report) }
        if let number = StopRequest.signalNumber {
            console.note(
                "note: stopped after \(progress.done) of \(counted(pictures.count, "picture")); the results hold only what was done."
            )
            throw ExitCode(Int32(128 + number))
        }
        if report.failed > 0 { throw ExitCode.failure }
    }

    /// Makes the output folder, and removes what killed runs have left where these pictures' results go.
    private func prepareFolders(
        _ pictures: [InputList.Picture],
        all: [InputList.Picture],
        _ outputs: RunOutputs
    ) throws {
        try OutputFolder.prepare(options.output, isShared: options.shards.shard != nil)
        if OutputFolder.ignoresCase(options.output) {
            try Self.requireDistinct(all, options, outputs, ignoresCase: true)
        }
        // Other shards may run on other machines, whose processes cannot be seen. What killed ones leave is removed when all are done.
        guard options.shards.shard == nil else { return }
        for folder in Set(pictures.map { URL(filePath: base(of: $0)).deletingLastPathComponent() }) {
            LeftoverFiles.remove(in: folder.path(percentEncoded: false))
        }
    }

    /// The user has asked to stop.
    private struct Stopped: Error {}

    private func tell(
        _ picture: InputList.Picture,
        _ result: Result<PredictionReport.Picture, any Error>,
        _ progress: Progress
    ) -> PredictionReport.Picture {
        switch result {
        case .success(let entry):
            if !options.json { console.print("\(progress.place) \(entry.input): \(Self.words(entry.classes ?? []))") }
            return entry
        case .failure(let error):
            let message = TileOptions.inWords(UserChoice.withOptions("\(error)"))
            let entry = PredictionReport.Picture(
                input: picture.name,
                error: message.hasPrefix(picture.name) ? message : "\(picture.name): \(message)"
            )
            console.error(entry.error ?? "")
            return entry
        }
    }

    /// The request for each picture.
    var request: Segmenter.Request {
        var keeps: Set<Segmenter.KeptOutput> = []
        var blobs: [String] = []
        for kind in options.kinds {
            switch kind {
            case .confidence: keeps.insert(.confidence)
            case .logits: keeps.insert(.scores)
            case .probabilities: keeps.insert(.probabilities)
            case .variance: keeps.insert(.variance)
            case .blob(let name): blobs.append(name)
            case .mask, .color, .overlay, .uncertainty, .cutout, .polygons, .shares: break
            }
        }
        return Segmenter.Request(
            Segmenter.Runs(options.sampling, options.views),
            size: Segmenter.RunSize(options.runSize.size),
            tiles: options.tiles.tiling,
            edges: options.edges.edges,
            refinement: options.refining.refinement,
            keeps: keeps,
            blobs: blobs
        )
    }

    private func makeSegmenter() throws -> Segmenter {
        let segmenter = try Segmenter(
            try options.model.load(),
            options: options.engine.segmenterOptions.serving(only: request)
        )
        // A problem that concerns every picture is reported once, before the first.
        try segmenter.check(request)
        switch request.size {
        case .network:
            try segmenter.prepare(width: segmenter.network.input.width, height: segmenter.network.input.height)
        case .fixed(let width, let height): try segmenter.prepare(width: width, height: height)
        case .picture: break
        }
        if let tiles = request.tiles { _ = try segmenter.tilePlan(tiles, width: 1, height: 1) }
        return segmenter
    }

    func makeReport(_ segmenter: Segmenter, _ notes: [String]) -> PredictionReport {
        PredictionReport(
            model: options.model.name,
            run: PredictionReport.Run(
                instructionSet: segmenter.prepared.options.instructionSet.name,
                accuracy: segmenter.prepared.options.accuracy.rawValue,
                precision: options.engine.precision.rawValue,
                threads: options.engine.threadCount,
                samples: options.sampling.samples,
                seed: options.sampling.samples.map { _ in options.sampling.seed ?? 0 },
                views: options.views.augmentation == .none ? nil : "\(options.views.augmentation)",
                crf: options.refining.refinement.map { "\(segmenter.crf(of: $0))" }
            ),
            classNames: (0..<segmenter.classCount).map(segmenter.classTable.name(of:)),
            weights: segmenter.weightsReport.map(PredictionReport.Weights.init(_:)),
            notes: notes
        )
    }

    // MARK: Standard output, plans

    /// One result of one picture on standard output, or what would be done.
    private func runSmall(
        _ segmenter: Segmenter,
        _ list: InputList,
        _ pictures: [InputList.Picture],
        _ outputs: RunOutputs
    ) throws {
        for note in segmenter.notes + list.notes { console.note("note: \(note)") }
        var (list, pictures) = (list, pictures)
        list.problems += pictures.compactMap { picture in
            Self.refusal(of: picture, options, outputs).map { (picture.name, "\(picture.name): \($0)") }
        }
        pictures.removeAll { Self.refusal(of: $0, options, outputs) != nil }
        for problem in list.problems { console.error(problem.message) }
        if options.isPipe {
            guard pictures.count == 1, list.problems.isEmpty else {
                throw ValidationError(
                    "Please give one picture with '--output -'; found \(pictures.count + list.problems.count) inputs."
                )
            }
        }
        if options.outputs.dryRun {
            let report = makeReport(segmenter, segmenter.notes + list.notes)
            try Self.printPlan(pictures, problems: list.problems, options, outputs, report, on: console)
        } else if let kind = options.kinds.first {
            let result = try segmenter.segment(try decode(pictures[0], segmenter), request)
            console.write(try Self.bytes(kind, result, pictures[0], options, outputs))
            for note in outputs.notes { console.note("note: \(note)") }
        }
        if !list.problems.isEmpty { throw ExitCode.failure }
    }

    // MARK: One picture

    private func process(
        _ picture: InputList.Picture,
        _ segmenter: Segmenter,
        _ request: Segmenter.Request,
        _ outputs: RunOutputs
    ) throws -> PredictionReport.Picture {
        if let refusal = Self.refusal(of: picture, options, outputs) { throw refusal }
        let base = base(of: picture)
        if let huge = try TiledPrediction(picture, base, segmenter, request, options, console) {
            return try huge.run()
        }
        let start = clock.now
        let image = try decode(picture, segmenter)
        let decoded = clock.now
        let result = try segmenter.segment(image, request)
        let segmented = clock.now
        var entry = PredictionReport.Picture(input: picture.name)
        entry.outputs = try write(result, picture, outputs)
        entry.width = image.width
        entry.height = image.height
        if result.tileCount > 1 {
            entry.tiles = result.tileCount
            try tellTiling(of: picture, image, segmenter, outputs)
        }
        entry.classes = result.shares
        entry.milliseconds = PredictionReport.Milliseconds(
            decode: (decoded - start).inMilliseconds,
            network: (result.timing.work - result.timing.refinement).inMilliseconds,
            refinement: options.refining.refinement.map { _ in result.timing.refinement.inMilliseconds },
            encode: (clock.now - segmented).inMilliseconds
        )
        return entry
    }

    /// Says how a picture was cut into tiles, once for all that were cut likewise.
    private func tellTiling(
        of picture: InputList.Picture,
        _ image: MultichannelImage,
        _ segmenter: Segmenter,
        _ outputs: RunOutputs
    ) throws {
        let tiling = request.tiles ?? Segmenter.Tiling()
        let words = TiledPrediction.words(try segmenter.tilePlan(tiling, width: image.width, height: image.height))
        guard outputs.isFirst(tiling: words) else { return }
        console.note("note: \(picture.name): \(image.width)x\(image.height) in \(words).")
    }

    private func decode(_ picture: InputList.Picture, _ segmenter: Segmenter) throws -> MultichannelImage {
        switch picture.source {
        case .file(let path): try segmenter.read(path, limits: options.tiles.limits)
        case .files(let paths): try segmenter.inputs.read(paths)
        case .standardInput:
            MultichannelImage(
                try Image(decoding: try StandardInput.read(), name: picture.name, limits: options.tiles.limits)
            )
        }
    }

    /// The beginning of the paths of a picture's outputs.
    private func base(of picture: InputList.Picture) -> String {
        Self.base(of: picture, in: options.output)
    }

    /// Writes what `--save` names.
    /// - Returns: The paths by the words of `--save`.
    private func write(
        _ result: Segmentation,
        _ picture: InputList.Picture,
        _ outputs: RunOutputs
    ) throws -> [String: String] {
        let base = base(of: picture)
        if let slash = picture.stem.lastIndex(of: "/") {
            try OutputFolder.make(String(base.dropLast(picture.stem[slash...].count)))
        }
        var paths: [String: String] = [:]
        for (kind, path) in Self.paths(picture, options, outputs) {
            paths[kind.name] = path
            switch kind {
            case .mask where options.tiles.maskFormat == .tiff:
                try result.classes.writeTIFF(path: path, georeference: outputs.georeference(of: picture))
            case .mask: try result.classes.write(path: path)
            case .color: try result.colored().write(path: path)
            case .overlay: try result.overlay(opacity: options.opacity).write(path: path)
            case .confidence: try result.confidenceImage()?.write(path: path)
            case .logits: try write(result.scores?.channelsLast(), path)
            case .probabilities: try write(result.probabilities?.channelsLast(), path)
            case .uncertainty: try result.uncertaintyImage()?.write(path: path)
            case .variance: try write(result.variance?.channelsLast(), path)
            case .blob(let name): try write(result.blobs[name], path)
            case .cutout(let names): try result.cutout(of: names).write(path: path)
            case .polygons: try outputs.addPolygons(result, picture, base: base)
            case .shares: outputs.addShares(result, picture)
            }
        }
        return paths
    }

    private func write(_ map: FloatMap?, _ path: String) throws {
        guard let map else { return }
        try NPYFile.write(map.values, shape: map.shape, to: URL(filePath: path))
    }

    // MARK: Words

    /// `Road 31.2 %, Sky 20.0 %`
    static func words(_ shares: [Segmentation.Share]) -> String {
        shares.map { "\($0.name) \(Numbers.percent($0.share))" }.joined(separator: ", ")
    }

    private func printSummary(_ report: PredictionReport) {
        let done = report.pictures.count - report.failed
        if done > 0 {
            let each = report.milliseconds
            let rate = report.seconds > 0 ? " (\(Numbers.fixed(Double(done) / report.seconds, 1)) per second)" : ""
            console.print(
                "\(counted(done, "picture")) in \(Numbers.fixed(report.seconds, 1)) s\(rate): "
                    + "decode \(Numbers.fixed(each.decode, 1)) ms, network \(Numbers.fixed(each.network, 1)) ms, "
                    + (each.refinement.map { "refinement \(Numbers.fixed($0, 1)) ms, " } ?? "")
                    + "encode \(Numbers.fixed(each.encode, 1)) ms each; "
                    + "peak memory \(Numbers.mebibytes(report.peakMemoryBytes)); results in \(options.output)"
            )
        }
        if let shard = options.shards.shard, report.pictures.isEmpty {
            console.note("shard \(shard): nothing was left to do.")
        }
        if report.failed > 0 {
            // Of a run that was stopped, nobody knows how many of the others would have failed.
            let failed =
                StopRequest.signalNumber == nil
                ? "\(report.failed) of \(report.pictures.count) inputs" : counted(report.failed, "input")
            console.note("\(failed) failed; see the errors above.")
        }
    }
}
