import Foundation
import SegNetImages
import Testing

@testable import SegNetData

@Suite("Names of masks")
struct MaskNameTests {
    private static func found(_ names: [String], ignoresCase: Bool) -> String {
        let samples = names.map { Sample(image: "\($0).png", label: "labels/\($0).png") }
        let dataset = Dataset(name: "d", classes: .camVid11, rule: LabelRule(), splits: ["test": samples])
        return message { try dataset.requireUniqueNames("test", ignoresCase: ignoresCase) }
    }

    @Test("that differ in their letters' case only are two, except in folders that do not tell them apart")
    func letters() {
        #expect(
            Self.found(["x/A", "y/b", "y/a"], ignoresCase: true)
                == "split 'test': has pictures named 'A' and 'a', whose masks would be one file, as the folder does not distinguish "
                + "upper and lower case; rename one, or give another folder."
        )
        #expect(Self.found(["x/A", "y/b", "y/a"], ignoresCase: false) == Self.found([], ignoresCase: false))
        for ignoresCase in [false, true] {
            #expect(
                Self.found(["x/a", "y/a"], ignoresCase: ignoresCase)
                    == "split 'test': has two pictures named 'a', whose masks would be one file; rename one."
            )
        }
    }
}

@Suite("Masks of other programs")
struct PredictedMasksTests {
    /// Colours 10, 20, 30 for the classes 0, 1, 2; black is void.
    static let classes = ClassTable(
        name: "three",
        classes: (0..<3).map { ClassTable.Entry("class\($0)", Color(UInt8(10 * $0 + 10), 0, 0)) },
        ignoredIDs: [255]
    )

    let folder: URL
    let sample = Sample(image: "images/a.jpg", label: "labels/a.png")

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "segnet-masks-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    private func path(_ name: String) -> String { folder.appending(path: name).path }

    private func masks(merged: [UInt16: UInt16?] = [:]) throws -> PredictedMasks {
        var dataset = Dataset(name: "d", classes: Self.classes, rule: LabelRule(), splits: [:])
        dataset.mergedClasses = merged
        return try PredictedMasks(folder: folder.path, dataset: dataset)
    }

    private func read(merged: [UInt16: UInt16?] = [:]) throws -> [UInt16] {
        defer { try? FileManager.default.removeItem(at: folder) }
        return try masks(merged: merged).mask(of: sample, width: 4, height: 1).ids
    }

    private func message() -> String {
        do { return "\(try read())" } catch { return "\(error)".replacing(folder.path, with: "M") }
    }

    @Test("are class ids in gray, under either name", arguments: ["a.png", "a.mask.png"])
    func gray(name: String) throws {
        try LabelMap(width: 4, height: 1, ids: [0, 1, 2, 255]).write(path: path(name))
        #expect(try read() == [0, 1, 2, PredictedMasks.none])
    }

    @Test("are the numbers of a palette, whatever its colours")
    func palette() throws {
        let other = ClassTable.pascalVOC21
        try LabelMap(width: 4, height: 1, ids: [0, 1, 2, 2]).write(path: path("a.png"), table: other)
        #expect(try read() == [0, 1, 2, 2])
    }

    @Test("are the colours of a palette that has the classes' colours in another order")
    func permutedPalette() throws {
        let shuffled = ClassTable(name: "s", classes: [2, 0, 1].map { Self.classes.classes[$0] })
        try LabelMap(width: 4, height: 1, ids: [0, 1, 2, 2]).write(path: path("a.png"), table: shuffled)
        #expect(try read() == [2, 0, 1, 1])
    }

    @Test("are the classes' colours in RGB; that of void is not a class")
    func colors() throws {
        try Image(width: 4, height: 1, channels: 3, pixels: [30, 0, 0, 10, 0, 0, 20, 0, 0, 0, 0, 0])
            .write(path: path("a.png"))
        #expect(try read() == [2, 0, 1, PredictedMasks.none])
    }

    @Test("in palettes are read all by their colours or all by their numbers", arguments: [false, true])
    func mixedPalettes(isReversed: Bool) throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        var shuffled = ClassTable(name: "s", classes: [2, 0, 1].map { Self.classes.classes[$0] })
        try LabelMap(width: 4, height: 1, ids: [0, 1, 1, 1]).write(path: path("a.png"), table: shuffled)
        // A colour that is a little off.
        shuffled.classes[2].color = Color(21, 0, 0)
        try LabelMap(width: 4, height: 1, ids: [0, 1, 2, 2]).write(path: path("b.png"), table: shuffled)
        let masks = try masks()
        var samples = ["a", "b"].map { Sample(image: "images/\($0).jpg", label: "labels/\($0).png") }
        if isReversed { samples.reverse() }
        _ = try masks.mask(of: samples[0], width: 4, height: 1)
        let error = #expect(throws: DatasetError.self) { try masks.mask(of: samples[1], width: 4, height: 1) }
        #expect(
            error?.description.replacing(folder.path, with: "M")
                == "M/b.png: has the colour (21, 0, 0) at x 2, y 0, which belongs to no class, so the numbers of its palette are taken as "
                + "class ids; in M/a.png these numbers do not match the classes of the colours, so there the colours are taken. "
                + "Write all masks as gray PNGs of class ids, or correct that colour."
        )
    }

    @Test("are those named as masks, where a picture lies next to them")
    func photoNextToMask() throws {
        try LabelMap(width: 4, height: 1, ids: [0, 0, 0, 0]).write(path: path("a.png"))
        try LabelMap(width: 4, height: 1, ids: [0, 1, 2, 255]).write(path: path("a.mask.png"))
        #expect(try read() == [0, 1, 2, PredictedMasks.none])
    }

    @Test("follow classes that labels were merged into")
    func merged() throws {
        try LabelMap(width: 4, height: 1, ids: [0, 1, 2, 255]).write(path: path("a.png"))
        #expect(try read(merged: [1: 0, 2: nil]) == [0, 0, PredictedMasks.none, PredictedMasks.none])
    }

    @Test(
        "are read back as they were written, pixels of no class included",
        arguments: [
            (PredictedMasksTests.classes, 255), (.camVid11, 11), (.sunRGBD37, 255), (.generic(classCount: 300), 65_535),
            (ClassTable(name: "bare", classes: PredictedMasksTests.classes.classes), 255),
        ]
    )
    func written(classes: ClassTable, void: Int) throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let last = UInt16(classes.classes.count - 1)
        let mask = try LabelMap(width: 4, height: 1, ids: [0, 1, last, PredictedMasks.none])
        try mask.write(path: path("a.png"), void: classes.voidID)
        #expect(try LabelMap(path: path("a.png")).ids == [0, 1, last, UInt16(void)])
        let dataset = Dataset(name: "d", classes: classes, rule: LabelRule(), splits: [:])
        let masks = try PredictedMasks(folder: folder.path, dataset: dataset)
        #expect(try masks.mask(of: sample, width: 4, height: 1) == mask)
        // As the library's label maps are.
        try mask.write(path: path("a.png"))
        #expect(try masks.mask(of: sample, width: 4, height: 1) == mask)
    }

    @Test("that are missing are named with the picture")
    func missing() {
        #expect(
            message()
                == "M/a.png: there is no mask of the picture 'a'; name masks like the pictures, STEM.png or STEM.mask.png."
        )
    }

    @Test("that are pipes are refused, since reading one may never end")
    func pipe() {
        #expect(mkfifo(path("a.png"), 0o600) == 0)
        #expect(message() == "M/a.png: is a folder, a pipe or a device; a mask is a PNG file.")
    }

    @Test("of another size are named with both sizes")
    func size() throws {
        try LabelMap(width: 2, height: 2, ids: [0, 1, 2, 2]).write(path: path("a.png"))
        #expect(
            message()
                == "M/a.png: is 2x2, the labels of 'a' are 4x1; write masks at the labels' size, or resize them without blending "
                + "(nearest neighbour)."
        )
    }

    @Test("with a value that is not a class are named with value and place")
    func value() throws {
        try LabelMap(width: 4, height: 1, ids: [0, 1, 3, 3]).write(path: path("a.png"))
        #expect(
            message()
                == "M/a.png: has the value 3 at x 2, y 0 (2 pixels), which is none of the 3 classes 0...2 and not void (255); write "
                + "class ids in the order of 'three', or its colours."
        )
    }

    @Test("with a colour that is not a class are named with colour and place")
    func color() throws {
        try Image(width: 4, height: 1, channels: 3, pixels: [30, 0, 0, 10, 0, 0, 20, 0, 0, 9, 8, 7])
            .write(path: path("a.png"))
        let text = message()
        #expect(text.hasPrefix("M/a.png: has the colour (9, 8, 7) at x 3, y 0"), "\(text)")
    }

    @Test("need a folder")
    func noFolder() {
        let dataset = Dataset(name: "d", classes: Self.classes, rule: LabelRule(), splits: [:])
        do {
            _ = try PredictedMasks(folder: "/no/such", dataset: dataset)
            Issue.record("no error")
        } catch {
            #expect("\(error)" == "/no/such: there is no such folder; give the right folder of masks.")
        }
    }
}
