import SegNetNetworks
import SegNetPlatform

extension CaffeNetworkReader {
    mutating func input(_ running: [CaffeNetwork.Layer]) throws(FormatError) -> Input {
        let header = source.header
        if let name = header.input.first {
            inputName = name
            for other in header.input.dropFirst() {
                trainingBlobs[other] = "input"
                furtherInputs.insert(other)
            }
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
        inputName = name
        let ofFirst = first.parameter.top.dropFirst()
        let ofOthers = sources.dropFirst().flatMap(\.parameter.top)
        for label in ofFirst + ofOthers where label != name { trainingBlobs[label] = first.parameter.name }
        furtherInputs.formUnion(ofOthers)
        if !Self.givesLabels.contains(first.parameter.type) { furtherInputs.formUnion(ofFirst) }
        furtherInputs.remove(name)
        return try input(name: name, dataLayer: first)
    }

    /// Data layers whose second blob can only be labels. A Python layer may give depth there, as FCN's for NYUD does.
    private static let givesLabels: Set = [
        "Data", "DenseImageData", "ImageData", "ImageSegData", "MemoryData", "WindowData", "WindowSegData",
    ]

    /// What a layer that runs may not read: labels, or a second picture.
    func refusedInput(_ blob: String, _ layer: Caffe_LayerParameter, _ line: Int) -> FormatError {
        guard furtherInputs.contains(blob) else {
            return refused(
                line,
                "layer '\(layer.name)' (\(layer.type)) reads '\(blob)', which exists in training only",
                advice: "Give the description that is meant for inference"
            )
        }
        let joinsPictures =
            layer.type == "Concat" && layer.bottom.allSatisfy { $0 == inputName || furtherInputs.contains($0) }
        return refused(
            line,
            "layer '\(layer.name)' (\(layer.type)) reads '\(blob)', a second input beside '\(inputName)'; only networks with one input "
                + "are supported",
            advice: joinsPictures
                ? "Write one input with the channels of all in place of the data layer and this one, for colours and depth: input: "
                    + "\"\(layer.top.first ?? "data")\" input_dim: 1 input_dim: 4 input_dim: 360 input_dim: 480"
                : "Give a description that joins its pictures into one before its first layer"
        )
    }

    /// Satellites take pictures of some hundred channels; each has a name and a mean here.
    private static let mostChannels = 4096

    private mutating func input(name: String, sizes: [Int], line: Int?) throws(FormatError) -> Input {
        guard sizes.count == 4, sizes.allSatisfy({ (1...(1 << 20)).contains($0) }) else {
            throw FormatError(
                file: source.file,
                line: line,
                problem:
                    "input '\(name)' has the shape \(Shape(sizes)), where batch, channels, height and width are needed",
                advice: "Write for example 1, 3, 360, 480"
            )
        }
        guard sizes[1] <= Self.mostChannels else {
            throw FormatError(
                file: source.file,
                line: line,
                problem: "input '\(name)' has \(sizes[1]) channels; at most \(Self.mostChannels) can be read",
                advice: "Give a description whose input has fewer, for example 3 for pictures in colour"
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
            result = pictures(name, isColor: !layer.isGray)
            setSize(&result, height: parameter.imageDataParam.newHeight, width: parameter.imageDataParam.newWidth)
        case "WindowData", "WindowSegData":
            noteBatch(Int(parameter.windowDataParam.batchSize))
            result = pictures(name, isColor: true)
            let size = parameter.windowDataParam.cropSize
            setSize(&result, height: size, width: size)
        case "Python":
            result = pictures(name, isColor: true)
            try mean(&result, of: parameter, line: layer.line)
            result.reader = Self.reader(parameter.pythonParam)
        default:
            noteBatch(Int(parameter.dataParam.batchSize))
            result = pictures(name, isColor: true)
        }
        // These two have no mean of their own; a `transform_param` that only mirrors says nothing of one.
        let hasMean = parameter.type == "Input" && !parameter.transformParam.meanValue.isEmpty
        if !["Input", "Python"].contains(parameter.type) || hasMean { result.statesMean = true }
        if parameter.type != "Python" { try transform(&result, parameter.transformParam, line: layer.line) }
        notes.append("layer '\(parameter.name)' (\(parameter.type)) is read as the network's input '\(name)'.")
        noteFields(of: layer)
        return result
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
        if let value = ([transform.scale] + transform.meanValue).first(where: { !$0.isFinite }) {
            throw refused(line, "transform_param has the number \(value); mean_value and scale must be finite numbers")
        }
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
}
