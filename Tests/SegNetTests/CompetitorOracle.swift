import Foundation
import SegNetCPU
import SegNetFormats
import SegNetImages
import SegNetNetworks
import SegNetPlatform
import Testing

/// What the Caffes of FCN, DeepLab and DeconvNet answered: small copies in the repository, the whole beside it.
struct CompetitorOracle: Sendable {
    let folder: URL

    static let small = CompetitorOracle(folder: Oracle.package.appending(path: "Tests/Golden/competitors"))
    static let whole = CompetitorOracle(folder: Oracle.shared.appending(path: "competitors"))
    static var isThere: Bool { FileManager.default.fileExists(atPath: whole.folder.appending(path: "README.md").path) }

    /// One net on one picture.
    struct Case: Sendable, CustomStringConvertible {
        var name: String
        var height: Int
        var width: Int
        /// Blue, green, red.
        var mean: [Float]
        var output: String
        var deviation: Double
        /// Inner blobs with their deviations.
        var blobs: [String: Double]

        var description: String { "\(name) \(width)x\(height)" }
    }

    /// The cases of `nets.json`. A case that needs more than its prototxt, `deeplab_padded`, is left to its own test.
    var cases: [Case] {
        guard let data = try? Data(contentsOf: folder.appending(path: "nets/nets.json")),
            let list = try? JSONSerialization.jsonObject(with: data) as? [[String: Any]]
        else { return [] }
        return list.flatMap { entry -> [Case] in
            guard let name = entry["case"] as? String, name != "deeplab_padded",
                let mean = entry["mean_bgr"] as? [Double], let sizes = entry["sizes"] as? [[String: Any]]
            else { return [] }
            return sizes.compactMap { size in
                guard let extents = size["size"] as? [Int], let output = size["output"] as? String,
                    let deviation = size["deviation"] as? Double
                else { return nil }
                let blobs = (size["blobs"] as? [String: [String: Any]] ?? [:]).compactMapValues {
                    $0["deviation"] as? Double
                }
                return Case(
                    name: name,
                    height: extents[0],
                    width: extents[1],
                    mean: mean.map(Float.init),
                    output: output,
                    deviation: deviation,
                    blobs: blobs
                )
            }
        }
    }

    /// A file of a case: `h101w133.deploy.prototxt`.
    func file(_ one: Case, _ ending: String) -> URL {
        folder.appending(path: "nets/\(one.name)/h\(one.height)w\(one.width).\(ending)")
    }

    func weights(_ one: Case) -> URL {
        folder.appending(path: "nets/\(one.name == "deeplab_any_size" ? "deeplab" : one.name)/weights.caffemodel")
    }

    /// Every step-th row and column of a blob that the original wrote, and the step.
    func golden(_ one: Case, _ blob: String) throws -> (values: [Float], step: Int)? {
        for step in 1...12 {
            let endings = step == 1 ? ["\(blob).npy", "\(blob).step1.npy"] : ["\(blob).step\(step).npy"]
            for ending in endings {
                let url = file(one, ending)
                if FileManager.default.fileExists(atPath: url.path) { return (try Oracle.floats(url).values, step) }
            }
        }
        return nil
    }
}

/// A net of the oracle after a run.
struct CompetitorRun {
    let ids: [UInt16]
    let blobs: [String: (values: [Float], shape: Shape)]

    /// - Parameter outputs: Blobs to keep; the first holds the scores.
    init(
        _ model: Model,
        picture: URL,
        outputs: [String],
        accuracy: InferenceOptions.Accuracy = .exact,
        set: InstructionSet = .best,
        threads: Int = 2
    ) throws {
        let options = InferenceOptions(accuracy: accuracy, instructionSet: set, outputs: outputs)
        let prepared = try PreparedNetwork(model.network, weights: model.weights, options: options)
        let image = try Image(contentsOf: picture)
        let plan = try prepared.plan(height: image.height, width: image.width)
        let workspace = try Workspace(for: plan, threads: threads)
        workspace.fillInput(
            InputPicture(bytes: image.rgb().pixels, pixelBytes: 3),
            order: InputOrder(bytes: [2, 1, 0])
        )
        plan.run(in: workspace)
        var blobs: [String: (values: [Float], shape: Shape)] = [:]
        for name in outputs {
            blobs[name] = (try #require(workspace.planar(name)), try #require(plan.shape(of: name)))
        }
        self.blobs = blobs
        ids = try #require(workspace.classIDs(outputs[0]))
    }

    /// The share of pixels with the original's class.
    func share(of argmax: URL) throws -> Double {
        let golden = try LabelMap(contentsOf: argmax).ids
        guard golden.count == ids.count else { return 0 }
        return Double(zip(ids, golden).count { $0 == $1 }) / Double(ids.count)
    }

    /// The median and the greatest difference from the original's numbers.
    func errors(_ blob: String, _ golden: (values: [Float], step: Int)) -> (median: Double, most: Double) {
        guard let found = blobs[blob] else { return (.infinity, .infinity) }
        let ours = GoldenPictureTests.everyNth(found.values, found.shape, golden.step)
        guard ours.count == golden.values.count, !ours.isEmpty else { return (.infinity, .infinity) }
        let errors = zip(ours, golden.values).map { abs(Double($0) - Double($1)) }.sorted()
        return (errors[errors.count / 2], errors[errors.count - 1])
    }
}
