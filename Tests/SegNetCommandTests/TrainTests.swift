import Foundation
import SegNetToolkit
import Testing

@testable import SegNetCommand

@Suite("segnet train", .serialized, .enabled(if: BuiltCommand.isThere, "the segnet command is not built"))
struct TrainTests {
    private static func report(_ change: [String: any Sendable] = [:]) throws -> StepReport {
        var fields: [String: any Sendable] = [
            "step": 12345, "totalSteps": 55000, "epoch": 12.333, "loss": 0.23456, "labelledPixels": 1000,
            "runningMeanIoU": 0.45678, "learningRate": 0.1, "gradientNorm": 1.5, "picturesPerSecond": 12.14,
            "secondsLeft": 43999.0,
        ]
        fields.merge(change) { $1 }
        return try JSONDecoder().decode(StepReport.self, from: JSONSerialization.data(withJSONObject: fields))
    }

    @Test("the live line tells epoch, step, loss, running mIoU, pictures a second and the time left, in 80 columns")
    func liveLine() throws {
        let line = Train.line(try Self.report())
        #expect(line == "epoch 12.33  step 12345/55000  loss 0.2346  mIoU 45.7  12.1 img/s  12h13m left")
        #expect(line.count < 80)
    }

    @Test(
        "tells the time left in hours, minutes or seconds",
        arguments: [(0.0, "0 s"), (59.9, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1h00m"), (90_061, "25h01m")]
    )
    func timeLeft(seconds: Double, text: String) throws {
        #expect(Train.line(try Self.report(["secondsLeft": seconds])).hasSuffix("img/s  \(text) left"))
    }

    @Test(
        "the time of a training is in minutes, of a short one in seconds",
        arguments: [(0.0, "0.0 s"), (5230, "5.2 s"), (60_000, "1.0 minutes"), (576_000, "9.6 minutes")]
    )
    func time(milliseconds: Double, text: String) {
        #expect(Train.duration(milliseconds: milliseconds) == text)
    }

    @Test("says both sizes of a step, what a batch without labels does, and which class is never predicted")
    func notes() throws {
        let scratch = try ScratchFolder()
        try scratch.write("grass\nball\n", "data/classes.txt")
        for split in ["train", "val"] {
            for number in 0..<4 {
                try scratch.picture("data/images/\(split)/\(number).png", width: 32, height: 32, seed: UInt64(number))
                // Grass and one pixel of ball, or nothing at all, to learn from; many of ball in the validation.
                let ids: [UInt16] = (0..<1024).map {
                    split == "train" ? (number < 2 ? 255 : $0 == 0 ? 1 : 0) : $0 < 512 ? 0 : 1
                }
                try FileManager.default.createDirectory(
                    atPath: scratch("data/labels/\(split)"),
                    withIntermediateDirectories: true
                )
                try LabelMap(width: 32, height: 32, ids: ids).write(path: scratch("data/labels/\(split)/\(number).png"))
            }
        }
        try scratch.write(
            """
            width: 0.25
            dataset: folder
            data: \(scratch("data"))
            class-weights: none
            batch-size: 1
            accumulate: 2
            iterations: 12
            learning-rate: 0.1
            statistics: running
            """,
            "recipe.yaml"
        )
        let process = Process()
        process.executableURL = BuiltCommand.url
        process.arguments = [
            "train", "--config", scratch("recipe.yaml"), "--output", scratch("run"), "--threads", "1",
            "--no-tensorboard",
        ]
        let errors = Pipe()
        process.standardError = errors
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        #expect(text.contains("2 classes, pictures of 32x32, 2 per step (2 batches of 1), 12 steps, "), "\(text)")
        #expect(text.contains("never predicted: ball"), "\(text)")
        #expect(text.contains(": no pixel of the batch has a label; it changed nothing."), "\(text)")
        #expect(!scratch.files("run").contains { $0.contains("tfevents") })
    }
}
