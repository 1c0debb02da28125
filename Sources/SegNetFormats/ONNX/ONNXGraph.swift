import SegNetNetworks
import SegNetPlatform
import SwiftProtobuf

/// A network as an ONNX graph in the making: nodes, and constants whose numbers are fetched when they are written.
///
/// ONNX values are written once, Caffe's blobs several times: each layer's output gets its own name, and `values` holds
/// the one that a blob stands for at the moment.
struct ONNXGraph {
    /// A constant: small ones are kept here. Weights are fetched one at a time while the file is written; those with batch normalisation
    /// folded in are in memory already.
    enum Numbers {
        case integers([Int64])
        case floats([Float])
        /// Fetches this many numbers when they are written.
        case weights(count: Int, () throws(FormatError) -> [Float])
    }

    struct Constant {
        let name: String
        let shape: [Int]
        let numbers: Numbers
        let isHalf: Bool
    }

    /// What an unpooling needs from its pooling.
    struct Pooling {
        /// MaxPool's indices, or positions 0...3 as floats.
        let value: String
        /// The map that was pooled, and the same rounded up to even sizes.
        let height: Int
        let width: Int
        let evenHeight: Int
        let evenWidth: Int
    }

    let model: Model
    let unpooling: ONNX.Unpooling
    let elementType: ElementType
    let file: String

    var nodes: [Onnx_NodeProto] = []
    var constants: [Constant] = []
    /// Which value a blob stands for, at the layer that is being spelled.
    var values: [String: String] = [:]
    var poolings: [String: Pooling] = [:]
    private var usedNames: Set<String> = []
    /// Constants that several nodes share, by content.
    private var sharedConstants: [String: String] = [:]
    private var output: (name: String, shape: Shape, isInteger: Bool) = ("", [], false)

    init(model: Model, unpooling: ONNX.Unpooling, elementType: ElementType, file: String) {
        self.model = model
        self.unpooling = unpooling
        self.elementType = elementType
        self.file = file
    }

    // MARK: Building

    /// Spells every layer.
    mutating func build() throws(FormatError) {
        let network = model.network
        let shapes: NetworkShapes
        do { shapes = try network.shapes() } catch { throw FormatError(network: error, file: file, lines: [:]) }
        guard let last = network.layers.last, let lastBlobs = shapes.layers.last else {
            throw FormatError(file: file, problem: "the network '\(network.name)' has no layers")
        }
        values[network.input.name] = name(network.input.name)
        for (layer, blobs) in zip(network.layers, shapes.layers) {
            try append(layer, inputs: blobs.inputs, outputs: blobs.outputs)
        }
        var value = values[last.outputs[0]] ?? ""
        // An output must be something that a node computes.
        if value == network.input.name { value = node("Identity", [value], name: last.name) }
        var isInteger = false
        if case .argmax = last.operation { isInteger = true }
        output = (value, lastBlobs.outputs[0].shape, isInteger)
    }

    // MARK: Pieces

    /// A name that no value has yet.
    mutating func name(_ wanted: String) -> String {
        var candidate = wanted
        var number = 2
        while !usedNames.insert(candidate).inserted {
            candidate = "\(wanted)_\(number)"
            number += 1
        }
        return candidate
    }

    /// Adds a node with one output and returns that output's name.
    @discardableResult
    mutating func node(
        _ type: String,
        _ inputs: [String],
        name wanted: String,
        _ attributes: [Onnx_AttributeProto] = []
    ) -> String {
        nodes(type, inputs, names: [wanted], attributes)[0]
    }

    /// Adds a node with several outputs and returns their names.
    mutating func nodes(
        _ type: String,
        _ inputs: [String],
        names: [String],
        _ attributes: [Onnx_AttributeProto] = []
    ) -> [String] {
        var node = Onnx_NodeProto()
        node.opType = type
        node.input = inputs
        node.output = names.map { name($0) }
        node.name = node.output[0]
        node.attribute = attributes
        nodes.append(node)
        return node.output
    }

    /// A constant of whole numbers; equal ones are stored once.
    mutating func constant(_ values: [Int]) -> String {
        let key = "i\(values)"
        if let name = sharedConstants[key] { return name }
        let name = self.name("integers_\(sharedConstants.count)")
        constants.append(
            Constant(name: name, shape: [values.count], numbers: .integers(values.map { Int64($0) }), isHalf: false)
        )
        sharedConstants[key] = name
        return name
    }

    /// A constant number; equal ones are stored once.
    mutating func constant(_ value: Float) -> String {
        let key = "f\(value.bitPattern)"
        if let name = sharedConstants[key] { return name }
        let name = self.name("number_\(sharedConstants.count)")
        constants.append(Constant(name: name, shape: [], numbers: .floats([value]), isHalf: false))
        sharedConstants[key] = name
        return name
    }

    /// Numbers that are fetched while the file is written; with a cast after them where they are stored as float16.
    mutating func weights(
        _ wanted: String,
        _ shape: [Int],
        mayBeHalf: Bool = false,
        _ fetch: @escaping () throws(FormatError) -> [Float]
    ) -> String {
        let isHalf = mayBeHalf && elementType == .float16
        let name = self.name(isHalf ? "\(wanted)_float16" : wanted)
        let count = shape.reduce(1, *)
        constants.append(Constant(name: name, shape: shape, numbers: .weights(count: count, fetch), isHalf: isHalf))
        guard isHalf else { return name }
        return node("Cast", [name], name: wanted, [attribute("to", Onnx_TensorProto.DataType.float.rawValue)])
    }

    func attribute(_ name: String, _ value: Int) -> Onnx_AttributeProto {
        var attribute = Onnx_AttributeProto()
        attribute.name = name
        attribute.type = .int
        attribute.i = Int64(value)
        return attribute
    }

    func attribute(_ name: String, _ values: [Int]) -> Onnx_AttributeProto {
        var attribute = Onnx_AttributeProto()
        attribute.name = name
        attribute.type = .ints
        attribute.ints = values.map { Int64($0) }
        return attribute
    }

    func attribute(_ name: String, _ value: Double) -> Onnx_AttributeProto {
        var attribute = Onnx_AttributeProto()
        attribute.name = name
        attribute.type = .float
        attribute.f = Float(value)
        return attribute
    }

    func attribute(_ name: String, _ value: String) -> Onnx_AttributeProto {
        var attribute = Onnx_AttributeProto()
        attribute.name = name
        attribute.type = .string
        attribute.s = Data(value.utf8)
        return attribute
    }

    // MARK: Writing

    /// Writes the file, one constant at a time.
    func write(to url: URL) throws(FormatError) {
        var graph = Onnx_GraphProto()
        graph.name = model.network.name.isEmpty ? "segnet" : model.network.name
        graph.node = nodes
        graph.input = [value(model.network.input.name, model.network.input.shape, isInteger: false)]
        graph.output = [value(output.name, output.shape, isInteger: output.isInteger)]
        let graphBytes = try bytes(graph)

        // Each constant: its description, then its numbers as the last field of its message.
        var prefixes: [[UInt8]] = []
        var length = graphBytes.count
        for constant in constants {
            var tensor = Onnx_TensorProto()
            tensor.name = constant.name
            tensor.dims = constant.shape.map { Int64($0) }
            let size: Int
            switch constant.numbers {
            case .integers(let values):
                tensor.dataType = Int32(Onnx_TensorProto.DataType.int64.rawValue)
                size = 8 * values.count
            case .floats(let values):
                tensor.dataType = Int32(Onnx_TensorProto.DataType.float.rawValue)
                size = 4 * values.count
            case .weights(let count, _):
                let type: Onnx_TensorProto.DataType = constant.isHalf ? .float16 : .float
                tensor.dataType = Int32(type.rawValue)
                size = (constant.isHalf ? 2 : 4) * count
            }
            let start = try bytes(tensor) + WireWriter.prefix(field: 9, length: size)
            let prefix = WireWriter.prefix(field: 5, length: start.count + size) + start
            prefixes.append(prefix)
            length += prefix.count + size
        }

        var writer = try FileWriter(replacing: url)
        try writer.write(try bytes(head()))
        try writer.write(WireWriter.prefix(field: 7, length: length))
        try writer.write(graphBytes)
        for (constant, prefix) in zip(constants, prefixes) {
            try writer.write(prefix)
            switch constant.numbers {
            case .integers(let values):
                for value in values { try writer.write(withUnsafeBytes(of: value.littleEndian) { Array($0) }) }
            case .floats(let values): try writer.write(floats: values)
            case .weights(_, let fetch):
                let values = try fetch()
                if constant.isHalf {
                    try writer.write(halves: values, name: constant.name)
                } else {
                    try writer.write(floats: values)
                }
            }
        }
        try writer.finish(durable: true)
    }

    /// Everything around the graph.
    private func head() -> Onnx_ModelProto {
        var head = Onnx_ModelProto()
        head.irVersion = 8
        head.producerName = "segnet-swift"
        var operators = Onnx_OperatorSetIdProto()
        operators.domain = ""
        operators.version = 13
        head.opsetImport = [operators]
        let input = model.network.input
        var texts: [(String, String)] = [
            ("channels", input.channels.names(separator: ",")),
            ("mean", input.mean.map { "\($0)" }.joined(separator: ",")),
            ("scale", input.scale.map { "\($0)" }.joined(separator: ",")),
        ]
        // A name may contain a comma.
        if let names = model.metadata.classNames {
            texts.append(("class_names", "[\(names.map(SafetensorsHeader.quoted).joined(separator: ","))]"))
        }
        head.metadataProps = texts.map { key, value in
            var entry = Onnx_StringStringEntryProto()
            entry.key = key
            entry.value = value
            return entry
        }
        return head
    }

    private func value(_ name: String, _ shape: Shape, isInteger: Bool) -> Onnx_ValueInfoProto {
        var value = Onnx_ValueInfoProto()
        value.name = name
        let type: Onnx_TensorProto.DataType = isInteger ? .int64 : .float
        value.type.tensorType.elemType = Int32(type.rawValue)
        value.type.tensorType.shape.dim = shape.extents.map { extent in
            var dimension = Onnx_TensorShapeProto.Dimension()
            dimension.dimValue = Int64(extent)
            return dimension
        }
        return value
    }

    private func bytes(_ message: some Message) throws(FormatError) -> [UInt8] {
        do {
            return try message.serializedBytes()
        } catch {
            throw FormatError(file: file, problem: "cannot be encoded as protobuf (\(error))")
        }
    }
}

extension FileWriter {
    /// Appends numbers as float16.
    mutating func write(halves values: [Float], name: String) throws(FormatError) {
        if let index = values.firstIndex(where: { $0.isFinite && abs($0) >= 65520 }) {
            throw FormatError(
                file: self.name,
                problem:
                    "tensor '\(name)' holds \(values[index]) at index \(index), which exceeds 65504, the float16 maximum",
                advice: "Use the \(UserChoice.precision) float32"
            )
        }
        let halves = values.map { float16Bits($0).littleEndian }
        let result = halves.withUnsafeBytes { bytes in
            Result { () throws(FormatError) in try self.write(bytes) }
        }
        try result.get()
    }
}
