import SegNetAnnotations
import SegNetCPU
import SegNetFormats
import SegNetFuzzing
import SegNetImages
import SegNetNetworks
import SegNetPlatform

/// The package's readers, as `segnet predict` uses them, and what can be done with what they read.
struct Readers {
    struct Outcome {
        var stage = Stage.refusedAtHeader
        /// The error, if one was thrown.
        var message: String?
        /// Whether a reader's error named its file, as every one must.
        var namesFile = true
    }

    /// Running networks larger than this takes long and shows nothing new.
    private static let greatestCost = (multiplyAccumulates: 200_000_000, weightBytes: 64 << 20, workspace: 128 << 20)

    /// The description that each good file of Caffe weights belongs to.
    private let descriptions: [String: URL]

    /// - Parameter goodFolder: The folder of good files.
    init(goodFolder: URL) throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: goodFolder.path).sorted()
        let networks = names.filter { FileFormat(fileName: $0) == .prototxt }.map { goodFolder.appending(path: $0) }
        var descriptions: [String: URL] = [:]
        for name in names where FileFormat(fileName: name) == .caffemodel {
            let weights = goodFolder.appending(path: name)
            descriptions[name] = networks.first { (try? Caffe.readModel(weights: weights, network: $0)) != nil }
        }
        self.descriptions = descriptions
    }

    /// Reads a good file.
    func read(_ file: GoodFile, at place: URL) -> Outcome {
        read(file.format, file.bytes, at: place, origin: file.name)
    }

    /// Reads a damaged file.
    func read(_ file: MutatedFile, at place: URL) -> Outcome {
        read(file.format, file.bytes, at: place, origin: file.origin)
    }

    private func read(_ format: FileFormat, _ bytes: [UInt8], at place: URL, origin: String) -> Outcome {
        var outcome = Outcome()
        do {
            switch format {
            case .png, .jpeg, .tiff, .webp, .gif, .bmp, .heic: try readPicture(bytes, at: place, &outcome)
            case .coco, .labelme, .labelStudio, .cvat, .yolo:
                try AnnotationReading.read(format, at: place) { outcome.stage = $0 }
            case .safetensors:
                let file = try SafetensorsFile(place)
                outcome.stage = .refusedLater
                try run(try file.model(), &outcome)
            case .caffemodel:
                guard let network = descriptions[origin] else {
                    outcome.message = "no description among the good files fits \(origin)"
                    return outcome
                }
                let lenient = Caffe.ReadingOptions(missingWeights: .initialize(seed: 1))
                _ = try Caffe.readModel(weights: place, network: network, options: lenient)
                outcome.stage = .refusedLater
                try run(try Caffe.readModel(weights: place, network: network).model, &outcome)
            case .prototxt:
                let network = try Caffe.readNetwork(place).network
                outcome.stage = .refusedLater
                let summary = try network.summary()
                outcome.stage = .decoded
                guard summary.weightBytes <= Self.greatestCost.weightBytes else { return outcome }
                try run(Model(network: network, weights: try Weights.initial(for: network, seed: 1)), &outcome)
            }
        } catch {
            outcome.message = "\(error)"
            if error is FormatError || error is ImageError || error is AnnotationError {
                outcome.namesFile = "\(error)".contains(place.lastPathComponent)
            }
        }
        return outcome
    }

    /// Decodes a picture as a photograph and as labels; what is decoded is resized and written again.
    private func readPicture(_ bytes: [UInt8], at place: URL, _ outcome: inout Outcome) throws {
        let image = try PictureReading.read(bytes, at: place) { outcome.stage = $0 }
        let resized = try image.resized(width: 33, height: 21)
        _ = try Image(decoding: try resized.encodedPNG(), name: place.lastPathComponent)
        outcome.stage = .ran
    }

    /// Plans and runs a network that is small enough, on a gray picture.
    private func run(_ model: Model, _ outcome: inout Outcome) throws {
        let summary = try model.network.summary()
        outcome.stage = .decoded
        guard summary.multiplyAccumulates <= Self.greatestCost.multiplyAccumulates,
            summary.weightBytes <= Self.greatestCost.weightBytes
        else { return }
        let prepared = try PreparedNetwork(model.network, weights: model.weights)
        let plan = try prepared.plan(height: model.network.input.height, width: model.network.input.width)
        let workspace = try Workspace(for: plan, threads: 1, memoryLimit: Self.greatestCost.workspace)
        workspace.input.update(repeating: 128)
        plan.run(in: workspace)
        if let scores = model.network.scoresBlob { _ = workspace.classIDs(scores) }
        outcome.stage = .ran
    }
}
