public import SegNetNetworks
import SegNetTensors

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

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
    /// The tensors of float32, float16 and bfloat16 numbers.
    public let weights: Weights
    /// The names of tensors of other element types, which were left out.
    public let otherTensors: [String]

    /// As the format's own reader has it.
    private static let greatestHeaderSize = 100_000_000

    /// Opens a file. Reads the header only.
    /// - Throws: `FormatError` if the file cannot be read, is damaged, or is no safetensors file.
    public init(_ url: URL) throws(FormatError) {
        let file = try MappedFile(url)
        name = file.name
        func damaged(_ problem: String) -> FormatError {
            FormatError(
                file: file.name,
                problem: "is not a whole safetensors file: \(problem)",
                advice: "Fetch or convert the file again"
            )
        }
        guard file.count >= 8 else { throw damaged("it has \(file.count) bytes") }
        let stated = file.withBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
        guard stated <= UInt64(Self.greatestHeaderSize), Int(stated) <= file.count - 8 else {
            throw damaged("its header should have \(stated) bytes, the file has \(file.count)")
        }
        let dataStart = 8 + Int(stated)
        let header: SafetensorsHeader
        do {
            header = try file.withBytes { (bytes) throws(SafetensorsHeader.HeaderError) in
                try SafetensorsHeader(UnsafeRawBufferPointer(rebasing: bytes[8..<dataStart]))
            }
        } catch {
            throw damaged("byte \(error.offset) of its header: \(error.problem)")
        }

        let dataCount = file.count - dataStart
        var tensors: [String: WeightTensor] = [:]
        var others: [String] = []
        for entry in header.entries {
            guard entry.begin <= entry.end, entry.end <= dataCount else {
                throw damaged(
                    "tensor '\(entry.name)' lies at \(entry.begin)..<\(entry.end) of \(dataCount) bytes of data"
                )
            }
            guard let type = ElementType(rawValue: entry.type) else {
                others.append(entry.name)
                continue
            }
            let shape = Shape(entry.shape)
            guard saturatingProduct(shape.count, type.byteCount) == entry.end - entry.begin else {
                throw damaged(
                    "tensor '\(entry.name)' of shape \(shape) and type \(entry.type) has \(entry.end - entry.begin) bytes"
                )
            }
            let range = (dataStart + entry.begin)..<(dataStart + entry.end)
            tensors[entry.name] = WeightTensor(
                shape: shape,
                elementType: type,
                storage: MappedStorage(file: file, range: range)
            )
        }
        // Tensors that share bytes are how a small file pretends to be a big one.
        let ranges = header.entries.filter { $0.begin < $0.end }.sorted { $0.begin < $1.begin }
        for (first, second) in zip(ranges, ranges.dropFirst()) where second.begin < first.end {
            throw damaged("tensors '\(first.name)' and '\(second.name)' overlap")
        }
        metadata = header.metadata
        weights = Weights(tensors)
        otherTensors = others
    }
}

extension SafetensorsFile {
    /// Writes tensors, in the order of their names; the first begins at a multiple of 64 bytes.
    ///
    /// One tensor at a time is in memory. The file appears under its name when it is whole.
    /// - Parameters:
    ///   - elementType: How tensors of two and more axes are stored: float32 or float16. Vectors stay float32.
    ///   - metadata: Texts, by key.
    /// - Throws: `FormatError` if the file cannot be written, or if a number is too large for float16.
    public static func write(
        _ weights: Weights,
        metadata: [String: String],
        elementType: ElementType = .float32,
        to url: URL
    ) throws(FormatError) {
        let names = weights.tensors.keys.sorted()
        let step = 64
        var offset = 0
        var header: [UInt8] = Array("{".utf8)
        if !metadata.isEmpty {
            let pairs = metadata.keys.sorted().map { "\(quoted($0)):\(quoted(metadata[$0] ?? ""))" }
            header += Array("\"__metadata__\":{\(pairs.joined(separator: ","))}".utf8)
        }
        for name in names {
            guard let tensor = weights[name] else { continue }
            let elementType = stored(tensor, as: elementType)
            let count = saturatingProduct(tensor.shape.count, elementType.byteCount)
            let shape = tensor.shape.extents.map(String.init).joined(separator: ",")
            if header.count > 1 { header.append(UInt8(ascii: ",")) }
            header += Array(
                "\(quoted(name)):{\"dtype\":\"\(elementType.rawValue)\",\"shape\":[\(shape)],".utf8
            )
            header += Array("\"data_offsets\":[\(offset),\(offset + count)]}".utf8)
            offset += count
        }
        header.append(UInt8(ascii: "}"))
        // The format allows no gaps between tensors, so only the data as a whole can be aligned, by spaces here.
        while (8 + header.count) % step != 0 { header.append(UInt8(ascii: " ")) }

        var writer = try FileWriter(replacing: url)
        try writer.write(withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) })
        try writer.write(header)
        for name in names {
            guard let tensor = weights[name] else { continue }
            try write(tensor, name: name, as: stored(tensor, as: elementType), to: &writer)
        }
        try writer.finish(durable: true)
    }

    /// Vectors (biases, scales, shifts) stay float32: they cost nothing and a rounded shift moves a whole map.
    private static func stored(_ tensor: WeightTensor, as elementType: ElementType) -> ElementType {
        tensor.shape.rank > 1 ? elementType : .float32
    }

    private static func write(
        _ tensor: WeightTensor,
        name: String,
        as elementType: ElementType,
        to writer: inout FileWriter
    ) throws(FormatError) {
        defer { tensor.release() }
        if tensor.elementType == elementType {
            let result = tensor.withBytes { bytes in
                Result { () throws(FormatError) in try writer.write(bytes) }
            }
            return try result.get()
        }
        let values = tensor.floats()
        guard elementType != .float32 else {
            let result = values.withUnsafeBytes { bytes in
                Result { () throws(FormatError) in try writer.write(bytes) }
            }
            return try result.get()
        }
        if let index = values.firstIndex(where: { $0.isFinite && abs($0) >= 65520 }), elementType == .float16 {
            throw FormatError(
                file: writer.name,
                problem: "tensor '\(name)' holds \(values[index]) at index \(index), float16 ends at 65504",
                advice: "Use --precision float32"
            )
        }
        let halves = values.map { value in
            elementType == .float16 ? float16Bits(value) : bfloat16Bits(value)
        }
        let result = halves.withUnsafeBytes { bytes in
            Result { () throws(FormatError) in try writer.write(bytes) }
        }
        try result.get()
    }

    /// float32 to the nearest bfloat16, ties to even.
    private static func bfloat16Bits(_ value: Float) -> UInt16 {
        let bits = value.bitPattern
        if value.isNaN { return UInt16(truncatingIfNeeded: bits >> 16) | 0x40 }
        return UInt16(truncatingIfNeeded: (bits + 0x7fff + (bits >> 16 & 1)) >> 16)
    }

    /// A text as JSON writes it.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\u{0}"..<"\u{20}":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
