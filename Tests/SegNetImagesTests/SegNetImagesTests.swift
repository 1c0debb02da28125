import SegNetImages
import Testing

@Suite("Image files")
struct ImageFileTests {
    @Test("a PNG gives back the samples it was made of", arguments: [1, 3, 4])
    func pngRoundTrip(channels: Int) throws {
        let pixels = (0..<(13 * 7 * channels)).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ $0 / 5) }
        let image = try Image(width: 13, height: 7, channels: channels, pixels: pixels)
        let decoded = try Image(decoding: try image.encodedPNG(), name: "round.png")
        #expect(decoded == image)
    }
}
