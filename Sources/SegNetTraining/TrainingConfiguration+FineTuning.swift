import SegNetCPU
import SegNetData
import SegNetFormats
import SegNetNetworks
public import SegNetPlatform

extension TrainingConfiguration {
    /// A recipe for teaching a finished model a user's own pictures in minutes.
    ///
    /// The encoder, which has learnt to see already, does not learn; so the backward pass ends where the decoder begins, and few
    /// pictures cannot spoil it. The decoder learns with AdamW and one cycle over 400 steps of four crops. Everything can be changed,
    /// as in any recipe: `dataset` and `data` have to be.
    ///
    /// Where `validateEvery` is left alone, `Trainer` sets it so that ten validations come evenly over the training, however many pictures
    /// there are; where `patience` is, it becomes 4 if enough pictures validate.
    /// - Parameter model: A `.safetensors` file of one of the known architectures, at any width.
    /// - Throws: `FormatError` if the file cannot be read, `ConfigurationError` if its architecture is none that can be trained.
    public static func fineTuning(_ model: URL) throws -> TrainingConfiguration {
        let network = try SafetensorsFile.readNamedModel(model).network
        guard let found = Architecture.recognized(network) else { throw strange(network, model) }
        let architecture = found.architecture
        var recipe = TrainingConfiguration()
        recipe.architecture = architecture
        recipe.width = found.width
        recipe.fullyConnectedWidth = found.fullyConnectedWidth
        var options = ArchitectureOptions()
        options.statistics = .batch
        // A network with more of it than its architecture has by itself; where it was folded away, it is not missed.
        let own = architecture.network(classes: 2, options: options)
        if network.hasBatchNormalization, !own.hasBatchNormalization { recipe.batchNormalization = true }
        options.batchNormalization = recipe.batchNormalization
        recipe.model = model.path(percentEncoded: false)
        recipe.freeze = architecture.network(classes: 2, options: options).encoderLayers
        recipe.dataset = .folder
        recipe.augmentation.flip = true
        recipe.augmentation.scale = [0.75, 1.4]
        recipe.augmentation.crop = PictureSize(
            width: min(320, network.input.width),
            height: min(240, network.input.height)
        )
        recipe.augmentation.brightness = 0.3
        recipe.augmentation.contrast = 0.3
        recipe.augmentation.saturation = 0.3
        recipe.classWeightPower = 0.25
        recipe.batchSize = 4
        recipe.iterations = 400
        recipe.learningRate = 0.001
        recipe.optimizer = OptimizerConfiguration(.adamw, weightDecay: 0.01)
        recipe.schedule = Schedule(.oneCycle, peak: 0.1)
        recipe.average = 0.98
        recipe.plannedValidations = 10
        recipe.plannedPatience = 4
        return recipe
    }

    /// The recipe with the times of its validations decided, which wait for the number of pictures.
    ///
    /// Where few pictures validate, one jump of their score by chance would end the planned patience, at half of a training that lasts
    /// minutes and before its rate has fallen. Its best model is kept whenever it ends, so that it loses only time by going on.
    /// - Parameters:
    ///   - pictures: Pictures to learn from.
    ///   - validating: Pictures to validate on.
    func scheduled(pictures: Int, validating: Int) -> TrainingConfiguration {
        var scheduled = self
        if let count = plannedValidations {
            let total = stepCount(pictures: pictures)
            let steps = max(1, (total + count - 1) / max(1, count))
            scheduled.validateEvery = epochs(steps: steps, pictures: pictures)
        }
        if let patience = plannedPatience {
            scheduled.patience = validating >= TrainingDataCheck.fewestValidating ? patience : nil
        }
        return scheduled
    }

    /// Epochs between validations that are so many steps, with as few decimals as say it.
    private func epochs(steps: Int, pictures: Int) -> Double {
        let perEpoch = stepsPerEpoch(pictures: pictures)
        let exact = Double(steps) / perEpoch
        for factor in [1.0, 10, 100, 1000, 10_000] {
            let rounded = (exact * factor).rounded() / factor
            if rounded > 0, Int((rounded * perEpoch).rounded()) == steps { return rounded }
        }
        return exact
    }

    /// The error for a network of its own kind: what differs, where it is nearly one that can be trained.
    private static func strange(_ network: Network, _ model: URL) -> ConfigurationError {
        let advice =
            "to use its weights in another network, name it as the \(UserChoice.model) that the training begins with."
        guard let (nearest, difference) = Architecture.nearest(network) else {
            return ConfigurationError(
                "\(model.relativePath): its network '\(network.name)' is not one of the architectures that can be trained "
                    + "(\(Architecture.allCases.map(\.rawValue).joined(separator: ", "))); \(advice)"
            )
        }
        return ConfigurationError(
            "\(model.relativePath): its network '\(network.name)' is nearly the architecture \(nearest.rawValue), but \(difference), so it "
                + "cannot be trained as it is; \(advice)"
        )
    }
}

extension Network {
    fileprivate var hasBatchNormalization: Bool {
        layers.contains { if case .batchNormalization = $0.operation { true } else { false } }
    }
}
