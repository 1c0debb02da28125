import SegNetToolkit

/// What `segnet info` prints about a network.
struct NetworkReport: Encodable {
    /// The memory of a run.
    struct Plan: Encodable {
        var instructionSet: String
        var accuracy: String
        var precision: String
        var threads: Int
        /// Packed weights, once per process.
        var weightBytes: Int
        /// Maps and scratch, once per concurrent run.
        var workspaceBytes: Int
        /// How pictures can be cut into tiles; nil if tiles of this network cannot give the whole picture's result.
        var tiles: Tiles?
    }

    /// How pictures can be cut into tiles.
    struct Tiles: Encodable {
        /// The width in pixels of the area on which one pixel of the result depends.
        var receptiveField: Int
        var totalStride: Int
        /// Tiles begin at multiples of this many pixels.
        var grain: Int
        /// With at least this overlap the result is that of the whole picture, bit for bit.
        var exactOverlap: Int
        /// With at least this overlap it is the same except for rounding.
        var windowOverlap: Int

        init(_ reach: NetworkReach) {
            receptiveField = reach.receptiveField
            totalStride = reach.totalStride
            grain = reach.grain
            exactOverlap = reach.exactOverlap
            windowOverlap = reach.windowOverlap
        }

        var line: String {
            "tiles: the whole picture's result bit for bit with --overlap \(exactOverlap), or except for rounding with \(windowOverlap) "
                + "(receptive field \(receptiveField), total stride \(totalStride), grain \(grain))"
        }
    }

    var summary: NetworkSummary
    var input: InputDescription
    /// Nil for a network that this package describes but does not run.
    var plan: Plan?
    /// Nil where the model does not name them.
    var classNames: [String]?
    /// For a `.caffemodel`: which layers got weights.
    var weights: PredictionReport.Weights?
    var notes: [String]

    /// - Parameter model: What the network came with; nil for one without weights: zeros of the same shapes take the same memory.
    init(_ network: Network, model: LoadedModel?, options: InferenceOptions, threads: Int, notes: [String]) throws {
        summary = try network.summary()
        input = network.input
        classNames = model?.model.metadata.classNames
        weights = model?.report.map(PredictionReport.Weights.init(_:))
        self.notes = notes + (try network.unpoolingNotes())
        do {
            // As 'segnet predict' runs it.
            var options = options
            options.classesOnly = true
            let weights = try model?.model.weights ?? Weights.zeros(for: network)
            let bytes = try PreparedNetwork.plannedBytes(
                network,
                weights: weights,
                options: options,
                threads: threads
            )
            self.plan = Plan(
                instructionSet: options.instructionSet.name,
                accuracy: options.accuracy.rawValue,
                precision: options.precision.rawValue,
                threads: threads,
                weightBytes: bytes.weights,
                workspaceBytes: bytes.workspace,
                tiles: try PreparedNetwork.plannedReach(network, weights: weights, options: options).map(Tiles.init(_:))
            )
        } catch let error as NetworkError {
            self.notes.append("it cannot be run: \(error)")
        } catch let error as MemoryError {
            // Its advice, smaller pictures, does not help against large weights.
            self.notes.append(
                "it cannot be run here: \(Numbers.mebibytes(error.byteCount)) of memory are not available."
            )
        }
    }

    func print(json: Bool, on console: Console) throws {
        if json {
            console.print(try JSON.text(self))
            return
        }
        for line in lines { console.print(line) }
    }

    private var lines: [String] {
        let classes = summary.classes.map { ", \($0) classes" } ?? ""
        let scales = zip(input.mean, input.scale).contains { $0 != 0 || $1 != 1 }
        var lines = [
            "\(summary.name): input \(input.name) \(summary.input) (\(input.channels.names())"
                + "\(scales ? "; mean \(input.mean), scale \(input.scale)" : "; 0...255"))\(classes)", "",
        ]
        var table = TextTable([
            ("layer", .left), ("blobs", .left), ("kind", .left), ("output", .left), ("parameters", .right),
            ("MACs", .right),
            ("bytes", .right), ("field", .right),
        ])
        for row in summary.rows {
            table.append([
                row.name, row.blobs == [row.name] ? "" : row.blobs.joined(separator: ", "), row.kind,
                row.output.description, row.parameters == 0 ? "" : Numbers.grouped(row.parameters),
                row.multiplyAccumulates == 0 ? "" : Numbers.scaled(row.multiplyAccumulates), Numbers.grouped(row.bytes),
                "\(row.receptiveField)",
            ])
        }
        lines += table.lines
        lines += [
            "",
            "\(Numbers.grouped(summary.parameters)) parameters (\(Numbers.mebibytes(summary.weightBytes)) as float32), "
                + "\(Numbers.scaled(summary.multiplyAccumulates)) MACs at \(input.width)x\(input.height)",
        ]
        if let plan {
            lines.append(
                plan.tiles.map(\.line)
                    ?? "tiles: never exactly the whole picture's result, which depends on the picture's size"
            )
            lines.append(
                "memory to run (\(plan.instructionSet), \(plan.accuracy), \(plan.precision), threads: \(plan.threads)): "
                    + "\(Numbers.mebibytes(plan.weightBytes)) weights + \(Numbers.mebibytes(plan.workspaceBytes)) maps and scratch"
            )
        }
        if let classNames {
            lines.append("classes: " + classNames.enumerated().map { "\($0) \($1)" }.joined(separator: ", "))
        }
        lines += notes.map { "note: \($0)" }
        return lines
    }
}
