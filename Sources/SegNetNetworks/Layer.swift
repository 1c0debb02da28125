/// One layer of a network: its name, the blobs it reads and writes, and its kind.
///
/// A blob name may be written more than once: as in Caffe, a layer whose output carries the name of its input works "in place",
/// and later layers that read the name get the newest value. Only the scores may not be written over once a softmax or argmax at the end
/// has read them.
public struct Layer: Sendable, Hashable {
    /// Unique within the network; weights are matched by it.
    public var name: String
    /// The blobs it reads. Empty while a network is being built: the output of the layer before.
    public var inputs: [String]
    /// The blobs it writes.
    public var outputs: [String]
    public var operation: Operation

    public init(_ name: String, inputs: [String] = [], outputs: [String]? = nil, _ operation: Operation) {
        self.name = name
        self.inputs = inputs
        self.outputs = outputs ?? [name]
        self.operation = operation
    }
}

/// Every kind of layer that a network can hold.
public enum Operation: Sendable, Hashable {
    case convolution(Convolution)
    case transposedConvolution(TransposedConvolution)
    case batchNormalization(BatchNormalization)
    case scale(Scale)
    case relu(ReLU)
    case elu(ELU)
    case maxPooling(MaxPooling)
    case averagePooling(AveragePooling)
    case unpooling(Unpooling)
    case localResponseNormalization(LocalResponseNormalization)
    case localContrastNormalization(LocalContrastNormalization)
    case dropout(Dropout)
    case addition(Addition)
    case concatenation(Concatenation)
    case crop(Crop)
    case padding(Padding)
    case bilinearUpsampling(BilinearUpsampling)
    case resize(Resize)
    case softmax(Softmax)
    case argmax(Argmax)
    case innerProduct(InnerProduct)

    /// The kind's own description.
    public var kind: any LayerKind {
        switch self {
        case .convolution(let kind): kind
        case .transposedConvolution(let kind): kind
        case .batchNormalization(let kind): kind
        case .scale(let kind): kind
        case .relu(let kind): kind
        case .elu(let kind): kind
        case .maxPooling(let kind): kind
        case .averagePooling(let kind): kind
        case .unpooling(let kind): kind
        case .localResponseNormalization(let kind): kind
        case .localContrastNormalization(let kind): kind
        case .dropout(let kind): kind
        case .addition(let kind): kind
        case .concatenation(let kind): kind
        case .crop(let kind): kind
        case .padding(let kind): kind
        case .bilinearUpsampling(let kind): kind
        case .resize(let kind): kind
        case .softmax(let kind): kind
        case .argmax(let kind): kind
        case .innerProduct(let kind): kind
        }
    }

    /// The names of the kinds in files, each of which a description of a kind takes. Reading goes through them all, so that a new kind
    /// cannot be written and not read.
    public enum Name: String, Sendable, Hashable, CaseIterable {
        case convolution, transposedConvolution, batchNormalization, scale, relu, elu, maxPooling, averagePooling,
            unpooling, localResponseNormalization, localContrastNormalization, dropout, addition, concatenation, crop,
            padding, bilinearUpsampling, resize, softmax, argmax, innerProduct
    }

    /// `convolution`, `maxPooling`, ...
    public var kindName: String { type(of: kind).kindName }
}

extension Layer: Codable {
    private enum Key: String, CodingKey { case name, kind, inputs, outputs, parameters }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(name, forKey: .name)
        try container.encode(operation.kindName, forKey: .kind)
        try container.encode(inputs, forKey: .inputs)
        try container.encode(outputs, forKey: .outputs)
        try operation.kind.encode(to: container.superEncoder(forKey: .parameters))
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        name = try container.decode(String.self, forKey: .name)
        inputs = try container.decode([String].self, forKey: .inputs)
        outputs = try container.decode([String].self, forKey: .outputs)
        let kindName = try container.decode(String.self, forKey: .kind)
        guard let kind = Operation.Name(rawValue: kindName) else {
            throw DecodingError.dataCorruptedError(
                forKey: .kind,
                in: container,
                debugDescription: "layer '\(name)' is of the unknown kind '\(kindName)'; a newer version may know it"
            )
        }
        func parameters<Kind: LayerKind>() throws -> Kind { try container.decode(Kind.self, forKey: .parameters) }
        operation =
            switch kind {
            case .convolution: .convolution(try parameters())
            case .transposedConvolution: .transposedConvolution(try parameters())
            case .batchNormalization: .batchNormalization(try parameters())
            case .scale: .scale(try parameters())
            case .relu: .relu(try parameters())
            case .elu: .elu(try parameters())
            case .maxPooling: .maxPooling(try parameters())
            case .averagePooling: .averagePooling(try parameters())
            case .unpooling: .unpooling(try parameters())
            case .localResponseNormalization: .localResponseNormalization(try parameters())
            case .localContrastNormalization: .localContrastNormalization(try parameters())
            case .dropout: .dropout(try parameters())
            case .addition: .addition(try parameters())
            case .concatenation: .concatenation(try parameters())
            case .crop: .crop(try parameters())
            case .padding: .padding(try parameters())
            case .bilinearUpsampling: .bilinearUpsampling(try parameters())
            case .resize: .resize(try parameters())
            case .softmax: .softmax(try parameters())
            case .argmax: .argmax(try parameters())
            case .innerProduct: .innerProduct(try parameters())
            }
    }
}
