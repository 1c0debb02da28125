import SegNetImages
import Testing

@Suite("Label maps")
struct LabelMapTests {
    @Test("the numbers in a PNG are kept, of every kind and depth", arguments: Goldens.labelPNGs, ["", "-interlaced"])
    func everyKind(name: String, form: String) throws {
        guard !name.contains("transparent") else { return }
        let decoded = try LabelMap(decoding: try Goldens.bytes("\(name)\(form).png"), name: name)
        #expect(decoded == (try Goldens.labels(name)))
    }

    @Test(
        "palette indices are kept where the palette is transparent",
        arguments: ["palette4-transparent", "palette8-transparent"]
    )
    func transparentPalette(name: String) throws {
        #expect(try LabelMap(decoding: try Goldens.bytes("\(name).png"), name: name) == (try Goldens.labels(name)))
    }

    @Test("a 2-bit gray 3 is class 3, and white as a picture")
    func twoBits() throws {
        let file = try Goldens.bytes("gray2.png")
        let labels = try LabelMap(decoding: file, name: "x.png")
        let picture = try Image(decoding: file, name: "x.png")
        #expect(Set(labels.ids) == [0, 1, 2, 3])
        #expect(picture.pixels == labels.ids.map { UInt8($0 * 85) })
    }

    @Test("ids survive writing and reading", arguments: [[0, 1, 2, 255], [0, 255, 256, 65535], [7]] as [[UInt16]])
    func roundTrip(ids: [UInt16]) throws {
        let map = try LabelMap(width: ids.count, height: 1, ids: ids)
        #expect(try LabelMap(decoding: try map.encodedPNG(), name: "x.png") == map)
    }

    @Test("a palette adds colours and leaves the ids", arguments: ClassTable.all)
    func palette(table: ClassTable) throws {
        let ids = Array(0..<UInt16(table.classes.count)) + [255]
        let map = try LabelMap(width: ids.count, height: 1, ids: ids)
        let file = try map.encodedPNG(table: table)
        #expect(try LabelMap(decoding: file, name: "x.png") == map)
        #expect(try Image(decoding: file, name: "x.png") == map.colored(with: table))
    }

    @Test("colours become ids again, unknown ones are named with their place")
    func colors() throws {
        let map = try LabelMap(width: 4, height: 3, ids: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
        let picture = map.colored(with: .camVid11)
        #expect(try LabelMap(coloring: picture, table: .camVid11) == map)
        var other = picture
        other[x: 1, y: 2, channel: 0] = 63
        #expect(
            text { try LabelMap(coloring: other, table: .camVid11) }
                == "picture: has the colour (63, 64, 0) at x 1, y 2, which is not a class of 'camvid11'; choose the table the labels were painted with, or add the colour to it."
        )
    }

    @Test("pixels are counted per id")
    func counts() throws {
        let map = try LabelMap(width: 3, height: 2, ids: [0, 2, 2, 5, 0, 0])
        #expect(map.pixelCounts() == [3, 0, 2, 0, 0, 1])
        #expect(map.pixelCounts(classCount: 8) == [3, 0, 2, 0, 0, 1, 0, 0])
    }
}
