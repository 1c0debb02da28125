import SegNetImages
import Testing

@testable import SegNetData

@Suite("Labels that count from 1 (--label-offset)")
struct LabelOffsetTests {
    private static func load(_ scratch: ScratchFolder, offset: Int = 0, _ kind: DatasetKind = .folder) throws -> Dataset
    {
        var options = DatasetOptions()
        options.labelOffset = offset
        options.validationShare = 0
        return try Dataset.load(kind, directory: scratch.path, options: options)
    }

    private static func scene(_ ids: [UInt16]) throws -> ScratchFolder {
        let scratch = try ScratchFolder()
        try scratch.write("grass\nball\n", "classes.txt")
        try scratch.picture("images/a.png")
        try scratch.labels("labels/a.png", ids)
        return scratch
    }

    @Test("are recognised, and the offset gives what was meant: 0 void, 1...K the classes")
    func recognised() throws {
        let scratch = try Self.scene([0, 1, 1, 2, 2, 2, 1, 1, 1, 1, 255, 0])
        let error = message { _ = try onlyExample(Self.load(scratch)) }
        #expect(
            error
                == "\(scratch("labels/a.png")): has the label 2 at x 3, y 0 (3 pixels), but the classes are 0...1; if 1 is the class "
                + "'grass', and 0 is void, use the label offset -1; otherwise map it with the label change 2=CLASS, or add 2 to the "
                + "ignored labels."
        )
        let void = Example.ignored
        #expect(
            try onlyExample(Self.load(scratch, offset: -1)).labels == [void, 0, 0, 1, 1, 1, 0, 0, 0, 0, void, void]
        )
    }

    @Test("are not suspected where a greater number has no meaning either")
    func notRecognised() throws {
        let scratch = try Self.scene([0, 1, 2, 7, 0, 0, 0, 0, 0, 0, 0, 0])
        #expect(
            message { _ = try onlyExample(Self.load(scratch)) }.hasSuffix(
                "but the classes are 0...1; map it with the label change 2=CLASS, or add 2 to the ignored labels."
            )
        )
    }

    @Test("are not suspected where the kind of data set says what its labels mean, and takes no offset")
    func otherKind() throws {
        let scratch = try ScratchFolder()
        try scratch.picture("images/a.png")
        try scratch.labels("labels/a.png", [36, 37, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1])
        try scratch.write("images/a.png labels/a.png\n", "train.txt")
        let error = message { _ = try onlyExample(Self.load(scratch, .nyuV2)) }
        #expect(error.hasSuffix("; map it with the label change 37=CLASS, or add 37 to the ignored labels."))
    }

    @Test("a number beyond the shifted classes still has no meaning; the data set's ignored ones stay")
    func beyond() throws {
        let scratch = try Self.scene([3, 1, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0])
        #expect(message { _ = try onlyExample(Self.load(scratch, offset: -1)) }.contains("has the label 3 at x 0, y 0"))
        let rule = LabelRule.ids(ignoring: [1]).shifted(by: -2, classes: LabelChangeTests.classes)
        #expect(rule.mapping == [0: nil, 1: nil, 2: 0, 3: 1, 4: 2])
    }

    @Test("of 255 classes: 255 is the last class, not void")
    func usualVoid() throws {
        let scratch = try ScratchFolder()
        try scratch.write((1...255).map { "class\($0)\n" }.joined(), "classes.txt")
        try scratch.picture("images/a.png")
        try scratch.labels("labels/a.png", [255, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 254])
        let labels = try onlyExample(Self.load(scratch, offset: -1)).labels
        #expect(labels == [254, Example.ignored, 0, 0, 0, 0, 0, 0, 0, 0, 0, 253])
        #expect(try onlyExample(Self.load(scratch)).labels.first == Example.ignored)
    }

    @Test("are still named by their numbers in the files, as an error names them")
    func changes() throws {
        let scratch = try Self.scene([0, 1, 1, 2, 2, 3, 1, 1, 255, 0, 0, 0])
        var options = DatasetOptions()
        options.labelOffset = -1
        options.validationShare = 0
        options.changes = [try LabelChange("0=grass"), try LabelChange("3=ball")]
        options.ignored = [1]
        let (void, grass, ball) = (Example.ignored, UInt16(0), UInt16(1))
        let labels = try onlyExample(Dataset.load(.folder, directory: scratch.path, options: options)).labels
        #expect(labels == [grass, void, void, ball, ball, ball, void, void, void, grass, grass, grass])
        // A name is the class that the labels mean.
        options.changes = [try LabelChange("grass=ball"), try LabelChange("3=void")]
        options.ignored = []
        let named = try onlyExample(Dataset.load(.folder, directory: scratch.path, options: options)).labels
        #expect(named == [void, ball, ball, ball, ball, void, ball, ball, void, void, void, void])
    }

    @Test("are refused where they make no sense")
    func refusals() throws {
        let scratch = try Self.scene(Array(repeating: 1, count: 12))
        for offset in [1, .min] {
            #expect(
                message { _ = try Self.load(scratch, offset: offset) }
                    == "label offset \(offset): has to be a number in -65535...-1, such as -1 for labels 1...K."
            )
        }
        #expect(
            message { _ = try Self.load(scratch, offset: -1, .synthetic) }
                == "label offset -1: the kind 'synthetic' fixes what its label numbers mean; use the kind of data set "
                + "'folder' or 'list' for other labels."
        )
        var options = DatasetOptions()
        options.labelOffset = -1
        options.isColored = true
        #expect(
            message { _ = try Dataset.load(.folder, directory: scratch.path, options: options) }
                == "label offset -1: painted labels have no numbers; leave one of the two out."
        )
    }
}
