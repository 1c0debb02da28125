import Foundation
import SegNetEvaluation
import SegNetPlatform
import Testing

@testable import SegNetTraining

#if os(Linux)
    @Suite("The log of a run on a disk that does not take it")
    struct RunLogTests {
        private static func end(_ step: Int) -> RunLog.End { RunLog.End(step: step, isFinished: false, peakBytes: 1) }

        private static func report(_ step: Int) -> StepReport {
            StepReport(
                step: step,
                totalSteps: 9,
                epoch: 0,
                loss: 1,
                labelledPixels: 1,
                runningMeanIoU: nil,
                learningRate: 1,
                gradientNorm: 1,
                picturesPerSecond: 1,
                secondsLeft: 1,
                waitingShare: nil
            )
        }

        @Test("is closed once where it cannot be cut")
        func cutting() throws {
            let run = try RunFolder()
            // A file that can be opened and read, in a folder where no other can be made.
            let file = run.url.appending(path: "log.jsonl")
            try FileManager.default.createSymbolicLink(atPath: file.path, withDestinationPath: "/proc/self/comm")
            var log: RunLog? = try RunLog(file)
            #expect { try log?.truncate(after: 3) } throws: { "\($0)".contains("log.jsonl: cannot be written (") }
            // The number of the log's descriptor may belong to the next file, which the log must not close when it goes.
            let next = open("/dev/null", O_RDONLY)
            log = nil
            #expect(close(next) == 0)
        }

        @Test("loses no line: what did not fit is told of once and written when there is room")
        func fullForAWhile() throws {
            let run = try RunFolder()
            let file = run.url.appending(path: "log.jsonl")
            let descriptor = open("/dev/full", O_WRONLY)
            let log = RunLog(file, descriptor: descriptor)
            try log.write(Self.report(1))
            #expect(
                log.takeNote()
                    == "\(file.path): cannot be written (No space left on device); its lines are kept, and written as soon as there is room."
            )
            try log.write(Self.report(2))
            #expect(log.takeNote() == nil)
            #expect {
                try log.requireWritten()
            } throws: {
                "\($0)"
                    == "\(file.path): cannot be written (No space left on device), so that it lacks the last steps; check the file and the "
                    + "space left on the disk."
            }
            // Now there is room.
            let real = open(file.path, O_WRONLY | O_CREAT | O_APPEND, 0o666)
            #expect(dup2(real, descriptor) == descriptor)
            close(real)
            try log.write(Self.report(3))
            try log.write(Self.end(3))
            let lines = try run.text("log.jsonl").split(separator: "\n")
            #expect(lines.map { $0.contains("\"kind\":\"step\"") } == [true, true, true, false])
            for (index, line) in lines.prefix(3).enumerated() {
                #expect(line.contains("\"step\":\(index + 1)}") || line.contains("\"step\":\(index + 1),"))
            }
        }

        @Test("is told of while steps go on, and ends the run at a checkpoint, which is saved")
        func fullUntilTheCheckpoint() throws {
            let run = try RunFolder()
            let recipe = ResumingTests.recipe(3)
            let trainer = try Trainer(recipe, dataset: TrainerTests.data(recipe), output: run.url, threads: 1)
            trainer.log = RunLog(URL(filePath: "run/log.jsonl"), descriptor: open("/dev/full", O_WRONLY))
            var notes: [TrainingNote] = []
            #expect {
                try trainer.run(observe: { if case .note(let note) = $0 { notes.append(note) } })
            } throws: {
                "\($0)".contains("run/log.jsonl: cannot be written (No space left on device), so that it lacks")
                    && "\($0)".contains(" The training is saved at step 3 of 3 (")
            }
            #expect(
                notes.map(\.kind) == [.warning] && notes[0].text.contains("run/log.jsonl: cannot be written"),
                "\(notes)"
            )
            #expect(try Checkpoint.progress(trainer.checkpoint).step == 3)
        }
    }
#endif
