import SegNetNetworks
import SegNetPlatform

/// Makes a `Network` from a Caffe description: the layers that run at test time, without data, loss and accuracy
/// layers.
///
/// One method per layer type, with Caffe's name. `notes` report what is left out or read differently from what the file
/// says; anything that would silently change the result is refused.
struct CaffeNetworkReader {
    private let source: CaffeNetwork
    var notes: [String] = []
    /// Lines of layers by name, for errors that come later.
    private var lines: [String: Int] = [:]
    private var layers: [Layer] = []
    /// Blobs that only exist for training (labels), and the layers they come from.
    private var trainingBlobs: [String: String] = [:]
    /// Blobs that are other blobs under a second name (Split).
    private var aliases: [String: String] = [:]
    /// Layers that ask for sampling at test time, and fully connected ones: one sentence reports each kind.
    var sampledLayers: [String] = []
    var innerProducts: [String] = []
    /// Sizes that Upsample layers state as a scale, checked once shapes are known: rows and columns cut off.
    var statedScales: [String: (rows: Int, columns: Int)] = [:]

    /// The network's input according to a data layer or an `input` field.
    private struct Input {
        var description: InputDescription
        /// Whether the file states the size of pictures.
        var hasSize: Bool
    }

    init(_ source: CaffeNetwork) { self.source = source }

    /// The network of a file.
    /// - Throws: `FormatError` naming the line of the first layer that cannot be read or does not fit the others.
    static func read(_ source: CaffeNetwork) throws(FormatError) -> CaffeNetworkDescription {
        var reader = CaffeNetworkReader(source)
        return try reader.network()
    }

    private mutating func network() throws(FormatError) -> CaffeNetworkDescription {
        let running = source.layers.filter { Self.runsAtTest($0.parameter) }
        var input = try self.input(running)
        for layer in running where !layer.parameter.bottom.isEmpty { try append(layer) }
        guard !layers.isEmpty else {
            throw FormatError(
                file: source.file,
                problem: "has no layer that runs at test time",
                advice: "Check the 'include' and 'exclude' rules of its layers"
            )
        }
        var network = Network(name: source.name, input: input.description, layers: layers)
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
        return CaffeNetworkDescription(network: network, notes: notes, file: source.file, lines: lines)
    }

    /// `'a', 'b'`
    private static func list(_ names: [String]) -> String { names.map { "'\($0)'" }.joined(separator: ", ") }

    // MARK: Which layers

    /// Caffe's rule for phases, with the state of inference: TEST, level 0, no stages.
    private static func runsAtTest(_ layer: Caffe_LayerParameter) -> Bool {
        func holds(_ rule: Caffe_NetStateRule) -> Bool {
            (!rule.hasPhase || rule.phase == .test) && (!rule.hasMinLevel || rule.minLevel <= 0)
                && (!rule.hasMaxLevel || rule.maxLevel >= 0) && rule.stage.isEmpty
        }
        return layer.include.isEmpty ? !layer.exclude.contains(where: holds) : layer.include.contains(where: holds)
    }

    func refused(_ line: Int, _ problem: String, advice: String? = nil) -> FormatError {
        FormatError(file: source.file, line: line, problem: problem, advice: advice)
    }

    // MARK: Input

    private mutating func input(_ running: [CaffeNetwork.Layer]) throws(FormatError) -> Input {
        let header = source.header
        if let name = header.input.first {
            for other in header.input.dropFirst() { trainingBlobs[other] = "input" }
            let sizes =
                header.inputShape.first.map { $0.dim.map { Int($0) } } ?? header.inputDim.prefix(4).map { Int($0) }
            return try input(name: name, sizes: sizes, line: nil)
        }
        // A file for training only keeps its data layer out of the test phase.
        let sources = [running, source.layers].lazy.map { $0.filter { $0.parameter.bottom.isEmpty } }
            .first { !$0.isEmpty }
        guard let sources, let first = sources.first, let name = first.parameter.top.first else {
            throw FormatError(
                file: source.file,
                problem: "has no input",
                advice: "Add: input: \"data\" input_dim: 1 input_dim: 3 input_dim: 360 input_dim: 480"
            )
        }
        let labels = first.parameter.top.dropFirst() + sources.dropFirst().flatMap(\.parameter.top)
        for label in labels where label != name { trainingBlobs[label] = first.parameter.name }
        return try input(name: name, dataLayer: first)
    }

    private mutating func input(name: String, sizes: [Int], line: Int?) throws(FormatError) -> Input {
        guard sizes.count == 4, sizes.allSatisfy({ (1...(1 << 20)).contains($0) }), sizes[1] <= 4096 else {
            throw FormatError(
                file: source.file,
                line: line,
                problem:
                    "input '\(name)' has the shape \(Shape(sizes)), where batch, channels, height and width are needed",
                advice: "Write for example 1, 3, 360, 480"
            )
        }
        noteBatch(sizes[0])
        var description = InputDescription.channels(sizes[1], height: sizes[2], width: sizes[3])
        description.name = name
        return Input(description: description, hasSize: true)
    }

    private mutating func noteBatch(_ count: Int) {
        if count > 1 { notes.append("the batch of \(count) is read as 1.") }
    }

    private mutating func input(name: String, dataLayer layer: CaffeNetwork.Layer) throws(FormatError) -> Input {
        let parameter = layer.parameter
        var result: Input
        switch parameter.type {
        case "Input":
            let sizes = parameter.inputParam.shape.first?.dim.map { Int($0) } ?? []
            result = try input(name: name, sizes: sizes, line: layer.line)
        case "MemoryData":
            let memory = parameter.memoryDataParam
            let sizes = [memory.batchSize, memory.channels, memory.height, memory.width].map { Int($0) }
            result = try input(name: name, sizes: sizes, line: layer.line)
        case "DummyData":
            let dummy = parameter.dummyDataParam
            let old = [dummy.num, dummy.channels, dummy.height, dummy.width].compactMap(\.first).map { Int($0) }
            let sizes = dummy.shape.first?.dim.map { Int($0) } ?? old
            result = try input(name: name, sizes: sizes, line: layer.line)
        case "DenseImageData":
            let dense =
                parameter.hasDenseImageDataParam ? parameter.denseImageDataParam : parameter.denseImageDataParamCudnn5
            noteBatch(Int(dense.batchSize))
            result = pictures(name, isColor: dense.isColor)
            setSize(&result, height: dense.newHeight, width: dense.newWidth)
            setSize(&result, height: dense.cropHeight, width: dense.cropWidth)
        case "ImageData":
            noteBatch(Int(parameter.imageDataParam.batchSize))
            result = pictures(name, isColor: true)
            setSize(&result, height: parameter.imageDataParam.newHeight, width: parameter.imageDataParam.newWidth)
        default:
            noteBatch(Int(parameter.dataParam.batchSize))
            result = pictures(name, isColor: true)
        }
        try transform(&result, parameter.transformParam, line: layer.line)
        notes.append("layer '\(parameter.name)' (\(parameter.type)) is read as the network's input '\(name)'.")
        return result
    }

    private func pictures(_ name: String, isColor: Bool) -> Input {
        var description = InputDescription.channels(isColor ? 3 : 1)
        description.name = name
        return Input(description: description, hasSize: false)
    }

    private func setSize(_ input: inout Input, height: UInt32, width: UInt32) {
        guard height > 0, width > 0 else { return }
        input.description.height = Int(height)
        input.description.width = Int(width)
        input.hasSize = true
    }

    /// `transform_param`: (value - mean) * scale, cut to a square. Mirroring only happens in training.
    private mutating func transform(
        _ input: inout Input,
        _ transform: Caffe_TransformationParameter,
        line: Int
    ) throws(FormatError) {
        setSize(&input, height: transform.cropSize, width: transform.cropSize)
        let count = input.description.channels.count
        input.description.scale = Array(repeating: transform.scale, count: count)
        switch transform.meanValue.count {
        case 0: break
        case 1: input.description.mean = Array(repeating: transform.meanValue[0], count: count)
        case count: input.description.mean = transform.meanValue
        default:
            throw refused(
                line,
                "transform_param has \(transform.meanValue.count) mean values for \(count) channels",
                advice: "Give one, or one per channel in the order blue, green, red"
            )
        }
        if transform.hasMeanFile {
            notes.append(
                "the mean picture '\(transform.meanFile)' is not subtracted; write its channels' means as mean_value instead."
            )
        }
    }

    // MARK: Layers

    private mutating func append(_ layer: CaffeNetwork.Layer) throws(FormatError) {
        var parameter = layer.parameter
        if parameter.name.isEmpty { parameter.name = "\(parameter.type.lowercased())_line\(layer.line)" }
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
        if let label = parameter.bottom.first(where: { trainingBlobs[$0] != nil }) {
            throw refused(
                layer.line,
                "layer '\(name)' (\(parameter.type)) reads '\(label)', which exists in training only",
                advice: "Give the description that is meant for inference"
            )
        }
        let operation = try operation(parameter, layer.line)
        // A second name means something only for pooling; BN's second and third are statistics.
        let outputCount = if case .maxPooling(let kind) = operation { kind.givesIndices ? 2 : 1 } else { 1 }
        guard parameter.top.count >= outputCount else {
            throw refused(layer.line, "layer '\(name)' writes no blob", advice: "Give it a 'top'")
        }
        for top in parameter.top { aliases[top] = nil }
        layers.append(
            Layer(name, inputs: parameter.bottom, outputs: Array(parameter.top.prefix(outputCount)), operation)
        )
    }

    private static func isForTraining(_ type: String) -> Bool {
        type.hasSuffix("Loss") || type == "Accuracy" || type == "Silence" || type == "HDF5Output"
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
