import SegNetToolkit

extension Convert {
    func run(on console: Console) throws {
        let target = URL(filePath: output)
        let description = target.deletingPathExtension().appendingPathExtension("prototxt")
        try refuseOverwriting(target, description)
        try refuseForeignDescription(target, description)
        LeftoverFiles.remove(in: InputList.folder(of: output))
        let loaded = try load()
        var model = loaded.model
        // Rounding and folding would hide where such a number came from.
        try model.weights.requireFinite(for: model.network, file: loaded.file)
        let table = classesFrom.flatMap(ClassTable.named)
        if let table { try check(table, fits: model.network) }
        if !statisticsFrom.isEmpty {
            // What can be refused is refused before a pass over a whole training set.
            try FileTarget.requireWritable(target)
            if outputFormat == "caffemodel" { try FileTarget.requireWritable(description) }
            model = try withStatistics(loaded, console)
        }
        if !averageWith.isEmpty { model = try average(with: loaded, console) }
        if let size { model.network = model.network.resized(height: size.height, width: size.width) }
        if let table { add(table, to: &model) }
        if let name { model.metadata.name = name }
        for (key, text) in note.compactMap(Self.note) { model.metadata.notes[key] = text.isEmpty ? nil : text }
        for note in loaded.notes { console.note("note: \(note)") }
        if let report = loaded.report { console.note(report.summary) }

        let elementType = precision.elementType
        var written = [output]
        switch outputFormat {
        case "safetensors":
            // As the writer would, so that what is printed below is what the file holds.
            if elementType != .float32 { model = try model.foldingBatchNormalization() }
            try SafetensorsFile.write(model, elementType: elementType, to: target)
        case "onnx":
            try ONNX.write(model, unpooling: unpool ?? .indices, elementType: elementType, to: target)
            tellLost(of: model, "ONNX files do", on: console)
        default:
            for note in try Caffe.write(model, weights: target, network: description) { console.note("note: \(note)") }
            written.append(description.relativePath)
            tellLost(of: model, "Caffe's files do", on: console)
        }
        let summary = try model.network.summary()
        let classes = summary.classes.map { ", \($0) classes" } ?? ""
        console.print(
            "\(written.joined(separator: " and ")): \(model.network.name)\(classes), "
                + "\(Numbers.grouped(summary.parameters)) parameters, \(model.network.input.width)x\(model.network.input.height)"
        )
    }

    /// Tells what a model says that the files have no place for.
    private func tellLost(of model: Model, _ files: String, on console: Console) {
        let metadata = model.metadata
        let isONNX = outputFormat == "onnx"
        let isSampled = model.network.layers.contains { layer in
            if case .dropout(let kind) = layer.operation { kind.samplesAtTest } else { false }
        }
        // Those of a Caffe model only say which files were read.
        let notes = inputFormat == "safetensors" ? metadata.notes.keys.sorted() : []
        let parts = [
            isONNX || metadata.classNames == nil ? nil : "the model's class names",
            metadata.denseCRF == nil ? nil : "the dense CRF that 'segnet tune crf' found",
            isONNX && isSampled ? "the dropout that '--samples' needs" : nil,
            notes.isEmpty ? nil : "the model's notes (\(notes.joined(separator: ", ")))",
        ].compactMap { $0 }
        guard let last = parts.last else { return }
        let others = parts.dropLast().joined(separator: ", ")
        console.note(
            "note: \(output): \(files) not hold \(others.isEmpty ? "" : "\(others) or ")\(last); keep \(input) too."
        )
    }

    private func load() throws -> LoadedModel {
        guard let architecture, let classes else {
            return try LoadedModel(
                try source(),
                network: network.map { URL(filePath: $0) },
                mean: mean?.values,
                allowsBatchStatistics: !statisticsFrom.isEmpty
            )
        }
        var network = variant.network(
            architecture,
            classes: classes,
            statistics: statisticsFrom.isEmpty ? .folded : .batch
        )
        if let mean { try network.input.subtract(mean.values, file: "architecture '\(architecture.rawValue)'") }
        return try LoadedModel(
            try source(),
            describedBy: network,
            allowsBatchStatistics: !statisticsFrom.isEmpty
        )
    }

    /// The model with the statistics of the pictures that were named.
    private func withStatistics(_ loaded: LoadedModel, _ console: Console) throws -> Model {
        // The output of a run is a picture like any other here: no folder counts as one of outputs.
        let list = InputList(statisticsFrom, output: "/dev/null")
        if let problem = list.problems.first { throw ConvertError(reason: problem.message) }
        for note in list.notes { console.note("note: \(note)") }
        let pictures = list.pictures.compactMap { if case .file(let path) = $0.source { path } else { nil } }
        guard !list.pictures.contains(where: { $0.source == .standardInput }) else {
            throw ConvertError(
                reason: "--statistics-from: standard input holds no list; give a file, a folder or pictures."
            )
        }
        defer { console.clearStatus() }
        let result: Model
        do {
            result = try StatisticsPass(rule: statistics ?? .exact, threads: ThreadPool.availableCores).run(
                loaded.model,
                pictures: pictures,
                batchSize: batchSize ?? 4
            ) { done, total in console.status("statistics: \(done) of \(total) pictures") }
        } catch let error as StatisticsPass.InputError {
            throw ConvertError(file: loaded.file, reason: "\(error)")
        }
        console.note(
            "note: statistics of batch normalisation over \(counted(pictures.count, "picture")) (\((statistics ?? .exact).rawValue))."
        )
        return result
    }

    private func check(_ table: ClassTable, fits network: Network) throws {
        let count = network.classCount ?? 0
        guard table.classes.count != count else { return }
        let fitting = ClassTable.all.filter { $0.classes.count == count }.map(\.name)
        throw ConvertError(
            file: input,
            reason: "'\(table.name)' names \(table.classes.count) classes, but the network has \(count); "
                + (fitting.isEmpty
                    ? "leave '--classes-from' out." : "give '--classes-from' \(fitting.joined(separator: " or ")).")
        )
    }

    private func add(_ table: ClassTable, to model: inout Model) {
        model.metadata.name(table)
        // Void beyond the outputs belongs to ground truth, not to the model.
        model.metadata.ignoredClasses = table.ignoredIDs.filter { $0 < model.network.classCount ?? 0 }
    }

    /// Key and text of a note; nil without a key. A text may contain "=", and may be empty.
    static func note(_ entry: String) -> (key: String, text: String)? {
        guard let place = entry.firstIndex(of: "="), place > entry.startIndex else { return nil }
        return (String(entry[..<place]), String(entry[entry.index(after: place)...]))
    }

    /// A file that is being read must not be replaced: its weights are only read while the new file is written.
    private func refuseOverwriting(_ target: URL, _ description: URL) throws {
        func real(_ url: URL) -> String {
            url.standardizedFileURL.resolvingSymlinksInPath().path(percentEncoded: false)
        }
        var written = [real(target)]
        if outputFormat == "caffemodel" { written.append(real(description)) }
        for read in [try source(), network.map { URL(filePath: $0) }].compactMap({ $0 }) + (try averaged())
        where written.contains(real(read)) {
            throw ConvertError(file: read.relativePath, reason: "it is being read, so choose another name to write to.")
        }
    }

    /// A .caffemodel that is there is replaced, with the network next to it. A network alone is somebody's own, and nobody named it.
    private func refuseForeignDescription(_ target: URL, _ description: URL) throws {
        func isThere(_ url: URL) -> Bool { FileManager.default.fileExists(atPath: url.path(percentEncoded: false)) }
        guard outputFormat == "caffemodel", isThere(description), !isThere(target) else { return }
        throw ConvertError(
            file: description.relativePath,
            reason:
                "already exists, and the network would be written into it; choose another name to write to, or remove it."
        )
    }
}
