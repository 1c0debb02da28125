public import SegNetNetworks
public import SegNetPlatform

/// A safetensors file: named tensors that stay in the file until they are read, and texts about them.
///
/// The format: eight bytes with the header's length, little endian; the header, JSON; the numbers of all tensors. Every
/// length, offset and shape is checked when the file is opened, so reading a tensor cannot fail.
/// Source: github.com/huggingface/safetensors, README.
public struct SafetensorsFile: Sendable {
    /// The file, as the caller named it, for messages.
    public let name: String
    /// The file's texts, by key.
    public let metadata: [String: String]
    /// The tensors of float32, float16 and bfloat16 numbers, and those of 8-bit and 4-bit numbers that have scales with them.
    public let weights: Weights
    /// The names of tensors of other element types, which were left out.
    public let otherTensors: [String]
    /// Their element types, by name.
    private let otherTypes: [String: String]

    /// As the format's own reader has it.
    private static let greatestHeaderSize = 100_000_000

    /// Suffix of the name of a tensor's scales, where it is stored in 8 or 4 bits.
    static let scaleSuffix = ":scale"

    /// Opens a file. Reads the header and the scales of 8-bit and 4-bit tensors only.
    /// - Throws: `FormatError` if the file cannot be read, is damaged, or is not a safetensors file.
    public init(_ url: URL) throws(FormatError) {
        let file = try MappedFile(url)
        let (header, dataStart) = try Self.header(of: file)
        var contents = Contents(file: file, dataStart: dataStart)
        for entry in header.entries { try contents.add(entry) }
        try contents.joinScales()
        // Tensors that share bytes are how a small file pretends to be a big one.
        let ranges = header.entries.filter { $0.begin < $0.end }.sorted { $0.begin < $1.begin }
        for (first, second) in zip(ranges, ranges.dropFirst()) where second.begin < first.end {
            throw Self.damaged(file, "tensors '\(first.name)' and '\(second.name)' overlap")
        }
        // As the format's own reader has it: a second file may have been appended to this one.
        let rest = file.count - dataStart - (ranges.last?.end ?? 0)
        guard rest == 0 else { throw Self.damaged(file, "its last tensor is followed by \(counted(rest, "byte"))") }
        name = file.name
        metadata = header.metadata
        weights = Weights(contents.tensors)
        otherTensors = contents.others.map(\.name)
        otherTypes = Dictionary(contents.others.map { ($0.name, $0.type) }) { first, _ in first }
    }
}

extension SafetensorsFile {
    /// Sees that a network needs none of the tensors that were left out. That one is missing would be said of them, though they are there.
    /// - Throws: `FormatError` for the first that it needs, with the reason.
    package func requireRead(for network: Network) throws(FormatError) {
        // What is wrong with the network itself is told by `Weights.check`.
        guard !otherTypes.isEmpty, let needed = try? network.parameters() else { return }
        for (_, tensor, _) in needed {
            guard let type = otherTypes[tensor] else { continue }
            throw FormatError(
                file: name,
                problem: ElementType(rawValue: type)?.hasScales == true
                    ? "tensor '\(tensor)' is \(type) without '\(tensor)\(Self.scaleSuffix)', its scales"
                    : "tensor '\(tensor)' is \(type); F32, F16 and BF16 are read, and I8 and U8 with scales",
                advice: "Convert the model again"
            )
        }
    }

    private static func damaged(_ file: MappedFile, _ problem: String) -> FormatError {
        FormatError(
            file: file.name,
            problem: "is not a whole safetensors file: \(problem)",
            advice: "Fetch or convert the file again"
        )
    }

    /// The header, and where the numbers behind it begin.
    private static func header(of file: MappedFile) throws(FormatError) -> (SafetensorsHeader, dataStart: Int) {
        guard file.count >= 8 else { throw damaged(file, "it has \(file.count) bytes") }
        let stated = file.withBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
        guard stated <= UInt64(greatestHeaderSize), Int(stated) <= file.count - 8 else {
            let beginsHeader = file.withBytes { $0.count > 8 && $0[8] == UInt8(ascii: "{") }
            if !beginsHeader, let kind = file.withBytes({ ForeignFile.kind(of: $0) }) {
                throw FormatError(
                    file: file.name,
                    problem: "is not a safetensors file; it looks like \(kind.words)",
                    advice: kind.advice
                )
            }
            throw damaged(file, "its header should have \(stated) bytes, but the file has \(file.count)")
        }
        let dataStart = 8 + Int(stated)
        do {
            let header = try file.withBytes { (bytes) throws(SafetensorsHeader.HeaderError) in
                try SafetensorsHeader(UnsafeRawBufferPointer(rebasing: bytes[8..<dataStart]))
            }
            return (header, dataStart)
        } catch {
            throw damaged(file, "byte \(error.offset) of its header: \(error.problem)")
        }
    }

    /// The tensors of a file that is being opened.
    private struct Contents {
        let file: MappedFile
        let dataStart: Int
        var tensors: [String: WeightTensor] = [:]
        /// Tensors that are left out.
        var others: [(name: String, type: String)] = []
        /// Tensors that wait for their scales, which may stand before or behind them. Their shapes are those of the file.
        private var scaled: [(name: String, type: ElementType, shape: Shape, storage: MappedStorage)] = []

        init(file: MappedFile, dataStart: Int) {
            self.file = file
            self.dataStart = dataStart
        }

        mutating func add(_ entry: SafetensorsHeader.Entry) throws(FormatError) {
            let dataCount = file.count - dataStart
            guard entry.begin <= entry.end, entry.end <= dataCount else {
                throw damaged(
                    file,
                    "tensor '\(entry.name)' lies at \(entry.begin)..<\(entry.end) of \(dataCount) bytes of data"
                )
            }
            guard let type = ElementType(rawValue: entry.type) else {
                others.append((entry.name, entry.type))
                return
            }
            let shape = Shape(entry.shape)
            guard saturatingProduct(shape.count, type.storedBits / 8) == entry.end - entry.begin else {
                throw damaged(
                    file,
                    "tensor '\(entry.name)' of shape \(shape) and type \(entry.type) has \(entry.end - entry.begin) bytes"
                )
            }
            let range = (dataStart + entry.begin)..<(dataStart + entry.end)
            let storage = MappedStorage(file: file, range: range)
            if type.hasScales {
                scaled.append((entry.name, type, shape, storage))
            } else {
                tensors[entry.name] = WeightTensor(shape: shape, elementType: type, storage: storage)
            }
        }

        /// Gives tensors of 8-bit and 4-bit numbers their scales.
        mutating func joinScales() throws(FormatError) {
            for (name, type, stored, storage) in scaled {
                guard let scales = tensors.removeValue(forKey: name + scaleSuffix) else {
                    others.append((name, type.rawValue))
                    continue
                }
                let isInt4 = type == .int4
                let shape = isInt4 ? WeightTensor.int4Shape(stored: stored) : stored
                let needed =
                    isInt4 ? shape.flatMap(WeightTensor.int4ScaleShape) : stored.extents.first.map { Shape([$0]) }
                guard let shape, let needed, scales.shape == needed else {
                    throw damaged(file, "tensor '\(name)' of shape \(stored) has scales of shape \(scales.shape)")
                }
                let values = scales.floats()
                if let index = values.firstIndex(where: { !$0.isFinite }) {
                    throw damaged(file, "scale \(index) of tensor '\(name)' is \(values[index])")
                }
                tensors[name] = WeightTensor(shape: shape, elementType: type, scales: values, storage: storage)
            }
        }
    }
}

extension ElementType {
    /// Bits per element of a file's tensor: of two numbers in 4 bits.
    fileprivate var storedBits: Int { self == .int4 ? 8 : bitCount }
}

extension SafetensorsFile {
    /// Writes tensors: those with more bytes per number first, then in the order of their names; the first begins at a multiple of
    /// 64 bytes.
    ///
    /// One tensor at a time is in memory. The file appears under its name when it is whole.
    /// - Parameters:
    ///   - elementType: How tensors of two and more axes are stored. Vectors stay float32. With `int8` and `int4`, the scales of the
    ///     tensor `x` are the tensor `x:scale`; what 4 bits cannot store (`WeightTensor.int4ScaleShape(of:)`) is stored in 8.
    ///   - metadata: Texts, by key.
    /// - Throws: `FormatError` if the file cannot be written, or if a number cannot be stored as `elementType`.
    public static func write(
        _ weights: Weights,
        metadata: [String: String],
        elementType: ElementType = .float32,
        to url: URL
    ) throws(FormatError) {
        let entries = try entries(weights, elementType, file: url.relativePath)
        var header = SafetensorsHeader(metadata: metadata)
        var offset = 0
        for entry in entries {
            let shape = entry.storedShape
            let count = saturatingProduct(shape.count, entry.type.storedBits / 8)
            header.entries.append(
                SafetensorsHeader.Entry(
                    name: entry.name,
                    type: entry.type.rawValue,
                    shape: shape.extents,
                    begin: offset,
                    end: offset + count
                )
            )
            offset += count
        }
        var writer = try FileWriter(replacing: url)
        try writer.write(header.bytes())
        for entry in entries { try write(entry, to: &writer) }
        try writer.finish(durable: true)
    }

    /// A tensor of a file that is being written.
    private struct Entry {
        let name: String
        /// How it is stored.
        let type: ElementType
        let tensor: WeightTensor
        /// With `int8` and `int4`.
        var scales: [Float] = []

        var storedShape: Shape {
            (type == .int4 ? WeightTensor.int4StoredShape(of: tensor.shape) : nil) ?? tensor.shape
        }
    }

    private static func entries(
        _ weights: Weights,
        _ elementType: ElementType,
        file: String
    ) throws(FormatError) -> [Entry] {
        var entries: [Entry] = []
        for (name, tensor) in weights.tensors {
            let type = storedType(of: tensor, elementType)
            var scales: [Float] = []
            if type.hasScales {
                let isInt4 = type == .int4
                scales = isInt4 ? tensor.int4Scales() : tensor.int8Scales()
                tensor.release()
                let shape = (isInt4 ? WeightTensor.int4ScaleShape(of: tensor.shape) : nil) ?? Shape([scales.count])
                if let index = scales.firstIndex(where: { !$0.isFinite }) {
                    let row = index / max(1, scales.count / tensor.shape.extents[0])
                    throw withoutScale(tensor, row: row, name: name, file: file)
                }
                let stored = WeightTensor(shape: shape, values: scales)
                entries.append(Entry(name: name + scaleSuffix, type: isInt4 ? .float16 : .float32, tensor: stored))
            }
            entries.append(Entry(name: name, type: type, tensor: tensor, scales: scales))
        }
        // In this order every tensor begins at a multiple of its numbers' size.
        return entries.sorted { ($1.type.storedBits, $0.name) < ($0.type.storedBits, $1.name) }
    }

    /// Why a row of a tensor has no scale: a number is not finite or, in 4 bits, so large that float16 cannot hold its scale.
    private static func withoutScale(_ tensor: WeightTensor, row: Int, name: String, file: String) -> FormatError {
        let length = tensor.shape.count / max(1, tensor.shape.extents[0])
        let values = tensor.withFloats { Array($0[row * length..<(row + 1) * length]) }
        let place = "at index \(row) of its first axis"
        if let value = values.first(where: { !$0.isFinite }) {
            return FormatError(
                file: file,
                problem: "tensor '\(name)' holds \(value) \(place)",
                advice: "Train or convert the model again"
            )
        }
        let greatest = values.max { abs($0) < abs($1) } ?? 0
        return FormatError(
            file: file,
            problem: "tensor '\(name)' holds \(greatest) \(place), whose scale in 4 bits exceeds 65504, "
                + "the float16 maximum",
            advice: "Use the \(UserChoice.precision) float32"
        )
    }

    /// How a tensor is stored in a file of an element type. Vectors (biases, scales, shifts) stay float32: they cost nothing and a rounded
    /// shift moves a whole map.
    private static func storedType(of tensor: WeightTensor, _ elementType: ElementType) -> ElementType {
        guard tensor.shape.rank > 1 else { return .float32 }
        return elementType == .int4 && WeightTensor.int4ScaleShape(of: tensor.shape) == nil ? .int8 : elementType
    }

    private static func write(_ entry: Entry, to writer: inout FileWriter) throws(FormatError) {
        let tensor = entry.tensor
        defer { tensor.release() }
        func writeBytes(_ bytes: UnsafeRawBufferPointer) -> Result<Void, FormatError> {
            Result { () throws(FormatError) in try writer.write(bytes) }
        }
        if tensor.elementType == entry.type { return try tensor.withBytes(writeBytes).get() }
        switch entry.type {
        case .float32: try tensor.withFloats { writeBytes(UnsafeRawBufferPointer($0)) }.get()
        case .float16:
            let values = tensor.floats()
            if let index = values.firstIndex(where: { $0.isFinite && abs($0) >= 65520 }) {
                throw FormatError(
                    file: writer.name,
                    problem:
                        "tensor '\(entry.name)' holds \(values[index]) at index \(index), which exceeds 65504, the float16 maximum",
                    advice: "Use the \(UserChoice.precision) float32"
                )
            }
            try values.map(float16Bits).withUnsafeBytes(writeBytes).get()
        case .bfloat16: try tensor.floats().map(bfloat16Bits).withUnsafeBytes(writeBytes).get()
        case .int8: try tensor.int8Values(scales: entry.scales).withUnsafeBytes(writeBytes).get()
        case .int4: try tensor.int4Values(scales: entry.scales).withUnsafeBytes(writeBytes).get()
        }
    }

    /// float32 to the nearest bfloat16, ties to even.
    private static func bfloat16Bits(_ value: Float) -> UInt16 {
        let bits = value.bitPattern
        if value.isNaN { return UInt16(truncatingIfNeeded: bits >> 16) | 0x40 }
        return UInt16(truncatingIfNeeded: (bits + 0x7fff + (bits >> 16 & 1)) >> 16)
    }
}
