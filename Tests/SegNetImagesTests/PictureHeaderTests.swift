import Foundation
import Testing

@testable import SegNetImages

@Suite("Picture headers")
struct PictureHeaderTests {
    @Test("say format and size without decoding", arguments: [(7, 5), (300, 1)])
    func size(width: Int, height: Int) throws {
        let image = try Image(width: width, height: height, channels: 3, filledWith: 9)
        let png = try PictureHeader(decoding: try image.encodedPNG(), name: "a")
        #expect((png.format, png.width, png.height, png.pixels) == ("PNG", width, height, width * height))
        let jpeg = try PictureHeader(decoding: try image.encodedJPEG(), name: "a")
        #expect((jpeg.format, jpeg.width, jpeg.height) == ("JPEG", width, height))
        // What follows may be missing.
        #expect(try PictureHeader(decoding: Array(image.encodedPNG().prefix(40)), name: "a") == png)
    }

    @Test("turn the size as the camera was held", arguments: 1...8)
    func orientation(value: UInt8) throws {
        let jpeg = try Image(width: 20, height: 10, channels: 3, filledWith: 9).encodedJPEG()
        // An EXIF block with the one tag, behind the start marker.
        let exif: [UInt8] =
            [0xFF, 0xE1, 0, 34] + Array("Exif\0\0".utf8) + Array("MM\0*".utf8)
            + [0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, value, 0, 0, 0, 0, 0, 0]
        let turned = Array(jpeg.prefix(2)) + exif + Array(jpeg.dropFirst(2))
        let header = try PictureHeader(decoding: turned, name: "a")
        let decoded = try Image(decoding: turned, name: "a")
        #expect((header.width, header.height) == (decoded.width, decoded.height))
        #expect((header.width == 10) == (value >= 5))
    }

    @Test("name the file that has none")
    func errors() {
        #expect(throws: ImageError("a.txt", .empty)) { try PictureHeader(decoding: [], name: "a.txt") }
        #expect(throws: ImageError("a.pdf", .unknownFormat("it is a PDF"))) {
            try PictureHeader(decoding: Array("%PDF-1.7".utf8), name: "a.pdf")
        }
        #expect(throws: ImageError("a.jpg", .damaged(format: "JPEG", detail: "it ends before its first scan"))) {
            try PictureHeader(decoding: [0xFF, 0xD8, 0xFF, 0xE0], name: "a.jpg")
        }
    }
}
