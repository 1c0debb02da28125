import ArgumentParser
import SegNetToolkit

struct BenchmarkCRF: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "crf",
        abstract: "Measure the dense CRF: one complete refinement of a picture.",
        discussion: """
            Without files, it refines rough probabilities of a rendered street. --picture and --probabilities give it the same input as \
            another program (Benchmarks/peers/crf).

            EXAMPLES:
              segnet benchmark crf
              segnet benchmark crf --classes 37 --threads 1 --json
              segnet benchmark crf --picture a.png --probabilities a.npy --crf 4,49,5,3,3,10,symmetric
            """
    )

    @Option(
        help: ArgumentHelp("Size of the rendered street. (default: \(PictureSize.camVid))", valueName: "WxH"),
        transform: PictureSize.parse
    )
    var size: PictureSize?

    @Option(help: ArgumentHelp("How many classes. (default: 11)", valueName: "count"))
    var classes: Int?

    @Option(help: ArgumentHelp("A picture in place of the street.", valueName: "file"), completion: .file())
    var picture: String?

    @Option(
        help: ArgumentHelp("Its class probabilities, [H, W, K], as .npy.", valueName: "file"),
        completion: .file(extensions: ["npy"])
    )
    var probabilities: String?

    @Option(
        help: ArgumentHelp(
            "w1,sigma-alpha,sigma-beta,w2,sigma-gamma,iterations. (default: \(DenseCRF()))",
            valueName: "crf"
        ),
        transform: { text in
            do throws(DenseCRFError) { return try DenseCRF(text) } catch { throw ValidationError("\(error.problem).") }
        }
    )
    var crf = DenseCRF()

    @Option(
        help: ArgumentHelp("Write the refined probabilities, [H, W, K], as .npy.", valueName: "file"),
        completion: .file()
    )
    var output: String?

    @OptionGroup var threadOptions: ThreadOptions

    @OptionGroup var repetitions: RepetitionOptions

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard (picture == nil) == (probabilities == nil) else {
            throw ValidationError("Please give '--picture' and '--probabilities' together.")
        }
        if let classes, !(1...1000).contains(classes) {
            throw ValidationError("Please give '--classes' a number in 1...1000; found \(classes).")
        }
        if picture != nil, let option = size != nil ? "--size" : classes != nil ? "--classes" : nil {
            throw ValidationError("Please leave '\(option)' out with '--picture': it is for the rendered street.")
        }
        if let output,
            [picture, probabilities].contains(where: { $0.map(InputList.resolved) == InputList.resolved(output) })
        {
            throw ValidationError("Please give '--output' another file: \(output) is read, and would be replaced.")
        }
    }

    func run(on console: Console) throws {
        try CRFBenchmark(options: self, console: console).run().print(on: console, asJSON: json)
    }
}
