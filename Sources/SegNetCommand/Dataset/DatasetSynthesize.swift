import ArgumentParser
import SegNetToolkit

struct DatasetSynthesize: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "synthesize",
        abstract: "Render streets with their labels into images/ and labels/.",
        discussion: """
            The labels have CamVid's 11 classes and are exact to the pixel; the same seed gives the same pictures. The folder can be \
            used with --dataset folder.

            EXAMPLES:
              segnet dataset synthesize --count 100 --output streets
            """
    )

    @Option(help: ArgumentHelp("How many pictures.", valueName: "count"))
    var count = 10

    @Option(
        help: ArgumentHelp("Seed of the first picture; the others count up from it. (default: 1)", valueName: "number"),
        transform: wholeNumber
    )
    var seed: UInt64 = 1

    @Option(
        help: ArgumentHelp("The size of the pictures. (default: \(PictureSize.camVid))", valueName: "WxH"),
        transform: PictureSize.parse
    )
    var size = PictureSize.camVid

    @Option(
        help: ArgumentHelp("A new folder for pictures and labels; made if it is missing.", valueName: "folder"),
        completion: .directory
    )
    var output: String

    /// As `StreetScene` paints them.
    private static let greatestSide = 16_384

    func validate() throws {
        guard (1...DatasetOptions.greatestCount).contains(count) else {
            throw ValidationError(
                "Please give '--count' a number in 1...\(DatasetOptions.greatestCount); found \(count)."
            )
        }
        guard max(size.width, size.height) <= Self.greatestSide else {
            throw ValidationError("Please give '--size' sides of at most \(Self.greatestSide) pixels; found \(size).")
        }
    }

    func run(on console: Console) throws {
        // Names are the seeds': pictures of another run, and somebody's own, would be replaced.
        try Dataset.requireNone(of: ["images", "labels", "classes.txt", "classes.json"], in: output)
        // Seen before the first street is rendered, in the folder that gets classes.txt too.
        for part in ["", "/images", "/labels"] { try OutputFolder.prepare(output + part) }
        let table = ClassTable.camVid11
        var lines = table.classes.map { "\($0.name) \($0.color.red) \($0.color.green) \($0.color.blue)" }
        lines.append("")
        try OutputFolder.write(lines.joined(separator: "\n"), to: "\(output)/classes.txt")
        let progress = Progress(total: count, console: console)
        for number in 0..<count {
            let name = "street\(seed &+ UInt64(number)).png"
            progress.begin(name)
            let scene = try StreetScene(seed: seed &+ UInt64(number), width: size.width, height: size.height)
            try scene.image.write(path: "\(output)/images/\(name)")
            // 255 where there is no label, as the folder layout has it.
            let ids = scene.labels.ids.map { $0 < 11 ? $0 : 255 }
            try LabelMap(width: size.width, height: size.height, ids: ids).write(path: "\(output)/labels/\(name)")
            progress.finish()
        }
        console.clearStatus()
        console.print("\(counted(count, "picture")) in \(output)")
    }
}
