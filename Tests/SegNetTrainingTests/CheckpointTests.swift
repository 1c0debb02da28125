import Foundation
import SegNetEvaluation
import SegNetFormats
import SegNetPlatform
import Testing

@testable import SegNetCPU
@testable import SegNetTraining

@Suite("A checkpoint")
struct CheckpointTests {
    /// A training of two steps with everything that a checkpoint can hold.
    private struct Trained {
        let run: RunFolder
        let trainer: Trainer

        init() throws {
            var recipe = smallRecipe()
            recipe.iterations = 2
            recipe.validateEvery = 1000
            recipe.tensorboard = false
            recipe.statistics = .running
            run = try RunFolder()
            trainer = try Trainer(recipe, dataset: TrainerTests.data(recipe), output: run.url, threads: 1)
            try trainer.run()
        }

        func read() throws -> TrainingProgress {
            try Checkpoint.read(
                trainer.checkpoint,
                parameters: trainer.parameters,
                optimizer: trainer.optimizer,
                average: trainer.average
            )
        }

        func write(_ progress: TrainingProgress) throws {
            try Checkpoint.write(
                progress,
                parameters: trainer.parameters,
                optimizer: trainer.optimizer,
                average: trainer.average,
                to: trainer.checkpoint
            )
        }

        /// The file as earlier versions wrote it.
        func removeChecksum() throws {
            let file = try SafetensorsFile(trainer.checkpoint)
            var metadata = file.metadata
            #expect(metadata.removeValue(forKey: "checksum")?.count == 8)
            try SafetensorsFile.write(file.weights, metadata: metadata, to: trainer.checkpoint)
        }
    }

    @Test("with one flipped bit is refused, wherever the bit is")
    func flippedBits() throws {
        let trained = try Trained()
        let whole = try Data(contentsOf: trained.trainer.checkpoint)
        let header = whole.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        var random = RandomNumbers(seed: 3)
        var places = (0..<300).map { _ in 64 + 8 * header + Int(random.next() % UInt64(8 * (whole.count - header - 8)))
        }
        places += (0..<500).map { _ in Int(random.next() % UInt64(64 + 8 * header)) }
        for place in places {
            var damaged = whole
            damaged[place / 8] ^= 1 << UInt8(place % 8)
            try damaged.write(to: trained.trainer.checkpoint)
            do {
                _ = try trained.read()
                // A space between the header and the numbers may have become another space; nothing else is told the same.
                Issue.record("bit \(place) of \(8 * whole.count), header \(header)")
            } catch { continue }
        }
        try whole.write(to: trained.trainer.checkpoint)
        #expect(try trained.read().step == 2)
    }

    @Test("that is damaged says so, and names what is left to go on from", arguments: [false, true])
    func advice(hasBest: Bool) throws {
        let trained = try Trained()
        let best = trained.run.url.appending(path: "best.safetensors")
        try? FileManager.default.removeItem(at: best)
        if hasBest { try Data().write(to: best) }
        var bytes = try Data(contentsOf: trained.trainer.checkpoint)
        bytes[bytes.count - 7] ^= 4
        try bytes.write(to: trained.trainer.checkpoint)
        #expect {
            try trained.read()
        } throws: {
            "\($0)".wholeMatch(
                of: try Regex(
                    "\(trained.trainer.checkpoint.relativePath): is damaged: it records the checksum [0-9a-f]{8}, but its contents have [0-9a-f]{8}. "
                        + "Put a copy of the file in its place, or begin a new run in another output folder"
                        + (hasBest ? " from \(best.relativePath), the best model so far, as the model file." : ".")
                )
            ) != nil
        }
        try bytes.prefix(bytes.count / 2).write(to: trained.trainer.checkpoint)
        #expect { try trained.read() } throws: {
            "\($0)".contains("last.checkpoint: is damaged: is not a whole safetensors file")
        }
    }

    @Test("that may not be read is not called damaged", .enabled(if: geteuid() != 0))
    func unreadable() throws {
        let trained = try Trained()
        chmod(trained.trainer.checkpoint.path, 0)
        #expect {
            try trained.read()
        } throws: {
            "\($0)" == "\(trained.trainer.checkpoint.relativePath): cannot be opened; check its permissions."
        }
    }

    @Test("of an earlier version, without a checksum, is read")
    func earlierVersion() throws {
        let trained = try Trained()
        let progress = try trained.read()
        try trained.removeChecksum()
        #expect(try trained.read() == progress)
        let text = try #require(SafetensorsFile(trained.trainer.checkpoint).metadata["progress"])
        var fields = try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        for key in ["architecture", "running", "isValidationDue"] { fields[key] = nil }
        let old = try JSONDecoder().decode(TrainingProgress.self, from: JSONSerialization.data(withJSONObject: fields))
        #expect(old.step == 2 && old.running == nil && old.architecture == nil)
    }

    @Test(
        "with a number that is none is refused, with a checksum and without",
        arguments: ["parameter", "moment1", "moment2", "average"],
        [true, false]
    )
    func notFinite(prefix: String, hasChecksum: Bool) throws {
        let trained = try Trained()
        let trainer = trained.trainer
        let name = "conv2.weight"
        let range = try #require(trainer.parameters.layout.ranges.first { $0.name == name }).range
        let memories = [
            "parameter": trainer.parameters.values, "moment1": trainer.optimizer.memories[0],
            "moment2": trainer.optimizer.memories[1], "average": try #require(trainer.average).memory,
        ]
        let values: [Float] = prefix == "moment2" ? [.nan, -1] : [.nan, -.infinity]
        for value in values {
            let place = try #require(memories[prefix]).floats() + range.lowerBound
            let old = place.pointee
            place.pointee = value
            try trained.write(trainer.progress)
            place.pointee = old
            if !hasChecksum { try trained.removeChecksum() }
            #expect {
                try trained.read()
            } throws: {
                "\($0)".contains("last.checkpoint: is damaged: number ")
                    && "\($0)".contains(" of '\(prefix)/\(name)' is \(value). ")
            }
        }
    }

    @Test("with a position that no training has is refused")
    func positions() throws {
        let trained = try Trained()
        let good = try trained.read()
        let changes: [(String, (inout TrainingProgress) -> Void)] = [
            ("'step' is -5", { $0.step = -5 }), ("'step' is \(1 << 62)", { $0.step = 1 << 62 }),
            ("'place' is -1", { $0.place = -1 }), ("'place' is 1, at step 2", { $0.place = 1 }),
            ("'bestStep' is 3", { $0.bestStep = 3 }), ("'validations' is 7", { $0.validations = 7 }),
            ("'bestScore' is 1.5", { $0.bestScore = 1.5 }),
            ("'running' is not", { $0.running = ConfusionMatrix(classCount: 0).damaged }),
        ]
        for (problem, change) in changes {
            var progress = good
            change(&progress)
            try trained.write(progress)
            #expect { try trained.read() } throws: { "\($0)".contains("last.checkpoint: is damaged: \(problem)") }
        }
        let statistics = trained.trainer.parameters.statistics
        trained.trainer.parameters.statistics[0].variance[0] = -1
        try trained.write(good)
        #expect { try trained.read() } throws: {
            "\($0)".contains("a running variance of layer '\(statistics[0].layer)' is -1.0")
        }
    }
}

extension ConfusionMatrix {
    /// A matrix of three classes that has no counts.
    fileprivate var damaged: ConfusionMatrix? {
        try? JSONDecoder().decode(Self.self, from: Data(#"{"classCount":3,"counts":[],"strays":[]}"#.utf8))
    }
}
