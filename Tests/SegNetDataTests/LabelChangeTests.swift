import SegNetImages
import Testing

@testable import SegNetData

@Suite("Changed labels (--map)")
struct LabelChangeTests {
    static let classes = ClassTable(
        name: "three",
        classes: [
            ClassTable.Entry("ground", Color(1, 1, 1)), ClassTable.Entry("wall", Color(2, 2, 2)),
            ClassTable.Entry("thing", Color(3, 3, 3)),
        ],
        ignoredIDs: [255]
    )

    static func rule(_ words: String..., from rule: LabelRule = LabelRule()) throws -> LabelRule {
        try rule.changed(by: words.map { word throws(DatasetError) in try LabelChange(word) }, classes: classes)
    }

    static func message(_ body: () throws -> some Any) -> String {
        do { _ = try body() } catch { return "\(error)" }
        return ""
    }

    @Test("go by number or name, many to one, and to void")
    func map() throws {
        let rule = try Self.rule("7=Thing", "8=2", "wall=ground", "9=VOID")
        let raw = try LabelMap(width: 6, height: 1, ids: [0, 1, 2, 7, 8, 9])
        let ids = try rule.map(raw, path: "a.png", classes: Self.classes).ids
        #expect(ids == [0, 0, 2, 2, 2, Example.ignored])
    }

    @Test("do not act on each other")
    func simultaneous() throws {
        let rule = try Self.rule("ground=wall", "wall=ground")
        let raw = try LabelMap(width: 2, height: 1, ids: [0, 1])
        #expect(try rule.map(raw, path: "a.png", classes: Self.classes).ids == [1, 0])
    }

    @Test("by a class's name take every number that stands for it, or the one colour of that name")
    func names() throws {
        // As SUN RGB-D: number n is class n - 1. 4 is a second number of class 2, and has a name of its own.
        let colors = ClassTable(
            name: "file",
            classes: ["-", "ground", "wall", "thing", "box"].enumerated().map {
                ClassTable.Entry($1, Color(UInt8($0), 0, 0))
            }
        )
        let shifted = LabelRule(mapping: [0: nil, 1: 0, 2: 1, 3: 2, 4: 2], isColored: true, colors: colors)
        let whole = try Self.rule("thing=void", from: shifted)
        #expect(whole.mapping == [0: nil, 1: 0, 2: 1, 3: nil, 4: nil])
        #expect(whole.mergedClasses(from: shifted, count: 3) == [2: nil])
        let part = try Self.rule("box=wall", from: shifted)
        #expect(part.mapping == [0: nil, 1: 0, 2: 1, 3: 2, 4: 1])
        #expect(part.mergedClasses(from: shifted, count: 3) == [:])
    }

    @Test("by the name of a label take every spelling of it in annotations")
    func spellings() throws {
        let scratch = try ScratchFolder()
        try scratch.write("Vehicle\nSky\n", "classes.txt")
        for (name, label) in [("a", "car"), ("b", "Car")] {
            try scratch.picture("\(name).png")
            let shape = #"{"label": "\#(label)", "points": [[0, 0], [2, 0], [2, 3], [0, 3]]}"#
            try scratch.write(#"{"imagePath": "\#(name).png", "shapes": [\#(shape)]}"#, "\(name).json")
        }
        var options = DatasetOptions()
        options.validationShare = 0
        options.changes = [try LabelChange("CAR=Vehicle")]
        let dataset = try Dataset.load(.labelme, directory: scratch.path, options: options)
        let pixels = try dataset.samples(of: "train").map { try dataset.labels(of: $0).ids.count { $0 == 0 } }
        #expect(pixels.count == 2 && pixels[0] > 0 && pixels[0] == pixels[1], "\(pixels)")
    }

    @Test("that contradict each other are refused; twice the same is the same")
    func contradiction() throws {
        #expect(
            Self.message { try Self.rule("1=0", "1=thing") }
                == "label change '1=thing': '1=0' gives the label 1 another meaning; leave one of them out."
        )
        #expect(
            Self.message { try Self.rule("wall=void", "1=0") }
                == "label change '1=0': 'wall=void' gives the label 1 another meaning; leave one of them out."
        )
        #expect(try Self.rule("wall=thing", "1=2").mapping == [1: 2])
    }

    @Test("say which classes are gone, and what their predictions count as")
    func merged() throws {
        let original = LabelRule()
        let rule = try Self.rule("1=0", "2=void")
        #expect(rule.mergedClasses(from: original, count: 3) == [1: 0, 2: nil])
        // Two classes that change places are both still there.
        #expect(try Self.rule("0=1", "1=0").mergedClasses(from: original, count: 3) == [:])
    }

    @Test("that make no sense are told as they were written")
    func errors() {
        #expect(
            Self.message { try LabelChange("seven") }
                == "label change 'seven': write the label and its class as OLD=NEW, such as 14=3, 14=Road, Pole=Fence or Pole=void."
        )
        #expect(Self.message { try LabelChange("=3") }.hasPrefix("label change '=3': write the label"))
        #expect(Self.message { try LabelChange("3=") }.hasPrefix("label change '3=': write the label"))
        #expect(
            Self.message { try Self.rule("7=moon") }
                == "label change '7=moon': there is no class 'moon'; the classes are ground, wall, thing."
        )
        #expect(
            Self.message { try Self.rule("moon=1") }
                == "label change 'moon=1': there is no class 'moon'; the classes are ground, wall, thing."
        )
        #expect(
            Self.message { try Self.rule("gruond=1") }
                == "label change 'gruond=1': there is no class 'gruond'. Did you mean 'ground'? The classes are ground, wall, thing."
        )
        #expect(Self.message { try Self.rule("7=3") } == "label change '7=3': 3 is none of the 3 classes 0...2.")
    }
}
