public import SegNetNetworks
import SegNetPlatform

extension CaffeNetworkReader {
    mutating func input(_ running: [CaffeNetwork.Layer]) throws(FormatError) -> Input {
        let header = source.header
        if let name = header.input.first {
            for other in header.input.dropFirst() { trainingBlobs[other] = "input" }
            let sizes =
                header.inputShape.first.map { $0.dim.map { Int($0) } } ?? header.inputDim.prefix(4).map { Int($0) }
            return try input(name: name, sizes: sizes, line: nil)
        }
        // A file for training only keeps its data layer out of the test phase.
        let sources = [running, source.layers].lazy.map { $0.filter { $0.parameter.bottom.isEmpty } }
            .first { !$0.isEmpty }
        guard let sources, let first = sources.first, let name = first.parameter.top.first else {
            throw FormatError(
                file: source.file,
                problem: "has no input",
                advice: "Add: input: \"data\" input_dim: 1 input_dim: 3 input_dim: 360 input_dim: 480"
            )
        }
        let labels = first.parameter.top.dropFirst() + sources.dropFirst().flatMap(\.parameter.top)
        for label in labels where label != name { trainingBlobs[label] = first.parameter.name }
        return try input(name: name, dataLayer: first)
    }

    private mutating func input(name: String, sizes: [Int], line: Int?) throws(FormatError) -> Input {
        guard sizes.count == 4, sizes.allSatisfy({ (1...(1 << 20)).contains($0) }), sizes[1] <= 4096 else {
            throw FormatError(
                file: source.file,
                line: line,
                problem:
                    "input '\(name)' has the shape \(Shape(sizes)), where batch, channels, height and width are needed",
                advice: "Write for example 1, 3, 360, 480"
            )
        }
        noteBatch(sizes[0])
        var description = InputDescription.channels(sizes[1], height: sizes[2], width: sizes[3])
        description.name = name
        return Input(description: description, hasSize: true)
    }

    private mutating func noteBatch(_ count: Int) {
        if count > 1 { notes.append("the batch of \(count) is read as 1.") }
    }

    private mutating func input(name: String, dataLayer layer: CaffeNetwork.Layer) throws(FormatError) -> Input {
        let parameter = layer.parameter
        var result: Input
        switch parameter.type {
        case "Input":
            let sizes = parameter.inputParam.shape.first?.dim.map { Int($0) } ?? []
            result = try input(name: name, sizes: sizes, line: layer.line)
        case "MemoryData":
            let memory = parameter.memoryDataParam
            let sizes = [memory.batchSize, memory.channels, memory.height, memory.width].map { Int($0) }
            result = try input(name: name, sizes: sizes, line: layer.line)
        case "DummyData":
            let dummy = parameter.dummyDataParam
            let old = [dummy.num, dummy.channels, dummy.height, dummy.width].compactMap(\.first).map { Int($0) }
            let sizes = dummy.shape.first?.dim.map { Int($0) } ?? old
            result = try input(name: name, sizes: sizes, line: layer.line)
        case "DenseImageData":
            let dense =
                parameter.hasDenseImageDataParam ? parameter.denseImageDataParam : parameter.denseImageDataParamCudnn5
            noteBatch(Int(dense.batchSize))
            result = pictures(name, isColor: dense.isColor)
            setSize(&result, height: dense.newHeight, width: dense.newWidth)
            setSize(&result, height: dense.cropHeight, width: dense.cropWidth)
        case "ImageData", "ImageSegData":
            noteBatch(Int(parameter.imageDataParam.batchSize))
            result = pictures(name, isColor: true)
            setSize(&result, height: parameter.imageDataParam.newHeight, width: parameter.imageDataParam.newWidth)
        case "WindowData", "WindowSegData":
            noteBatch(Int(parameter.windowDataParam.batchSize))
            result = pictures(name, isColor: true)
            let size = parameter.windowDataParam.cropSize
            setSize(&result, height: size, width: size)
        case "Python":
            result = pictures(name, isColor: true)
            try mean(&result, of: parameter, line: layer.line)
        default:
            noteBatch(Int(parameter.dataParam.batchSize))
            result = pictures(name, isColor: true)
        }
        result.mayStateMean = parameter.type != "Input"
        if parameter.type != "Python" { try transform(&result, parameter.transformParam, line: layer.line) }
        notes.append("layer '\(parameter.name)' (\(parameter.type)) is read as the network's input '\(name)'.")
        return result
    }

    /// FCN's data layers are Python programs; `param_str` says what they subtract: 'mean': (104.0, 116.7, 122.7).
    private mutating func mean(
        _ input: inout Input,
        of parameter: Caffe_LayerParameter,
        line: Int
    ) throws(FormatError) {
        let text = parameter.pythonParam.paramStr
        guard let key = text.firstRange(of: "'mean'") ?? text.firstRange(of: "\"mean\""),
            let open = text[key.upperBound...].firstIndex(where: { "([".contains($0) }),
            let close = text[open...].firstIndex(where: { ")]".contains($0) })
        else {
            notes.append("layer '\(parameter.name)' (Python) states no mean; none is subtracted.")
            return
        }
        let words = text[text.index(after: open)..<close].split { ", ".contains($0) }
        let values = words.compactMap { Float($0) }
        guard values.count == words.count, values.count == input.description.channels.count else {
            throw refused(
                line,
                "layer '\(parameter.name)' has the mean (\(words.joined(separator: ", "))), where "
                    + "\(input.description.channels.count) numbers are needed",
                advice: "Give one per channel in the order blue, green, red"
            )
        }
        input.description.mean = values
    }

    private func pictures(_ name: String, isColor: Bool) -> Input {
        var description = InputDescription.channels(isColor ? 3 : 1)
        description.name = name
        return Input(description: description, hasSize: false)
    }

    private func setSize(_ input: inout Input, height: UInt32, width: UInt32) {
        guard height > 0, width > 0 else { return }
        input.description.height = Int(height)
        input.description.width = Int(width)
        input.hasSize = true
    }

    /// `transform_param`: (value - mean) * scale, cut to a square. Mirroring only happens in training.
    private mutating func transform(
        _ input: inout Input,
        _ transform: Caffe_TransformationParameter,
        line: Int
    ) throws(FormatError) {
        setSize(&input, height: transform.cropSize, width: transform.cropSize)
        let count = input.description.channels.count
        input.description.scale = Array(repeating: transform.scale, count: count)
        switch transform.meanValue.count {
        case 0: break
        case 1: input.description.mean = Array(repeating: transform.meanValue[0], count: count)
        case count: input.description.mean = transform.meanValue
        default:
            throw refused(
                line,
                "transform_param has \(transform.meanValue.count) mean values for \(count) channels",
                advice: "Give one, or one per channel in the order blue, green, red"
            )
        }
        if transform.hasMeanFile {
            notes.append(
                "the mean picture '\(transform.meanFile)' is not subtracted; write its channels' means as mean_value instead."
            )
        }
    }

    // MARK: The mean of deploy files

    /// Subtracts what the network's authors subtract, where a deploy file cannot say it and the network is known.
    mutating func assumeMean(_ input: inout InputDescription) {
        guard input.channels == .bgr, let (architecture, title) = knownNetwork else { return }
        input.mean = architecture.mean
        let numbers = zip(input.channels, input.mean).map { "\($0) \($1)" }.joined(separator: ", ")
        notes.append(
            "the file does not say what is subtracted from pictures; it looks like \(title), so its authors' mean is assumed "
                + "(\(numbers)). \(UserChoice.mean) sets another."
        )
    }

    /// The published network that the layers' names and windows give away.
    private var knownNetwork: (Architecture, title: String)? {
        let names = Set(layers.map(\.name))
        func window(_ name: String) -> Window? {
            guard let layer = layers.first(where: { $0.name == name }) else { return nil }
            guard case .convolution(let kind) = layer.operation else { return nil }
            return kind.window
        }
        if names.contains("fc6-deconv") { return (.deconvNet, "DeconvNet") }
        if let fc6 = window("fc6"), fc6.dilationY > 1 { return (.deepLabLargeFOV, "DeepLab") }
        if let first = window("conv1_1") ?? window("conv1_1_bgrd"), first.paddingY == 100 { return (.fcn8s, "FCN") }
        return nil
    }
}

extension InputDescription {
    /// Sets the mean.
    /// - Parameters:
    ///   - mean: One number per channel, or one for all.
    ///   - file: The network's file in errors.
    /// - Throws: `FormatError` if there are more or fewer numbers than channels.
    public mutating func subtract(_ mean: [Float], file: String) throws(FormatError) {
        guard mean.count == 1 || mean.count == channels.count else {
            throw FormatError(
                file: file,
                problem:
                    "the \(UserChoice.mean) has \(mean.count) numbers, the network reads \(channels.count) channels "
                    + "(\(channels.names()))",
                advice: "Give one number for all, or one for each in this order"
            )
        }
        self.mean = mean.count == 1 ? Array(repeating: mean[0], count: channels.count) : mean
    }
}
