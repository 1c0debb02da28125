import Foundation
import SegNetAnnotations
import SegNetImages
import SegNetPlatform
import Testing

@testable import SegNetData

@Suite("Data sets of annotations")
struct AnnotatedDatasetTests {
    private static let files = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "SegNetAnnotationsTests/Files")

    private static func file(_ name: String) -> String { files.appending(path: name).path }

    private static func options(_ change: (inout DatasetOptions) -> Void = { _ in }) -> DatasetOptions {
        var options = DatasetOptions()
        options.validationShare = 0
        change(&options)
        return options
    }

    /// The labels of the picture that all of the files describe, with these numbers for nothing, car and tree.
    private static func truth(_ nothing: UInt16, _ car: UInt16, _ tree: UInt16) throws -> [UInt16] {
        try LabelMap(path: file("truth.png")).ids.map { [nothing, car, tree][Int($0)] }
    }

    @Test(
        "are read where the programs put their files",
        arguments: [
            (DatasetKind.coco, "coco-compressed.json"), (.coco, "coco-counts.json"), (.coco, "panoptic"),
            (.coco, "panoptic/annotations/panoptic_train.json"), (.labelme, "labelme.json"), (.cvat, "cvat"),
            (.cvat, "cvat/train.xml"), (.labelStudio, "label-studio.json"), (.yolo, "yolo"),
        ]
    )
    func places(kind: DatasetKind, place: String) throws {
        let dataset = try Dataset.load(kind, directory: Self.file(place), options: Self.options())
        #expect(dataset.classes.classes.map(\.name) == ["car", "tree"])
        let example = try onlyExample(dataset)
        #expect(example.labels == (try Self.truth(Example.ignored, 0, 1)))
        #expect((example.width, example.height, example.channels) == (16, 12, 3))
        let sample = try dataset.samples(of: "train")[0]
        #expect(try dataset.fileSize(of: sample) == PictureSize(width: 16, height: 12))
        #expect(sample.name == "photo")
        #expect(try dataset.frequencies(of: [sample]).pixels == [69, 29])
        // In another size, like all examples.
        var small = Self.options()
        small.size = PictureSize(width: 8, height: 6)
        let resized = try onlyExample(try Dataset.load(kind, directory: Self.file(place), options: small))
        #expect(resized.size == small.size)
    }

    @Test("pixels that no annotation covers are void, an added background, or a class")
    func unlabelled() throws {
        func labels(_ word: String?) throws -> (names: [String], labels: [UInt16]) {
            let dataset = try Dataset.load(
                .coco,
                directory: Self.file("coco-counts.json"),
                options: Self.options { $0.unlabelled = word }
            )
            return (dataset.classes.classes.map(\.name), try onlyExample(dataset).labels)
        }
        #expect(try labels("void").labels == Self.truth(Example.ignored, 0, 1))
        #expect(try labels("background") == (["background", "car", "tree"], Self.truth(0, 1, 2)))
        #expect(try labels("Tree") == (["car", "tree"], Self.truth(1, 0, 1)))
        #expect(
            message { _ = try labels("sky") }
                == "meaning of unlabelled pixels 'sky': is not one of void, background and the classes car, tree."
        )
    }

    @Test("no background is added to a table of classes that somebody wrote")
    func background() throws {
        let scratch = try ScratchFolder()
        try scratch.picture("a.png")
        try scratch.write(
            #"{"imagePath": "a.png", "shapes": [{"label": "car", "points": [[0, 0], [2, 0], [2, 3], [0, 3]]}]}"#,
            "a.json"
        )
        try scratch.write("car\nsky\n", "classes.txt")
        let options = Self.options { $0.unlabelled = "background" }
        #expect(
            message { _ = try Dataset.load(.labelme, directory: scratch.path, options: options) }
                == "meaning of unlabelled pixels 'background': is not one of void and the classes car, sky; give one of these, or add "
                + "'background' at the end of the table of classes."
        )
        try scratch.write("car\nsky\nbackground\n", "classes.txt")
        let dataset = try Dataset.load(.labelme, directory: scratch.path, options: options)
        #expect(Set(try onlyExample(dataset).labels) == [0, 2])
    }

    @Test("labels are found in other classes by their names; others are reported")
    func otherClasses() throws {
        let table = ClassTable(
            name: "t",
            classes: [ClassTable.Entry("Road", .black), ClassTable.Entry("Car", .black)],
            ignoredIDs: [255]
        )
        func load(_ changes: [String]) throws -> Dataset {
            try Dataset.load(
                .coco,
                directory: Self.file("coco-counts.json"),
                options: Self.options {
                    $0.classes = table
                    $0.changes = changes.compactMap { try? LabelChange($0) }
                }
            )
        }
        #expect(
            message { _ = try load([]) }
                == "Files: its annotations have the labels 'tree' (1), which are not among the classes Road, Car; add the label change tree=CLASS or "
                + "tree=void for each, or give a table of classes that has them."
        )
        #expect(try onlyExample(try load(["tree=Road"])).labels == (try Self.truth(Example.ignored, 1, 0)))
        #expect(
            try onlyExample(try load(["Tree=void"])).labels == (try Self.truth(Example.ignored, 1, Example.ignored))
        )
        #expect(try onlyExample(try load(["1=Road", "car=0"])).labels == (try Self.truth(Example.ignored, 0, 0)))
    }

    @Test("pictures in every format are found")
    func formats() throws {
        let scratch = try ScratchFolder()
        try scratch.write("car\ntree\n", "classes.txt")
        for name in ["a.png", "b.bmp", "c.TIF", "d.webp"] {
            try scratch.write("", "images/\(name)")
            try scratch.write("0 0 0 1 0 1 1", "labels/\(name.prefix(1)).txt")
        }
        let dataset = try Dataset.load(.yolo, directory: scratch.path)
        #expect(dataset.splits.values.joined().map(\.name).sorted() == ["a", "b", "c", "d"])
    }

    @Test("the last folder images of a YOLO picture's path is labels for its text, not another or a part of a name")
    func lastFolder() throws {
        let scratch = try ScratchFolder()
        try scratch.write("car\ntree\n", "classes.txt")
        for place in ["raw_images", "images/raw"] {
            try scratch.picture("\(place)/images/p.png")
            try scratch.write("1 0 0 1 0 1 1 0 1", "\(place)/labels/p.txt")
        }
        // In place of the first of two.
        try scratch.picture("images/night/images/n.png")
        try scratch.write("1 0 0 1 0 1 1 0 1", "labels/night/images/n.txt")
        let dataset = try Dataset.load(.yolo, directory: scratch.path, options: Self.options())
        let samples = try dataset.samples(of: "train")
        #expect(samples.count == 3)
        #expect(try dataset.frequencies(of: samples).pixels == [0, 36])
    }

    @Test("problems are counted, not listed; a check reports all of them")
    func problems() throws {
        let scratch = try ScratchFolder()
        let bad = #"{"image_id": 1, "category_id": 1, "segmentation": [[0, 0, 1, 1]]}"#
        let text =
            #"{"images": [{"id": 1, "file_name": "a.png"}, {"id": 2, "file_name": "gone.png"}], "categories": [{"id": 1, "name": "car"}], "#
            + #""annotations": ["# + Array(repeating: bad, count: 10_000).joined(separator: ",")
            + #", {"image_id": 1, "category_id": 1, "segmentation": [[0, 0, 4, 3, 4, 0, 0, 3]]}]}"#
        try scratch.write(text, "a.json")
        try scratch.picture("a.png")
        let path = scratch("a.json")
        #expect(
            message { _ = try Dataset.load(.coco, directory: scratch.path) }
                == "\(path): annotation 0 of a.png has a polygon of 2 points, which encloses nothing; at least 3 are needed. Redraw it, or "
                + "delete it. (10000 more problems; a check of the data set counts them.)"
        )
        let dataset = try Dataset.load(
            .coco,
            directory: scratch.path,
            options: Self.options { $0.collectsProblems = true }
        )
        #expect(dataset.problems.count == 10_001)
        #expect(
            dataset.problems.last
                == "\(path): names the picture 'gone.png', which is not in \(scratch.path); put it there, or give the data folder that holds both."
        )
        #expect(
            dataset.warnings == [
                "\(path): a polygon of a.png (at its sides after points 1 and 3) crosses itself; what is enclosed twice counts as outside. "
                    + "Redraw it if that is not what you want."
            ]
        )
        #expect(dataset.checked().warnings.first == dataset.warnings[0])
    }

    @Test("a picture of another size than annotated is refused when it is read")
    func otherSize() throws {
        let scratch = try ScratchFolder()
        try scratch.write(
            #"{"imagePath": "a.png", "imageWidth": 40, "imageHeight": 30, "shapes": [{"label": "a", "points": [[0, 0], [4, 0], [4, 3]]}]}"#,
            "a.json"
        )
        try scratch.picture("a.png")
        let dataset = try Dataset.load(.labelme, directory: scratch.path, options: Self.options())
        #expect(
            message { _ = try onlyExample(dataset) }
                == "\(scratch("a.json")): says that the picture a.png is 40x30, but its file is 4x3. Annotate this file, or put "
                + "the file that was annotated in its place."
        )
        #expect(dataset.checked().problems.count { $0.hasPrefix(scratch("a.json")) } == 1)
    }

    @Test("a check warns about polygons in fractions that lie outside their pictures")
    func outside() throws {
        let scratch = try ScratchFolder()
        func result(_ label: String, _ points: String) -> String {
            #"{"type": "polygonlabels", "original_width": 4, "original_height": 3, "#
                + #""value": {"points": \#(points), "polygonlabels": ["\#(label)"]}}"#
        }
        let results = [
            result("a", "[[0, 0], [50, 0], [50, 100], [0, 100]]"), result("b", "[[50, 0], [110, 0], [110, 100]]"),
            result("b", "[[200, 10], [240, 10], [240, 50]]"),
        ]
        try scratch.write(
            #"[{"data": {"image": "p.png"}, "annotations": [{"result": [\#(results.joined(separator: ", "))]}]}]"#,
            "a.json"
        )
        try scratch.picture("p.png")
        let report = try Dataset.load(.labelStudio, directory: scratch.path, options: Self.options()).checked()
        #expect(
            report.warnings.contains(
                "1 annotation outside its picture labels nothing, such as in p. Check that the pictures are those that were annotated."
            ),
            "\(report)"
        )
    }

    @Test("folders without annotations, and options that they do not have")
    func refusals() throws {
        let scratch = try ScratchFolder()
        try scratch.picture("a.png")
        #expect(
            message { _ = try Dataset.load(.cvat, directory: scratch.path) }
                == "\(scratch.path): holds no annotations of the kind 'cvat' (annotations.xml and images/); give the data folder that holds them, or "
                + "the file itself."
        )
        #expect(
            message { _ = try Dataset.load(.yolo, directory: scratch.path) }
                == "\(scratch.path): holds no data.yaml and no classes.txt, so that nothing names its classes; add one of them, or give the data "
                + "folder that holds them."
        )
        #expect(
            message {
                _ = try Dataset.load(.camVid, directory: scratch.path, options: Self.options { $0.unlabelled = "void" })
            }
            .hasPrefix("meaning of unlabelled pixels: 'camvid' labels every pixel;")
        )
        func refused(_ kind: DatasetKind, _ place: String, _ change: (inout DatasetOptions) -> Void) -> String {
            message { _ = try Dataset.load(kind, directory: place, options: Self.options(change)) }
        }
        let coco = Self.file("coco-counts.json")
        #expect(
            refused(.coco, coco) { $0.labelSuffix = "_m" }.hasPrefix(
                "suffix of label names '_m': applies to the kind 'folder'"
            )
        )
        #expect(
            refused(.coco, coco) { $0.labelOffset = -1 }.hasPrefix(
                "label offset -1: the kind 'coco' fixes what its label numbers mean"
            )
        )
        #expect(
            refused(.coco, coco) { $0.inputs = ["rgb", "depth"] }.hasPrefix(
                "inputs rgb,depth: annotations of the kind coco have one file per picture;"
            )
        )
        #expect(
            refused(.coco, coco) { $0.isColored = true }
                == "coco: annotations are not painted in colours; leave that setting out."
        )
        #expect(
            refused(.coco, coco) { $0.folds = 3 }
                == "Files: has 1 picture in train and val, too few for 3 folds; give fewer folds."
        )
        #expect(
            refused(.synthetic, ".") { ($0.folds, $0.fold) = (3, 4) }
                == "fold 4: has to be one of 1...3, the number of folds."
        )
    }

    @Test("folds divide train and val, and each picture is in val once")
    func folds() throws {
        let scratch = try ScratchFolder()
        try scratch.write("a\nb\n", "classes.txt")
        for index in 0..<7 {
            let split = index < 5 ? "train" : "val"
            try scratch.picture("images/\(split)/p\(index).png", first: index)
            try scratch.labels("labels/\(split)/p\(index)_mask.png", [UInt16](repeating: UInt16(index % 2), count: 12))
        }
        var seen: [String] = []
        for fold in 1...3 {
            let dataset = try Dataset.load(
                .folder,
                directory: scratch.path,
                options: Self.options {
                    $0.labelSuffix = "_mask"
                    ($0.folds, $0.fold) = (3, fold)
                }
            )
            let (train, val) = (
                try dataset.samples(of: "train").map(\.name), try dataset.samples(of: "val").map(\.name)
            )
            #expect(Set(train).isDisjoint(with: val) && train.count + val.count == 7)
            seen += val
        }
        #expect(seen.sorted() == (0..<7).map { "p\($0)" })
        #expect(
            message {
                _ = try Dataset.load(.folder, directory: scratch.path, options: Self.options { $0.labelSuffix = "_x" })
            }
                == "\(scratch.path)/images/train/p0.png: has no label of the same name followed by '_x' in \(scratch.path)/labels/train; add it, "
                + "or remove the picture."
        )
    }

    @Test(
        "as a folder, as annotations, and back: the same labels and classes, those without pixels too",
        arguments: AnnotationFormat.allCases.filter { $0 != .geoJSON }
    )
    func roundTrip(format: AnnotationFormat) throws {
        let scratch = try ScratchFolder()
        try scratch.write("z 1 1 1\na 10 20 30\nb c 200 0 0\nd 0 0 9\n", "mine/classes.txt")
        for (split, name, shift) in [("train", "p", 0), ("train", "q", 5), ("val", "r", 3)] {
            try scratch.picture("mine/images/\(split)/\(name).png", width: 6, height: 5, first: shift)
            let ids = (0..<30).map { [1, 2, 3, 255, 1, 2, 2, 3][($0 * $0 + shift) % 8] }.map { UInt16($0) }
            try scratch.labels("mine/labels/\(split)/\(name).png", ids, width: 6, height: 5)
        }
        let mine = try Dataset.load(.folder, directory: scratch("mine"), options: Self.options())
        let written = try mine.writeAnnotations(format, to: scratch("there"), tolerance: 0)
        #expect(written.count == 3 && written.problems.isEmpty)
        let kind: DatasetKind =
            switch format {
            case .coco, .cocoRLE, .cocoPanoptic, .geoJSON: .coco
            case .labelme: .labelme
            case .cvat: .cvat
            case .labelStudio: .labelStudio
            case .yolo: .yolo
            }
        let there = try Dataset.load(
            kind,
            directory: scratch("there"),
            options: Self.options { $0.collectsProblems = true }
        )
        #expect(there.problems.isEmpty)
        let back = try there.writeFolder(to: scratch("back"))
        #expect(back.count == 3 && back.problems.isEmpty)
        let again = try Dataset.load(.folder, directory: scratch("back"), options: Self.options())
        #expect(again.classes.classes == mine.classes.classes)
        for split in ["train", "val"] {
            let (before, after) = (try mine.samples(of: split), try again.samples(of: split))
            #expect(before.map(\.name) == after.map(\.name))
            for (one, other) in zip(before, after) { #expect(try mine.example(one) == again.example(other)) }
        }
        #expect(
            message { _ = try there.writeFolder(to: scratch("back")) }
                == "\(scratch("back"))/images: already exists; choose another output folder, so that data sets are not mixed."
        )
    }
}
