import ArgumentParser
import SegNet
import Synchronization

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// One call of `segnet predict`: all pictures through one segmenter.
struct PredictionRun {
    private let options: Predict
    private let console: Console
    private let clock = ContinuousClock()

    init(options: Predict, console: Console) {
        self.options = options
        self.console = console
    }

    /// - Throws: What makes all pictures impossible (the model, the output folder); `ExitCode.failure` at the end if some failed.
    func run() throws {
        let segmenter = try makeSegmenter()
        let list = InputList(options.inputs, output: options.output, words: segmenter.inputs.words)
        try OutputFolder.prepare(options.output)
        let notes = segmenter.notes + list.notes
        for note in notes { console.note("note: \(note)") }
        if let report = segmenter.weightsReport { console.note(report.summary) }

        var report = makeReport(segmenter, notes)
        for problem in list.problems {
            console.note("error: \(problem.message)")
            report.pictures.append(PredictionReport.Picture(input: problem.name, error: problem.message))
        }
        report.failed = list.problems.count

        let progress = Progress(total: list.pictures.count, console: console)
        let done = Mutex(Done(report: report))
        // Two pictures are on their way at once: while one runs through the network on all threads, the other is decoded or
        // encoded on one.
        let overlap = options.engine.threadCount > 1 && list.pictures.count > 1 ? 2 : 1
        progress.begin(list.pictures.first?.name)
        ThreadPool(threadCount: overlap).forEach(list.pictures.count) { _, index in
            let entry = process(list.pictures[index], segmenter)
            done.withLock { done in
                done.waiting[index] = entry
                // In the order of the inputs, whichever was done first.
                while let entry = done.waiting.removeValue(forKey: done.count) {
                    done.count += 1
                    progress.finish()
                    tell(entry, progress, &done)
                    progress.begin(done.count < list.pictures.count ? list.pictures[done.count].name : nil)
                }
            }
        }
        console.clearStatus()

        let (sum, finished) = done.withLock { ($0.sum, $0.report) }
        report = finished
        report.milliseconds = sum.divided(by: report.pictures.count - report.failed)
        report.seconds = progress.seconds
        report.peakMemoryBytes = MachineMemory.peak
        if options.json { console.print(try JSON.text(report)) } else { printSummary(report) }
        if report.failed > 0 { throw ExitCode.failure }
    }

    /// What is known while pictures are on their way.
    private struct Done {
        var report: PredictionReport
        var sum = PredictionReport.Milliseconds()
        /// Pictures told of so far.
        var count = 0
        /// Done before one that comes earlier.
        var waiting: [Int: PredictionReport.Picture] = [:]
    }

    private func tell(_ entry: PredictionReport.Picture, _ progress: Progress, _ done: inout Done) {
        if let error = entry.error {
            console.note("error: \(error)")
            done.report.failed += 1
        } else {
            if let milliseconds = entry.milliseconds { done.sum += milliseconds }
            if !options.json { console.print("\(progress.place) \(entry.input): \(Self.words(entry.classes ?? []))") }
        }
        done.report.pictures.append(entry)
    }

    private func makeSegmenter() throws -> Segmenter {
        let kinds = options.kinds
        var keeps: Set<Segmenter.KeptOutput> = []
        if kinds.contains(.confidence) { keeps.insert(.confidence) }
        if kinds.contains(.logits) { keeps.insert(.scores) }
        if kinds.contains(.probabilities) { keeps.insert(.probabilities) }
        if kinds.contains(.variance) { keeps.insert(.variance) }
        let blobs = kinds.compactMap { if case .blob(let name) = $0 { name } else { nil } }
        let samples = options.sampling.samples != nil
        let segmenter = try Segmenter(
            try options.model.load(),
            options: Segmenter.Options(
                accuracy: options.engine.accuracy,
                precision: options.engine.precision,
                threads: options.engine.threadCount,
                size: Segmenter.RunSize(options.size),
                keeps: keeps,
                blobs: blobs,
                sampling: samples,
                classesOnly: keeps.isEmpty && blobs.isEmpty && !samples && options.views.augmentation == .none
            )
        )
        // What cannot work for any picture is said once, before the first.
        let input = segmenter.prepared.network.input
        switch segmenter.options.size {
        case .network: try segmenter.prepare(width: input.width, height: input.height)
        case .fixed(let width, let height): try segmenter.prepare(width: width, height: height)
        case .picture: break
        }
        return segmenter
    }

    private func makeReport(_ segmenter: Segmenter, _ notes: [String]) -> PredictionReport {
        PredictionReport(
            model: options.model.name,
            run: PredictionReport.Run(
                instructionSet: segmenter.prepared.options.instructionSet.name,
                accuracy: segmenter.prepared.options.accuracy.rawValue,
                precision: options.engine.precision.rawValue,
                threads: options.engine.threadCount,
                samples: options.sampling.samples,
                seed: options.sampling.samples.map { _ in options.sampling.seed ?? 0 },
                views: options.views.augmentation == .none ? nil : "\(options.views.augmentation)"
            ),
            classNames: (0..<segmenter.classCount).map(segmenter.classTable.name(of:)),
            weights: segmenter.weightsReport.map(PredictionReport.Weights.init(_:)),
            notes: notes
        )
    }

    // MARK: One picture

    private func process(_ picture: InputList.Picture, _ segmenter: Segmenter) -> PredictionReport.Picture {
        var entry = PredictionReport.Picture(input: picture.name)
        do {
            let start = clock.now
            let image = try decode(picture, segmenter)
            let decoded = clock.now
            let result =
                if let samples = options.sampling.samples {
                    try segmenter.segment(image, samples: samples, seed: options.sampling.seed ?? 0)
                } else {
                    try segmenter.segment(image, augmentation: options.views.augmentation)
                }
            let segmented = clock.now
            entry.outputs = try write(result, picture)
            entry.width = image.width
            entry.height = image.height
            entry.classes = result.shares
            entry.milliseconds = PredictionReport.Milliseconds(
                decode: (decoded - start).inMilliseconds,
                network: result.timing.work.inMilliseconds,
                encode: (clock.now - segmented).inMilliseconds
            )
        } catch {
            let message = "\(error)"
            entry.error = message.hasPrefix(picture.name) ? message : "\(picture.name): \(message)"
        }
        return entry
    }

    private func decode(_ picture: InputList.Picture, _ segmenter: Segmenter) throws -> MultichannelImage {
        switch picture.source {
        // A file whose colours are no colours to the network.
        case .file(let path) where segmenter.inputs.colorCount == 0: try segmenter.inputs.read([path])
        case .file(let path): MultichannelImage(try Image(path: path))
        case .files(let paths): try segmenter.inputs.read(paths)
        case .standardInput: MultichannelImage(try Image(decoding: try StandardInput.read(), name: picture.name))
        }
    }

    /// Writes what `--save` names.
    /// - Returns: The paths by the words of `--save`.
    private func write(_ result: Segmentation, _ picture: InputList.Picture) throws -> [String: String] {
        let base = options.output.hasSuffix("/") ? options.output + picture.stem : "\(options.output)/\(picture.stem)"
        if let slash = picture.stem.lastIndex(of: "/") {
            try OutputFolder.make(String(base.dropLast(picture.stem[slash...].count)))
        }
        var paths: [String: String] = [:]
        for kind in options.kinds {
            let path = base + kind.fileSuffix
            paths[kind.name] = path
            switch kind {
            case .mask: try result.classes.write(path: path)
            case .color: try result.colored().write(path: path)
            case .overlay: try result.overlay(opacity: options.opacity).write(path: path)
            case .confidence: try result.confidenceImage()?.write(path: path)
            case .logits: try write(result.scores?.channelsLast(), path)
            case .probabilities: try write(result.probabilities?.channelsLast(), path)
            case .uncertainty: try result.uncertaintyImage()?.write(path: path)
            case .variance: try write(result.variance?.channelsLast(), path)
            case .blob(let name): try write(result.blobs[name], path)
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
            let rate = report.seconds > 0 ? " (\(Numbers.fixed(Double(done) / report.seconds, 1)) a second)" : ""
            console.print(
                "\(done) \(done == 1 ? "picture" : "pictures") in \(Numbers.fixed(report.seconds, 1)) s\(rate): "
                    + "decode \(Numbers.fixed(each.decode, 1)) ms, network \(Numbers.fixed(each.network, 1)) ms, "
                    + "encode \(Numbers.fixed(each.encode, 1)) ms each; "
                    + "peak memory \(Numbers.mebibytes(report.peakMemoryBytes)); results in \(options.output)"
            )
        }
        if report.failed > 0 {
            console.note("\(report.failed) of \(report.pictures.count) inputs failed; see the errors above.")
        }
    }
}
