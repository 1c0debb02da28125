import SegNetImages
import Testing

@Suite("JPEG")
struct JPEGTests {
    @Test("every kind decodes as Pillow decodes it", arguments: Goldens.allJPEGs)
    func everyKind(name: String) throws {
        let decoded = try Image(decoding: try Goldens.bytes("\(name).jpg"), name: name)
        let expected = try Goldens.picture(name)
        #expect(decoded.width == expected.width && decoded.height == expected.height)
        #expect(decoded.channels == expected.channels)
        // Other versions of the library may round a sample otherwise.
        #expect(zip(decoded.pixels, expected.pixels).allSatisfy { abs(Int($0) - Int($1)) <= 1 })
    }

    @Test("EXIF orientation is applied", arguments: 1...8)
    func orientation(number: Int) throws {
        let decoded = try Image(decoding: try Goldens.bytes("orientation\(number).jpg"), name: "photo.jpg")
        let expected = try Goldens.picture("orientation\(number)")
        #expect(decoded.width == (number < 5 ? 19 : 11) && decoded.height == (number < 5 ? 11 : 19))
        #expect(decoded.width == expected.width && decoded.height == expected.height)
        #expect(zip(decoded.pixels, expected.pixels).allSatisfy { abs(Int($0) - Int($1)) <= 1 })
    }

    @Test("EXIF is read in both byte orders, and turns a large picture as a small one", arguments: [false, true])
    func byteOrders(bigEndian: Bool) throws {
        let plain = try Image(width: 70, height: 45, channels: 1, pixels: (0..<70 * 45).map { UInt8($0 % 70 * 3) })
        let file = try plain.encodedJPEG(quality: 100)
        let upright = try Image(decoding: file, name: "x.jpg")
        let turned = try Image(
            decoding: inserting(exif(orientation: 6, bigEndian: bigEndian), into: file),
            name: "x.jpg"
        )
        #expect(turned.width == 45 && turned.height == 70)
        for y in 0..<70 {
            for x in 0..<45 {
                #expect(turned[x: x, y: y, channel: 0] == upright[x: y, y: 44 - x, channel: 0])
            }
        }
    }

    @Test(
        "a damaged EXIF block leaves the photo as it is",
        arguments: [
            [], [0x4D], Array("MM\0*".utf8), Array("II*\0".utf8) + [0xFF, 0xFF, 0xFF, 0xFF],
            Array("MM\0*".utf8) + [0xFF, 0xFF, 0xFF, 0xFF], Array("MM\0*".utf8) + [0, 0, 0, 8, 0xFF, 0xFF],
            Array("MM\0*".utf8) + [0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 9, 0, 0],
            Array("MM\0*".utf8) + [0, 0, 0, 8, 0, 1, 1, 0x12, 0, 4, 0, 0, 0, 1, 0, 0, 0, 6],
            Array("XX\0*".utf8) + [0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0],
        ] as [[UInt8]]
    )
    func damagedEXIF(block: [UInt8]) throws {
        let file = try Goldens.bytes("gray.jpg")
        let decoded = try Image(decoding: inserting([0x45, 0x78, 0x69, 0x66, 0, 0] + block, into: file), name: "x.jpg")
        #expect(decoded == (try Image(decoding: file, name: "x.jpg")))
    }

    @Test(
        "a file cut anywhere before its end marker is refused, by name",
        arguments: ["baseline-420", "progressive", "cmyk"]
    )
    func cut(name: String) throws {
        let file = try Goldens.bytes("\(name).jpg")
        for count in stride(from: 0, to: file.count - 2, by: 3) {
            let said = text { try Image(decoding: Array(file.prefix(count)), name: "cut.jpg") }
            #expect(said.hasPrefix("cut.jpg: "), "\(count) of \(file.count) bytes: \(said)")
        }
    }

    @Test("padding before a marker is forgiven, but not in a file that is also cut")
    func padding() throws {
        let file = try Goldens.bytes("gray.jpg")
        let padded = Array(file.dropLast(2)) + [0, 0, 0] + file.suffix(2)
        #expect(try Image(decoding: padded, name: "x.jpg") == (try Image(decoding: file, name: "x.jpg")))
        let said = text { try Image(decoding: Array(padded.dropLast(2)), name: "cut.jpg") }
        #expect(said.hasPrefix("cut.jpg: is a damaged or incomplete JPEG ("))
    }

    @Test("what is written resembles what was given, the more the higher the quality", arguments: [1, 3, 4])
    func writing(channels: Int) throws {
        let pixels = (0..<64 * 48 * channels).map { index in
            let (column, channel) = (index / channels % 64, index % channels)
            return UInt8(column * 2 + channel * 40)
        }
        let image = try Image(width: 64, height: 48, channels: channels, pixels: pixels)
        let expected = channels == 1 ? image : image.rgb()
        let errors = try [95, 30].map { quality in
            let decoded = try Image(decoding: try image.encodedJPEG(quality: quality), name: "x.jpg")
            #expect(decoded.channels == (channels == 1 ? 1 : 3))
            return zip(decoded.pixels, expected.pixels).map { abs(Int($0) - Int($1)) }.reduce(0, +)
        }
        #expect(errors[0] < 3 * 64 * 48 * channels)
        #expect(errors[0] <= errors[1])
        #expect(try image.encodedJPEG(quality: 30).count < image.encodedJPEG(quality: 95).count)
        #expect(try image.encodedJPEG(quality: -5) == image.encodedJPEG(quality: 1))
    }
}

/// An EXIF block that says nothing but an orientation.
private func exif(orientation: UInt8, bigEndian: Bool) -> [UInt8] {
    let start: [UInt8] = [0x45, 0x78, 0x69, 0x66, 0, 0]
    if bigEndian {
        return start + Array("MM\0*".utf8) + [0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0]
    }
    return start + Array("II*\0".utf8) + [8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0]
}

/// The file with an APP1 segment behind its first marker.
private func inserting(_ payload: [UInt8], into file: [UInt8]) -> [UInt8] {
    let length = payload.count + 2
    return Array(file.prefix(2)) + [0xFF, 0xE1, UInt8(length >> 8), UInt8(length & 255)] + payload + file.dropFirst(2)
}
