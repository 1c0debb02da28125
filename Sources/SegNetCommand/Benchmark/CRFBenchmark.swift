import SegNetToolkit

/// One call of `segnet benchmark crf`.
struct CRFBenchmark {
    struct Report: BenchmarkReport {
        var machine: Machine
        var instructionSet: String
        var threads: Int
        var repetitions: Int
        var width: Int
        var height: Int
        var classes: Int
        var crf: String
        /// Time of a whole refinement: lattices, normalisation, all steps.
        var milliseconds: Times
        /// Peak of this process, with the picture and its probabilities before and after.
        var peakMemoryBytes: Int

        var lines: [String] {
            [
                "\(machine.processor ?? "unknown processor"); \(instructionSet), \(counted(threads, "thread")), "
                    + "\(repetitions) repetitions",
                "\(width)x\(height), \(classes) classes, crf:\(crf)",
                "median \(Numbers.fixed(milliseconds.median, 1)) ms, least \(Numbers.fixed(milliseconds.least, 1)) ms; "
                    + "peak memory \(Numbers.mebibytes(peakMemoryBytes))",
            ]
        }
    }

    let options: BenchmarkCRF
    let console: Console

    private struct Input {
        var picture: Image
        /// [K, H, W]
        var probabilities: [Float]
        var classes: Int
    }

    func run() throws -> Report {
        let set = try InstructionSet.chosen()
        let threads = options.threadOptions.count
        let input = try options.picture.map(read) ?? street()
        let clock = ContinuousClock()
        var refined: [Float] = []
        let milliseconds = try options.repetitions.rounds(on: console) {
            let start = clock.now
            refined = try options.crf.refine(
                probabilities: input.probabilities,
                classCount: input.classes,
                picture: input.picture,
                threads: threads,
                instructionSet: set
            ).probabilities
            return (clock.now - start).inMilliseconds
        }
        let report = Report(
            machine: .current,
            instructionSet: set.name,
            threads: threads,
            repetitions: options.repetitions.repeat,
            width: input.picture.width,
            height: input.picture.height,
            classes: input.classes,
            crf: "\(options.crf)",
            milliseconds: Times(milliseconds),
            peakMemoryBytes: MachineMemory.peak
        )
        if let output = options.output {
            let map = FloatMap(shape: [input.classes, input.picture.height, input.picture.width], values: refined)
                .channelsLast()
            try NPYFile.write(map.values, shape: map.shape, to: URL(filePath: output))
        }
        return report
    }

    private func read(_ path: String) throws -> Input {
        let picture = try Image(path: path)
        let name = options.probabilities ?? ""
        let file = try NPYFile(URL(filePath: name))
        guard file.shape.rank == 3, file.shape[0] == picture.height, file.shape[1] == picture.width else {
            throw FormatError(
                file: name,
                problem: "has the shape \(file.shape), the picture is \(picture.width)x\(picture.height)",
                advice: "Give [height, width, classes]"
            )
        }
        let (classes, pixels) = (file.shape[2], picture.width * picture.height)
        let values = file.floats()
        let planes = [Float](unsafeUninitializedCapacity: values.count) { planes, count in
            for pixel in 0..<pixels {
                for id in 0..<classes { planes[id * pixels + pixel] = values[pixel * classes + id] }
            }
            count = values.count
        }
        return Input(picture: picture, probabilities: planes, classes: classes)
    }

    /// A street whose classes the probabilities know roughly: right in most areas, with borders that are off and noise everywhere.
    private func street() throws -> Input {
        let size = options.size ?? .camVid
        let scene = try StreetScene(seed: 1, width: size.width, height: size.height)
        let (width, height, classes) = (size.width, size.height, options.classes ?? 11)
        var random = RandomNumbers(seed: 1)
        var probabilities = [Float](repeating: 0, count: classes * width * height)
        for y in 0..<height {
            for x in 0..<width {
                let id = Int(scene.labels[x: max(x - 4, 0), y: max(y - 4, 0)]) % classes
                for k in 0..<classes {
                    let noise = Float(random.next() % 1000) / 1000
                    let right: Float = k == id ? 0.6 : 0
                    let spread: Float = 0.5 * noise / Float(classes)
                    probabilities[(k * height + y) * width + x] = right + spread + 0.01
                }
            }
        }
        return Input(picture: scene.image.rgb(), probabilities: probabilities, classes: classes)
    }
}
