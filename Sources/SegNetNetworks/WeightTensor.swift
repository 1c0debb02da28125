public import SegNetPlatform

/// How the numbers of a stored tensor are encoded. Raw values are safetensors' names.
public enum ElementType: String, Sendable, Codable, CaseIterable {
    case float32 = "F32"
    case float16 = "F16"
    case bfloat16 = "BF16"
    /// Whole numbers -127...127, times a float32 scale per index of the first axis (a convolution's output channel).
    case int8 = "I8"
    /// Whole numbers -7...7, two in a byte, times a float16 scale per 32 indices of the second axis (a convolution's input channels).
    case int4 = "U8"

    /// Bits per number, without scales.
    public var bitCount: Int {
        switch self {
        case .float32: 32
        case .float16, .bfloat16: 16
        case .int8: 8
        case .int4: 4
        }
    }

    /// Whether numbers are whole ones that scales belong to.
    public var hasScales: Bool { self == .int8 || self == .int4 }
}

/// Where a tensor's bytes are: in memory, or in a mapped file whose pages can be released.
package protocol WeightStorage: AnyObject, Sendable {
    /// Calls `body` with the bytes: little endian, without any alignment.
    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result
    /// Tells the system that the bytes are not needed for now. They can still be read, from the file.
    func release()
}

/// A named tensor's shape and numbers. Copying is cheap: the numbers are shared.
public struct WeightTensor: Sendable {
    public let shape: Shape
    public let elementType: ElementType
    /// With `int8`, the factor of the numbers at each index of the first axis; with `int4`, those of groups of the second axis
    /// (`WeightTensor.int4ScaleShape`); otherwise empty.
    let scales: [Float]
    private let storage: any WeightStorage

    /// - Parameters:
    ///   - elementType: How the numbers are coded; `int8` and `int4` need scales.
    ///   - scales: With `int8`, one per index of the first axis; with `int4`, as many as `int4ScaleShape(of:)` has.
    ///   - storage: Holds exactly shape.count * elementType.bitCount / 8 bytes.
    package init(shape: Shape, elementType: ElementType, scales: [Float] = [], storage: any WeightStorage) {
        let needed =
            switch elementType {
            case .int8: shape.extents.first ?? -1
            case .int4: Self.int4ScaleShape(of: shape)?.count ?? -1
            case .float32, .float16, .bfloat16: 0
            }
        precondition(scales.count == needed)
        self.shape = shape
        self.elementType = elementType
        self.scales = scales
        self.storage = storage
    }

    /// - Parameter values: shape.count numbers.
    public init(shape: Shape, values: [Float]) {
        self.init(shape: shape, elementType: .float32, storage: FloatStorage(values))
    }

    /// The same numbers under another shape of the same count.
    package func reshaped(_ shape: Shape) -> WeightTensor {
        elementType.hasScales
            ? WeightTensor(shape: shape, values: floats())
            : WeightTensor(shape: shape, elementType: elementType, storage: storage)
    }

    /// The bytes as they are in memory or in the file.
    package func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try storage.withBytes(body)
    }

    /// Whether this is a tensor of the same shape with the same numbers, coded alike.
    package func isIdentical(to other: WeightTensor) -> Bool {
        guard shape == other.shape, elementType == other.elementType, scales == other.scales else { return false }
        return withBytes { own in
            other.withBytes { others in
                guard own.count == others.count, let a = own.baseAddress, let b = others.baseAddress else {
                    return own.count == others.count
                }
                return memcmp(a, b, own.count) == 0
            }
        }
    }

    /// Gives mapped pages back to the system.
    public func release() { storage.release() }

    /// Calls `body` with the numbers as float32: in place if they are stored that way, otherwise in a copy.
    package func withFloats<Result>(_ body: (UnsafeBufferPointer<Float>) throws -> Result) rethrows -> Result {
        let asStored: Result? = try withBytes { bytes in
            guard elementType == .float32, UInt32(1).littleEndian == 1, let base = bytes.baseAddress,
                UInt(bitPattern: base) % UInt(MemoryLayout<Float>.alignment) == 0
            else { return nil }
            return try bytes.withMemoryRebound(to: Float.self, body)
        }
        if let asStored { return asStored }
        return try floats().withUnsafeBufferPointer(body)
    }

    /// The numbers as float32, a fresh copy. Exact for every floating-point type and `int4`; an `int8` product is rounded once.
    public func floats() -> [Float] {
        let count = shape.count
        return withBytes { bytes in
            [Float](unsafeUninitializedCapacity: count) { buffer, initialised in
                switch elementType {
                case .float32:
                    UnsafeMutableRawBufferPointer(buffer).copyMemory(from: bytes)
                case .float16:
                    for i in 0..<count {
                        let bits = bytes.loadUnaligned(fromByteOffset: 2 * i, as: UInt16.self)
                        buffer.initializeElement(at: i, to: float32(float16Bits: UInt16(littleEndian: bits)))
                    }
                case .bfloat16:
                    for i in 0..<count {
                        let bits = bytes.loadUnaligned(fromByteOffset: 2 * i, as: UInt16.self)
                        buffer.initializeElement(at: i, to: Float(bitPattern: UInt32(UInt16(littleEndian: bits)) << 16))
                    }
                case .int8:
                    let row = count / max(1, scales.count)
                    for (index, scale) in scales.enumerated() {
                        for i in index * row..<(index + 1) * row {
                            buffer.initializeElement(at: i, to: scale * Float(Int8(bitPattern: bytes[i])))
                        }
                    }
                case .int4: expandInt4(bytes, into: buffer)
                }
                initialised = count
            }
        }
    }
}

/// Numbers held in memory.
private final class FloatStorage: WeightStorage {
    private let values: [Float]
    init(_ values: [Float]) { self.values = values }
    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try values.withUnsafeBytes(body)
    }
    func release() {}
}

/// IEEE float16 to float32, exact, by integer arithmetic (Swift's Float16 is missing on Intel Macs).
public func float32(float16Bits bits: UInt16) -> Float {
    let sign = UInt32(bits & 0x8000) << 16
    let exponent = UInt32(bits >> 10) & 0x1F
    let fraction = UInt32(bits & 0x3FF)
    switch exponent {
    case 0:
        let magnitude = Float(fraction) * 0x1p-24
        return sign == 0 ? magnitude : -magnitude
    case 31: return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
    default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
    }
}

/// float32 to the nearest IEEE float16, ties to even; beyond 65504 infinity.
public func float16Bits(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    let sign = UInt16(truncatingIfNeeded: bits >> 16) & 0x8000
    let magnitude = bits & 0x7FFF_FFFF
    if magnitude > 0x7F80_0000 { return sign | 0x7E00 }
    if magnitude >= 0x4780_0000 { return sign | 0x7C00 }
    if magnitude < 0x3880_0000 {
        // Subnormal: adding 0.5 aligns the fraction so that the hardware's rounding does ours.
        let rounded = (Float(bitPattern: magnitude) + 0.5).bitPattern &- (0.5 as Float).bitPattern
        return sign | UInt16(truncatingIfNeeded: rounded)
    }
    let rounded = magnitude &+ 0xFFF &+ ((magnitude >> 13) & 1)
    return sign | UInt16(truncatingIfNeeded: (rounded >> 13) &- (112 << 10))
}
