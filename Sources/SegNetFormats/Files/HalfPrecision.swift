/// Conversions between float32 and the two 16-bit formats that weights are stored in.
enum HalfPrecision {
    /// The value of an IEEE float16 with these bits. Exact.
    static func float(float16 bits: UInt16) -> Float { Float(Float16(bitPattern: bits)) }

    /// The bits of the nearest IEEE float16: ties to even, infinity from 65520 on.
    static func float16(_ value: Float) -> UInt16 { Float16(value).bitPattern }

    /// The value of a bfloat16 with these bits: a float32 cut after its upper half. Exact.
    static func float(bfloat16 bits: UInt16) -> Float { Float(bitPattern: UInt32(bits) << 16) }
}
