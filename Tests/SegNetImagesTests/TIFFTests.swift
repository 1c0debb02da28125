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
                // Losses in JPEG, and in colours other than RGB.
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

    @Test("unsupported kinds are reported")
    func unsupported() {
        #expect(
            text { try Image(path: path("float.tif")) }
                == path("float.tif")
                + ": is a kind of TIFF that is not supported (its samples are floating point numbers of 32 bits); convert it to PNG or JPEG."
        )
        #expect(text { try Image(path: path("signed.tif")) }.contains("(its samples are signed integers of 16 bits)"))
        #expect(text { try LabelMap(path: path("rgb16.tif")) }.contains("is a picture in colours, not a label map"))
    }

    /// The directory of an RGB file in one strip.
    private func directory(width: UInt32, height: UInt32, orientation: UInt16) -> [UInt8] {
        func bytes(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }
        // Tag, type (3 SHORT, 4 LONG), value.
        let entries: [(UInt16, UInt16, UInt32)] = [
            (256, 4, width), (257, 4, height), (258, 3, 8), (259, 3, 1), (262, 3, 2), (273, 4, 8),
            (274, 3, UInt32(orientation)), (277, 3, 3), (278, 4, height), (279, 4, 1),
        ]
        var file = Array("II*\0".utf8) + bytes(UInt32(8)) + bytes(UInt16(entries.count))
        for (tag, type, value) in entries {
            for part in [bytes(tag), bytes(type), bytes(UInt32(1)), bytes(value)] { file += part }
        }
        return file + bytes(UInt32(0))
    }

    @Test("sides whose pixels do not fit in 64 bits are refused, upright or turned", arguments: [1, 6] as [UInt16])
    func hugeSides(orientation: UInt16) {
        let bytes = directory(width: .max >> 1, height: .max >> 1, orientation: orientation)
        #expect(throws: ImageError.self) { try Image(decoding: bytes, name: "a.tif") }
        #expect(throws: ImageError.self) {
            try Image(decoding: bytes, name: "a.tif", limits: DecodingLimits(maximumPixels: .max, maximumMemory: .max))
        }
    }

    @Test("a strip beyond the end is refused with its number, before pixels are read")
    func truncated() throws {
        let bytes = try Goldens.bytes("formats/gray8.tif")
        // The pixels are at the end: tifffile writes directories first.
        #expect(
            text { try Image(decoding: Array(bytes.dropLast(20)), name: "a.tif") }
                == "a.tif: is a damaged or incomplete TIFF (strip 1 of 1 ends beyond the end of the file); fetch or export it again."
        )
    }

    @Test(
        "rows are those of the whole picture, read in any pieces",
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

    @Test(
        "files that are written can be read, with their georeference",
        arguments: [(45, 37), (256, 256), (300, 513), (1, 700)]
    )
    func writing(width: Int, height: Int) throws {
        let folder = try TemporaryFolder()
        let ids = (0..<width * height).map { UInt16($0 * 31 % 251) }
        let map = try LabelMap(width: width, height: height, ids: ids)
        let reference = try #require(try GeoTIFFTags(path: path("geo-big-tiles.tif")))
        try map.writeTIFF(path: folder.path + "a.tif", georeference: reference)
        #expect(try LabelMap(path: folder.path + "a.tif") == map)
        #expect(try GeoTIFFTags(path: folder.path + "a.tif") == reference)
        #expect(reference.tags.map(\.number) == [33550, 33922, 34735, 34736, 34737, 42113])
        let deep = try LabelMap(width: width, height: height, ids: ids.map { $0 * 200 })
        try deep.writeTIFF(path: folder.path + "b.tif")
        #expect(try LabelMap(path: folder.path + "b.tif") == deep)
        #expect(try GeoTIFFTags(path: folder.path + "b.tif") == nil)
        let table = ClassTable.camVid11
        let few = try LabelMap(width: width, height: height, ids: ids.map { $0 % 11 })
        try few.writeTIFF(path: folder.path + "c.tif", table: table)
        #expect(try LabelMap(path: folder.path + "c.tif") == few)
        #expect(try Image(path: folder.path + "c.tif") == few.colored(with: table))
        #expect(try folder.names().sorted() == ["a.tif", "b.tif", "c.tif"])
    }

    @Test("a link stays one and its file is replaced; a pipe is refused and stays")
    func targets() throws {
        let folder = try TemporaryFolder()
        let map = try LabelMap(width: 3, height: 2, ids: [0, 1, 2, 3, 4, 5])
        let real = try folder.write([1], "real.tif")
        try FileManager.default.createSymbolicLink(atPath: folder.path + "link.tif", withDestinationPath: "real.tif")
        try map.writeTIFF(path: folder.path + "link.tif")
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder.path + "link.tif") == "real.tif")
        #expect(try LabelMap(path: real) == map)
        let pipe = folder.path + "pipe.tif"
        #expect(mkfifo(pipe, 0o600) == 0)
        #expect(
            text { try map.writeTIFF(path: pipe) }
                == "\(pipe): cannot be written (it is a device or a pipe, and a TIFF needs a file); check the folder, its permissions and the "
                + "free space."
        )
        var status = stat()
        #expect(stat(pipe, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO)
        #expect(try folder.names().sorted() == ["link.tif", "pipe.tif", "real.tif"])
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
