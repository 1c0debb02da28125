import SegNetImages
import SegNetPlatform
import Testing

@Suite("Image errors")
struct ImageErrorTests {
    private func said(_ bytes: [UInt8], limits: DecodingLimits = DecodingLimits()) -> String {
        text { try Image(decoding: bytes, name: "photos/a.png", limits: limits) }
    }

    @Test("a file that is not there")
    func missing() {
        #expect(
            text { try Image(path: "no/such.png") }
                == "no/such.png: cannot be read (No such file or directory); check the path and its permissions."
        )
        #expect(
            text { try LabelMap(path: "/") }
                == "/: cannot be read (Is a directory); check the path and its permissions."
        )
    }

    @Test("an empty file")
    func empty() { #expect(said([]) == "photos/a.png: is empty; fetch or export it again.") }

    @Test(
        "another format is called by its name",
        arguments: [
            (Array("....ftypisom".utf8), "it is a video"),
            (Array("BM......".utf8), "it begins with the bytes 42 4d 2e 2e"),
            (Array("%PDF-1.7".utf8), "it is a PDF"), (Array("<svg>".utf8), "it is text, perhaps SVG or HTML"),
            ([0, 1, 0xAB], "it begins with the bytes 00 01 ab"),
        ] as [([UInt8], String)]
    )
    func otherFormat(bytes: [UInt8], name: String) {
        #expect(
            said(bytes) == "photos/a.png: is not in a known picture format (\(name)); convert it to PNG or JPEG."
        )
    }

    @Test("a PNG that promises gigapixels is refused by its header")
    func bombPNG() {
        let file = png([header(width: 60_000, height: 50_000), ("IDAT", []), ("IEND", [])])
        #expect(
            said(file)
                == "photos/a.png: declares 60000x50000 pixels, more than the limit of 100000000; make it smaller, or raise DecodingLimits.maximumPixels."
        )
        #expect(
            said(png([header(width: 0x7FFF_FFFF, height: 0x7FFF_FFFF)])).contains(
                "declares 2147483647x2147483647 pixels"
            )
        )
        #expect(
            text { try LabelMap(decoding: file, name: "a.png") }.hasPrefix(
                "a.png: declares 60000x50000 pixels, more than"
            )
        )
    }

    @Test("a JPEG that promises gigapixels is refused by its header")
    func bombJPEG() throws {
        let file = try declaring(width: 65_500, height: 65_500, in: "baseline-420")
        #expect(
            said(file)
                == "photos/a.png: declares 65500x65500 pixels, more than the limit of 100000000; make it smaller, or raise DecodingLimits.maximumPixels."
        )
    }

    @Test("a progressive JPEG's coefficients count as memory")
    func bombProgressive() throws {
        // 3 bytes per pixel for the picture and, with colour at half resolution, 3 for the coefficients.
        let file = try declaring(width: 1600, height: 1600, in: "progressive")
        let limits = DecodingLimits(maximumMemory: 14_000_000)
        #expect(
            said(file, limits: limits)
                == "photos/a.png: needs 15360000 bytes to decode its 1600x1600 pixels, more than the limit of 14000000; make it smaller, or raise DecodingLimits.maximumMemory."
        )
        #expect(said(try declaring(width: 1600, height: 1600, in: "baseline-420"), limits: limits).contains("damaged"))
    }

    @Test("a JPEG of thousands of scans over a large picture is refused")
    func bombScans() throws {
        let file = try declaring(width: 9000, height: 9000, in: "gray-progressive")
        let scan = try #require(file.indices.dropLast().first { file[$0] == 0xFF && file[$0 + 1] == 0xDA })
        let scans = (0..<3000).flatMap { _ in file[scan..<scan + 10] }
        #expect(
            said(Array(file[..<scan]) + scans)
                == "photos/a.png: is a damaged or incomplete JPEG (it asks for 3000 passes over 9000x9000 pixels); fetch or export it again."
        )
    }

    @Test("limits count the channels that come out")
    func limits() throws {
        let file = try Goldens.bytes("rgba8.png")
        #expect(
            try Image(decoding: file, name: "a.png", limits: DecodingLimits(maximumMemory: 13 * 9 * 4)).channels == 4
        )
        #expect(said(file, limits: DecodingLimits(maximumMemory: 13 * 9 * 4 - 1)).contains("needs 468 bytes"))
        #expect(said(file, limits: DecodingLimits(maximumPixels: 13 * 9 - 1)).contains("declares 13x9 pixels"))
    }

    @Test("a file beyond the limit is not read")
    func largeFile() throws {
        let folder = try TemporaryFolder()
        let file = try Goldens.bytes("rgb8.png")
        let path = try folder.write(file, "large.png")
        #expect(try Image(path: path, limits: DecodingLimits(maximumFileBytes: file.count)).width == 13)
        #expect(
            text { try Image(path: path, limits: DecodingLimits(maximumFileBytes: file.count - 1)) }
                == "\(path): holds more than \(file.count - 1) bytes, the limit for one picture; make it smaller, or raise DecodingLimits.maximumFileBytes."
        )
    }

    @Test("damage is described")
    func damage() throws {
        let file = try Goldens.bytes("rgb8.png")
        #expect(
            said(Array(file.prefix(20)))
                == "photos/a.png: is a damaged or incomplete PNG (it ends inside its header); fetch or export it again."
        )
        #expect(
            said(Array(file.dropLast(30)))
                == "photos/a.png: is a damaged or incomplete PNG (the file ends too early); fetch or export it again."
        )
        #expect(
            said([0xFF, 0xD8, 0xFF, 0xD9])
                == "photos/a.png: is a damaged or incomplete JPEG (it ends before its first scan); fetch or export it again."
        )
        #expect(
            said(png([header(width: 0, height: 5)]))
                == "photos/a.png: is a damaged or incomplete PNG (its header says 0x5 pixels); fetch or export it again."
        )
        var sum = file
        sum[40] ^= 1
        #expect(said(sum).hasPrefix("photos/a.png: is a damaged or incomplete PNG ("))
        let cut = Array(try Goldens.bytes("baseline-444.jpg").dropLast(40))
        #expect(
            said(cut)
                == "photos/a.png: is a damaged or incomplete JPEG (Premature end of JPEG file); fetch or export it again."
        )
    }

    @Test("pictures are not labels")
    func notLabels() throws {
        #expect(
            text { try LabelMap(decoding: try Goldens.bytes("rgb8.png"), name: "a.png") }
                == "a.png: is an RGB picture, not a label map; labels are gray or palette PNGs or TIFFs whose values are class ids. "
                + "Painted labels are read as labels in colours with the table of classes, or can be turned into class ids."
        )
        #expect(
            text { try LabelMap(decoding: try Goldens.bytes("gray.jpg"), name: "a.png") }
                == "a.png: is a JPEG, whose compression changes values, not a label map; labels are gray or palette PNGs or TIFFs whose values are class ids. "
                + "Painted labels are read as labels in colours with the table of classes, or can be turned into class ids."
        )
    }

    @Test("a shape that the samples do not fill")
    func shape() {
        #expect(
            text { try Image(width: 2, height: 2, channels: 3, pixels: [1, 2]) }
                == "picture: cannot be 2x2 with 3 channels and 2 values; a picture has at least 1x1 pixels, 1, 3 or 4 channels, and width x height x channels values."
        )
        for (width, height, channels) in [(0, 1, 1), (1, -1, 1), (1, 1, 2), (Int.max, Int.max, 3), (Int.min, 1, 1)] {
            #expect(throws: ImageError.self) { try Image(width: width, height: height, channels: channels) }
            #expect(throws: ImageError.self) { try Image(width: width, height: height, channels: channels, pixels: []) }
        }
        #expect(throws: ImageError.self) { try LabelMap(width: 2, height: 2, ids: [1]) }
    }

    @Test("what cannot be written")
    func writing() throws {
        let folder = try TemporaryFolder()
        let image = try Image(width: 2, height: 2, channels: 3)
        #expect(
            text { try image.write(path: folder.path + "no/x.png") }
                == "\(folder.path)no/x.png: cannot be written (No such file or directory); check the folder, its permissions and the free space."
        )
        #expect(
            text { try image.write(path: folder.path + "x.gif") }
                == "\(folder.path)x.gif: does not end in .png, .jpg or .jpeg; choose a name that says the format."
        )
        #expect(
            text { try LabelMap(width: 1, height: 1, ids: [300]).write(path: "x.png", table: .camVid11) }
                == "x.png: cannot hold class id 300, the greatest is 255; write 16-bit gray without a palette, or renumber the classes."
        )
        #expect(
            text { try Image(width: 70_000, height: 1, channels: 1).write(path: "x.jpg") }
                == "x.jpg: cannot be written as JPEG (70000x1 pixels; a side has at most 65500); choose another size or format."
        )
        #expect(try folder.names().isEmpty)
    }

    @Test("a file is replaced whole, and nothing else is left in the folder")
    func replacing() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write([1, 2, 3], "x.png")
        let image = try Image(width: 2, height: 2, channels: 3, filledWith: 9)
        try image.write(path: path)
        #expect(try Image(path: path) == image)
        try image.gray().write(to: URL(filePath: folder.path + "spaced name.JPG"))
        #expect(try Image(contentsOf: URL(filePath: folder.path + "spaced name.JPG")).channels == 1)
        let labels = try LabelMap(width: 2, height: 1, ids: [4, 5])
        try labels.write(to: URL(filePath: folder.path + "mask.png"), table: .camVid11)
        #expect(try LabelMap(contentsOf: URL(filePath: folder.path + "mask.png")) == labels)
        #expect(try folder.names().sorted() == ["mask.png", "spaced name.JPG", "x.png"])
        // A folder stands where the file should go: nothing is left next to it.
        try FileManager.default.createDirectory(atPath: folder.path + "d.png", withIntermediateDirectories: false)
        #expect(text { try image.write(path: folder.path + "d.png") }.contains("cannot be written (Is a directory)"))
        #expect(try folder.names().count == 4)
    }

    /// The golden JPEG with another size in its frame header.
    private func declaring(width: Int, height: Int, in name: String) throws -> [UInt8] {
        var file = try Goldens.bytes("\(name).jpg")
        let frame = try #require(
            file.indices.dropLast().first { file[$0] == 0xFF && [0xC0, 0xC2].contains(file[$0 + 1]) }
        )
        file.replaceSubrange(
            frame + 5..<frame + 9,
            with: [UInt8(height >> 8), UInt8(height & 255), UInt8(width >> 8), UInt8(width & 255)]
        )
        return file
    }
}
