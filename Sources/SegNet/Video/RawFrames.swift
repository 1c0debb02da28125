/// Uncompressed pictures with the times at which they are shown, in a form that ffmpeg can read from a pipe: a NUT file with one stream.
/// Source: ffmpeg.org/nut.html, version 3.
struct RawFrames {
    /// How a pixel is stored.
    enum Pixels {
        /// Red, green and blue, 8 bits each.
        case rgb
        /// 8 bits.
        case gray
        /// 16 bits, the lower byte first.
        case gray16

        /// ffmpeg's four bytes.
        var code: [UInt8] {
            switch self {
            case .rgb: [0x52, 0x47, 0x42, 24]
            case .gray: Array("Y800".utf8)
            case .gray16: [0x59, 0x31, 0, 16]
            }
        }
    }

    let width: Int
    let height: Int
    let pixels: Pixels
    /// The unit of times, in seconds.
    let timeBase: Fraction
    /// Frames per second, which decides how long the last frame is shown; nil if it is not known.
    let rate: Fraction?

    /// Bits of a time that could be left out; all times are written in full.
    private static let timeBits = 7
    private static let longestDistance = 65536

    /// The bytes before the first frame.
    var header: [UInt8] {
        var main: [UInt8] = []
        // Version 3, one stream, the greatest distance between syncpoints, one time base.
        for value in [3, 1, Self.longestDistance, 1, timeBase.numerator, timeBase.denominator] {
            main.append(variable: value)
        }
        // A table of 255 codes, all of which say that the frame's header has its flags. Six fields: time, factor, stream, size, reserved,
        // count.
        for value in [Flag.coded, 6, 0, 1, 0, 0, 0, 255] { main.append(variable: value) }
        // No bytes that frames have in common.
        main.append(variable: 0)

        var stream: [UInt8] = []
        // The first stream, of pictures.
        for value in [0, 0] { stream.append(variable: value) }
        stream.append(variable: pixels.code.count)
        stream += pixels.code
        // The first time base, bits of times, longest gap, no frames out of order, constant flags, nothing for the decoder; then the
        // picture's size, the shape of its pixels (unknown) and its colours (unknown).
        for value in [0, Self.timeBits, 1 << 30, 0, 0, 0, width, height, 0, 0, 0] { stream.append(variable: value) }
        return Array("nut/multimedia container".utf8) + [0] + Self.packet(0x4E4D_7A56_1F5F_04AD, main)
            + Self.packet(0x4E53_1140_5BF2_F9DB, stream) + rateInfo
    }

    /// The rate as a text about the first stream.
    private var rateInfo: [UInt8] {
        guard let rate else { return [] }
        // The stream's number plus 1, no chapter (its number, start and length), one field; -1 says that a text follows.
        var info: [UInt8] = [1, 0, 0, 0, 1]
        info.append(text: "r_frame_rate")
        info.append(2)
        info.append(text: "\(rate)")
        return Self.packet(0x4E49_AB68_B596_BA78, info)
    }

    /// The bytes before a frame's pixels.
    /// - Parameters:
    ///   - time: In `timeBase`, at least 0 and greater than the one before.
    ///   - byteCount: Bytes of the frame.
    func frameHeader(time: Int, byteCount: Int) -> [UInt8] {
        var point: [UInt8] = []
        point.append(variable: time)
        // The distance to the syncpoint before, which only seeking needs.
        point.append(variable: 0)
        // The header has the difference between the frame's flags and those in the table.
        var frame: [UInt8] = [0]
        frame.append(
            variable: Flag.coded ^ (Flag.coded | Flag.key | Flag.time | Flag.stream | Flag.size | Flag.checksum)
        )
        frame.append(variable: 0)
        frame.append(variable: time + (1 << Self.timeBits))
        frame.append(variable: byteCount)
        return Self.packet(0x4E4B_E4AD_EECA_4569, point) + frame + Self.checksum(frame)
    }

    private enum Flag {
        static let key = 1
        static let time = 8
        static let stream = 16
        static let size = 32
        static let checksum = 64
        static let coded = 4096
    }

    /// A packet that is not a frame. The packets here are short, so their heads need no checksum.
    private static func packet(_ start: UInt64, _ content: [UInt8]) -> [UInt8] {
        var bytes = (0..<8).map { UInt8(truncatingIfNeeded: start >> (56 - 8 * $0)) }
        bytes.append(variable: content.count + 4)
        return bytes + content + checksum(content)
    }

    /// CRC-32 with the polynomial 04C11DB7, from 0, the highest bit first.
    private static func checksum(_ bytes: [UInt8]) -> [UInt8] {
        var sum: UInt32 = 0
        for byte in bytes {
            sum ^= UInt32(byte) << 24
            for _ in 0..<8 { sum = sum & 0x8000_0000 == 0 ? sum << 1 : sum << 1 ^ 0x04C1_1DB7 }
        }
        return (0..<4).map { UInt8(truncatingIfNeeded: sum >> (24 - 8 * $0)) }
    }
}

extension [UInt8] {
    fileprivate mutating func append(text: String) {
        append(variable: text.utf8.count)
        self += Array(text.utf8)
    }

    /// Appends a number of at least 0 with 7 bits per byte, the highest first; all bytes but the last have their top bit set.
    fileprivate mutating func append(variable value: Int) {
        var shift = 0
        while value >> shift > 127 { shift += 7 }
        while shift > 0 {
            append(UInt8(truncatingIfNeeded: value >> shift & 127 | 128))
            shift -= 7
        }
        append(UInt8(truncatingIfNeeded: value & 127))
    }
}
