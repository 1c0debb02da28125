import ArgumentParser
import SegNetToolkit

struct DatasetImport: ConsoleCommand, DatasetReader {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Turn annotations into a folder of pictures and label PNGs.",
        discussion: """
            Reads any data set that --dataset knows, such as annotations from COCO, labelme, CVAT, Label Studio and YOLO, and \
            writes images/, labels/ and classes.txt for --dataset folder. Polygons, masks and brushes are drawn in order, the last on \
            top. Pixels that none of them covers are void unless --unlabelled says otherwise. Errors are reported, the rest is still \
            imported, and the exit code is then 1. Training and scoring also read annotations directly: this command is for looking at \
            the labels, changing them, or adding channels.

            EXAMPLES:
              segnet dataset import --dataset coco --data coco/ --output mine
              segnet dataset import --dataset labelme --data photos/ --unlabelled background --output mine
              segnet dataset import --dataset cvat --data annotations.xml --classes camvid11 --map tree=Tree --output mine
              segnet dataset import --dataset label-studio --data export.json --val-share 0.2 --output mine
            """
    )

    @OptionGroup var choice: DatasetChoice

    @Option(
        help: ArgumentHelp("The folder for the result; made if it is missing.", valueName: "folder"),
        completion: .directory
    )
    var output: String

    func run(on console: Console) throws {
        let dataset = try choice.load(collectsProblems: true)
        dataset.warnOfFurtherFiles(on: console)
        try OutputFolder.prepare(output)
        let progress = Progress(total: dataset.splits.values.reduce(0) { $0 + $1.count }, console: console)
        let result = try dataset.writeFolder(to: output) { split, sample in
            progress.next("\(split)/\(sample.name)")
        }
        console.clearStatus()
        let problems = dataset.problems + result.problems
        for problem in DatasetCheck.grouped(problems) { console.error(problem) }
        for warning in dataset.warnings { console.warning(warning) }
        console.print(
            "\(counted(result.count, "picture")) with "
                + "\(counted(dataset.classes.classes.count, "class", plural: "classes")) in \(output)"
        )
        guard problems.isEmpty else {
            console.note("\(counted(problems.count, "problem")); see above.")
            throw ExitCode.failure
        }
    }
}
