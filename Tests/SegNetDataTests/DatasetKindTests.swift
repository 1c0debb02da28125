import Foundation
import SegNetImages
import Testing

@testable import SegNetData

@Suite("Data sets by name")
struct DatasetKindTests {
    private static let ignored = Example.ignored

    private static func options(_ change: (inout DatasetOptions) -> Void) -> DatasetOptions {
        var options = DatasetOptions()
        options.validationShare = 0
        change(&options)
        return options
    }

    @Test("CamVid: the authors' absolute paths are found next to the lists, 11 is void")
    func camVid() throws {
        let scratch = try ScratchFolder()
        try scratch.picture("train/a.png")
        try scratch.labels("trainannot/a.png", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
        try scratch.write("/SegNet/CamVid/train/a.png /SegNet/CamVid/trainannot/a.png\n", "train.txt")
        let dataset = try Dataset.load(.camVid, directory: scratch.path)
        #expect(dataset.classes == .camVid11)
        #expect(try onlyExample(dataset).labels == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, Self.ignored])
    }

    @Test("a list names files whose names are not UTF-8")
    func rawNames() throws {
        let scratch = try ScratchFolder()
        try scratch.picture("p.png")
        try scratch.labels("l.png", [UInt16](repeating: 3, count: 12))
        let name = Array("p".utf8) + [0xE9] + Array(".png".utf8)
        let path = RawFileName.text(Array("\(scratch.path)/".utf8) + name)
        // Apple's file systems take UTF-8 alone.
        guard RawFileName.withPath(path, { rename(scratch("p.png"), $0) }) == 0 else { return }
        try Data(name + Array(" l.png\n".utf8)).write(to: scratch.url.appending(path: "train.txt"))
        #expect(
            try onlyExample(Dataset.load(.camVid, directory: scratch.path)).labels == Array(repeating: 3, count: 12)
        )
    }

    @Test("CamVid's 32 colours become 11 classes, or 12 with road markings", arguments: [11, 12])
    func camVidColors(count: Int) throws {
        let scratch = try ScratchFolder()
        try scratch.picture("a.png")
        let sky = Color(128, 128, 128)
        let marking = Color(128, 0, 192)
        let truck = Color(192, 128, 192)
        let void = Color(0, 0, 0)
        try scratch.painted("a_L.png", [sky, marking, truck, void] + Array(repeating: sky, count: 8))
        try scratch.write("a.png a_L.png\n", "train.txt")
        let dataset = try Dataset.load(count == 11 ? .camVid : .camVid12, directory: scratch.path)
        let labels = try onlyExample(dataset).labels
        #expect(dataset.classes.classes.count == count)
        #expect(Array(labels[0..<4]) == [0, 3, count == 11 ? 8 : 9, Self.ignored])
        #expect(dataset.classes.name(of: 3) == (count == 11 ? "Road" : "Road_marking"))
    }

    @Test("each of CamVid's 32 colours has its class of the 11; Void alone is void")
    func camVidGroups() throws {
        let rule = LabelRule.camVidColors(.camVid11)
        let colors = try #require(rule.colors)
        let groups = [
            "Sky": ["Sky"], "Building": ["Archway", "Bridge", "Building", "Tunnel", "Wall"],
            "Pole": ["Column_Pole", "TrafficCone"], "Road": ["LaneMkgsDriv", "LaneMkgsNonDriv", "Road"],
            "Pavement": ["ParkingBlock", "RoadShoulder", "Sidewalk"], "Tree": ["Tree", "VegetationMisc"],
            "SignSymbol": ["Misc_Text", "SignSymbol", "TrafficLight"], "Fence": ["Fence"],
            "Car": ["Car", "OtherMoving", "SUVPickupTruck", "Train", "Truck_Bus"],
            "Pedestrian": ["Animal", "CartLuggagePram", "Child", "Pedestrian"],
            "Bicyclist": ["Bicyclist", "MotorcycleScooter"],
        ]
        #expect(colors.classes.count == 32 && groups.values.map(\.count).reduce(0, +) == 31)
        for (number, entry) in colors.classes.enumerated() {
            let found = try #require(rule.mapping[UInt16(number)]).map { ClassTable.camVid11.name(of: Int($0)) }
            #expect(found == groups.first { $0.value.contains(entry.name) }?.key, "\(entry.name)")
        }
    }

    @Test("another class table brings its own void: CamVid's 12 classes in index labels, 12 is void")
    func table() throws {
        let scratch = try ScratchFolder()
        try scratch.picture("a.png")
        try scratch.labels("l.png", [0, 3, 11, 12] + Array(repeating: 0, count: 8))
        try scratch.write("a.png l.png\n", "train.txt")
        try scratch.write("ground\nplant\nstone\n", "classes.txt")
        var options = DatasetOptions()
        options.validationShare = 0
        options.classes = try ClassTable(namedOrIn: "camvid12")
        let dataset = try Dataset.load(.camVid, directory: scratch.path, options: options)
        #expect(dataset.classes == .camVid12)
        #expect(Array(try onlyExample(dataset).labels[0..<4]) == [0, 3, 11, Example.ignored])
        #expect(try ClassTable(namedOrIn: scratch("classes.txt")).classes.map(\.name) == ["ground", "plant", "stone"])
        #expect(
            message { _ = try ClassTable(namedOrIn: "camvid13") }.hasPrefix(
                "'camvid13' is neither a class table (camvid11,"
            )
        )
        #expect(
            message { _ = try ClassTable(namedOrIn: "no/such.txt") } == "no/such.txt: cannot be read; check the path."
        )
    }

    @Test("SUN RGB-D: 1...37 become 0...36, 0 is ignored, 38 is refused")
    func sunRGBD() throws {
        let scratch = try ScratchFolder()
        try scratch.picture("a.png")
        try scratch.labels("l.png", [0, 1, 37] + Array(repeating: 2, count: 9))
        try scratch.write("a.png l.png\n", "train.txt")
        let dataset = try Dataset.load(.sunRGBD, directory: scratch.path)
        #expect(Array(try onlyExample(dataset).labels[0..<4]) == [Self.ignored, 0, 36, 1])
        try scratch.labels("l.png", Array(repeating: 38, count: 12))
        #expect(message { _ = try onlyExample(dataset) }.contains("has the label 38 at x 0, y 0 (12 pixels)"))
    }

    @Test("Cityscapes: train ids, or label ids mapped to them", arguments: [true, false])
    func cityscapes(hasTrainIDs: Bool) throws {
        let scratch = try ScratchFolder()
        try scratch.picture("leftImg8bit/train/bonn/bonn_1_leftImg8bit.png")
        let stem = "gtFine/train/bonn/bonn_1_gtFine_"
        if hasTrainIDs {
            try scratch.labels(stem + "labelTrainIds.png", [0, 1, 18, 255] + Array(repeating: 2, count: 8))
        } else {
            // road, sidewalk, bicycle, ego vehicle, building
            try scratch.labels(stem + "labelIds.png", [7, 8, 33, 1] + Array(repeating: 11, count: 8))
        }
        let dataset = try Dataset.load(.cityscapes, directory: scratch.path)
        #expect(Array(try onlyExample(dataset).labels[0..<5]) == [0, 1, 18, Self.ignored, 2])
    }

    @Test("Cityscapes: where one picture lacks train ids, all are read by label ids")
    func cityscapesMixed() throws {
        let scratch = try ScratchFolder()
        for number in 1...2 {
            try scratch.picture("leftImg8bit/train/bonn/bonn_\(number)_leftImg8bit.png", first: number)
            let stem = "gtFine/train/bonn/bonn_\(number)_gtFine_"
            if number == 1 { try scratch.labels(stem + "labelTrainIds.png", Array(repeating: 13, count: 12)) }
            // A car.
            try scratch.labels(stem + "labelIds.png", Array(repeating: 26, count: 12))
        }
        let dataset = try Dataset.load(.cityscapes, directory: scratch.path, options: Self.options { _ in })
        for sample in try dataset.samples(of: "train") { #expect(try dataset.example(sample).labels[0] == 13) }
    }

    @Test("Pascal VOC: lists of names, 255 is ignored")
    func voc() throws {
        let scratch = try ScratchFolder()
        try scratch.picture("JPEGImages/2007_1.jpg")
        try scratch.labels("SegmentationClass/2007_1.png", [0, 20, 255] + Array(repeating: 15, count: 9))
        try scratch.write("2007_1\n", "ImageSets/Segmentation/train.txt")
        let dataset = try Dataset.load(.voc, directory: scratch.path)
        #expect(Array(try onlyExample(dataset).labels[0..<4]) == [0, 20, Self.ignored, 15])
    }

    @Test("folder: painted labels, several numbers into one class, one ignored")
    func folder() throws {
        let scratch = try ScratchFolder()
        try scratch.picture("images/train/a.png")
        try scratch.picture("images/val/b.png", first: 9)
        try scratch.write("# mine\nground 10 20 30\nbig thing 200 0 0\nvoid 1 1 1\n", "classes.txt")
        let (ground, thing, void) = (Color(10, 20, 30), Color(200, 0, 0), Color(1, 1, 1))
        let colors = [ground, thing, void] + Array(repeating: ground, count: 9)
        for name in ["train/a", "val/b"] { try scratch.painted("labels/\(name).png", colors) }
        let painted = try Dataset.load(.folder, directory: scratch.path, options: Self.options { $0.isColored = true })
        #expect(painted.classes.classes.map(\.name) == ["ground", "big thing"])
        #expect(painted.splitNames == ["train", "val"])
        #expect(Array(try onlyExample(painted, "val").labels[0..<4]) == [0, 1, Self.ignored, 0])

        try scratch.labels("labels/train/a.png", [0, 7, 8, 9] + Array(repeating: 1, count: 8))
        let changes = [try LabelChange("7=1"), try LabelChange("8=1")]
        let mapped = try Dataset.load(
            .folder,
            directory: scratch.path,
            options: Self.options {
                $0.changes = changes
                $0.ignored = [9]
            }
        )
        #expect(Array(try onlyExample(mapped).labels[0..<5]) == [0, 1, 1, Self.ignored, 1])
    }

    @Test("a colour that no class has is named with file and pixel")
    func unknownColor() throws {
        let scratch = try ScratchFolder()
        try scratch.picture("images/a.png")
        try scratch.write("ground 10 20 30\n", "classes.txt")
        try scratch.painted("labels/a.png", Array(repeating: Color(10, 20, 30), count: 11) + [Color(9, 9, 9)])
        let dataset = try Dataset.load(.folder, directory: scratch.path, options: Self.options { $0.isColored = true })
        let text = message { _ = try onlyExample(dataset) }
        // Class ids that are read as colours are gray.
        #expect(
            text
                == "\(scratch("labels/a.png")): has the colour (9, 9, 9) at x 3, y 2, which is not a class of 'classes.txt'; choose the table "
                + "the labels were painted with, or add the colour to it. Gray values: if they are class ids, do not read them as labels "
                + "in colours."
        )
    }

    @Test("a picture and its labels of another size are refused with both sizes")
    func sizes() throws {
        let scratch = try ScratchFolder()
        try scratch.picture("images/a.png")
        try scratch.labels("labels/a.png", Array(repeating: 0, count: 12), width: 3, height: 4)
        try scratch.write("one\n", "classes.txt")
        let dataset = try Dataset.load(.folder, directory: scratch.path)
        #expect(
            message { _ = try onlyExample(dataset) }
                == "\(scratch("labels/a.png")): is 3x4, but its picture \(scratch("images/a.png")) is 4x3; labels must have the "
                + "picture's size. Export them again."
        )
    }

    @Test("a folder that is missing or of another layout is said with the layout", arguments: DatasetKind.allCases)
    func layouts(kind: DatasetKind) throws {
        guard kind != .synthetic else { return }
        let scratch = try ScratchFolder()
        let missing = message { _ = try Dataset.load(kind, directory: scratch("nowhere")) }
        #expect(
            missing
                == "\(scratch("nowhere")): there is no such folder; give the data folder that holds \(kind.layout)."
        )
        let empty = message { _ = try Dataset.load(kind, directory: scratch.path) }
        #expect(empty.hasPrefix("\(scratch.path): holds no "))
        // Of annotations a file may be given.
        guard !kind.isAnnotated else { return }
        try scratch.write("a.png b.png\n", "test.txt")
        let file = message { _ = try Dataset.load(kind, directory: scratch("test.txt")) }
        #expect(file == "\(scratch("test.txt")): is a file; give the data folder that holds \(kind.layout).")
    }

    @Test(
        "a folder laid out as another kind is said to be one",
        arguments: [
            ("camvid", ["train.txt": "/SegNet/CamVid/train/a.png /SegNet/CamVid/trainannot/a.png"]),
            ("camvid", ["val.txt": "a.png a_L.png"]), ("list", ["train.txt": "a.png b.png", "classes.txt": "x"]),
            ("cityscapes", ["leftImg8bit/a": "", "gtFine/a": ""]),
            ("voc", ["JPEGImages/a": "", "SegmentationClass/a": ""]),
            (nil, ["train.txt": "a.png b.png"]), (nil, ["images/a": ""]), (nil, ["train.txt": "a"]),
        ] as [(String?, [String: String])]
    )
    func recognized(kind: String?, files: [String: String]) throws {
        let scratch = try ScratchFolder()
        for (name, text) in files { try scratch.write(text, name) }
        #expect(DatasetKind.recognized(in: scratch.path)?.rawValue == kind)
        let found = message { _ = try Dataset.load(.folder, directory: scratch.path) }
        let end =
            kind.map { ", but looks like '\($0)'; give that as the kind of data set." }
            ?? "; give the data folder that has them, or make them: images/ for the pictures, labels/ for PNGs with the same names "
            + "(each may have folders train, val, test)."
        #expect(found == "\(scratch.path): holds no folders images/ and labels/" + end)
    }

    @Test("pictures and labels of the same names are recognised, but not where lists choose among them")
    func recognizedFolder() throws {
        let scratch = try ScratchFolder()
        try scratch.picture("images/a.png")
        try scratch.labels("labels/a.png", Array(repeating: 0, count: 12))
        #expect(
            message { _ = try Dataset.load(.camVid, directory: scratch.path) }
                == "\(scratch.path): holds no train.txt, val.txt or test.txt, but looks like 'folder'; give that as the kind of data set."
        )
        try scratch.write("images/a.png labels/a.png", "some.txt")
        #expect(DatasetKind.recognized(in: scratch.path) == nil)
    }

    // On a disk that does not distinguish upper and lower case, Val.txt is val.txt.
    @Test("a list whose name has capital letters is told of")
    func misnamedLists() throws {
        let scratch = try ScratchFolder()
        for name in ["a", "b", "c"] {
            try scratch.picture("\(name).png")
            try scratch.labels("l/\(name).png", Array(repeating: 0, count: 12))
        }
        try scratch.write("x\ny\n", "classes.txt")
        try scratch.write("a.png l/a.png\nb.png l/b.png\n", "train.txt")
        try scratch.write("c.png l/c.png\n", "Val.txt")
        let dataset = try Dataset.load(.list, directory: scratch.path)
        guard !FileManager.default.fileExists(atPath: scratch("val.txt")) else { return }
        #expect(
            dataset.warnings == [
                "\(scratch("Val.txt")): is not read, because the list must be named val.txt; rename it."
            ]
        )
        try scratch.write("c.png l/c.png\n", "val.txt")
        #expect(try Dataset.load(.list, directory: scratch.path).warnings == [])
    }

    @Test("a split that is not there is answered with those that are")
    func splits() throws {
        let dataset = Dataset(
            name: "d",
            classes: .camVid11,
            rule: LabelRule(),
            splits: ["train": [Sample(image: "a", label: "b")], "val": []]
        )
        #expect(message { _ = try dataset.samples(of: "test") } == "data set 'd' has no split 'test'; it has train.")
    }

    @Test("streets for validation and for testing are not those of training, nor each other's")
    func synthetic() throws {
        let dataset = try Dataset.load(.synthetic, options: Self.options { $0.count = 5 })
        let sources = try ["train", "val", "test"].map { Set(try dataset.samples(of: $0).map(\.source)) }
        #expect(sources[0].count == 5)
        #expect(sources[0].isDisjoint(with: sources[1]) && sources[0].isDisjoint(with: sources[2]))
        #expect(sources[1].isDisjoint(with: sources[2]))
    }
}
