import SegNetCPU
import SegNetData
import SegNetFormats
package import SegNetNetworks
import SegNetPlatform

extension TrainingConfiguration {
    /// The input that the network will expect: the data set's channels in the released nets' order (blue, green, red, then the others), and
    /// for each its mean and scale: the recipe's, or else those of the model that the training begins with, whose weights fit them, or else
    /// the mean of the network's authors.
    /// - Parameters:
    ///   - channels: The data set's.
    ///   - saved: The recipe of the run that goes on: its model need not be there any more.
    /// - Throws: `ConfigurationError` if there are more or fewer numbers than channels; what reading the model throws.
    func input(
        _ channels: [InputChannel],
        height: Int,
        width: Int,
        resuming saved: TrainingConfiguration?
    ) throws -> InputDescription {
        var names = channels
        if Array(names.prefix(3)) == .rgb { names.replaceSubrange(0..<3, with: [InputChannel].bgr) }
        var input = InputDescription(channels: names, height: height, width: width)
        let mean = try numbers(mean ?? saved?.mean, "mean", channels)
        let scale = try numbers(scale ?? saved?.scale, "scale", channels)
        var start: InputDescription?
        var usual = architecture.input()
        usual.mean = architecture.mean
        if mean == nil || scale == nil, saved == nil, let model, model.lowercased().hasSuffix(".safetensors") {
            start = try SafetensorsFile.readModel(URL(filePath: model)).network.input
        }
        for (index, name) in names.enumerated() {
            input.mean[index] = mean?[name] ?? start?.mean(of: name) ?? usual.mean(of: name) ?? 0
            input.scale[index] = scale?[name] ?? start?.scale(of: name) ?? 1
        }
        return input
    }

    private func numbers(_ values: [Double]?, _ setting: String, _ channels: [InputChannel]) throws(ConfigurationError)
        -> [InputChannel: Float]?
    {
        guard let values else { return nil }
        guard values.count == 1 || values.count == channels.count else {
            throw ConfigurationError(
                "\(setting): has \(values.count) numbers, but the inputs have \(channels.count) channels; give one number for all, or one each "
                    + "for \(channels.names())."
            )
        }
        return Dictionary(
            uniqueKeysWithValues: channels.enumerated().map { ($1, Float(values[values.count == 1 ? 0 : $0])) }
        )
    }

    /// The recipe with every choice made that it left open: its accuracy, and its mean and scale unless nothing is subtracted and nothing
    /// multiplied.
    /// - Parameter saved: The recipe of the run that goes on.
    func settled(
        _ input: InputDescription,
        _ channels: [InputChannel],
        resuming saved: TrainingConfiguration?
    ) throws(AccuracyChoiceError) -> TrainingConfiguration {
        var settled = self
        settled.accuracy = if let known = accuracy ?? saved?.accuracy { known } else { try .chosen() }
        settled.mean = mean ?? saved?.mean
        settled.scale = scale ?? saved?.scale
        let all = self.with(input, channels)
        if settled.mean == nil, all.mean?.contains(where: { $0 != 0 }) == true { settled.mean = all.mean }
        if settled.scale == nil, all.scale?.contains(where: { $0 != 1 }) == true { settled.scale = all.scale }
        return settled
    }

    /// The recipe with an input's mean and scale, even where nothing is subtracted or multiplied.
    func with(_ input: InputDescription, _ channels: [InputChannel]) -> TrainingConfiguration {
        var copy = self
        copy.mean = channels.compactMap { input.mean(of: $0) }.map(Self.written)
        copy.scale = channels.compactMap { input.scale(of: $0) }.map(Self.written)
        return copy
    }

    /// 123.68 in place of 123.68000030517578, which is the same `Float`.
    private static func written(_ value: Float) -> Double { Double("\(value)") ?? Double(value) }
}

extension TrainingConfiguration {
    /// The network that learns.
    /// - Parameters:
    ///   - classes: The data set's K.
    ///   - input: Channels and size of the pictures that it trains on.
    package func network(classes: Int, input: InputDescription) -> Network {
        var options = ArchitectureOptions()
        options.statistics = .batch
        options.width = width
        options.batchNormalization = batchNormalization
        options.fullyConnectedWidth = fullyConnectedWidth
        options.input = input
        return architecture.network(classes: classes, options: options)
    }
}

extension TrainingConfiguration {
    /// The network that a training of its own begins with.
    /// - Parameter channels: The data set's.
    package func network(classes: Int, channels: [InputChannel], height: Int, width: Int) throws -> Network {
        var silent = self
        // Whatever the start model subtracts: the network is the same.
        silent.model = nil
        return network(
            classes: classes,
            input: try silent.input(channels, height: height, width: width, resuming: nil)
        )
    }

    /// Steps of a training on so many pictures.
    package func stepCount(pictures: Int) -> Int {
        iterations ?? max(1, Int((epochs * Double(pictures) / Double(batchSize * accumulate)).rounded(.up)))
    }

    /// Steps of a pass over so many pictures, by which validations count: at least one.
    func stepsPerEpoch(pictures: Int) -> Double { max(1, Double(pictures) / Double(batchSize * accumulate)) }

    /// Warnings of settings that do not do what they say, in a training of this length.
    func notes(totalSteps: Int) -> [TrainingNote] {
        var warnings = unusedSettings
        if schedule.warmUp > totalSteps {
            warnings.append(
                "schedule.warm-up is \(counted(schedule.warmUp, "step")), the training has \(totalSteps): the rate never reaches "
                    + "\(learningRate)."
            )
        }
        // The default is the authors', for sgd.
        if optimizer.kind == .adamw, learningRate > 0.03 {
            warnings.append(
                "a \(UserChoice.learningRate) of \(learningRate) is high for adamw, whose steps do not shrink with the gradients; the "
                    + "recipes in recipes/ have 0.0008 to 0.003."
            )
        }
        return warnings.map { .warning($0) }
    }
}

extension InputDescription {
    /// A channel's mean; of gray, where there are only colours, theirs averaged; nil if it is not there.
    func mean(of channel: InputChannel) -> Float? { value(of: channel, in: mean) }

    /// A channel's scale, likewise.
    func scale(of channel: InputChannel) -> Float? { value(of: channel, in: scale) }

    private func value(of channel: InputChannel, in values: [Float]) -> Float? {
        if let index = channels.firstIndex(of: channel) { return values[index] }
        let colors = [InputChannel].rgb.compactMap { channels.firstIndex(of: $0) }.map { values[$0] }
        if channel == .gray, colors.count == 3 { return colors.reduce(0, +) / 3 }
        if channel.isColor, let gray = channels.firstIndex(of: .gray) {
            return values[gray]
        }
        return nil
    }

    /// A checkpoint's description of an input that is not the usual one.
    var fingerprint: String {
        let isUsual = channels == .bgr
        let isRaw = mean.allSatisfy { $0 == 0 } && scale.allSatisfy { $0 == 1 }
        return (isUsual ? "" : " \(channels.names(separator: ","))")
            + (isRaw
                ? ""
                : " mean \(mean.map { "\($0)" }.joined(separator: ",")) scale "
                    + "\(scale.map { "\($0)" }.joined(separator: ","))")
    }
}
