import SegNetImages
import Testing

@Suite("PNG")
struct PNGTests {
    @Test(
        "every kind decodes to the picture it holds, interlaced or not",
        arguments: Goldens.allPNGs,
        ["", "-interlaced"]
    )
    func everyKind(name: String, form: String) throws {
        let decoded = try Image(decoding: try Goldens.bytes("\(name)\(form).png"), name: name)
        #expect(decoded == (try Goldens.picture(name)))
    }

    @Test("a file gives back the samples it was made of", arguments: [1, 3, 4], [(1, 1), (13, 7), (300, 2)])
    func roundTrip(channels: Int, size: (width: Int, height: Int)) throws {
        let pixels = (0..<size.width * size.height * channels).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ $0 / 5) }
        let image = try Image(width: size.width, height: size.height, channels: channels, pixels: pixels)
        #expect(try Image(decoding: try image.encodedPNG(), name: "round.png") == image)
    }

    @Test("the format is told by content, not by name")
    func nameLies() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(try Goldens.bytes("rgb8.png"), "photo.jpg")
        #expect(try Image(path: path) == (try Goldens.picture("rgb8")))
    }

    @Test("bytes after the end do not matter")
    func trailingBytes() throws {
        let file = try Goldens.bytes("rgb8.png") + [1, 2, 3]
        #expect(try Image(decoding: file, name: "x.png") == (try Goldens.picture("rgb8")))
    }

    @Test("a file cut anywhere is refused, by name", arguments: ["rgb8", "palette4", "gray16-interlaced"])
    func cut(name: String) throws {
        let file = try Goldens.bytes("\(name).png")
        for count in 0..<file.count {
            let said = text { try Image(decoding: Array(file.prefix(count)), name: "cut.png") }
            #expect(said.hasPrefix("cut.png: "), "\(count) of \(file.count) bytes: \(said)")
        }
    }

    @Test("an index beyond the palette is kept as a label and black as a picture")
    func indexBeyondPalette() throws {
        // One row of one 8-bit index, 9, stored without compression; a palette of one colour.
        let data: [UInt8] = [0x78, 0x01, 0x01, 2, 0, 0xFD, 0xFF, 0, 9, 0x00, 0x0B, 0x00, 0x0A]
        let file = png([
            header(width: 1, height: 1, colorType: 3), ("PLTE", [10, 20, 30]), ("IDAT", data), ("IEND", []),
        ])
        #expect(try LabelMap(decoding: file, name: "x.png").ids == [9])
        #expect(try Image(decoding: file, name: "x.png").pixels == [0, 0, 0])
    }
}
