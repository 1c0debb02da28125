import SegNetImages
import SegNetPlatform
import Testing

@Suite("Class tables")
struct ClassTableTests {
    @Test("are found by name, whatever the case")
    func named() {
        #expect(ClassTable.named("camvid11") == .camVid11)
        #expect(ClassTable.named("CamVid12") == .camVid12)
        #expect(ClassTable.named("ade20k") == nil)
        for table in ClassTable.all { #expect(ClassTable.named(table.name) == table) }
    }

    @Test("have the data sets' counts and void ids")
    func counts() {
        #expect(ClassTable.all.map(\.classes.count) == [11, 12, 38, 37, 21, 19])
        #expect(ClassTable.all.map(\.ignoredIDs) == [[11], [12], [0], [255], [255], [255]])
    }

    @Test("camvid12 is camvid11 with Road_marking put in at 3")
    func camVid12() {
        var classes = ClassTable.camVid12.classes
        #expect(classes.remove(at: 3) == ClassTable.Entry("Road_marking", Color(255, 69, 0)))
        #expect(classes == ClassTable.camVid11.classes)
        #expect(ClassTable.camVid11.id(named: "road") == 3 && ClassTable.camVid12.id(named: "Road") == 4)
    }

    @Test("Pascal VOC's colours follow its rule")
    func pascalVOC() {
        let table = ClassTable.pascalVOC21
        #expect(table.color(of: 0) == .black)
        #expect(table.color(of: 1) == Color(128, 0, 0))
        #expect(table.color(of: 15) == Color(192, 128, 128))
        #expect(table.classes[15].name == "person")
        #expect(table.color(of: 20) == Color(0, 64, 128))
    }

    @Test("spot checks of Cityscapes and SUN RGB-D")
    func spots() {
        #expect(ClassTable.cityscapes19.classes[13] == ClassTable.Entry("car", Color(0, 0, 142)))
        #expect(ClassTable.cityscapes19.classes[18] == ClassTable.Entry("bicycle", Color(119, 11, 32)))
        #expect(ClassTable.sunRGBD37.classes[37] == ClassTable.Entry("Bag", Color(84, 65, 29)))
        #expect(ClassTable.sunRGBD37WithoutVoid.classes[36] == ClassTable.Entry("Bag", Color(84, 65, 29)))
    }

    /// The fact sheet lies beside the repository on the developers' machines only.
    static let facts = FileManager.default.contents(atPath: Goldens.package + "../shared/reference/segnet-facts.md")

    @Test(
        "SUN RGB-D and CamVid agree with the fact sheet, section 7.5",
        .enabled(if: facts != nil, "skipped: ../shared/reference/segnet-facts.md is not here")
    )
    func factSheet() throws {
        let lines = String(decoding: try #require(Self.facts), as: UTF8.self).split(separator: "\n")
        func cells(_ line: Substring) -> [String] {
            line.split(separator: "|").map { String($0).trimmed }
        }
        func color(_ text: String) -> Color? {
            let samples = text.split(separator: ",").compactMap { UInt8($0) }
            return samples.count == 3 ? Color(samples[0], samples[1], samples[2]) : nil
        }
        let sun = lines.map(cells).filter { $0.count >= 4 && Int($0[0]) != nil && color($0[2]) != nil }
        #expect(sun.count == 38)
        for row in sun {
            let entry = ClassTable.sunRGBD37.classes[try #require(Int(row[0]))]
            #expect(entry.name == row[1] && entry.color == color(row[2]))
        }
        let names = try #require(lines.map(cells).first { $0.first == "Sky" && $0.last == "void" })
        let colors = try #require(lines.map(cells).first { $0.count == 12 && $0[0] == "128,128,128" }).map { color($0) }
        #expect(names.dropLast() == ClassTable.camVid11.classes.map(\.name)[...])
        #expect(colors == ClassTable.camVid11.palette(count: 12).map { $0 })
    }

    @Test("generic colours are distinct and not black", arguments: [1, 37, 150, 1000])
    func generic(count: Int) {
        let table = ClassTable.generic(classCount: count)
        #expect(table.classes.count == count)
        #expect(Set(table.palette(count: count)).count == count)
        #expect(!table.palette(count: min(count, 255)).contains(.black))
        #expect(table.name(of: 0) == "class 0" && table.classes[0].color == Color(128, 0, 0))
    }

    @Test("the guess takes the known table of so many classes, else a generic one")
    func guess() {
        #expect(ClassTable.guess(classCount: 11) == .camVid11)
        #expect(ClassTable.guess(classCount: 21) == .pascalVOC21)
        #expect(ClassTable.guess(classCount: 37) == .sunRGBD37WithoutVoid)
        #expect(ClassTable.guess(classCount: 5) == .generic(classCount: 5))
        #expect(ClassTable.guess(classCount: -1).classes.isEmpty)
    }

    @Test("ids outside have names and colours too")
    func outside() {
        let table = ClassTable.camVid11
        #expect(table.name(of: 11) == "void" && table.color(of: 11) == .black)
        #expect(table.name(of: 14) == "class 14" && table.color(of: 14) == Color(192, 128, 128))
        #expect(table.name(of: -1) == "class -1")
    }

    @Test("survive JSON", arguments: ClassTable.all)
    func json(table: ClassTable) throws {
        #expect(try JSONDecoder().decode(ClassTable.self, from: try JSONEncoder().encode(table)) == table)
    }

    @Test("JSON needs only a name and classes")
    func shortJSON() throws {
        let text =
            #"{"name": "two", "classes": [{"name": "no", "color": [0, 0, 0]}, {"name": "yes", "color": [255, 0, 9]}]}"#
        let table = try JSONDecoder().decode(ClassTable.self, from: Data(text.utf8))
        #expect(table == ClassTable(name: "two", classes: [.init("no", .black), .init("yes", Color(255, 0, 9))]))
    }
}

extension String {
    fileprivate var trimmed: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
