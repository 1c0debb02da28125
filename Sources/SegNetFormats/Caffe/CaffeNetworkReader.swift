import SegNetNetworks
import SegNetPlatform

/// Makes a `Network` from a Caffe description: the layers that run at test time, without data, loss and accuracy
/// layers.
///
/// One method per layer type, with Caffe's name. `notes` report what is left out or read differently from what the file
/// says; anything that would silently change the result is refused.
struct CaffeNetworkReader {
    let source: CaffeNetwork
    var notes: [String] = []
    /// Lines of layers by name, for errors that come later.
    private var lines: [String: Int] = [:]
    var layers: [Layer] = []
    /// The names under which weights are stored: no other layer may have them, before or after theirs.
    private var weightedNames: Set<String> = []
    /// Blobs that only exist for training (labels), and the layers they come from.
    var trainingBlobs: [String: String] = [:]
    /// Those of them that could as well be further pictures, such as depth: the file does not say, only who reads them does.
    var furtherInputs: Set<String> = []
    /// The blob that the network reads.
    var inputName = ""
    /// The pictures, if the file states their size.
    var pictures: InputDescription?
    /// Blobs that are other blobs under a second name (Split, DENSE_CRF).
    private var aliases: [String: String] = [:]
    /// Layers that ask for sampling at test time, and fully connected ones: one sentence reports each kind.
    var sampledLayers: [String] = []
    var innerProducts: [String] = []
    /// Layers of which weights of the right count are enough (`strict_dim: false`), and Scale layers with what they are filled with.
    private var looseLayers: Set<String> = []
    private var fillings: [String: CaffeNetworkDescription.Filling] = [:]
    /// Sizes that Upsample layers state as a scale, checked once shapes are known: rows and columns cut off.
    var statedScales: [String: (rows: Int, columns: Int)] = [:]

    /// The network's input according to a data layer or an `input` field.
    struct Input {
        var description: InputDescription
        /// Whether the file states the size of pictures.
        var hasSize: Bool
        /// Whether the file states what is subtracted from pictures, be it nothing; deploy files cannot.
        var statesMean = false
        /// The program that reads the pictures, if it is known.
        var reader: Reader?

        struct Reader {
            var module: String
            /// What it subtracts; nil if it does not read colours.
            var mean: [Float]?
        }
    }

    /// What is subtracted from pictures, whatever the file says.
    let mean: [Float]?

    init(_ source: CaffeNetwork, mean: [Float]? = nil) {
        self.source = source
        self.mean = mean
    }

    /// The network of a file.
    /// - Throws: `FormatError` naming the line of the first layer that cannot be read or does not fit the others.
    static func read(_ source: CaffeNetwork, mean: [Float]? = nil) throws(FormatError) -> CaffeNetworkDescription {
        var reader = CaffeNetworkReader(source, mean: mean)
        return try reader.network()
    }

    private mutating func network() throws(FormatError) -> CaffeNetworkDescription {
        try checkRules()
        let running = source.layers.filter { runsAtTest($0.parameter) }
        var input = try self.input(running)
        pictures = input.hasSize ? input.description : nil
        weightedNames = Set(running.map(\.parameter).filter { Self.hasWeights($0.type) }.map(\.name))
        for layer in running where !layer.parameter.bottom.isEmpty { try append(layer) }
        guard !layers.isEmpty else {
            throw FormatError(
                file: source.file,
                problem: "has no layer that runs at test time",
                advice: "Check the 'include' and 'exclude' rules of its layers"
            )
        }
        try settleMean(&input)
        var network = Network(name: source.name, input: input.description, layers: layers)
        for change in network.separateScores() {
            notes.append(
                "layer '\(change.layer)' writes over the scores '\(change.scores)'; what it writes is called '\(change.output)' here, "
                    + "so that both are kept."
            )
        }
        if !input.hasSize, let size = try sizeFromUpsampling(network) {
            network = network.resized(height: size.height, width: size.width)
            input.hasSize = true
        }
        if !input.hasSize {
            notes.append(
                "the file does not say how large pictures are; reading it for \(network.input.width)x"
                    + "\(network.input.height), any other size can be asked for."
            )
        }
        if !sampledLayers.isEmpty {
            notes.append(
                "dropout is idle here; the file asks for sampling at test time in \(Self.list(sampledLayers))."
            )
        }
        if !innerProducts.isEmpty {
            notes.append("inner products are read but not run: \(Self.list(innerProducts)).")
        }
        let shapes = try self.shapes(of: network)
        if input.hasSize { checkScales(network, shapes) }
        if let unpoolingNotes = try? network.unpoolingNotes() { notes += unpoolingNotes }
        noteHeads(network, shapes)
        return CaffeNetworkDescription(
            network: network,
            notes: notes,
            file: source.file,
            lines: lines,
            looseLayers: looseLayers,
            fillings: fillings,
            aliases: aliases
        )
    }

    /// `'a', 'b'`
    static func list(_ names: [String]) -> String { names.map { "'\($0)'" }.joined(separator: ", ") }

    // MARK: Which layers

    /// Caffe's rule for phases, with the level and the stages that the file states. The phase is TEST whatever the file states: in Caffe,
    /// too, the caller sets it.
    private func runsAtTest(_ layer: Caffe_LayerParameter) -> Bool {
        let state = source.header.state
        func holds(_ rule: Caffe_NetStateRule) -> Bool {
            (!rule.hasPhase || rule.phase == .test) && (!rule.hasMinLevel || rule.minLevel <= state.level)
                && (!rule.hasMaxLevel || rule.maxLevel >= state.level) && rule.stage.allSatisfy(state.stage.contains)
                && !rule.notStage.contains(where: state.stage.contains)
        }
        return layer.include.isEmpty ? !layer.exclude.contains(where: holds) : layer.include.contains(where: holds)
    }

    func refused(_ line: Int, _ problem: String, advice: String? = nil) -> FormatError {
        FormatError(file: source.file, line: line, problem: problem, advice: advice)
    }

    // MARK: Layers

    private mutating func append(_ layer: CaffeNetwork.Layer) throws(FormatError) {
        var parameter = layer.parameter
        parameter.name = Self.name(of: layer)
        // Old files repeat names of layers without weights, such as `crop`.
        func isTaken(_ name: String) -> Bool { lines[name] != nil || weightedNames.contains(name) }
        if !Self.hasWeights(parameter.type), isTaken(parameter.name) {
            var number = 2
            while isTaken("\(parameter.name)_\(number)") { number += 1 }
            parameter.name += "_\(number)"
        }
        let name = parameter.name
        lines[name] = layer.line
        parameter.bottom = parameter.bottom.map { aliases[$0] ?? $0 }

        if Self.isForTraining(parameter.type) {
            notes.append("layer '\(name)' (\(parameter.type)) is left out: it matters for training only.")
            for top in parameter.top { trainingBlobs[top] = name }
            return
        }
        if parameter.type == "Split" {
            for top in parameter.top { aliases[top] = parameter.bottom[0] }
            return
        }
        if parameter.type == "DenseCRF", let scores = parameter.bottom.first {
            notes.append(
                "layer '\(name)' (DENSE_CRF) is left out: it works on the scores after the network. To refine them likewise, give "
                    + "\(layer.denseCRF ?? "crf") as the \(UserChoice.refinement)."
            )
            for top in parameter.top { aliases[top] = scores }
            return
        }
        if parameter.type == "Interp", parameter.bottom.allSatisfy({ trainingBlobs[$0] != nil }) {
            notes.append("layer '\(name)' (\(parameter.type)) is left out: it works on labels.")
            for top in parameter.top {
                trainingBlobs[top] = name
                if parameter.bottom.contains(where: furtherInputs.contains) { furtherInputs.insert(top) }
            }
            return
        }
        if let blob = parameter.bottom.first(where: { trainingBlobs[$0] != nil }) {
            throw refusedInput(blob, parameter, layer.line)
        }
        // Of other types, the type is what is wrong.
        if Self.supportedTypes.contains(parameter.type) || parameter.type == CaffeNetwork.automaticCrop {
            try checkFields(of: layer, parameter)
        }
        let operation = try operation(parameter, layer.line)
        if !layer.isStrict { looseLayers.insert(name) }
        if let filling = Self.filling(parameter) { fillings[name] = filling }
        // A second name means something only for pooling; BN's second and third are statistics.
        let outputCount = if case .maxPooling(let kind) = operation { kind.givesIndices ? 2 : 1 } else { 1 }
        guard parameter.top.count >= outputCount else {
            throw refused(layer.line, "layer '\(name)' writes no blob", advice: "Give it a 'top'")
        }
        for top in parameter.top { aliases[top] = nil }
        // Interp with a size of its own reads its second bottom for nothing.
        let inputs =
            if case .resize(let kind) = operation { Array(parameter.bottom.prefix(kind.inputCount.upperBound)) } else {
                parameter.bottom
            }
        layers.append(
            Layer(name, inputs: inputs, outputs: Array(parameter.top.prefix(outputCount)), operation)
        )
    }

    /// Its name in the file, or one from its type and line.
    static func name(of layer: CaffeNetwork.Layer) -> String {
        let name = layer.parameter.name
        return name.isEmpty ? "\(layer.parameter.type.lowercased())_line\(layer.line)" : name
    }

    private static func isForTraining(_ type: String) -> Bool {
        type.hasSuffix("Loss") || type.hasSuffix("Accuracy") || ["Silence", "HDF5Output", "MatWrite"].contains(type)
    }

    private static func hasWeights(_ type: String) -> Bool {
        ["Convolution", "Deconvolution", "InnerProduct", "BN", "Scale"].contains(type)
    }

    /// Names the blobs that nothing reads, if there are several, as the nets for SIFT-Flow have: only one of them can give the classes.
    private mutating func noteHeads(_ network: Network, _ shapes: NetworkShapes) {
        var (written, read) = ([String: Int](), [String: Int]())
        for (index, layer) in network.layers.enumerated() {
            for blob in layer.inputs { read[blob] = index }
            if let blob = layer.outputs.first { written[blob] = index }
        }
        let ends = network.layers.indices.filter { index in
            guard let blob = network.layers[index].outputs.first else { return false }
            return written[blob] == index && read[blob] ?? -1 <= index
        }
        guard ends.count > 1, let last = ends.last else { return }
        let heads = ends.map { index in
            let channels = shapes.layers[index].outputs[0].shape.channels
            return "'\(network.layers[index].name)' (\(channels) channel\(channels == 1 ? "" : "s"))"
        }
        notes.append(
            "the network ends in \(heads.dropLast().joined(separator: ", ")) and \(heads[heads.count - 1]); classes come from the last "
                + "of them, '\(network.layers[last].name)'. For those of another one, move its layer to the end of the file."
        )
    }

    // MARK: Sizes

    private func shapes(of network: Network) throws(FormatError) -> NetworkShapes {
        do {
            return try network.shapes()
        } catch {
            throw FormatError(network: error, file: source.file, lines: lines)
        }
    }

    /// The picture's size in files that read pictures from a list but state the sizes of unpooled maps: the largest
    /// stated map times the poolings in front of it, if all stated sizes then come out.
    private func sizeFromUpsampling(_ network: Network) throws(FormatError) -> (height: Int, width: Int)? {
        let shapes = try self.shapes(of: network)
        var largest = 0
        var size: (height: Int, width: Int)?
        for (layer, blobs) in zip(network.layers, shapes.layers) {
            guard case .unpooling(let kind) = layer.operation, let height = kind.declaredHeight,
                let width = kind.declaredWidth, (1...4096).contains(height), (1...4096).contains(width)
            else { continue }
            let map = blobs.outputs[0].shape
            // 360 / 45 = 8: three poolings.
            let (rows, columns) = (network.input.height / map.height, network.input.width / map.width)
            if height * width > largest {
                largest = height * width
                size = (height * max(1, rows), width * max(1, columns))
            }
        }
        guard let size, let notes = try? network.resized(height: size.height, width: size.width).unpoolingNotes(),
            notes.isEmpty
        else { return nil }
        return size
    }

    private mutating func checkScales(_ network: Network, _ shapes: NetworkShapes) {
        for (layer, blobs) in zip(network.layers, shapes.layers) {
            guard let cut = statedScales[layer.name] else { continue }
            let (pooled, target) = (blobs.inputs[0].shape, blobs.outputs[0].shape)
            let height = 2 * pooled.height - cut.rows
            let width = 2 * pooled.width - cut.columns
            if height == target.height && width == target.width { continue }
            notes.append(
                "layer '\(layer.name)': the file declares \(height)x\(width), the encoder's map is "
                    + "\(target.height)x\(target.width); using the encoder's."
            )
        }
    }
}
