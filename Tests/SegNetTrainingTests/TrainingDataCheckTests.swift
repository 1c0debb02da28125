import Foundation
import SegNetData
import SegNetImages
import SegNetPlatform
import Testing

@testable import SegNetTraining

@Suite("What a training refuses before it begins")
struct TrainingDataCheckTests {
    private static func setup(_ change: (URL) throws -> Void) throws -> (RunFolder, TrainingConfiguration) {
        let folder = try RunFolder()
        let data = folder.url.appending(path: "data")
        try TwoClasses.write(to: data, pictures: 6)
        try change(data)
        var recipe = smallRecipe()
        recipe.dataset = .folder
        recipe.data = data.path
        recipe.size = nil
        recipe.augmentation.crop = nil
        return (folder, recipe)
    }

    private static func error(_ folder: RunFolder, _ recipe: TrainingConfiguration) -> String {
        do {
            _ = try Trainer(recipe, output: folder.url.appending(path: "run"), threads: 1)
            return ""
        } catch { return "\(error)" }
    }

    private static func odd(_ data: URL, _ name: String, width: Int, height: Int) throws {
        try Image(width: width, height: height, channels: 3, pixels: Array(repeating: 9, count: 3 * width * height))
            .write(to: data.appending(path: "images/\(name)"))
        try LabelMap(width: width, height: height, ids: (0..<width * height).map { UInt16($0 % 2) })
            .write(to: data.appending(path: "labels/\(name)"))
    }

    @Test("a picture of another size is named with the remedy, and both remedies help")
    func sizes() throws {
        var (folder, recipe) = try Self.setup { try Self.odd($0, "picture3.png", width: 40, height: 32) }
        let images = "\(recipe.data)/images"
        #expect(
            Self.error(folder, recipe)
                == "\(images)/picture3.png: is 40x32, but \(images)/picture0.png is 48x32; pictures of different sizes cannot share a batch. Train on "
                + "parts of one size with a crop of the pictures, or resize all with a picture size."
        )
        recipe.augmentation.crop = PictureSize(width: 32, height: 24)
        #expect(Self.error(folder, recipe) == "")
        recipe.augmentation.crop = nil
        recipe.size = PictureSize(width: 48, height: 32)
        #expect(Self.error(folder, recipe) == "")
    }

    @Test("a validation picture may have another size; its labels may not differ from it")
    func validation() throws {
        var (folder, recipe) = try Self.setup { try Self.odd($0, "picture5.png", width: 40, height: 24) }
        #expect(Self.error(folder, recipe) == "")
        (folder, recipe) = try Self.setup {
            try LabelMap(width: 32, height: 48, ids: Array(repeating: 0, count: 48 * 32)).write(
                to: $0.appending(path: "labels/picture5.png")
            )
        }
        #expect(
            Self.error(folder, recipe).hasPrefix(
                "\(recipe.data)/labels/picture5.png: is 32x48, but its picture \(recipe.data)/images/picture5.png"
            )
        )
    }

    @Test("a file that is not a picture is named before the first step")
    func damaged() throws {
        let (folder, recipe) = try Self.setup {
            try Data("no picture".utf8).write(to: $0.appending(path: "images/picture4.png"))
        }
        #expect(Self.error(folder, recipe).hasPrefix("\(recipe.data)/images/picture4.png: "))
    }

    @Test("labels that are all void, or all of one class", arguments: ["none", "auto"])
    func labels(classWeights: String) throws {
        func fill(_ data: URL, _ ids: (Int) -> UInt16) throws {
            for number in 0..<6 {
                try LabelMap(width: 48, height: 32, ids: (0..<48 * 32).map(ids)).write(
                    to: data.appending(path: "labels/picture\(number).png")
                )
            }
        }
        var (folder, recipe) = try Self.setup { try fill($0) { _ in 255 } }
        recipe.classWeights = classWeights
        #expect(
            Self.error(folder, recipe)
                == "data set 'data': none of its 5 training pictures has a labelled pixel; all labels are void. A check of the data set shows "
                + "what all labels contain."
        )
        (folder, recipe) = try Self.setup { try fill($0) { $0 % 3 == 0 ? 0 : 255 } }
        recipe.classWeights = classWeights
        #expect(
            Self.error(folder, recipe)
                == "data set 'data': all labelled pixels are 'grass', so there is nothing to tell apart. All others are void. In masks of 0 "
                + "and 255, 255 means void; the label change 255=CLASS makes it a class. A check of the data set shows what all labels contain."
        )
        recipe.map = ["255": "ball"]
        #expect(Self.error(folder, recipe) == "")
    }

    @Test("a table of one class")
    func oneClass() throws {
        let (folder, recipe) = try Self.setup {
            try Data("grass 0 200 0\n".utf8).write(to: $0.appending(path: "classes.txt"))
            for number in 0..<6 {
                try LabelMap(width: 48, height: 32, ids: Array(repeating: 0, count: 48 * 32)).write(
                    to: $0.appending(path: "labels/picture\(number).png")
                )
            }
        }
        #expect(
            Self.error(folder, recipe)
                == "data set 'data': 'grass' is the only class, so there is nothing to tell apart: a network would see it in every pixel. Add "
                + "a class for everything else to the table of classes; where annotations do not cover it, name it as the meaning of unlabelled "
                + "pixels."
        )
    }

    @Test("a validation without labels calls no model the best")
    func unlabelledValidation() throws {
        var (folder, recipe) = try Self.setup {
            try LabelMap(width: 48, height: 32, ids: Array(repeating: 255, count: 48 * 32)).write(
                to: $0.appending(path: "labels/picture5.png")
            )
        }
        recipe.iterations = 2
        let run = folder.url.appending(path: "run")
        var isBest: [Bool] = []
        var notes: [String] = []
        let result = try Trainer(recipe, output: run, threads: 1).run(observe: {
            if case .validation(let report) = $0 { isBest.append(report.isBest) }
            if case .note(let note) = $0 { notes.append(note.text) }
        })
        #expect(isBest == [false] && result.best == nil && result.last != nil)
        #expect(notes == ["no pixel of the validation pictures has a label, so no model can be called the best."])
    }

    @Test("the number of a fold without folds is none; it changes nothing")
    func foldWithoutFolds() throws {
        var (folder, recipe) = try Self.setup { _ in }
        recipe.fold = 3
        #expect(Self.error(folder, recipe) == "")
        recipe.folds = 2
        #expect(Self.error(folder, recipe).hasPrefix("fold: needs a whole number in 1...2"))
    }

    @Test("no training picture is taken away for a validation that does not happen or is on another split")
    func noValidation() throws {
        let folder = try RunFolder()
        let data = folder.url.appending(path: "data")
        try TwoClasses.write(to: data, pictures: 10)
        var recipe = smallRecipe()
        (recipe.dataset, recipe.data) = (.folder, data.path)
        let divided = try recipe.sources()
        #expect((divided.pool.count, divided.validation.count) == (9, 1))
        recipe.validationSplit = "none"
        let whole = try recipe.sources()
        #expect((whole.pool.count, whole.validation.count) == (10, 0))
        func lines(_ numbers: Range<Int>) -> Data {
            Data(numbers.map { "images/picture\($0).png labels/picture\($0).png\n" }.joined().utf8)
        }
        try lines(0..<8).write(to: data.appending(path: "train.txt"))
        try lines(8..<10).write(to: data.appending(path: "test.txt"))
        (recipe.dataset, recipe.validationSplit) = (.list, "test")
        let tested = try recipe.sources()
        #expect((tested.pool.count, tested.validation.count) == (8, 2))
        // Of several data sets, only those that validate are divided into folds.
        (recipe.validationSplit, recipe.folds, recipe.fold) = ("val", 5, 2)
        recipe.datasets = [DatasetEntry(.folder, data: data.path), DatasetEntry(.folder, data: data.path)]
        let folds = try recipe.sources()
        #expect(folds.pool.sources.map(\.samples.count) == [8, 10] && folds.validation.count == 2)
    }

    @Test("a split to validate on that is not there; val and none need not be")
    func validationSplit() throws {
        var (folder, recipe) = try Self.setup { _ in }
        recipe.validationSplit = "Val"
        #expect(
            Self.error(folder, recipe)
                == "validation-split: data set 'data' has no split 'Val'; it has train. Give one of these or 'none', or leave it out."
        )
        recipe.validationSplit = "none"
        #expect(Self.error(folder, recipe) == "")
        (recipe.validationSplit, recipe.validationShare) = ("val", 0)
        #expect(Self.error(folder, recipe) == "")
    }

    private static func notesOnPictures(_ folder: RunFolder, _ recipe: TrainingConfiguration) throws -> [String] {
        let run = folder.url.appending(path: "run\(UInt64.random(in: 0 ... .max))")
        return try Trainer(recipe, output: run, threads: 1).notes.map(\.text).filter { $0.contains("flatters") }
    }

    @Test("few pictures that validate are told of, with what would help; ten are enough", arguments: [1, 3, 10])
    func fewValidating(count: Int) throws {
        let folder = try RunFolder()
        let data = folder.url.appending(path: "data")
        try TwoClasses.write(to: data, pictures: 20)
        var recipe = smallRecipe()
        (recipe.dataset, recipe.data) = (.folder, data.path)
        recipe.validationShare = Double(count) / 20
        let run = folder.url.appending(path: "run")
        let notes = try Trainer(recipe, output: run, threads: 1).notes.filter { $0.text.contains("for validation") }
        let subject = count == 1 ? "1 picture is" : "\(count) pictures are"
        let text =
            "only \(subject) used for validation, so small differences between scores can be chance; use more: raise the share of "
            + "validation pictures, or give a separate split."
        #expect(notes == (count < 10 ? [.information(text)] : []))
    }

    @Test("a model or an encoder that is not there is named with its setting", arguments: ["model", "encoder"])
    func missingStart(key: String) throws {
        var (folder, recipe) = try Self.setup { _ in }
        let path = folder.url.appending(path: "none.safetensors").path
        try recipe.set(key, to: path)
        #expect(
            Self.error(folder, recipe)
                == "\(key): \(path): there is no such file. If another training makes it, run that first; otherwise give another file, or "
                + "leave '\(key)' out (in a recipe: \(key): null) to begin with random weights."
        )
    }

    @Test("but pictures that are learnt from and validated on are only told of")
    func sharedPictures() throws {
        var (folder, recipe) = try Self.setup { data in
            let lines = (0..<4).map { "images/picture\($0).png labels/picture\($0).png\n" }
            try Data(lines.joined().utf8).write(to: data.appending(path: "train.txt"))
            try Data(lines.suffix(2).joined().utf8).write(to: data.appending(path: "val.txt"))
            try FileManager.default.createSymbolicLink(
                at: data.deletingLastPathComponent().appending(path: "link"),
                withDestinationURL: data
            )
        }
        #expect(try Self.notesOnPictures(folder, recipe) == [])
        recipe.trainSplit = "val"
        #expect(
            try Self.notesOnPictures(folder, recipe) == [
                "the validation picture is a training picture too, \(recipe.data)/images/picture5.png: the validation flatters the model."
            ]
        )
        (recipe.trainSplit, recipe.dataset) = ("train", .list)
        #expect(
            try Self.notesOnPictures(folder, recipe) == [
                "2 of the 2 validation pictures are training pictures too, such as \(recipe.data)/images/picture2.png: the validation "
                    + "flatters the model."
            ]
        )
        recipe.validationSplit = "none"
        #expect(try Self.notesOnPictures(folder, recipe) == [])
        // One folder by two paths.
        var other = DatasetEntry(.folder, data: "\(recipe.data)/../link/")
        other.validation = "val"
        recipe.datasets = [DatasetEntry(.folder, data: recipe.data), other]
        let notes = try Self.notesOnPictures(folder, recipe)
        #expect(
            notes.count == 1 && notes[0].hasPrefix("the validation picture is a training picture too, "),
            "\(notes)"
        )
        recipe.datasets.removeFirst()
        #expect(try Self.notesOnPictures(folder, recipe) == [])
        recipe.datasets = [DatasetEntry(.synthetic)]
        recipe.datasets[0].count = 4
        recipe.datasets[0].validation = "train"
        recipe.size = PictureSize(width: 48, height: 32)
        #expect(
            try Self.notesOnPictures(folder, recipe).first?.hasPrefix("4 of the 4 validation pictures are training")
                == true
        )
    }

    @Test("labels 1...K with an offset are learnt as 0...K-1")
    func offset() throws {
        var (folder, recipe) = try Self.setup { data in
            for number in 0..<6 {
                let file = data.appending(path: "labels/picture\(number).png")
                let map = try LabelMap(contentsOf: file)
                try LabelMap(width: 48, height: 32, ids: map.ids.map { $0 + 1 }).write(to: file)
            }
        }
        #expect(Self.error(folder, recipe).contains("use the label offset -1"))
        recipe.labelOffset = -1
        #expect(Self.error(folder, recipe) == "")
        #expect(try TrainingConfiguration(yaml: recipe.yaml(), file: "r") == recipe)
    }

    @Test("an entry of several data sets whose labels are all void, though the others' are not", arguments: [0, 1])
    func voidEntry(empty: Int) throws {
        var (folder, recipe) = try Self.setup { _ in }
        let other = folder.url.appending(path: "other")
        try TwoClasses.write(to: other, pictures: 4)
        recipe.datasets = [DatasetEntry(.folder, data: recipe.data), DatasetEntry(.folder, data: other.path)]
        #expect(Self.error(folder, recipe) == "")
        let data = recipe.datasets[empty].data
        let count = try recipe.sources().pool.sources[empty].samples.count
        for number in 0..<[6, 4][empty] {
            try LabelMap(width: 48, height: 32, ids: Array(repeating: 255, count: 48 * 32)).write(
                to: URL(filePath: "\(data)/labels/picture\(number).png")
            )
        }
        #expect(
            Self.error(folder, recipe)
                == "datasets, entry \(empty + 1) (\(data)): none of its \(count) training pictures has a labelled pixel; all labels are void. A "
                + "check of the data set shows what all labels contain."
        )
    }

    @Test("a crop that is larger than every picture is told of, with how much of it is void")
    func largeCrop() throws {
        var (folder, recipe) = try Self.setup { try Self.odd($0, "picture3.png", width: 40, height: 40) }
        func notes() throws -> [String] {
            let run = folder.url.appending(path: "run\(UInt64.random(in: 0 ... .max))")
            return try Trainer(recipe, output: run, threads: 1).notes.map(\.text).filter { $0.contains("the crop of") }
        }
        recipe.augmentation.scale = nil
        recipe.augmentation.crop = PictureSize(width: 48, height: 40)
        #expect(try notes() == [])
        recipe.augmentation.crop = PictureSize(width: 64, height: 80)
        #expect(
            try notes() == [
                "the crop of 64x80 is larger than every training picture (at most 48x40): at least 62.5 % of each crop is black and void; a smaller "
                    + "crop teaches as much in less time."
            ]
        )
        recipe.augmentation.scale = [0.5, 2]
        #expect(try notes() == [])
    }
}
