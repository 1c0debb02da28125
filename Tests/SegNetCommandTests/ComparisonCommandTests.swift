import ArgumentParser
import Foundation
import SegNetToolkit
import Testing

@testable import SegNetCommand

@Suite("The command on a comparison's page")
struct ComparisonCommandTests {
    /// Eight pictures as the kind `folder`, whose labels count 1...3, and as the kind `labelme`.
    private static func data(_ scratch: ScratchFolder) throws {
        try scratch.write("ground\nthing\nmoon\n", "folder/classes.txt")
        try scratch.write("", "folder/labels/.keep")
        for number in 0..<8 {
            try scratch.picture("folder/images/p\(number).png", width: 4, height: 2, seed: UInt64(number))
            try EvaluateTests.labels([0, 1, 2, 3, 1, 1, 2, 3], scratch("folder/labels/p\(number)-mask.png"))
            try scratch.picture("labelme/p\(number).png", width: 4, height: 2, seed: UInt64(number))
            try scratch.write(
                #"{"imagePath": "p\#(number).png", "shapes": [{"label": "thing", "points": [[0, 0], [2, 0], [2, 2]]}]}"#,
                "labelme/p\(number).json"
            )
        }
    }

    @Test(
        "scores the same pictures by the same labels as the comparison",
        arguments: [
            (
                "folder", "val",
                "{label-offset: -1, label-suffix: -mask, ignore: [2], map: {3: ground}, inputs: [gray], folds: 4, fold: 3}"
            ),
            ("folder", "val", "{label-offset: -1, label-suffix: -mask, accuracy: exact}"),
            ("labelme", "val", "{unlabelled: background, validation-share: 0.25}"),
            ("labelme", "train", "{validation-split: none, map: {thing: void}}"),
        ]
    )
    func dataset(kind: String, split: String, shared: String) throws {
        let scratch = try ScratchFolder()
        try Self.data(scratch)
        let plan = """
            dataset: \(kind)
            data: \(scratch(kind))
            split: \(split)
            protocol: \(shared)
            systems:
              - {name: Basic, recipe: {architecture: segnet-basic}}
            """
        let comparison = try SystemComparison(
            ComparisonPlan(yaml: plan, file: "plan.yaml"),
            output: scratch.url.appending(path: "out")
        )
        let words = comparison.evaluationCommand(of: comparison.systems[0])
        #expect(Array(words.prefix(2)) == ["segnet", "evaluate"])
        let command = try Evaluate.parse(Array(words.dropFirst(2)))
        let (own, scored) = (try command.choice.load(), try comparison.scoredDataset())
        #expect(own.splits == scored.splits && own.inputs == scored.inputs, "\(words)")
        #expect(own.rule == scored.rule && own.classes == scored.classes, "\(words)")
        #expect(own.mergedClasses == scored.mergedClasses)
        #expect(command.split == split)
        #expect(command.engine.accuracy == comparison.systems[0].configuration.accuracy)
    }
}
