internal import SegNetPlatform
import SwiftProtobuf

/// A `.prototxt` network: its layers as messages of the new encoding, each with its line in the file.
///
/// swift-protobuf knows the types of fields, `PrototxtScanner` the lines. If swift-protobuf refuses a layer, the
/// layer's fields are tried one by one, so that the error names the line.
struct CaffeNetwork {
    struct Layer {
        var parameter: Caffe_LayerParameter
        /// Where the layer begins in the file.
        let line: Int
        /// Whether weights must have the layer's shapes; `strict_dim: false` is content with as many numbers.
        var isStrict = true
        /// What a DENSE_CRF layer does, in the words of a command line: `crf:5,50,10,3,3,10`; nil if it does not say.
        var denseCRF: String?
        /// Whether pictures of a list are read in gray (`is_color: false`).
        var isGray = false
        /// Fields that the schema lacks, and that may change the result.
        var unknownFields: [UnknownField] = []
    }

    /// The file, as the caller named it, for messages.
    let file: String
    var name: String
    /// Everything outside of layers: inputs, the state.
    var header: Caffe_NetParameter
    var layers: [Layer]
    /// Fields outside of layers that the schema lacks.
    let unknownFields: [UnknownField]
    /// What our writer noted about the input, with its line; the content is nil if it cannot be read any more.
    let inputComment: (line: Int, content: CaffeInputComment?)?

    /// - Throws: `FormatError` naming the line.
    init(_ url: URL) throws(FormatError) {
        let mapped = try MappedFile(url)
        guard mapped.count <= PrototxtScanner.greatestSize else {
            throw FormatError(
                file: mapped.name,
                problem: "has \(mapped.count) bytes; a .prototxt has at most \(PrototxtScanner.greatestSize)",
                advice: "If this is a .caffemodel, give it as the \(UserChoice.model)"
            )
        }
        try self.init(bytes: mapped.withBytes { Array($0) }, file: mapped.name)
    }

    /// - Parameter file: The name of the text in errors.
    init(bytes: [UInt8], file: String) throws(FormatError) {
        self.file = file
        inputComment = CaffeInputComment.find(in: bytes)
        try Self.refusePlaceholders(bytes, file: file)
        var scanner = PrototxtScanner(bytes)
        let fields: [PrototxtScanner.Field]
        do {
            fields = try scanner.scan()
        } catch {
            // A single invalid byte is an error on its line; many mean that this is another kind of file.
            let strayCount = bytes.count { $0 < 9 || (14..<27).contains($0) }
            let isBinary = strayCount * 50 >= bytes.count
            throw FormatError(
                file: file,
                line: isBinary ? nil : error.line,
                problem: isBinary ? "is not a text file" : error.problem,
                advice: isBinary ? "A .prototxt is needed here; a .caffemodel is a \(UserChoice.model)" : nil
            )
        }
        if let net = fields.first(where: { ["net", "train_net"].contains($0.name) }),
            !fields.contains(where: { ["layer", "layers"].contains($0.name) })
        {
            throw FormatError(
                file: file,
                line: net.line,
                problem: "this is a solver's file, not a network",
                advice: "Give the network that it names: \(scanner.word(net))"
            )
        }

        let outer = fields.filter { $0.name != "layer" && $0.name != "layers" }
        header = try Self.message(Caffe_NetParameter.self, outer, scanner, file, of: "the network")
        unknownFields = Self.unknownFields(of: Caffe_NetParameter.self, outer, scanner)
        name = header.name
        layers = []
        for field in fields where field.name == "layer" || field.name == "layers" {
            layers.append(try Self.layer(field, scanner, file))
        }
        guard !layers.isEmpty else {
            throw FormatError(
                file: file,
                problem: "has no layers",
                advice: "A .prototxt is needed that describes a network with 'layer { ... }'"
            )
        }
    }

    private static func layer(
        _ field: PrototxtScanner.Field,
        _ scanner: PrototxtScanner,
        _ file: String
    ) throws(FormatError) -> Layer {
        guard let inner = field.fields else {
            throw FormatError(
                file: file,
                line: field.line,
                problem: "'\(field.name)' needs braces: \(field.name) { ... }"
            )
        }
        let layerName = field.first("name").map(scanner.word) ?? "without a name"
        let owner = "layer '\(layerName)'"
        // An old layer may also be spelled `layer`, a new one `layers`. The type decides: a word, or a quoted text.
        guard let type = field.first("type") else {
            throw FormatError(file: file, line: field.line, problem: "\(owner) has no type")
        }
        let isNew = [UInt8(ascii: "\""), UInt8(ascii: "'")].contains(scanner.bytes[type.value.lowerBound])
        if isNew {
            let parameter = try message(Caffe_LayerParameter.self, inner, scanner, file, of: owner)
            let unknown = unknownFields(of: Caffe_LayerParameter.self, inner, scanner)
            return Layer(parameter, field, unknown, scanner)
        }
        let word = scanner.word(type)
        guard let newType = newTypeName(ofV1: word) else {
            throw FormatError(
                file: file,
                line: type.line,
                problem: "\(owner) is of type \(word), which no known Caffe has",
                advice: "Check the spelling"
            )
        }
        // The type is taken out: other versions of Caffe have words (BN) that the enumeration lacks.
        let others = inner.filter { $0.name != "type" }
        let old = try message(Caffe_V1LayerParameter.self, others, scanner, file, of: owner)
        let unknown = unknownFields(of: Caffe_V1LayerParameter.self, others, scanner)
        return Layer(old.asNewLayer(type: newType), field, unknown, scanner)
    }

    /// Decodes fields as a message; an error is tracked down to the innermost field that is refused by itself.
    private static func message<M: Message>(
        _ type: M.Type,
        _ fields: [PrototxtScanner.Field],
        _ scanner: PrototxtScanner,
        _ file: String,
        of owner: String
    ) throws(FormatError) -> M {
        var options = TextFormatDecodingOptions()
        options.ignoreUnknownFields = true
        options.ignoreUnknownExtensionFields = true
        let text = fields.map { scanner.text($0.range) }.joined(separator: "\n")
        if let message = try? M(textFormatString: text, options: options) { return message }

        // `path` wraps a field in its parents again, so that the schema knows what it is.
        func refused(_ candidates: [PrototxtScanner.Field], _ path: [String]) -> PrototxtScanner.Field? {
            for field in candidates {
                let opening = path.map { "\($0) {\n" }.joined()
                let text = opening + scanner.text(field.range) + String(repeating: "\n}", count: path.count)
                guard (try? M(textFormatString: text, options: options)) == nil else { continue }
                return refused(field.fields ?? [], path + [field.name]) ?? field
            }
            return nil
        }
        guard let field = refused(fields, []) else {
            throw FormatError(file: file, line: fields.first?.line, problem: "\(owner) cannot be read")
        }
        let value = scanner.text(field.value).prefix(40).split(separator: "\n").first ?? ""
        throw FormatError(
            file: file,
            line: field.line,
            problem: field.fields == nil
                ? "\(owner) has \(field.name): \(value), which is not a valid value of '\(field.name)'"
                : "\(owner) has '\(field.name) { ... }', which is not a valid value of '\(field.name)'",
            advice: "Correct the value, or delete the field if it does not matter for running the network"
        )
    }

    /// `CONVOLUTION` -> `Convolution`: the new encoding's name of an old layer type; nil for a word that no version of
    /// Caffe has.
    static func newTypeName(ofV1 word: String) -> String? { newTypeNames[word] }

    /// The words of upstream Caffe, and those of SegNet's, FCN's, DeconvNet's and DeepLab's.
    private static let newTypeNames: [String: String] = [
        "ABSVAL": "AbsVal", "ACCURACY": "Accuracy", "ARGMAX": "ArgMax", "BN": "BN", "BNLL": "BNLL",
        "CONCAT": "Concat", "CONTRASTIVE_LOSS": "ContrastiveLoss", "CONVOLUTION": "Convolution",
        "CROP": automaticCrop, "DATA": "Data", "DECONVOLUTION": "Deconvolution", "DENSE_CRF": "DenseCRF",
        "DROPOUT": "Dropout", "DUMMY_DATA": "DummyData", "ELTWISE": "Eltwise",
        "ELTWISE_ACCURACY": "EltwiseAccuracy", "EUCLIDEAN_LOSS": "EuclideanLoss", "EXP": "Exp",
        "FLATTEN": "Flatten", "HDF5_DATA": "HDF5Data", "HDF5_OUTPUT": "HDF5Output", "HINGE_LOSS": "HingeLoss",
        "IM2COL": "Im2col", "IMAGE_DATA": "ImageData", "IMAGE_SEG_DATA": "ImageSegData",
        "INFOGAIN_LOSS": "InfogainLoss", "INNER_PRODUCT": "InnerProduct", "INTERP": "Interp", "LRN": "LRN",
        "MAT_READ": "MatRead", "MAT_WRITE": "MatWrite", "MEMORY_DATA": "MemoryData",
        "MULTINOMIAL_LOGISTIC_LOSS": "MultinomialLogisticLoss", "MVN": "MVN", "POOLING": "Pooling",
        "POWER": "Power", "RELU": "ReLU", "SEG_ACCURACY": "SegAccuracy", "SIGMOID": "Sigmoid",
        "SIGMOID_CROSS_ENTROPY_LOSS": "SigmoidCrossEntropyLoss", "SILENCE": "Silence", "SLICE": "Slice",
        "SOFTMAX": "Softmax", "SOFTMAX_LOSS": "SoftmaxWithLoss", "SPLIT": "Split", "TANH": "TanH",
        "THRESHOLD": "Threshold", "UNPOOLING": "Unpooling", "UPSAMPLE": "Upsample", "WINDOW_DATA": "WindowData",
        "WINDOW_SEG_DATA": "WindowSegData",
    ]

    /// The old CROP, which finds its offset by itself; the new one states it.
    static let automaticCrop = "CROP"

    /// Refuses what the authors' scripts replace before Caffe reads the file: `${EXP}`. Paths of data may stay as they are.
    private static func refusePlaceholders(_ bytes: [UInt8], file: String) throws(FormatError) {
        guard bytes.contains(UInt8(ascii: "$")) else { return }
        let values = ["EXP": "voc12", "NUM_LABELS": "21"]
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        for (number, line) in lines.enumerated() {
            let code = line.prefix { $0 != "#" }
            guard let start = code.firstRange(of: "${"), let end = code[start.upperBound...].firstIndex(of: "}") else {
                continue
            }
            let words = code[..<start.lowerBound].split { !($0.isLetter || $0.isNumber || $0 == "_") }
            let isPath = words.contains {
                ["source", "root_folder", "mean_file", "weight_source", "prefix"].contains($0)
            }
            if isPath { continue }
            let name = String(code[start.upperBound..<end])
            throw FormatError(
                file: file,
                line: number + 1,
                problem: "'${\(name)}' stands for something that the authors' scripts fill in",
                advice: "Write the file with its value and read that, for example: "
                    + "sed 's/${\(name)}/\(values[name] ?? "VALUE")/g' \(file) > filled.prototxt"
            )
        }
    }
}

extension CaffeNetwork.Layer {
    /// A layer with words that the schema lacks. Those of DeepLab's Caffe are only in texts, and their numbers mean other things in other
    /// Caffes.
    fileprivate init(
        _ parameter: Caffe_LayerParameter,
        _ field: PrototxtScanner.Field,
        _ unknownFields: [CaffeNetwork.UnknownField],
        _ scanner: PrototxtScanner
    ) {
        self.parameter = parameter
        self.unknownFields = unknownFields
        line = field.line
        func isFalse(_ word: PrototxtScanner.Field?) -> Bool {
            word.map { ["false", "False", "f", "0"].contains(scanner.word($0)) } ?? false
        }
        isStrict = !isFalse(field.first("strict_dim"))
        isGray = isFalse(field.first("image_data_param")?.first("is_color"))
        guard let crf = field.first("dense_crf_param") else { return }
        let names = ["bi_w", "bi_xy_std", "bi_rgb_std", "pos_w", "pos_xy_std"]
        let numbers = names.compactMap { crf.first($0).map(scanner.word) }.filter { Float($0) != nil }
        guard numbers.count == names.count else { return }
        let iterations = crf.first("max_iter").map(scanner.word) ?? "10"
        denseCRF = "crf:" + (numbers + [iterations]).joined(separator: ",")
    }
}

extension Caffe_V1LayerParameter {
    /// The same layer in the new encoding, without its blobs.
    func asNewLayer(type: String) -> Caffe_LayerParameter {
        var layer = Caffe_LayerParameter()
        layer.name = name
        layer.type = type
        layer.bottom = bottom
        layer.top = top
        layer.include = include
        layer.exclude = exclude
        layer.lossWeight = lossWeight
        if hasConcatParam { layer.concatParam = concatParam }
        if hasConvolutionParam { layer.convolutionParam = convolutionParam }
        if hasDataParam { layer.dataParam = dataParam }
        if hasDropoutParam { layer.dropoutParam = dropoutParam }
        if hasDummyDataParam { layer.dummyDataParam = dummyDataParam }
        if hasEltwiseParam { layer.eltwiseParam = eltwiseParam }
        if hasImageDataParam { layer.imageDataParam = imageDataParam }
        if hasInnerProductParam { layer.innerProductParam = innerProductParam }
        if hasLrnParam { layer.lrnParam = lrnParam }
        if hasWindowDataParam { layer.windowDataParam = windowDataParam }
        if hasMemoryDataParam { layer.memoryDataParam = memoryDataParam }
        if hasPoolingParam { layer.poolingParam = poolingParam }
        if hasReluParam { layer.reluParam = reluParam }
        if hasSoftmaxParam { layer.softmaxParam = softmaxParam }
        if hasArgmaxParam { layer.argmaxParam = argmaxParam }
        if hasLossParam { layer.lossParam = lossParam }
        if hasAccuracyParam { layer.accuracyParam = accuracyParam }
        if hasTransformParam { layer.transformParam = transformParam }
        if hasBnParam { layer.bnParam = bnParam }
        if hasInterpParam { layer.interpParam = interpParam }
        if hasUnpoolingParam { layer.unpoolingParam = unpoolingParam }
        return layer
    }
}
