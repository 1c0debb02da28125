import SegNetNetworks
public import SegNetPlatform

/// NumPy's `.npy` format: one array with its shape.
///
/// Source: numpy.org/doc/stable/reference/generated/numpy.lib.format.html.
public struct NPYFile: Sendable {
    /// How the numbers are stored. Raw values are NumPy's names, all little endian.
    public enum Element: String, Sendable, CaseIterable {
        case float16 = "<f2"
        case float32 = "<f4"
        case float64 = "<f8"
        case int32 = "<i4"
        case int64 = "<i8"
        case uint8 = "|u1"
        case bool = "|b1"

        /// Bytes per number.
        var byteCount: Int {
            switch self {
            case .float64, .int64: 8
            case .float32, .int32: 4
            case .float16: 2
            case .uint8, .bool: 1
            }
        }
    }

    /// The array's extents, slowest first; empty for a single number.
    public let shape: Shape
    /// How the numbers are stored.
    public let element: Element

    private static let greatestHeaderSize = 1 << 20

    private let file: MappedFile
    private let data: Range<Int>

    /// Opens a file: versions 1 to 3, C order.
    /// - Throws: `FormatError` if it cannot be read, is damaged, or holds another type of numbers.
    public init(_ url: URL) throws(FormatError) {
        let file = try MappedFile(url)
        func refused(_ problem: String, advice: String? = nil) -> FormatError {
            FormatError(file: file.name, problem: problem, advice: advice)
        }
        // The whole header: it is far shorter.
        let bytes = file.withBytes { Array($0.prefix(12 + Self.greatestHeaderSize)) }
        guard file.count >= 12, bytes.prefix(6).elementsEqual([0x93] + Array("NUMPY".utf8)) else {
            throw refused("is not an .npy file")
        }
        let isLong = bytes[6] >= 2
        let lengthBytes = isLong ? bytes[8..<12] : bytes[8..<10]
        let headerStart = lengthBytes.endIndex
        let length = lengthBytes.reversed().reduce(0) { $0 << 8 | Int($1) }
        guard (1...3).contains(bytes[6]), length <= min(file.count - headerStart, Self.greatestHeaderSize) else {
            throw refused("has a damaged header")
        }
        let header = String(decoding: bytes[headerStart..<(headerStart + length)], as: UTF8.self)
        guard let type = Self.value(of: "descr", in: header)?.prefix(while: { $0 != "," && $0 != "}" }),
            let order = Self.value(of: "fortran_order", in: header),
            let list = Self.value(of: "shape", in: header), list.first == "(",
            let close = list.firstIndex(of: ")")
        else { throw refused("has a damaged header") }
        let typeName = type.filter { $0 != "'" && $0 != "\"" && $0 != " " }
        guard let element = Element(rawValue: typeName) else {
            let known = Element.allCases.map(\.rawValue).joined(separator: ", ")
            throw refused("holds numbers of type \(typeName)", advice: "Save it as one of \(known)")
        }
        var extents: [Int] = []
        for part in list[list.index(after: list.startIndex)..<close].split(separator: ",") {
            let digits = part.filter { $0 != " " }
            if digits.isEmpty { continue }
            guard let extent = Int(digits), extent >= 0 else { throw refused("has a damaged shape") }
            extents.append(extent)
        }
        guard order.hasPrefix("False") || extents.count < 2 else {
            throw refused("is stored in Fortran order", advice: "Save it with numpy.ascontiguousarray")
        }
        shape = Shape(extents)
        let start = headerStart + length
        let size = saturatingProduct(shape.count, element.byteCount)
        guard size == file.count - start else {
            throw refused("has \(file.count - start) bytes of numbers, but its shape \(shape) needs \(size)")
        }
        self.file = file
        self.element = element
        data = start..<file.count
    }

    /// The text after a key of the header, a Python dictionary that NumPy itself writes in one form only.
    private static func value(of key: String, in header: String) -> Substring? {
        var rest = header[...]
        while let quote = rest.firstIndex(where: { $0 == "'" || $0 == "\"" }) {
            let after = rest[rest.index(after: quote)...]
            if after.hasPrefix(key), let colon = after.firstIndex(of: ":") {
                return after[after.index(after: colon)...].drop { $0 == " " }
            }
            rest = after
        }
        return nil
    }

    /// The numbers as float32, slowest axis first.
    public func floats() -> [Float] {
        file.withBytes { bytes in
            (0..<shape.count).map { index in
                let offset = data.lowerBound + index * element.byteCount
                switch element {
                case .float16:
                    return float32(float16Bits: bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
                case .float32: return bytes.loadUnaligned(fromByteOffset: offset, as: Float.self)
                case .float64: return Float(bytes.loadUnaligned(fromByteOffset: offset, as: Double.self))
                case .int32: return Float(bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self))
                case .int64: return Float(bytes.loadUnaligned(fromByteOffset: offset, as: Int64.self))
                case .uint8, .bool: return Float(bytes[offset])
                }
            }
        }
    }

    /// The numbers as whole numbers, slowest axis first; fractions are cut off.
    public func integers() -> [Int] {
        guard element == .int32 || element == .int64 else {
            return floats().map { Int(exactly: $0.rounded(.towardZero)) ?? 0 }
        }
        return file.withBytes { bytes in
            (0..<shape.count).map { index in
                let offset = data.lowerBound + index * element.byteCount
                return element == .int32
                    ? Int(bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self))
                    : Int(bytes.loadUnaligned(fromByteOffset: offset, as: Int64.self))
            }
        }
    }

    /// Writes float32 numbers.
    /// - Parameter values: `shape.count` numbers, slowest axis first.
    /// - Throws: `FormatError` if the file cannot be written or the counts differ.
    public static func write(_ values: [Float], shape: Shape, to url: URL) throws(FormatError) {
        try checkCount(values, shape, file: url.relativePath)
        var writer = try FileWriter(replacing: url)
        try writer.write(beginning(shape))
        try values.withUnsafeBytes { bytes in Result { () throws(FormatError) in try writer.write(bytes) } }.get()
        try writer.finish(durable: false)
    }

    /// A file of float32 numbers, in memory.
    /// - Parameter values: `shape.count` numbers, slowest axis first.
    /// - Throws: `FormatError` if the counts differ.
    public static func encode(_ values: [Float], shape: Shape) throws(FormatError) -> [UInt8] {
        try checkCount(values, shape, file: "array")
        return beginning(shape) + values.withUnsafeBytes { Array($0) }
    }

    private static func checkCount(_ values: [Float], _ shape: Shape, file: String) throws(FormatError) {
        guard values.count == shape.count else {
            throw FormatError(
                file: file,
                problem: "\(values.count) numbers cannot have the shape \(shape)",
                advice: "Give \(shape.count) numbers"
            )
        }
    }

    /// The bytes before the numbers.
    private static func beginning(_ shape: Shape) -> [UInt8] {
        // A list of one needs a comma behind it in Python.
        let extents = shape.extents.map { "\($0)," }.joined(separator: " ")
        var header = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(extents)), }"
        // NumPy aligns the numbers to 64 bytes and ends the header with a line break.
        while (10 + header.utf8.count + 1) % 64 != 0 { header += " " }
        header += "\n"
        let length = UInt16(header.utf8.count)
        return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 0xff), UInt8(length >> 8)] + Array(header.utf8)
    }
}
