import Foundation
import SegNetImages
import Testing

@testable import SegNetData

@Suite("The look at a whole data set")
struct DatasetReportTests {
    private static func load(_ scratch: ScratchFolder) throws -> Dataset {
        var options = DatasetOptions()
        options.validationShare = 0
        options.collectsProblems = true
        return try Dataset.load(.folder, directory: scratch.path, options: options)
    }

    @Test("finds partners that are missing, stray labels and a picture in two splits, and counts the rest")
    func problems() throws {
        let scratch = try ScratchFolder()
        try scratch.write("one\ntwo\n", "classes.txt")
        let ids = Array(repeating: UInt16(0), count: 11) + [1]
        for name in ["train/a", "train/stray", "val/copy"] {
            try scratch.picture("images/\(name).png", first: name == "train/stray" ? 50 : 0)
            try scratch.labels("labels/\(name).png", name == "train/stray" ? Array(repeating: 5, count: 12) : ids)
        }
        try scratch.picture("images/train/alone.png", first: 70)
        try scratch.labels("labels/val/lonely.png", ids)
        let report = try Self.load(scratch).checked()
        #expect(report.problems.count == 4, "\(report.problems)")
        #expect(report.problems[0].hasPrefix("\(scratch("images/train/alone.png")): has no label of the same name"))
        #expect(report.problems[1].hasPrefix("\(scratch("labels/val/lonely.png")): has no picture of the same name"))
        #expect(
            report.problems[2].hasPrefix(
                "\(scratch("labels/train/stray.png")): has the label 5 at x 0, y 0 (12 pixels)"
            )
        )
        #expect(report.problems[3].hasPrefix("copy of val: is the same picture as a of train"))
        #expect(report.splits.map(\.name) == ["train", "val"])
        #expect(report.splits[0].classes.map(\.pixels) == [11, 1])
    }

    @Test("asks whether pictures are frames of a video where every tenth was taken for validation", arguments: [1, 17])
    func frames(step: Int) throws {
        let scratch = try ScratchFolder()
        try scratch.write("one\ntwo\n", "classes.txt")
        for number in 0..<40 {
            // By steps of 1 they grow lighter one by one; by steps of 17 neighbours have little in common.
            let level = Color(UInt8(number * step % 40 * 6), 0, 0)
            let name = String(100 + number)
            try scratch.painted("images/f\(name).png", Array(repeating: level, count: 12))
            try scratch.labels("labels/f\(name).png", Array(repeating: 0, count: 11) + [1])
        }
        var options = DatasetOptions()
        func notes() throws -> [String] {
            let report = try Dataset.load(.folder, directory: scratch.path, options: options).checked()
            #expect(report.problems == [] && report.splits.reduce(0) { $0 + $1.pictures } == 40)
            return report.notes
        }
        let found = try notes()
        #expect(found.count == (step == 1 ? 1 : 0))
        #expect(
            found.allSatisfy { $0.contains(" as frames of a video do. If they are, the scores flatter the model: ") }
        )
        // Those who divide the pictures themselves know what they do.
        options.folds = 4
        #expect(try notes() == [])
        (options.folds, options.validationShare) = (0, 0)
        #expect(try notes() == [])
    }

    @Test("one pixel's difference makes another picture")
    func different() throws {
        let scratch = try ScratchFolder()
        try scratch.write("one\ntwo\n", "classes.txt")
        for (split, first) in [("train", 0), ("val", 1)] {
            try scratch.picture("images/\(split)/a.png", first: first)
            try scratch.labels("labels/\(split)/a.png", (0..<12).map { $0 % 2 })
        }
        #expect(try Self.load(scratch).checked().problems == [])
    }

    @Test("training leaves labels without a picture and broken links out, and says so; a check counts them")
    func leftOut() throws {
        let scratch = try ScratchFolder()
        try scratch.write("one\ntwo\n", "classes.txt")
        try scratch.picture("images/a.png")
        for name in ["a", "b", "c", "d"] { try scratch.labels("labels/\(name).png", Array(repeating: 0, count: 12)) }
        try FileManager.default.createSymbolicLink(
            atPath: scratch("images/d.png"),
            withDestinationPath: "/nowhere/d.png"
        )
        let trained = try Dataset.load(.folder, directory: scratch.path)
        #expect(try trained.samples(of: "train").map(\.name) == ["a"])
        let link = "\(scratch("images/d.png")): is a broken symbolic link; fix it, or remove it."
        let label = { (name: String) in
            "\(scratch("labels/\(name).png")): has no picture of the same name in \(scratch("images")); add it, or remove the label."
        }
        #expect(trained.warnings == ["\(link) It is left out.", "\(label("b")) 2 such files are left out."])
        #expect(try Self.load(scratch).problems == [link, label("b"), label("c")])
        try FileManager.default.removeItem(atPath: scratch("images/a.png"))
        #expect(
            message { _ = try Dataset.load(.folder, directory: scratch.path) }
                == "\(scratch("images")): holds no pictures, only broken symbolic links, such as d.png."
        )
    }

    @Test("training refuses a picture without labels and leaves labels without a picture alone")
    func training() throws {
        let scratch = try ScratchFolder()
        try scratch.write("one\n", "classes.txt")
        try scratch.picture("images/a.png")
        try scratch.labels("labels/a.png", Array(repeating: 0, count: 12))
        try scratch.labels("labels/b.png", Array(repeating: 0, count: 12))
        #expect(try Dataset.load(.folder, directory: scratch.path).samples(of: "train").count == 1)
        try scratch.picture("images/c.png")
        #expect(message { _ = try Dataset.load(.folder, directory: scratch.path) }.contains("c.png: has no label"))
    }

    @Test("labels with longer names than their pictures are told with their suffix")
    func suffix() throws {
        let scratch = try ScratchFolder()
        try scratch.write("one\n", "classes.txt")
        for name in ["a", "b"] {
            try scratch.picture("images/\(name).png")
            try scratch.labels("labels/\(name)_mask.png", Array(repeating: 0, count: 12))
        }
        try scratch.labels("labels/c_mask.png", Array(repeating: 0, count: 12))
        let labels = scratch("labels")
        let told = { (name: String) in
            "\(scratch("images/\(name).png")): has no label of the same name in \(labels), but there is \(name)_mask.png; use the suffix of "
                + "label names '_mask'."
        }
        let stray =
            "\(labels)/c_mask.png: has no picture of the same name in \(scratch("images")); add it, or remove the label."
        #expect(try Self.load(scratch).problems == [told("a"), told("b"), stray])
        #expect(message { _ = try Dataset.load(.folder, directory: scratch.path) } == told("a"))
        // Where one label has its picture's name, others with longer names are strays.
        try scratch.labels("labels/a.png", Array(repeating: 0, count: 12))
        #expect(
            message { _ = try Dataset.load(.folder, directory: scratch.path) }.contains(
                "b.png: has no label of the same name in \(labels); add it"
            )
        )
    }

    @Test("a folder without pictures is told with what to do")
    func noPictures() throws {
        let scratch = try ScratchFolder()
        try scratch.write("one\n", "classes.txt")
        for folder in ["images", "labels"] { try scratch.write("", "\(folder)/.keep") }
        #expect(
            message { _ = try Dataset.load(.folder, directory: scratch.path) }
                == "\(scratch("images")): holds no pictures; put some into it, or give another data folder."
        )
    }

    @Test("a contact sheet has picture and overlay of each sample, rows of so many")
    func sheet() throws {
        let scratch = try ScratchFolder()
        try scratch.write("one 0 0 200\n", "classes.txt")
        for name in ["a", "b", "c"] {
            try scratch.picture("images/\(name).png")
            try scratch.labels("labels/\(name).png", Array(repeating: 0, count: 11) + [255])
        }
        let dataset = try Self.load(scratch)
        let sheet = try dataset.contactSheet(of: try dataset.samples(of: "train"), columns: 2, tileWidth: 4)
        #expect((sheet.width, sheet.height) == (2 * 8 + 4, 2 * 3 + 4))
        let example = try onlyExample(dataset)
        // The picture itself, then bluer, then void as it was; white where the second row ends.
        #expect(sheet[x: 1, y: 0, channel: 2] == example.pixels[5])
        #expect(sheet[x: 5, y: 0, channel: 2] > example.pixels[5])
        #expect(sheet[x: 7, y: 2, channel: 2] == example.pixels[35])
        #expect(sheet[x: 19, y: 9, channel: 0] == 255)
    }
}
