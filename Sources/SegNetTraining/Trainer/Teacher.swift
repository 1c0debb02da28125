import SegNetCPU
import SegNetData
import SegNetFormats
import SegNetNetworks
import SegNetPlatform

/// A finished model that another learns from: `teacher` in a recipe.
public struct TeacherConfiguration: Sendable, Hashable {
    /// The model's file.
    public var model: String
    /// Divisor of both networks' scores before they are compared: the higher, the more the classes that are not the best count.
    public var temperature = 2.0
    /// The teacher's share of the loss; the labels have the rest. Above 0, up to 1.
    public var share = 0.5

    public init(model: String) { self.model = model }
}

/// A teacher at work: runs on the same augmented pictures as the network that learns.
///
/// It names all classes, on every pixel: also on pictures whose labels name some only, and where there are no labels.
final class Teacher {
    private let workspace: Workspace
    private let scores: String
    private let distillation: Distillation
    private let share: Double

    /// - Parameter classes: How many classes the learner has. `check` has compared their names.
    /// - Throws: `ConfigurationError` if it cannot be read, or has other scores; `NetworkError`, `MemoryError`.
    init(
        _ configuration: TeacherConfiguration,
        batchSize: Int,
        height: Int,
        width: Int,
        classes: Int,
        options: InferenceOptions,
        threads: Int
    ) throws {
        let path = configuration.model
        let model = try Self.model(path)
        let plan = try PreparedNetwork(model.network, weights: model.weights, options: options, file: path)
            .plan(height: height, width: width, threads: threads)
        guard let scores = model.network.scoresBlob, let shape = plan.shape(of: scores),
            shape == [classes, height, width]
        else {
            throw ConfigurationError(
                "teacher: \(path): gives no scores of the size of its input (\(width)x\(height)); give a network that segments."
            )
        }
        self.scores = scores
        share = configuration.share
        workspace = try Workspace(for: plan, threads: threads)
        distillation = try Distillation(
            pictures: batchSize,
            channels: classes,
            height: height,
            width: width,
            temperature: configuration.temperature,
            instructionSet: options.instructionSet
        )
    }

    /// Its scores of a batch, for the learner.
    /// - Parameters:
    ///   - channels: What each channel of the examples holds.
    ///   - pixels: Pixels of all batches of the step.
    /// - Throws: `BatchError` if the teacher reads a channel that is not there.
    func teach(_ batch: Batch, channels: [InputChannel], pixels: Int) throws -> Distillation {
        for (picture, example) in batch.examples.enumerated() {
            try workspace.fillInput(example, channels: channels)
            workspace.plan.run(in: workspace)
            distillation.fill(workspace.planar(scores) ?? [], picture: picture)
        }
        let square = distillation.temperature * distillation.temperature
        distillation.factor = share * square / Double(max(1, pixels))
        return distillation
    }

    /// - Throws: `ConfigurationError` saying that it is the teacher's file that cannot be read.
    private static func model(_ path: String) throws(ConfigurationError) -> Model {
        do { return try SafetensorsFile.readNamedModel(URL(filePath: path)) } catch {
            throw ConfigurationError("teacher: \(error)")
        }
    }

    /// Refuses a teacher that cannot teach on these pictures, before anything large is made.
    /// - Parameters:
    ///   - classes: The names of the classes, in the learner's order.
    ///   - channels: Those of the pictures.
    ///   - isCropped: Whether the size is that of a crop.
    /// - Throws: `ConfigurationError`, which says that it is the teacher that does not fit.
    static func check(
        _ path: String,
        classes: [String],
        channels: [InputChannel],
        height: Int,
        width: Int,
        isCropped: Bool
    ) throws(ConfigurationError) {
        let model = try model(path)
        guard model.metadata.classNames == classes else {
            let names =
                model.metadata.classNames.map { "the classes \($0.joined(separator: ", "))" } ?? "no class names"
            throw ConfigurationError(
                "teacher: \(path): has \(names), but the data have "
                    + "\(classes.joined(separator: ", ")); give a teacher of the same classes in the same order."
            )
        }
        let network = model.network.resized(height: height, width: width)
        if let missing = network.input.channels.first(where: { !channels.contains($0) }) {
            throw ConfigurationError(
                "teacher: \(path): reads a channel '\(missing)', but the data have \(channels.names()); give a teacher that reads no others, or "
                    + "change the data's \(UserChoice.inputs)."
            )
        }
        do throws(NetworkError) { _ = try network.shapes() } catch {
            // The size that counts is the crop's.
            let problem = "\(error)"
            throw ConfigurationError(
                "teacher: \(path): cannot run on pictures of \(width)x\(height): "
                    + (isCropped
                        ? problem.replacing(UserChoice.size.rawValue, with: UserChoice.crop.rawValue) : problem)
            )
        }
    }

    /// Bytes that it takes: its packed weights, its maps, its scores.
    static func byteCount(
        _ configuration: TeacherConfiguration,
        batchSize: Int,
        height: Int,
        width: Int,
        classes: Int,
        options: InferenceOptions,
        threads: Int
    ) throws -> Int {
        let model = try model(configuration.model)
        let planned = try PreparedNetwork.plannedBytes(
            model.network.resized(height: height, width: width),
            weights: model.weights,
            options: options,
            threads: threads
        )
        return planned.weights + planned.workspace
            + Distillation.byteCount(pictures: batchSize, channels: classes, height: height, width: width)
    }
}
