import SegNetFormats
import SegNetNetworks
import SegNetPlatform

extension StartingWeights {
    /// Makes the weights of the convolutions that read the picture fit the channels of the network that is to be trained.
    /// - Parameters:
    ///   - file: Where the weights are from; a model says there what its channels hold.
    ///   - learns: Whether a layer learns.
    /// - Returns: A note for the user about what was done; nil where nothing was.
    static func fitChannels(
        of source: inout Weights,
        file: String,
        to network: Network,
        learns: (String) -> Bool = { _ in true }
    )
        -> String?
    {
        let described = try? SafetensorsFile.readModel(URL(filePath: file)).network.input
        var notes: [String] = []
        for layer in network.firstConvolutions.sorted() {
            guard let weight = source[layer, .weight], weight.shape.rank == 4,
                let old = input(described, channels: weight.shape[1]), !old.reads(as: network.input)
            else { continue }
            let known = network.input.channels.filter { !sources(of: $0, in: old).isEmpty }
            if known.isEmpty {
                // Channels without a common name: in their order where they are as many, else the layer is learnt anew.
                if weight.shape[1] != network.input.channels.count { source[layer, .weight] = nil }
                continue
            }
            // Of a file that does not say what it subtracts, nothing is known that could be made up for.
            if described != nil, let bias = source[layer, .bias] {
                source[layer, .bias] = biases(bias, weight, from: old, to: network.input)
            }
            source[layer, .weight] = filters(weight, from: old, to: network.input)
            let fresh = network.input.channels.filter { !known.contains($0) }
            let text =
                "\(layer) reads \(network.input.channels.names()) in place of \(old.channels.names())"
            let start = learns(layer) ? "from 0 on" : "at 0 for good, because the layer is frozen"
            notes.append(text + (fresh.isEmpty ? "" : "; \(fresh.names()) \(start)"))
        }
        return notes.isEmpty ? nil : notes.joined(separator: "; ") + "."
    }

    /// The channels of an input from whose filters those of a channel are made, and the factor of each.
    private static func sources(of name: InputChannel, in old: InputDescription) -> [(channel: Int, factor: Float)] {
        if let channel = old.channels.firstIndex(of: name) { return [(channel, 1)] }
        if name == .gray { return [InputChannel].rgb.compactMap { old.channels.firstIndex(of: $0) }.map { ($0, 1) } }
        guard name.isColor, let gray = old.channels.firstIndex(of: .gray) else { return [] }
        return [(gray, 1 / 3)]
    }

    /// The first convolution's weights for the channels that a network reads, made from those of a network that reads others.
    ///
    /// Channels are matched by name. A channel that is new begins with weights of 0: the network then begins as the one it comes from, to
    /// the bit, and learns what the channel is worth; a mean of the colours' filters would take depth for brightness until it has unlearnt
    /// that. Gray made from colours takes the sum of their filters, and colours made from gray a third of its filter each, so that a gray
    /// picture with equal red, green and blue gives the same answer before and after.
    /// - Parameters:
    ///   - weight: [out, in, kh, kw] with one `in` a channel of `old`.
    ///   - scales: The scale of the old and of the new network's input: a filter reads what was scaled, so it is rescaled.
    /// - Returns: [out, channels of `new`, kh, kw].
    static func filters(_ weight: WeightTensor, from old: InputDescription, to new: InputDescription) -> WeightTensor {
        let (outputs, height, width) = (weight.shape[0], weight.shape[2], weight.shape[3])
        let taps = height * width
        let values = weight.floats()
        var result = [Float](repeating: 0, count: outputs * new.channels.count * taps)
        for (target, name) in new.channels.enumerated() {
            for (channel, factor) in sources(of: name, in: old) {
                let factor = factor * old.scale[channel] / new.scale[target]
                for output in 0..<outputs {
                    let from = (output * old.channels.count + channel) * taps
                    let to = (output * new.channels.count + target) * taps
                    for tap in 0..<taps { result[to + tap] += factor * values[from + tap] }
                }
            }
        }
        return WeightTensor(shape: [outputs, new.channels.count, height, width], values: result)
    }

    /// The first convolution's biases where gray takes the place of colours, or these that of gray: what the new network subtracts from a
    /// picture is not what the old one did, and the sums of the filters see the difference. Next to the border, where filters reach beyond
    /// the picture, a little of it is left.
    static func biases(
        _ bias: WeightTensor,
        _ weight: WeightTensor,
        from old: InputDescription,
        to new: InputDescription
    ) -> WeightTensor {
        let taps = weight.shape[2] * weight.shape[3]
        let values = weight.floats()
        var result = bias.floats()
        for (target, name) in new.channels.enumerated() where !old.channels.contains(name) {
            for (channel, factor) in sources(of: name, in: old) {
                let shift = factor * old.scale[channel] * (new.mean[target] - old.mean[channel])
                for output in result.indices {
                    let start = (output * old.channels.count + channel) * taps
                    result[output] += shift * values[start..<start + taps].reduce(0, +)
                }
            }
        }
        return WeightTensor(shape: bias.shape, values: result)
    }

    /// The channels that a file's first convolution reads: as its model says, or else blue, green, red as the original's, or one gray
    /// channel.
    static func input(_ described: InputDescription?, channels: Int) -> InputDescription? {
        if let described { return described.channels.count == channels ? described : nil }
        return [1, 3].contains(channels) ? InputDescription.channels(channels) : nil
    }
}

extension InputDescription {
    /// Whether filters for this input serve another as they are.
    fileprivate func reads(as other: InputDescription) -> Bool { channels == other.channels && scale == other.scale }
}

extension Network {
    /// The convolutions that read the input, directly or behind a normalisation of the picture.
    var firstConvolutions: Set<String> {
        var blobs: Set<String> = [input.name]
        var found: Set<String> = []
        for layer in layers {
            let readsInput = layer.inputs.contains { blobs.contains($0) }
            switch layer.operation {
            case .convolution where readsInput:
                found.insert(layer.name)
                blobs.subtract(layer.outputs)
            case .localResponseNormalization where readsInput, .localContrastNormalization where readsInput,
                .padding where readsInput, .dropout where readsInput:
                blobs.formUnion(layer.outputs)
            default: blobs.subtract(layer.outputs)
            }
        }
        return found
    }
}
