extension ClassTable {
    /// The tables that `named(_:)` knows.
    public static let all: [ClassTable] = [
        .camVid11, .camVid12, .sunRGBD37, .sunRGBD37WithoutVoid, .pascalVOC21, .cityscapes19,
    ]

    /// The table of this name, upper and lower case alike: camvid11, camvid12, sunrgbd37, sunrgbd37-without-void,
    /// voc21, cityscapes19.
    public static func named(_ name: String) -> ClassTable? {
        let wanted = name.lowercased()
        return all.first { $0.name == wanted }
    }

    /// A table for a network that has none: the known one with this number of classes, or else a generic one.
    ///
    /// Only the number of classes is known, so the names may be wrong; tell the user which table was taken.
    public static func guess(classCount: Int) -> ClassTable {
        all.first { $0.classes.count == classCount } ?? generic(classCount: classCount)
    }

    /// A table with this number of classes, called "class 0", "class 1", ..., in distinct colours; void is 255 and
    /// black.
    public static func generic(classCount: Int) -> ClassTable {
        ClassTable(
            name: "generic\(max(classCount, 0))",
            classes: (0..<max(classCount, 0)).map { Entry("class \($0)", genericColor(of: $0)) },
            ignoredIDs: classCount > 255 ? [] : [255]
        )
    }

    /// The generic colour of a class id: Pascal VOC's of the next number, so that none is black.
    package static func genericColor(of id: Int) -> Color { pascalVOCColor(id + 1) }

    /// Pascal VOC's rule: bits 0, 1, 2 of the number become the top bits of red, green, blue, the next three bits the
    /// next lower ones, and so on. Numbers below 2^24 have distinct colours, small ones colours far apart.
    static func pascalVOCColor(_ number: Int) -> Color {
        var samples: (red: UInt8, green: UInt8, blue: UInt8) = (0, 0, 0)
        for bit in 0..<8 {
            let three = UInt8(truncatingIfNeeded: number >> (3 * bit))
            samples.red |= (three & 1) << (7 - bit)
            samples.green |= (three >> 1 & 1) << (7 - bit)
            samples.blue |= (three >> 2 & 1) << (7 - bit)
        }
        return Color(samples.red, samples.green, samples.blue)
    }

    // MARK: - The tables

    /// CamVid's 11 classes and void, 11. Colours: the original's `camvid11.png`.
    public static let camVid11 = ClassTable(
        name: "camvid11",
        classes: [
            Entry("Sky", Color(128, 128, 128)),
            Entry("Building", Color(128, 0, 0)),
            Entry("Pole", Color(192, 192, 128)),
            Entry("Road", Color(128, 64, 128)),
            Entry("Pavement", Color(60, 40, 222)),
            Entry("Tree", Color(128, 128, 0)),
            Entry("SignSymbol", Color(192, 128, 128)),
            Entry("Fence", Color(64, 64, 128)),
            Entry("Car", Color(64, 0, 128)),
            Entry("Pedestrian", Color(64, 64, 0)),
            Entry("Bicyclist", Color(0, 128, 192)),
        ],
        ignoredIDs: [11]
    )

    /// The 12 classes of the original's web demo: Road_marking is class 3, and the classes after it are one higher than
    /// in `camVid11`. Void is 12. Colours: the original's `camvid12.png`.
    public static let camVid12 = ClassTable(
        name: "camvid12",
        classes: camVid11.classes[..<3] + [Entry("Road_marking", Color(255, 69, 0))] + camVid11.classes[3...],
        ignoredIDs: [12]
    )

    /// SUN RGB-D's 37 classes, 1 ... 37, of networks with 38 outputs: output 0 is void, never trained, but may still
    /// win. Colours: the original's `sun.png`.
    public static let sunRGBD37 = ClassTable(
        name: "sunrgbd37",
        classes: [
            Entry("void", Color(0, 0, 0)),
            Entry("Wall", Color(153, 112, 72)),
            Entry("Floor", Color(91, 134, 83)),
            Entry("Cabinet", Color(153, 91, 90)),
            Entry("Bed", Color(118, 106, 128)),
            Entry("Chair", Color(118, 94, 89)),
            Entry("Sofa", Color(148, 109, 126)),
            Entry("Table", Color(119, 119, 119)),
            Entry("Door", Color(131, 131, 85)),
            Entry("Window", Color(95, 131, 137)),
            Entry("Bookshelf", Color(153, 153, 107)),
            Entry("Picture", Color(151, 77, 68)),
            Entry("Counter", Color(152, 108, 59)),
            Entry("Blinds", Color(151, 123, 137)),
            Entry("Desk", Color(113, 77, 113)),
            Entry("Shelves", Color(153, 142, 67)),
            Entry("Curtain", Color(33, 76, 110)),
            Entry("Dresser", Color(91, 47, 98)),
            Entry("Pillow", Color(153, 153, 31)),
            Entry("Mirror", Color(148, 77, 115)),
            Entry("Floor mat", Color(59, 18, 13)),
            Entry("Clothes", Color(11, 85, 123)),
            Entry("Ceiling", Color(60, 118, 145)),
            Entry("Books", Color(9, 69, 63)),
            Entry("Fridge", Color(32, 56, 90)),
            Entry("TV", Color(71, 91, 37)),
            Entry("Paper", Color(32, 80, 95)),
            Entry("Towel", Color(77, 91, 118)),
            Entry("Shower curtain", Color(103, 118, 79)),
            Entry("Box", Color(27, 53, 83)),
            Entry("Whiteboard", Color(140, 96, 41)),
            Entry("Person", Color(68, 37, 71)),
            Entry("Night stand", Color(94, 95, 133)),
            Entry("Toilet", Color(44, 51, 79)),
            Entry("Sink", Color(109, 124, 64)),
            Entry("Lamp", Color(59, 73, 34)),
            Entry("Bathtub", Color(139, 112, 49)),
            Entry("Bag", Color(84, 65, 29)),
        ],
        ignoredIDs: [0]
    )

    /// SUN RGB-D's 37 classes of networks with 37 outputs: the label less 1. Void is 255.
    public static let sunRGBD37WithoutVoid = ClassTable(
        name: "sunrgbd37-without-void",
        classes: Array(sunRGBD37.classes.dropFirst()),
        ignoredIDs: [255]
    )

    /// Pascal VOC's 20 classes and background, 0. Void is 255. Colours by VOC's rule.
    public static let pascalVOC21 = ClassTable(
        name: "voc21",
        classes: [
            "background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
            "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train",
            "tvmonitor",
        ].enumerated().map { Entry($1, pascalVOCColor($0)) },
        ignoredIDs: [255],
        backgroundID: 0
    )

    /// Cityscapes' 19 classes of evaluation, by train id. Void is 255.
    public static let cityscapes19 = ClassTable(
        name: "cityscapes19",
        classes: [
            Entry("road", Color(128, 64, 128)),
            Entry("sidewalk", Color(244, 35, 232)),
            Entry("building", Color(70, 70, 70)),
            Entry("wall", Color(102, 102, 156)),
            Entry("fence", Color(190, 153, 153)),
            Entry("pole", Color(153, 153, 153)),
            Entry("traffic light", Color(250, 170, 30)),
            Entry("traffic sign", Color(220, 220, 0)),
            Entry("vegetation", Color(107, 142, 35)),
            Entry("terrain", Color(152, 251, 152)),
            Entry("sky", Color(70, 130, 180)),
            Entry("person", Color(220, 20, 60)),
            Entry("rider", Color(255, 0, 0)),
            Entry("car", Color(0, 0, 142)),
            Entry("truck", Color(0, 0, 70)),
            Entry("bus", Color(0, 60, 100)),
            Entry("train", Color(0, 80, 100)),
            Entry("motorcycle", Color(0, 0, 230)),
            Entry("bicycle", Color(119, 11, 32)),
        ],
        ignoredIDs: [255]
    )
}
