import SegNetNetworks
import SegNetPlatform
import SwiftProtobuf

/// Fields that the schema lacks. Caffe refuses a file with one that it does not know; here only those are passed over that change nothing.
extension CaffeNetwork {
    struct UnknownField {
        let name: String
        let line: Int
        /// The messages around it, outermost first: `["pooling_param"]`; none for a field of the layer itself.
        let path: [String]
        /// `FLOOR`, or nil for a message.
        let value: String?

        /// `round_mode: FLOOR`
        var text: String { value.map { "\(name): \($0)" } ?? "\(name) { ... }" }
    }

    /// The fields of a message that its schema lacks, each the outermost that is unknown.
    /// - Parameter fields: Those of the message, which swift-protobuf can read.
    static func unknownFields<M: Message>(
        of type: M.Type,
        _ fields: [PrototxtScanner.Field],
        _ scanner: PrototxtScanner
    ) -> [UnknownField] {
        // By default swift-protobuf refuses unknown fields.
        func isKnown(_ text: String, in path: [String]) -> Bool {
            let opening = path.map { "\($0) {\n" }.joined()
            return (try? M(textFormatString: opening + text + String(repeating: "\n}", count: path.count))) != nil
        }
        func unknown(_ candidates: [PrototxtScanner.Field], _ path: [String]) -> [UnknownField] {
            var found: [UnknownField] = []
            for field in candidates where !idle.contains(field.name) {
                // A message is tried without what is in it, so that it is told apart from an unknown field inside.
                let text = field.fields == nil ? scanner.text(field.range) : "\(field.name) {}"
                if isKnown(text, in: path) {
                    found += unknown(field.fields ?? [], path + [field.name])
                    continue
                }
                let value = field.fields == nil ? scanner.word(field) : nil
                if let value, idleValues[field.name]?.contains(value) == true { continue }
                let shown = value.map { String($0.prefix(40).prefix { !$0.isNewline }) }
                found.append(UnknownField(name: field.name, line: field.line, path: path, value: shown))
            }
            return found
        }
        if isKnown(fields.map { scanner.text($0.range) }.joined(separator: "\n"), in: []) { return [] }
        return unknown(fields, [])
    }

    /// Fields that never change what a network computes from a picture.
    private static let idle: Set = [
        // How layers learn, and what their weights are before they do.
        "bias_filler", "blob_share_mode", "blobs_lr", "decay_mult", "loss_weight", "lr_mult", "param",
        "propagate_down", "scale_filler", "share_mode", "shift_filler", "weight_decay", "weight_filler",
        // With which code they run.
        "debug_info", "engine", "force_nd_im2col", "share_in_parallel", "stable_prod_grad",
        // Where data layers find their pictures, and how these change during training.
        "backend", "bg_threshold", "cache_images", "context_pad", "crop_mode", "data_filler", "fg_fraction",
        "fg_threshold", "force_encoded_color", "label_type", "mirror", "prefetch", "rand_skip", "root_folder",
        "shuffle", "source",
        // Read from the text itself.
        "is_color", "strict_dim",
    ]

    /// Fields that change nothing if they have one of these values: what is done here anyway.
    private static let idleValues: [String: Set<String>] = [
        "axis": ["1", "-3"], "ceil_mode": ["true", "True", "t", "1"], "round_mode": ["CEIL", "0"],
        "scale_train": ["true", "True", "t", "1"],
    ]
}

extension CaffeNetworkReader {
    /// Refuses a layer with a field that is not known, as Caffe does: what it means would be missing in the result.
    /// - Parameter parameter: The layer with the names that its blobs have here.
    func checkFields(of layer: CaffeNetwork.Layer, _ parameter: Caffe_LayerParameter) throws(FormatError) {
        guard let first = layer.unknownFields.first else { return }
        let owner = "layer '\(Self.name(of: layer))'"
        let other = layer.unknownFields.first {
            $0.path == ["bn_param"] && ["frozen", "slope_filler", "std_filler"].contains($0.name)
        }
        if let other {
            throw refused(
                other.line,
                "\(owner) has \(other.text). \(Self.otherNormalization)",
                advice: Self.foldStatistics
            )
        }
        guard first.name == "ceil_mode" || first.name == "round_mode" else { throw refusedField(first, of: owner) }
        let problem = "\(owner) rounds the size of its map down (\(first.text))"
        let rule = "(size + 2 pad - kernel_size) is a multiple of the stride"
        guard let sizes = pooledSizes(parameter, layer.line) else {
            throw refused(
                first.line,
                "\(problem); only rounding up is supported, as SegNet's Caffe does",
                advice: "Where \(rule), both give the same: delete the field then"
            )
        }
        throw refused(
            first.line,
            "\(problem), from \(sizes.map) to \(sizes.down); only rounding up is supported, as SegNet's Caffe does, which gives "
                + "\(sizes.up)",
            advice: sizes.down == sizes.up
                ? "Both are the same: delete the field, and run the network only at sizes where \(rule)"
                : "State a picture size where \(rule), so that both give the same, and delete the field"
        )
    }

    /// What a pooling that rounds down makes of its map, and one that rounds up; nil where the map's shape is not known.
    private func pooledSizes(_ layer: Caffe_LayerParameter, _ line: Int) -> (map: Shape, down: Shape, up: Shape)? {
        guard let pictures, let blob = layer.bottom.first, let operation = try? pooling(layer, line),
            let shapes = try? Network(name: source.name, input: pictures, layers: layers).shapes(),
            let map = shapes.blobs[blob]?.shape
        else { return nil }
        var window: Window?
        if case .maxPooling(let kind) = operation { window = kind.window }
        if case .averagePooling(let kind) = operation { window = kind.window }
        guard let window,
            let up = try? MaxPooling(window: window, givesIndices: false).outputs(of: [BlobShape(map)]).first?.shape
        else { return nil }
        var down = map
        down[2] = max(0, map.height + 2 * window.paddingY - window.height) / window.strideY + 1
        down[3] = max(0, map.width + 2 * window.paddingX - window.width) / window.strideX + 1
        return (map, down, up)
    }

    /// Refuses unknown fields where they decide which layers there are: outside of layers and in their rules.
    func checkRules() throws(FormatError) {
        if let field = source.unknownFields.first { throw refusedField(field, of: "the network") }
        for layer in source.layers {
            if let field = layer.unknownFields.first(where: { ["include", "exclude"].contains($0.path.first) }) {
                throw refusedField(field, of: "layer '\(Self.name(of: layer))'")
            }
        }
    }

    /// Says which fields of a data layer have no effect. These layers differ from Caffe to Caffe, and training depends on more of them.
    mutating func noteFields(of layer: CaffeNetwork.Layer) {
        let names = Set(layer.unknownFields.map(\.name)).sorted()
        guard !names.isEmpty else { return }
        notes.append(
            "layer '\(layer.parameter.name)' (\(layer.parameter.type)): this package does not know \(Self.list(names)), "
                + "so what the file says there has no effect."
        )
    }

    private func refusedField(_ field: CaffeNetwork.UnknownField, of owner: String) -> FormatError {
        // A name that is right elsewhere has no better spelling.
        let isElsewhere = Self.usualFields.contains(field.name)
        let meant = isElsewhere ? nil : closestName(to: field.name, among: Self.usualFields)
        return refused(
            field.line,
            "\(owner) has \(field.text), a field that this package does not know",
            advice: (meant.map { "Did you mean '\($0)'? " } ?? "")
                + "Correct it, or delete it if it does not matter for running the network"
        )
    }

    /// What a misspelled field may be meant to be.
    private static let usualFields = [
        "alpha", "argmax_param", "axis", "beta", "bias_term", "bn_mode", "bn_param", "bottom", "coeff",
        "concat_param", "convolution_param", "crop_param", "dilation", "dropout_param", "dropout_ratio",
        "eltwise_param", "exclude", "global_pooling", "group", "include", "input", "input_dim", "input_shape",
        "interp_param", "kernel_h", "kernel_size", "kernel_w", "layer", "layers", "local_size", "lrn_param",
        "not_stage", "num_output", "offset", "operation", "pad", "pad_h", "pad_w", "phase", "pool", "pooling_param",
        "scale_param", "softmax_param", "stage", "stride", "stride_h", "stride_w", "top", "transform_param",
        "upsample_param", "zoom_factor",
    ]

    /// What to say of a BN that only has the name of SegNet's.
    static let otherNormalization =
        "This is the BN of PSPNet's Caffe, with a mean and a variance for each channel; SegNet's BN, which is supported, has only a scale "
        + "and a shift"
    static let foldStatistics =
        "Write scale = slope / sqrt(variance + eps) and shift = bias - mean * scale as the layer's two blobs, and bn_mode: INFERENCE in "
        + "the description"
}
