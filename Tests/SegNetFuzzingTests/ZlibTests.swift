import SegNetFuzzing
import Testing

@Suite("Checksums and zlib")
struct ZlibTests {
    @Test("CRC-32 and Adler-32 of '123456789' are the published values")
    func checksums() {
        let text = Array("123456789".utf8)
        #expect(Checksums.crc32(text) == 0xCBF4_3926)
        #expect(Checksums.adler32(text) == 0x091E_01DE)
    }

    @Test("stored streams come back, also beyond one block", arguments: [0, 1, 65_535, 65_536, 200_000])
    func storedStreams(count: Int) {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        #expect(Zlib.unpack(Zlib.store(bytes)) == bytes)
    }

    /// The streams are zlib 1.2.13's (Python: `zlib.compress(bytes, 9)`).
    @Test("streams of a real compressor come back: fixed codes, dynamic codes, far and overlapping copies")
    func realStreams() {
        let fixed: [UInt8] = [
            120, 218, 43, 78, 77, 207, 75, 45, 81, 72, 84, 40, 46, 41, 74, 5, 50, 138, 33, 124, 24, 15, 76, 1, 0, 252,
            76, 13, 211,
        ]
        #expect(Zlib.unpack(fixed) == Array("segnet a street segnet street street".utf8))

        // 700 random letters and 60 times "unpool"; checked by length and CRC-32.
        let dynamic: [UInt8] = [
            120, 218, 237, 146, 91, 146, 91, 65, 8, 67, 215, 42, 94, 13, 84, 42, 147, 159, 236, 63, 7, 103, 13, 243, 55,
            46, 187, 125, 111, 3, 66, 18, 200, 45, 82, 106, 211, 122, 123, 42, 219, 43, 245, 194, 196, 195, 212, 216,
            243, 25, 73, 107, 105, 110, 22, 49, 57, 189, 169, 222, 137, 82, 95, 222, 234, 153, 236, 181, 66, 101, 179,
            190, 198, 147, 44, 14, 117, 199, 220, 51, 60, 214, 173, 100, 235, 126, 1, 58, 166, 167, 85, 73, 185, 230,
            97, 124, 56, 158, 162, 76, 143, 90, 82, 173, 189, 101, 57, 46, 185, 0, 183, 151, 159, 54, 151, 107, 48, 218,
            89, 208, 85, 157, 208, 146, 130, 106, 232, 206, 64, 130, 50, 183, 141, 131, 160, 4, 152, 55, 0, 36, 24, 72,
            112, 240, 79, 79, 139, 58, 75, 4, 144, 66, 91, 120, 61, 67, 183, 241, 82, 206, 21, 217, 51, 54, 207, 92,
            157, 243, 178, 226, 100, 93, 53, 221, 155, 187, 222, 120, 122, 36, 214, 80, 220, 4, 226, 63, 59, 97, 1, 183,
            47, 145, 78, 110, 141, 31, 26, 20, 85, 4, 236, 76, 163, 185, 78, 240, 122, 120, 55, 241, 182, 90, 164, 86,
            66, 140, 220, 234, 177, 54, 80, 240, 240, 6, 4, 45, 5, 86, 33, 77, 204, 99, 237, 61, 75, 12, 121, 155, 112,
            181, 202, 80, 18, 225, 139, 121, 225, 232, 7, 11, 110, 176, 233, 243, 143, 127, 188, 192, 1, 20, 212, 25,
            220, 200, 129, 40, 7, 26, 230, 134, 144, 155, 24, 198, 80, 143, 55, 160, 2, 37, 112, 248, 93, 162, 28, 62,
            55, 239, 169, 178, 55, 205, 90, 124, 108, 244, 242, 91, 12, 108, 30, 122, 1, 119, 14, 93, 200, 62, 209, 211,
            121, 70, 106, 239, 229, 116, 215, 45, 20, 218, 59, 141, 217, 199, 7, 68, 184, 180, 14, 11, 108, 228, 119,
            115, 226, 166, 170, 201, 100, 31, 208, 82, 44, 134, 51, 88, 127, 183, 171, 108, 160, 95, 187, 191, 191, 255,
            124, 125, 253, 250, 57, 191, 251, 252, 7, 7, 71, 174, 77,
        ]
        let unpacked = Zlib.unpack(dynamic) ?? []
        #expect(unpacked.count == 1060)
        #expect(Checksums.crc32(unpacked) == 1044876652)
    }

    @Test("a stream cut anywhere is refused")
    func cutStreams() {
        let stream = Zlib.store(Array("some bytes to cut".utf8))
        for end in 0..<(stream.count - 4) { #expect(Zlib.unpack(Array(stream.prefix(end))) == nil) }
    }
}
