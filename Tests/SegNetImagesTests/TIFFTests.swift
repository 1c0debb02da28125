import SegNetPlatform
import Testing

@testable import SegNetImages

@Suite("TIFF", .enabled(if: PictureLibrary.tiff.isThere, "libtiff is not on this machine"))
struct TIFFTests {
    private func path(_ name: String) -> String { Goldens.folder + "formats/" + name }

    @Test(
        "strips, tiles, planes, every depth and compression, as tifffile, Pillow and tiffcp write them",
        arguments: [
            "strips-lzw", "geo-big-tiles", "planar", "planar-tiles", "gray16", "gray8", "white-is-zero", "rgb16",
            "rgba",
            "gray-alpha", "premultiplied", "infrared", "fifth-is-alpha", "palette", "gray1", "gray2", "gray4", "fax",
        ].map { FormatCase($0 + ".tif") }
            + (1...8).map { FormatCase("orientation\($0).tif") }
            + [
                // Losses of JPEG, and of colours that are not RGB.
                FormatCase("jpeg-tiles.tif", mean: 0.5, most: 3), FormatCase("jpeg-strips.tif", mean: 0.5, most: 3),
                FormatCase("cmyk.tif", mean: 1, most: 3), FormatCase("ycbcr.tif", mean: 1, most: 4),
            ]
    )
    func pictures(file: FormatCase) throws { try file.check() }

    @Test("a profile is applied", .enabled(if: PictureLibrary.lcms.isThere, "Little CMS is not on this machine"))
    func profile() throws { try FormatCase("profile.tif", mean: 1, most: 2).check() }

    @Test(
        "label maps are the numbers in the file",
        arguments: ["gray16", "gray8", "white-is-zero", "gray-alpha", "palette", "gray1", "gray2", "gray4"]
    )
    func labels(name: String) throws {
        let wanted = try Goldens.labels("formats/" + name)
        #expect(try LabelMap(path: path(name + ".tif")) == wanted)
        #expect(try LabelMap(decoding: Goldens.bytes("formats/\(name).tif"), name: name) == wanted)
    }

    @Test("16 bits of gray stay 16 bits as a plane")
    func plane() throws {
        #expect(try Plane(path: path("gray16.tif")).samples == Goldens.labels("formats/gray16").ids)
        #expect(try Plane(path: path("gray8.tif")).samples == Goldens.labels("formats/gray8").ids.map { $0 * 257 })
    }

    @Test("what is not read is said")
    func unsupported() {
        #expect(
            text { try Image(path: path("float.tif")) }
                == path("float.tif")
                + ": is a kind of TIFF that is not read (its samples are floating point numbers of 32 bits); convert it to PNG or JPEG."
        )
        #expect(text { try Image(path: path("signed.tif")) }.contains("(its samples are signed integers of 16 bits)"))
        #expect(text { try LabelMap(path: path("rgb16.tif")) }.contains("is a picture in colours, not a label map"))
    }

    @Test("sides of 2^31 - 1 that are to be turned are refused, not multiplied")
    func extremes() throws {
        var bytes = try Goldens.bytes("formats/orientation6.tif")
        // Width, height and rows of a strip: the values of the first, the second and the ninth entry.
        for entry in [0, 1, 8] {
            bytes.replaceSubrange(10 + 12 * entry + 8..<10 + 12 * entry + 12, with: [255, 255, 255, 127])
        }
        // libtiff itself refuses them, as of version 4.
        for limits in [DecodingLimits(), DecodingLimits(maximumPixels: .max)] {
            #expect(text { try Image(decoding: bytes, name: "a.tif", limits: limits) }.hasPrefix("a.tif: "))
        }
    }

    @Test("a strip beyond the end is refused with its number, before pixels are read")
    func truncated() throws {
        let bytes = try Goldens.bytes("formats/gray8.tif")
        // The pixels lie at the end: tifffile writes directories first.
        #expect(
            text { try Image(decoding: Array(bytes.dropLast(20)), name: "a.tif") }
                == "a.tif: is a damaged or incomplete TIFF (strip 1 of 1 ends beyond the end of the file); fetch or export it again."
        )
    }

    @Test(
        "rows are those of the whole, read in any pieces",
        arguments: ["strips-lzw", "geo-big-tiles", "planar-tiles", "jpeg-strips", "ycbcr"]
    )
    func rows(name: String) throws {
        let whole = try Image(path: path(name + ".tif"))
        for step in [1, 5, 16, 30] {
            let file = try TIFFFile(path: path(name + ".tif"))
            var pixels: [UInt8] = []
            for top in stride(from: 0, to: whole.height, by: step) {
                pixels += try file.rows(top..<min(top + step, whole.height))
            }
            #expect(pixels == whole.pixels)
            // And back again.
            #expect(try file.rows(3..<9) == Array(whole.pixels[3 * whole.width * 3..<9 * whole.width * 3]))
        }
    }

    @Test("what is written is read, with its georeference", arguments: [(45, 37), (256, 256), (300, 513), (1, 700)])
    func writing(width: Int, height: Int) throws {
        let folder = try TemporaryFolder()
        let ids = (0..<width * height).map { UInt16($0 * 31 % 251) }
        let map = try LabelMap(width: width, height: height, ids: ids)
        let reference = try #require(try GeoReference(path: path("geo-big-tiles.tif")))
        try map.writeTIFF(path: folder.path + "a.tif", georeference: reference)
        #expect(try LabelMap(path: folder.path + "a.tif") == map)
        #expect(try GeoReference(path: folder.path + "a.tif") == reference)
        #expect(reference.tags.map(\.number) == [33550, 33922, 34735, 34736, 34737, 42113])
        let deep = try LabelMap(width: width, height: height, ids: ids.map { $0 * 200 })
        try deep.writeTIFF(path: folder.path + "b.tif")
        #expect(try LabelMap(path: folder.path + "b.tif") == deep)
        #expect(try GeoReference(path: folder.path + "b.tif") == nil)
        let table = ClassTable.camVid11
        let few = try LabelMap(width: width, height: height, ids: ids.map { $0 % 11 })
        try few.writeTIFF(path: folder.path + "c.tif", table: table)
        #expect(try LabelMap(path: folder.path + "c.tif") == few)
        #expect(try Image(path: folder.path + "c.tif") == few.colored(with: table))
        #expect(try folder.names().sorted() == ["a.tif", "b.tif", "c.tif"])
    }

    @Test("a file that is not finished leaves nothing")
    func unfinished() throws {
        let folder = try TemporaryFolder()
        do {
            let writer = try TIFFWriter(path: folder.path + "a.tif", width: 4, height: 4, .ids8)
            try writer.write(ids: [1, 2, 3, 4])
        }
        #expect(try folder.names().isEmpty)
        let writer = try TIFFWriter(path: folder.path + "a.tif", width: 4, height: 4, .ids8)
        try writer.write(ids: [1, 2, 3, 4])
        #expect(
            text { try writer.finish() } == folder.path
                + "a.tif: cannot be written (it has too few rows); check the folder, its permissions and the free space."
        )
        #expect(try folder.names().isEmpty)
        #expect(text { try writer.write(ids: [300, 0, 0, 0]) }.contains("cannot hold class id 300"))
        #expect(
            text { try TIFFWriter(path: "/no/such/a.tif", width: 1, height: 1, .rgb) }
                == "/no/such/a.tif: cannot be written (No such file or directory); check the folder, its permissions and the free space."
        )
    }
}
