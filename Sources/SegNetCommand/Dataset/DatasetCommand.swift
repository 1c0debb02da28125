import ArgumentParser
import SegNetToolkit

/// Tools around data sets.
struct DatasetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dataset",
        abstract: "Check and show data sets, compute class weights, import and export annotations, render streets.",
        discussion: """
            EXAMPLES:
              segnet dataset check --dataset camvid --data CamVid
              segnet dataset weights --dataset camvid --data CamVid > weights.txt
              segnet dataset preview --dataset camvid --data CamVid --output sheet.png
              segnet dataset init mine
              segnet dataset import --dataset coco --data coco/ --output mine
              segnet dataset export --dataset folder --data mine --to labelme --output mine-labelme
              segnet dataset convert painted/ --to index --classes classes.txt --output labels
              segnet dataset synthesize --count 100 --output streets
            """,
        subcommands: [
            DatasetCheck.self, DatasetWeights.self, DatasetPreview.self, DatasetConvert.self, DatasetSynthesize.self,
            DatasetInit.self, DatasetImport.self, DatasetExport.self,
        ]
    )
}
