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
}
