import ArgumentParser
import SegNetToolkit

/// Tools around data sets.
struct DatasetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dataset",
        abstract: "Check, weigh and show a data set; convert painted labels; render streets.",
        discussion: """
            EXAMPLES:
              segnet dataset check --dataset camvid --data CamVid
              segnet dataset weights --dataset camvid --data CamVid > weights.txt
              segnet dataset preview --dataset camvid --data CamVid --output sheet.png
              segnet dataset convert painted/ --to index --classes classes.txt --output labels
              segnet dataset synthesize --count 100 --output streets
            """,
        subcommands: [
            DatasetCheck.self, DatasetWeights.self, DatasetPreview.self, DatasetConvert.self, DatasetSynthesize.self,
        ]
    )
}
