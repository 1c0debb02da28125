import Foundation
import Testing

@testable import SegNetData

@Suite("Splits of annotated data sets")
struct AnnotatedSplitTests {
    private static let triangle = "0 0 0 1 0 1 1\n"

    private static func load(_ kind: DatasetKind, _ directory: String, isCheck: Bool = false) throws -> Dataset {
        var options = DatasetOptions()
        options.validationShare = 0
        options.collectsProblems = isCheck
        return try Dataset.load(kind, directory: directory, options: options)
    }

    /// The names of the pictures of each split.
    private static func names(_ kind: DatasetKind, _ directory: String) throws -> [String: [String]] {
        try load(kind, directory).splits.mapValues { $0.map(\.name) }
    }

    /// A YOLO data set of pictures in `images/`, each with a triangle.
    private static func yolo(_ places: String, _ pictures: [String]) throws -> ScratchFolder {
        let scratch = try ScratchFolder()
        try scratch.write(places + "names: [a, b]\n", "data.yaml")
        for (number, picture) in pictures.enumerated() {
            try scratch.picture("images/\(picture).png", first: number)
            try scratch.write(triangle, "labels/\(picture).txt")
        }
        return scratch
    }

    private static func labelme(_ scratch: ScratchFolder, _ folder: String, _ name: String) throws {
        try scratch.write(
            #"{"imagePath": "\#(name).png", "shapes": [{"label": "a", "points": [[0, 0], [4, 0], [4, 3]]}]}"#,
            "\(folder)/\(name).json"
        )
        try scratch.picture("\(folder)/\(name).png")
    }

    private static func coco(_ name: String) -> String {
        #"{"images": [{"id": 1, "file_name": "\#(name).png"}], "categories": [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}], "#
            + #""annotations": [{"image_id": 1, "category_id": 2, "segmentation": [[0, 0, 4, 0, 4, 3]]}]}"#
    }

    @Test("splits come from the files' names, folders and subsets")
    func splits() throws {
        let scratch = try ScratchFolder()
        for (split, name) in [("train2017", "x"), ("val2017", "y")] {
            try scratch.write(Self.coco(name), "annotations/instances_\(split).json")
            try scratch.write("{}", "annotations/captions_\(split).json")
            try scratch.write("{}", "annotations/panoptic_\(split).json")
            try scratch.picture("\(split)/\(name).png")
        }
        let dataset = try Dataset.load(.coco, directory: scratch.path)
        #expect(dataset.splits.mapValues { $0.map(\.name) } == ["train": ["x"], "val": ["y"]])
        #expect(try onlyExample(dataset, "val").labels.contains(1))
        // Words, not letters: no split is named here.
        let words = try ScratchFolder()
        try words.write(Self.coco("x"), "latest-interval.json")
        try words.picture("x.png")
        #expect(try Dataset.load(.coco, directory: words.path).splits.mapValues { $0.map(\.name) } == ["train": ["x"]])
        // As Roboflow exports.
        let roboflow = try ScratchFolder()
        for split in ["train", "valid", "test"] {
            try roboflow.write(Self.coco("same"), "\(split)/_annotations.coco.json")
            try roboflow.picture("\(split)/same.png")
        }
        let exported = try Dataset.load(.coco, directory: roboflow.path)
        #expect(exported.splits.keys.sorted() == ["test", "train", "val"])
        #expect(exported.splits["val"]?.map(\.name) == ["valid_same"])
        // CVAT's subsets.
        let cvat = try ScratchFolder()
        try cvat.write(
            """
            <annotations><image name="a.png" width="4" height="3" subset="Train"><polygon label="a" points="0,0;4,0;4,3"/></image>
            <image name="b.png" width="4" height="3" subset="Validation"><polygon label="b" points="0,0;4,0;4,3"/></image></annotations>
            """,
            "annotations.xml"
        )
        for name in ["a", "b"] { try cvat.picture("images/\(name).png") }
        #expect(
            try Dataset.load(.cvat, directory: cvat.path).splits.mapValues { $0.map(\.name) } == [
                "train": ["a"], "val": ["b"],
            ]
        )
    }

    @Test("a word in the name of a picture's own file does not overrule its folder")
    func namesOfPictures() throws {
        let labelme = try ScratchFolder()
        for (folder, name) in [("test", "train_station_1"), ("test", "b"), ("train", "a"), ("val/test-drive", "c")] {
            try Self.labelme(labelme, folder, name)
        }
        #expect(
            try Self.names(.labelme, labelme.path) == ["test": ["b", "train_station_1", "c"], "train": ["a"]]
        )
        let yolo = try ScratchFolder()
        try yolo.write("a\nb\n", "classes.txt")
        for picture in ["test/train_1", "train/val_2", "val/3"] {
            try yolo.picture("images/\(picture).png")
            try yolo.write(Self.triangle, "labels/\(picture).txt")
        }
        // No text file: nothing in it is labelled.
        try yolo.picture("images/test/train_4.png")
        #expect(
            try Self.names(.yolo, yolo.path) == ["test": ["train_1", "train_4"], "train": ["val_2"], "val": ["3"]]
        )
    }

    @Test("the name of a file for many pictures overrules its folder's")
    func namesOfFiles() throws {
        let scratch = try ScratchFolder()
        for (split, name) in [("train", "x"), ("val", "y")] {
            try scratch.write(Self.coco(name), "training/\(split).json")
            try scratch.picture("training/\(name).png")
        }
        #expect(try Self.names(.coco, scratch.path) == ["train": ["x"], "val": ["y"]])
    }

    @Test("pictures of CVAT's tasks without a subset are those of the file's split, or train")
    func defaultSubsets() throws {
        let scratch = try ScratchFolder()
        func image(_ name: String, _ subset: String) -> String {
            #"<image name="\#(name).png" width="4" height="3" subset="\#(subset)"><polygon label="a" points="0,0;4,0;4,3"/></image>"#
        }
        let images = [
            image("same", "Train"), image("same", "default"), image("c", "default_1"), image("d", ""),
            image("e", "night"),
        ]
        try scratch.write("<annotations>\(images.joined())</annotations>", "project/annotations.xml")
        // As CVAT writes them: two tasks may have pictures of the same name.
        for place in ["Train/same", "default/same", "default_1/c", "d", "night/e"] {
            try scratch.picture("project/images/\(place).png")
        }
        #expect(
            try Self.names(.cvat, scratch("project")) == [
                "train": ["images_Train_same", "images_default_same", "c", "d"], "night": ["e"],
            ]
        )
        try scratch.write("<annotations>\(image("v", "default"))</annotations>", "file/val.xml")
        try scratch.picture("file/images/default/v.png")
        #expect(try Self.names(.cvat, scratch("file")) == ["val": ["v"]])
    }

    @Test("pictures are in the split whose list file names them, from whatever folder")
    func lists() throws {
        let scratch = try Self.yolo(
            "path: .\ntrain: lists/train.txt\nval: [val.txt, images/5.png]\ntest: test.txt\n",
            ["1", "2", "3", "4", "5"]
        )
        try scratch.write("../images/1.png\n\nimages/2.png\n", "lists/train.txt")
        try scratch.write("./images/3.png\n", "val.txt")
        try scratch.write("/home/somebody/streets/images/4.png\n", "test.txt")
        #expect(try Self.names(.yolo, scratch.path) == ["train": ["1", "2"], "val": ["3", "5"], "test": ["4"]])
    }

    @Test("listed pictures that are missing are problems, and pictures without a split are left out")
    func incompleteLists() throws {
        let scratch = try Self.yolo("train: train.txt\nval: images/val\ntest: test.txt\n", ["1", "2", "val/3"])
        try scratch.write("images/1.png\nimages/gone.png\n", "train.txt")
        // The pictures for testing are not published.
        try scratch.write("images/test/4.png\n", "test.txt")
        let missing =
            "\(scratch("train.txt")), line 2: names the picture 'images/gone.png', which is not in \(scratch.path); put it there, or "
            + "remove the line."
        #expect(message { _ = try Self.load(.yolo, scratch.path) } == missing)
        let dataset = try Self.load(.yolo, scratch.path, isCheck: true)
        #expect(dataset.splits.mapValues { $0.map(\.name) } == ["train": ["1"], "val": ["3"]])
        #expect(dataset.problems == [missing])
        #expect(
            dataset.warnings == [
                "\(scratch("data.yaml")): names 'test.txt' for test, but there is no picture there; left out.",
                "\(scratch("data.yaml")): names no split for 1 picture, such as images/2.png; left out. Add their folder to train, "
                    + "val or test.",
            ]
        )
    }

    @Test(
        "a place of data.yaml without a picture is left out with a warning; if all are, the data set is refused",
        arguments: ["images/validation", "val.txt", "empty", "images/gone.png", "labels/1.txt"]
    )
    func missingPlaces(place: String) throws {
        let scratch = try Self.yolo("train: images\nval: \(place)\n", ["1", "2"])
        try scratch.write("", "empty/notes.txt")
        let dataset = try Self.load(.yolo, scratch.path)
        #expect(dataset.splits.mapValues { $0.map(\.name) } == ["train": ["1", "2"]])
        #expect(
            dataset.warnings == [
                "\(scratch("data.yaml")): names '\(place)' for val, but there is no picture there; left out."
            ]
        )
        try scratch.write("train: images/train\nval: \(place)\nnames: [a, b]\n", "data.yaml")
        #expect(
            message { _ = try Self.load(.yolo, scratch.path) }
                == "\(scratch("data.yaml")): no picture is where it says; write folders, list files (.txt) or pictures that are in "
                + "\(scratch.path)."
        )
    }

    @Test("a place that data.yaml leaves empty is none", arguments: ["", "~", "null", "NULL", "[]"])
    func noPlaces(value: String) throws {
        let scratch = try Self.yolo("train: images\nval: \(value)\n", ["1", "2"])
        let dataset = try Self.load(.yolo, scratch.path)
        #expect(dataset.splits.mapValues { $0.map(\.name) } == ["train": ["1", "2"]])
        #expect(dataset.warnings == [])
    }

    @Test(
        "of places of data.yaml that overlap, the closest to a picture counts, in every process",
        arguments: [
            ("train: images\nval: images/val\n", ["train": ["1", "test_2"], "val": ["3", "4"]]),
            ("val: images\ntrain: images/val\n", ["val": ["1", "test_2"], "train": ["3", "4"]]),
            ("path: ../streets\ntrain: images\nval: [list.txt]\n", ["train": ["1", "test_2", "3"], "val": ["4"]]),
        ]
    )
    func overlaps(places: String, splits: [String: [String]]) throws {
        let scratch = try Self.yolo(places, ["1", "test_2", "val/3", "val/4"])
        try scratch.write("images/val/4.png\n", "list.txt")
        // Even within one process, dictionaries with the same keys differ in their order.
        for _ in 0..<20 { #expect(try Self.names(.yolo, scratch.path) == splits) }
        #expect(try Self.load(.yolo, scratch.path).warnings == [])
    }

    @Test("pictures that data.yaml names for two splits are in the first, and a warning says so")
    func sharedPlaces() throws {
        let scratch = try Self.yolo("val: images/2017\ntrain: images/2017\n", ["2017/1", "2017/2"])
        for _ in 0..<20 {
            let dataset = try Self.load(.yolo, scratch.path)
            #expect(dataset.splits.mapValues { $0.map(\.name) } == ["train": ["1", "2"]])
            #expect(
                dataset.warnings == [
                    "\(scratch("data.yaml")): names 2 pictures for more than one split, such as images/2017/1.png for train and val; "
                        + "each counts only for the first of train, val and test that names it. Give each split its own pictures."
                ]
            )
        }
    }

    @Test("pictures of one name in several folders are told apart, also where the data set's path is relative")
    func relativePath() throws {
        let scratch = try Self.yolo("train: images\nval: images/val\n", ["1", "val/1"])
        let depth = FileManager.default.currentDirectoryPath.split(separator: "/").count
        let path = String(repeating: "../", count: depth) + scratch.path.dropFirst()
        #expect(try Self.names(.yolo, path) == ["train": ["images_1"], "val": ["images_val_1"]])
    }
}
