import SegNetImages
import SegNetNetworks
import SegNetPlatform
import Testing

@testable import SegNetData

@Suite("The files of a sample")
struct InputFilesTests {
    @Test(
        "are named by words; channels follow from them",
        arguments: [
            (["rgb"], .rgb, 3), (["rgba"], .rgb + [.alpha], 4), (["gray"], [.gray], 1),
            (["rgb", "depth"], ["red", "green", "blue", "depth"], 3),
            (["gray", "near_ir", "heat-2"], ["gray", "near_ir", "heat-2"], 1),
            (["thermal"], ["thermal"], 0),
        ] as [([String], [InputChannel], Int)]
    )
    func words(words: [String], channels: [InputChannel], colors: Int) throws {
        let inputs = try InputFiles(words)
        #expect(inputs.channels == channels && inputs.colorCount == colors)
        #expect(inputs.planeChannels == Array(channels[colors...]))
        // A network that reads them, in the released nets' order, says the same words.
        let order = Array(channels.prefix(3)) == .rgb ? .bgr + channels[3...] : channels
        #expect(InputFiles(of: InputDescription(channels: order, height: 1, width: 1)).words == words)
    }

    @Test(
        "are refused where they cannot be told apart",
        arguments: [
            ([], "inputs: names no file; write rgb, rgba or gray, and a name for each further file (rgb,depth)."),
            (["depth", "rgb"], "inputs depth,rgb: the colours come first; write rgb in front, also in list files."),
            (
                ["rgb", "gray"],
                "inputs rgb,gray: only the first file can be rgb, rgba or gray; give 'gray' another name."
            ),
            (["rgb", "a b"], "inputs rgb,a b: 'a b' is not a name; use letters, digits, - and _."),
            (["rgb", "x", "x"], "inputs rgb,x,x: the name 'x' is taken; choose another."),
            (["rgb", "labels"], "inputs rgb,labels: the name 'labels' is taken; choose another."),
            (
                ["rgb"] + (1...13).map { "c\($0)" },
                "inputs rgb,c1,c2,c3,c4,c5,c6,c7,c8,c9,c10,c11,c12,c13: these are 16 channels, at most 15 can be read."
            ),
        ]
    )
    func refusals(words: [String], text: String) {
        #expect(message { _ = try InputFiles(words) } == text)
    }

    /// A folder with a colour picture, its depth in 16 bits, labels, and two classes.
    private static func scene() throws -> ScratchFolder {
        let scratch = try ScratchFolder()
        try scratch.picture("a.png")
        try scratch.write("", "depth/.keep")
        try Plane(width: 4, height: 3, samples: (0..<12).map { UInt16(1000 + $0) }).write(path: scratch("depth/a.png"))
        try scratch.labels("l.png", Array(repeating: 0, count: 12))
        try scratch.write("one\ntwo\n", "classes.txt")
        return scratch
    }

    private static func options(_ inputs: String...) -> DatasetOptions {
        var options = DatasetOptions()
        options.validationShare = 0
        options.inputs = inputs
        return options
    }

    @Test("several a line: 16 bits of depth are kept, 8 bits are spread, JPEGs and colours are taken as gray")
    func depth() throws {
        let scratch = try Self.scene()
        try scratch.picture("eight.png", channels: 1, first: 7)
        // As an editor may leave it: with a byte-order mark, a comment and spaces.
        try scratch.write("\u{FEFF}a.png depth/a.png l.png \r\n # b.png depth/b.png l.png\r\n", "train.txt")
        try scratch.write("a.png eight.png l.png\n", "val.txt")
        let dataset = try Dataset.load(.list, directory: scratch.path, options: Self.options("rgb", "depth"))
        let example = try onlyExample(dataset)
        #expect(example.channels == 3 && example.channelCount == 4)
        #expect(Array(example.pixels[0..<6]) == [0, 1, 2, 3, 4, 5])
        #expect(example.planes == [(0..<12).map { UInt16(1000 + $0) }])
        #expect(try onlyExample(dataset, "val").planes[0].prefix(2).elementsEqual([1799, 2056]))
        #expect(try dataset.picture(of: example).planes["depth"]?.samples == example.planes[0])
    }

    @Test("alpha is the fourth channel; a picture without is refused")
    func alpha() throws {
        let scratch = try Self.scene()
        try scratch.picture("rgba.png", channels: 4)
        try scratch.write("rgba.png l.png\n", "train.txt")
        try scratch.write("a.png l.png\n", "val.txt")
        let dataset = try Dataset.load(.list, directory: scratch.path, options: Self.options("rgba"))
        #expect(Array(try onlyExample(dataset).pixels[0..<4]) == [0, 1, 2, 3])
        #expect(
            message { _ = try onlyExample(dataset, "val") }
                == "\(scratch("a.png")): has no alpha channel, which is to be the fourth input channel; export it with alpha, or use rgb."
        )
    }

    @Test("gray is made of colours; a single channel that is not a colour keeps its bits")
    func single() throws {
        let scratch = try Self.scene()
        try scratch.write("a.png l.png\n", "train.txt")
        let gray = try onlyExample(Dataset.load(.list, directory: scratch.path, options: Self.options("gray")))
        #expect(gray.pixels == (try Image(path: scratch("a.png")).gray().pixels) && gray.channels == 1)
        try scratch.write("depth/a.png l.png\n", "train.txt")
        let heat = try onlyExample(Dataset.load(.list, directory: scratch.path, options: Self.options("heat")))
        #expect(heat.channels == 0 && heat.pixels.isEmpty && heat.planes[0][3] == 1003)
    }

    @Test("folder: each further input is a folder of files named like the pictures")
    func folders() throws {
        let scratch = try Self.scene()
        for name in ["x", "y"] {
            try scratch.picture("images/\(name).png", first: name == "x" ? 0 : 40)
            try scratch.labels("labels/\(name).png", Array(repeating: 1, count: 12))
        }
        try Plane(width: 4, height: 3, samples: Array(repeating: 5, count: 12)).write(path: scratch("depth/x.png"))
        let missing = message {
            _ = try Dataset.load(.folder, directory: scratch.path, options: Self.options("rgb", "depth"))
        }
        #expect(
            missing
                == "\(scratch("images/y.png")): has no file of the same name in \(scratch("depth")); add it, or remove the picture."
        )
        var options = Self.options("rgb", "depth")
        options.collectsProblems = true
        let some = try Dataset.load(.folder, directory: scratch.path, options: options)
        #expect(some.problems == [missing])
        #expect(try onlyExample(some).planes == [Array(repeating: 5, count: 12)])
        #expect(
            message { _ = try Dataset.load(.folder, directory: scratch.path, options: Self.options("rgb", "heat")) }
                == "\(scratch.path): holds no folder heat/; put the files of the input 'heat' into it, named like the pictures."
        )
    }

    @Test("files of other sizes, or of another number, are refused with both")
    func mismatches() throws {
        let scratch = try Self.scene()
        try Plane(width: 3, height: 4, samples: Array(repeating: 5, count: 12)).write(path: scratch("depth/b.png"))
        let inputs = try InputFiles(["rgb", "depth"])
        #expect(
            message { _ = try inputs.read([scratch("a.png"), scratch("depth/b.png")]) }
                == "\(scratch("depth/b.png")): is 3x4, but \(scratch("a.png")) is 4x3; all pictures of a sample must have one size."
        )
        #expect(
            message { _ = try inputs.read([scratch("a.png")]) }
                == "\(scratch("a.png")): is 1 file; the inputs are rgb, depth, one file each."
        )
        try scratch.write("a.png l.png\n", "train.txt")
        #expect(
            message { _ = try Dataset.load(.list, directory: scratch.path, options: Self.options("rgb", "depth")) }
                == "\(scratch("train.txt")), line 1: has 2 words; expected \"rgb depth label\". Names with spaces need the kind of "
                + "data set 'folder'; for several files on a line, name the files of a picture, such as rgb,depth."
        )
    }

    @Test(
        "layouts that have one picture per label say where several belong",
        arguments: [DatasetKind.voc, .cityscapes]
    )
    func onePicture(kind: DatasetKind) throws {
        let scratch = try Self.scene()
        #expect(
            message { _ = try Dataset.load(kind, directory: scratch.path, options: Self.options("rgb", "depth")) }
                == "inputs rgb,depth: the layout of \(kind.rawValue) has one picture per label; use the kind of data set 'list', with a "
                + "line \"rgb depth label\" for each."
        )
        #expect(
            message { _ = try Dataset.load(.synthetic, options: Self.options("rgba")) }
                == "inputs rgba: rendered streets are rgb or gray."
        )
        #expect(try onlyExample(Dataset.load(.synthetic, options: Self.options("gray")), "val").channels == 1)
    }

    @Test("augmentation moves all channels and the labels together")
    func augmentation() throws {
        // Every channel of a pixel says the pixel's number.
        let count = 12 * 9
        let example = Example(
            pixels: (0..<count).map { UInt8($0) },
            width: 12,
            height: 9,
            channels: 1,
            planes: [(0..<count).map { UInt16($0) * 257 }, (0..<count).map { UInt16($0) * 500 }],
            labels: (0..<count).map { UInt16($0) }
        )
        var change = Augmentation()
        change.flip = true
        change.crop = PictureSize(width: 7, height: 11)
        for seed in 0..<8 {
            var random = RandomNumbers(seed: UInt64(seed))
            let result = change.apply(example, random: &random)
            for (index, label) in result.labels.enumerated() where label != Example.ignored {
                #expect(UInt16(result.pixels[index]) == label)
                #expect(result.planes[0][index] == label * 257 && result.planes[1][index] == label * 500)
            }
        }
        // Between pixels, planes are mixed as the picture is.
        var half = Augmentation()
        half.scale = [2, 2]
        var random = RandomNumbers(seed: 3)
        let grown = half.apply(example, random: &random)
        for (index, pixel) in grown.pixels.enumerated() {
            #expect(abs(Int(grown.planes[0][index]) - Int(pixel) * 257) <= 257)
        }
    }
}

@Suite("Planes of 16 bits")
struct PlaneTests {
    @Test("read what they write, and are resized as pictures are, finer")
    func files() throws {
        let scratch = try ScratchFolder()
        let plane = try Plane(width: 5, height: 4, samples: (0..<20).map { UInt16($0 * 3000 + 7) })
        try plane.write(path: scratch("p.png"))
        #expect(try Plane(path: scratch("p.png")) == plane)
        let picture = try Image(width: 5, height: 4, channels: 1, pixels: (0..<20).map { UInt8($0 * 13) })
        let (small, same) = try (picture.resized(width: 3, height: 7), Plane(picture).resized(width: 3, height: 7))
        for (a, b) in zip(small.pixels, same.samples) { #expect(abs(Int(a) * 257 - Int(b)) <= 129) }
        #expect(Plane(picture).image == picture)
        #expect(
            message { _ = try Plane(width: 2, height: 2, samples: [1]) }.hasPrefix(
                "picture: cannot be 2x2 with 1 channels and 1 values"
            )
        )
        #expect(
            message { _ = try MultichannelImage(picture, ["depth": same]) }
                == "picture: is 3x7, but the picture it belongs to is 5x4; resize one to the other."
        )
    }
}
