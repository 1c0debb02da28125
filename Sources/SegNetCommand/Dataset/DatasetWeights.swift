import ArgumentParser
import SegNetToolkit

struct DatasetWeights: ConsoleCommand, DatasetReader {
    static let configuration = CommandConfiguration(
        commandName: "weights",
        abstract: "Print median frequency weights of a data set's classes.",
        discussion: """
            A class's weight is median(f) / f, where f is its pixels divided by all pixels of the pictures that show it \
            (arXiv 1411.4734). The median is over the classes that occur, without void. The output has the form that \
            'segnet train --class-weights FILE' reads.

            EXAMPLES:
              segnet dataset weights --dataset camvid --data CamVid > weights.txt
              segnet dataset weights --dataset camvid --authors
            """
    )

    @OptionGroup var choice: DatasetChoice

    @Option(help: ArgumentHelp("The split to count.", valueName: "name"))
    var split = DatasetWeights.usualSplit

    /// The split that counts where none is named.
    private static let usualSplit = "train"

    @Flag(help: "Print the eleven weights in the SegNet authors' prototxts for CamVid; no file is read.")
    var authors = false

    func validate() throws {
        if authors, let option = split != DatasetWeights.usualSplit ? "--split" : choice.given {
            throw ValidationError("Please leave '\(option)' out with '--authors', for which no file is read.")
        }
    }

    func run(on console: Console) throws {
        if authors {
            guard choice.dataset == .camVid || choice.dataset == .synthetic else {
                throw ValidationError(
                    "--authors: the authors' eleven weights are for CamVid's 11 classes (camvid, synthetic), not for "
                        + "'\(choice.dataset.rawValue)'; leave the flag out."
                )
            }
            Self.print(ClassTable.camVid11, ClassWeights.authors, on: console)
            return
        }
        let dataset = try choice.load()
        let samples = try dataset.samples(of: split)
        let progress = Progress(total: samples.count, console: console)
        let frequencies = try dataset.frequencies(of: samples) { number in
            progress.finish()
            progress.begin("picture \(number)")
        }
        console.clearStatus()
        Self.print(dataset.classes, frequencies.medianFrequencyWeights, on: console)
        let absent = zip(dataset.classes.classes, frequencies.pixels).filter { $1 == 0 }.map(\.0.name)
        if !absent.isEmpty {
            console.note(
                "note: no pixel of '\(split)' shows \(absent.joined(separator: ", ")): weight 0, nothing can be learnt about it; "
                    + "the median is over the other \(dataset.classes.classes.count - absent.count) classes."
            )
        }
    }

    private static func print(_ table: ClassTable, _ weights: [Float], on console: Console) {
        for (entry, weight) in zip(table.classes, weights) {
            console.print("\(entry.name) \(Numbers.fixed(Double(weight), 4))")
        }
    }
}
