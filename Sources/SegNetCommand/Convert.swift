import ArgumentParser
import SegNetToolkit

struct Convert: ConsoleCommand {
    static let configuration = CommandConfiguration(
        abstract: "Convert a model: Caffe, safetensors, ONNX.",
        discussion: """
            The endings of the file names decide the formats. Read: .caffemodel (with --network, or --architecture and --classes) \
            and .safetensors. Written: .safetensors, .caffemodel (its network goes into a .prototxt of the \
            same name next to it) and .onnx.

            EXAMPLES:
              segnet convert segnet.caffemodel segnet.safetensors --network segnet.prototxt
              segnet convert segnet.caffemodel half.safetensors --network segnet.prototxt --precision float16
              segnet convert camvid.safetensors small.safetensors --precision int8
              segnet convert segnet-streets streets.onnx
              segnet convert plain.safetensors named.safetensors --classes-from camvid11
              segnet convert camvid.safetensors camvid.caffemodel
              segnet convert camvid.safetensors camvid.onnx --size 480x360 --unpool standard
              segnet convert old.caffemodel new.safetensors --architecture segnet-basic --classes 11
              segnet convert fcn8s-heavy-pascal.caffemodel fcn.safetensors --network deploy.prototxt --mean 104,116.7,122.7
              segnet convert raw.caffemodel new.safetensors --network raw.prototxt --statistics-from train.txt
              segnet convert stage-1.safetensors mean.safetensors --average-with stage-2.safetensors
            """
    )

    @Argument(
        help: ArgumentHelp("The model to read: a file, or a bundled model by name ('segnet models').", valueName: "in"),
        completion: .file()
    )
    var input: String

    @Argument(help: ArgumentHelp("The file to write; replaced if it exists.", valueName: "out"), completion: .file())
    var output: String

    @Option(
        help: ArgumentHelp("The .prototxt that belongs to a .caffemodel.", valueName: "file"),
        completion: .file(extensions: ["prototxt"])
    )
    var network: String?

    @Option(
        help: ArgumentHelp(
            "Take this network in place of a description ('segnet info --list' shows all).",
            valueName: "name"
        ),
        completion: Architecture.completion,
        transform: Architecture.parse
    )
    var architecture: Architecture?

    @Option(help: ArgumentHelp("How many classes the architecture has.", valueName: "count"))
    var classes: Int?

    @OptionGroup var variant: ArchitectureVariantOptions

    @Option(
        help: ArgumentHelp(
            "The mean to subtract from each channel, in the network's order (blue, green, red for Caffe's), or one number for all. "
                + "(default: what the files say)",
            valueName: "numbers"
        )
    )
    var mean: MeanArgument?

    @Option(
        help: ArgumentHelp(
            "Store the class names and colours of this data set in .safetensors: "
                + "\(ClassTable.all.map(\.name).joined(separator: ", ")).",
            valueName: "name"
        )
    )
    var classesFrom: String?

    @Option(
        help: ArgumentHelp(
            "Store this name in .safetensors: what reports call the model. (default: the model's own)",
            valueName: "text"
        )
    )
    var name: String?

    @Option(
        help: ArgumentHelp(
            "Store a note in .safetensors, which 'segnet models' shows: licence=..., scores=... May be repeated.",
            valueName: "key=text"
        )
    )
    var note: [String] = []

    @Option(
        help: ArgumentHelp(
            "How weights are stored: float32, float16 (.safetensors and .onnx), int8 or int4 (.safetensors).",
            valueName: "type"
        )
    )
    var precision: StoredPrecision = .float32

    @Option(
        help: ArgumentHelp(
            "For .onnx: indices (MaxUnpool) or standard (operators that every engine has). (default: indices)",
            valueName: "form"
        )
    )
    var unpool: ONNX.Unpooling?

    @Option(
        help: ArgumentHelp("The picture size that the file states. (default: the model's own)", valueName: "WxH"),
        transform: PictureSize.parse
    )
    var size: PictureSize?

    @Option(
        help: ArgumentHelp(
            "Take the statistics of batch normalisation from these pictures, the training set: a list (one picture per line; "
                + "labels next to it are left out), a folder or a picture. May be repeated. For models in the state in which "
                + "the original's training saves them (bn_mode LEARN); takes the place of its compute_bn_statistics.py.",
            valueName: "list"
        ),
        completion: .file()
    )
    var statisticsFrom: [String] = []

    @Option(
        help: ArgumentHelp(
            "exact (mean and variance over all pixels) or original (the mean of the batches' variances). (default: exact)",
            valueName: "rule"
        ),
        completion: .list(["exact", "original"]),
        transform: { word in
            guard let rule = TrainingConfiguration.StatisticsRule(rawValue: word), rule != .running else {
                let reason = word == "running" ? "A file holds no running average" : "There is no such rule"
                throw ValidationError("\(reason); choose exact or original.")
            }
            return rule
        }
    )
    var statistics: TrainingConfiguration.StatisticsRule?

    @Option(help: ArgumentHelp("Pictures that are normalised together. (default: 4)", valueName: "count"))
    var batchSize: Int?

    @Option(
        help: ArgumentHelp(
            "Store the mean of the weights of <in> and of this model; they must be stages of one training. Names and notes are those "
                + "of <in>. A file, or a bundled model by name. May be repeated.",
            valueName: "model"
        ),
        completion: .file()
    )
    var averageWith: [String] = []

    /// The model's file; that of a bundled model by its name.
    /// - Throws: `FormatError` for a name that no bundled model has.
    func source() throws -> URL { try ModelStore.standard.resolve(input) }

    /// Bundled models are .safetensors.
    var inputFormat: String {
        ModelStore.standard.isName(input) ? "safetensors" : URL(filePath: input).pathExtension.lowercased()
    }
    var outputFormat: String { URL(filePath: output).pathExtension.lowercased() }

    func validate() throws {
        guard ["caffemodel", "safetensors"].contains(inputFormat) else {
            throw ValidationError(
                "Please give a .caffemodel or .safetensors file to read, or a bundled model by name ('segnet models'); "
                    + "found '\(input)'."
            )
        }
        guard ["caffemodel", "safetensors", "onnx"].contains(outputFormat) else {
            throw ValidationError(
                "Please give the file to write a name that ends in .safetensors, .caffemodel or .onnx; found '\(output)'."
            )
        }
        if let architecture {
            guard network == nil else {
                throw ValidationError("Please give either '--network' or '--architecture', not both.")
            }
            guard let classes else {
                throw ValidationError("Please say with '--classes' how many classes the model has.")
            }
            try ArchitectureChoice.validate(classes: classes, width: nil)
            try variant.check([architecture])
        } else if let option = variant.given {
            throw ValidationError(
                "Please give '\(option)' only with '--architecture'; a .prototxt or .safetensors states it already."
            )
        } else if classes != nil {
            throw ValidationError(
                "Please give '--classes' only with '--architecture'; a .prototxt or .safetensors states it already."
            )
        }
        if inputFormat == "caffemodel", network == nil, architecture == nil {
            throw ValidationError(
                "Please give the network's .prototxt with '--network', or an '--architecture'; a .caffemodel holds weights only."
            )
        }
        if inputFormat == "safetensors", network != nil {
            throw ValidationError("Please leave '--network' out; a .safetensors model contains its network.")
        }
        if let wrong = note.first(where: { !$0.contains("=") }) {
            throw ValidationError("Please give '--note' as key=text; found '\(wrong)'.")
        }
        if let classesFrom {
            guard ClassTable.named(classesFrom) != nil else {
                throw ValidationError(
                    "Please give '--classes-from' one of \(ClassTable.all.map(\.name).joined(separator: ", ")); "
                        + "found '\(classesFrom)'."
                )
            }
            guard outputFormat == "safetensors" else {
                throw ValidationError(
                    "Please give '--classes-from' only when writing .safetensors, which alone holds names; found '\(output)'."
                )
            }
        }
        try checkForm()
        if statisticsFrom.isEmpty {
            guard statistics == nil, batchSize == nil else {
                throw ValidationError(
                    "Please give '\(statistics == nil ? "--batch-size" : "--statistics")' only with '--statistics-from'."
                )
            }
        }
        try checkAverage()
        if let batchSize, !(1...4096).contains(batchSize) {
            throw ValidationError("Please give '--batch-size' a number from 1 to 4096; found \(batchSize).")
        }
    }

    /// Refuses options for which the form of the file has no use.
    private func checkForm() throws {
        if outputFormat != "safetensors", let option = name != nil ? "--name" : note.isEmpty ? nil : "--note" {
            throw ValidationError(
                "Please give '\(option)' only when writing .safetensors, which alone holds it; found '\(output)'."
            )
        }
        if unpool != nil, outputFormat != "onnx" {
            throw ValidationError("Please give '--unpool' only when writing .onnx; found '\(output)'.")
        }
        if precision != .float32, outputFormat == "caffemodel" {
            throw ValidationError("Please leave '--precision \(precision.rawValue)' out; Caffe stores float32.")
        }
        if precision.elementType.hasScales, outputFormat == "onnx" {
            throw ValidationError(
                "Please give '--precision \(precision.rawValue)' only when writing .safetensors; .onnx takes float32 or float16."
            )
        }
    }

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
        if !statisticsFrom.isEmpty { model = try withStatistics(model, console) }
        if !averageWith.isEmpty { model = try average(with: loaded, console) }
        if let size { model.network = model.network.resized(height: size.height, width: size.width) }
        if let table = classesFrom.flatMap(ClassTable.named) { try addClasses(of: table, to: &model) }
        if let name { model.metadata.name = name }
        for entry in note {
            let parts = entry.split(separator: "=", maxSplits: 1).map(String.init)
            if parts.count == 2 { model.metadata.notes[parts[0]] = parts[1] }
        }
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
            tellLost(model.metadata, "ONNX files do", holdsNames: true, on: console)
        default:
            for note in try Caffe.write(model, weights: target, network: description) { console.note("note: \(note)") }
            written.append(description.relativePath)
            tellLost(model.metadata, "Caffe's files do", holdsNames: false, on: console)
        }
        let summary = try model.network.summary()
        let classes = summary.classes.map { ", \($0) classes" } ?? ""
        console.print(
            "\(written.joined(separator: " and ")): \(model.network.name)\(classes), "
                + "\(Numbers.grouped(summary.parameters)) parameters, \(model.network.input.width)x\(model.network.input.height)"
        )
    }

    /// Tells what a model says that the files have no place for.
    private func tellLost(_ metadata: ModelMetadata, _ files: String, holdsNames: Bool, on console: Console) {
        let parts = [
            metadata.classNames == nil || holdsNames ? nil : "the names of its classes",
            metadata.denseCRF == nil ? nil : "the dense CRF that 'segnet tune crf' found",
        ].compactMap { $0 }
        guard !parts.isEmpty else { return }
        console.note("note: \(output): \(files) not hold \(parts.joined(separator: " and ")); keep \(input) too.")
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
        var network = variant.network(architecture, classes: classes)
        if let mean { try network.input.subtract(mean.values, file: "architecture '\(architecture.rawValue)'") }
        return try LoadedModel(try source(), describedBy: network)
    }

    /// The model with the statistics of the pictures that were named.
    private func withStatistics(_ model: Model, _ console: Console) throws -> Model {
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
        let result = try StatisticsPass(rule: statistics ?? .exact, threads: ThreadPool.availableCores).run(
            model,
            pictures: pictures,
            batchSize: batchSize ?? 4
        ) { done, total in console.status("statistics: \(done) of \(total) pictures") }
        console.note(
            "note: statistics of batch normalisation over \(counted(pictures.count, "picture")) (\((statistics ?? .exact).rawValue))."
        )
        return result
    }

    private func addClasses(of table: ClassTable, to model: inout Model) throws {
        let count = model.network.classCount ?? 0
        guard table.classes.count == count else {
            let fitting = ClassTable.all.filter { $0.classes.count == count }.map(\.name)
            throw ConvertError(
                file: input,
                reason: "'\(table.name)' names \(table.classes.count) classes, but the network has \(count); "
                    + (fitting.isEmpty
                        ? "leave '--classes-from' out." : "give '--classes-from' \(fitting.joined(separator: " or ")).")
            )
        }
        model.metadata.name(table)
        // Void beyond the outputs belongs to ground truth, not to the model.
        model.metadata.ignoredClasses = table.ignoredIDs.filter { $0 < count }
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
                "exists already, and the network would be written into it; choose another name to write to, or remove it."
        )
    }
}

/// How a file stores the weights of convolutions.
enum StoredPrecision: String, CaseIterable, ExpressibleByArgument {
    case float32, float16, int8, int4

    var elementType: ElementType {
        switch self {
        case .float32: .float32
        case .float16: .float16
        case .int8: .int8
        case .int4: .int4
        }
    }
}

/// A model cannot be converted as asked.
struct ConvertError: Error, CustomStringConvertible {
    /// nil where the reason names what it is about.
    var file: String?
    var reason: String

    var description: String { file.map { "\($0): \(reason)" } ?? reason }
}
