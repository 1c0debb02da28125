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
            "Store the class names and colours of this data set in .safetensors, or its names in .onnx: "
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
            "Store a note in .safetensors, which 'segnet models' shows: licence=..., scores=... May be repeated. Without a text: "
                + "remove the model's own.",
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
        if let wrong = note.first(where: { Self.note($0) == nil }) {
            throw ValidationError("Please give '--note' as key=text; found '\(wrong)'.")
        }
        if let classesFrom {
            guard ClassTable.named(classesFrom) != nil else {
                throw ValidationError(
                    "Please give '--classes-from' one of \(ClassTable.all.map(\.name).joined(separator: ", ")); "
                        + "found '\(classesFrom)'."
                )
            }
            guard outputFormat != "caffemodel" else {
                throw ValidationError(
                    "Please give '--classes-from' only when writing .safetensors or .onnx, which hold names; found '\(output)'."
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
