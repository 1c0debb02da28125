import SegNetToolkit

/// What `segnet predict --json` prints.
struct PredictionReport: Encodable {
    /// Milliseconds of each stage.
    struct Milliseconds: Encodable {
        /// Reading and decoding the file.
        var decode = 0.0
        /// Resizing, running the network, taking its results.
        var network = 0.0
        /// Refining the probabilities; nil without.
        var refinement: Double?
        /// Drawing, encoding and writing the results.
        var encode = 0.0

        static func += (sum: inout Milliseconds, term: Milliseconds) {
            sum.decode += term.decode
            sum.network += term.network
            if let refinement = term.refinement { sum.refinement = (sum.refinement ?? 0) + refinement }
            sum.encode += term.encode
        }

        func divided(by count: Int) -> Milliseconds {
            let count = Double(max(count, 1))
            return Milliseconds(
                decode: decode / count,
                network: network / count,
                refinement: refinement.map { $0 / count },
                encode: encode / count
            )
        }
    }

    struct Picture: Encodable {
        var input: String
        var width: Int?
        var height: Int?
        /// The number of tiles in which it ran through the network; nil for one.
        var tiles: Int?
        /// Paths of the files written, by the words of `--save`.
        var outputs: [String: String]?
        /// The classes that occur, the greatest share first.
        var classes: [Segmentation.Share]?
        var milliseconds: Milliseconds?
        /// Why there are no outputs.
        var error: String?
    }

    struct Video: Encodable {
        var input: String
        var width: Int?
        var height: Int?
        /// Frames that were segmented.
        var frames: Int?
        /// Frames of a live video that were skipped, because there was no time for them; nil if there are none.
        var dropped: Int?
        /// How many new scenes there are; nil without `--smooth`.
        var cuts: Int?
        /// Frames per second.
        var framesPerSecond: Double?
        /// Paths of the files or folders written, by the words of `--save`.
        var outputs: [String: String]?
        /// Each class's share of all frames, the largest first.
        var classes: [Segmentation.Share]?
        /// Whether Ctrl-C ended it; the results contain what was done until then.
        var stopped: Bool?
        /// What is wrong with the file although frames could be read.
        var problem: String?
        var notes: [String]?
        /// Why there are no outputs.
        var error: String?
    }

    struct Run: Encodable {
        var instructionSet: String
        var accuracy: String
        var precision: String
        var threads: Int
        /// Monte-Carlo samples and their seed; nil without sampling.
        var samples: Int?
        var seed: UInt64?
        /// The test-time augmentation; nil without.
        var views: String?
        /// The dense CRF; nil without.
        var crf: String?
    }

    struct Weights: Encodable {
        var loaded: [String]
        var initial: [String]
        var unused: [String]

        init(_ report: WeightsReport) {
            loaded = report.loaded
            initial = report.initial
            unused = report.unused
        }
    }

    var model: String
    /// Whether this is only what would be done (`--dry-run`); nil where it was done.
    var dryRun: Bool?
    var run: Run
    /// The names of the network's classes; a class id is an index of this list.
    var classNames: [String]
    /// For a `.caffemodel`: which layers got weights.
    var weights: Weights?
    var notes: [String]
    var pictures: [Picture] = []
    /// Nil if pictures were given.
    var videos: [Video]?
    var failed = 0
    /// Per picture, on average.
    var milliseconds = Milliseconds()
    /// For all pictures together.
    var seconds = 0.0
    var peakMemoryBytes = 0
}
