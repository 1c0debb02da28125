public import SegNetNetworks
import SegNetPlatform

extension CaffeNetworkReader {
    /// Decides what is subtracted from pictures: what the user says, or else the file, or else the authors of a network that is known.
    mutating func settleMean(_ input: inout Input) throws(FormatError) {
        if !input.statesMean, followComment(&input.description) { input.statesMean = true }
        if let mean {
            try input.description.subtract(mean, file: source.file)
        } else if !input.statesMean {
            assumeMean(&input.description, reader: input.reader)
        }
    }

    // MARK: Python layers

    /// FCN's data layers are Python programs; `param_str` says what most of them subtract: 'mean': (104.0, 116.7, 122.7).
    mutating func mean(
        _ input: inout Input,
        of parameter: Caffe_LayerParameter,
        line: Int
    ) throws(FormatError) {
        guard let text = Self.value(of: "mean", in: parameter.pythonParam.paramStr) else { return }
        guard let values = Self.numbers(text) else {
            notes.append(
                "layer '\(parameter.name)' (Python) states its mean as '\(text.prefix(40))', which is ignored: only numbers are read."
            )
            return
        }
        let count = input.description.channels.count
        guard values.count == 1 || values.count == count else {
            throw refused(
                line,
                "layer '\(parameter.name)' has the mean (\(values.map { $0.word }.joined(separator: ", "))), where "
                    + "\(count) numbers are needed",
                advice: "Give one per channel in the order blue, green, red, or one for all"
            )
        }
        let numbers = values.map { $0.number }
        input.description.mean = numbers.count == 1 ? Array(repeating: numbers[0], count: count) : numbers
        input.statesMean = true
    }

    /// What follows a key in a Python dictionary, up to the end of the text.
    private static func value(of key: String, in text: String) -> Substring? {
        for quote in ["'", "\""] {
            for found in text.ranges(of: quote + key + quote) {
                let rest = text[found.upperBound...].drop(while: \.isWhitespace)
                // The same word as an item of a list is not a key.
                if rest.first == ":" { return rest.dropFirst().drop(while: \.isWhitespace) }
            }
        }
        return nil
    }

    /// The numbers of a Python expression: `104.0`, `(104.0, 116.7, 122.7)`, `np.array([104.0, 116.7, 122.7])`; nil for anything else, such
    /// as a sum or a slice.
    private static func numbers(_ expression: Substring) -> [(word: Substring, number: Float)]? {
        var rest = expression
        func isOfName(_ letter: Character) -> Bool { letter.isLetter || letter.isNumber || "._".contains(letter) }
        var calls = 0
        // Calls that give their first argument as it is.
        while let first = rest.first, first.isLetter || first == "_" {
            let function = rest.prefix(while: isOfName).split(separator: ".").last ?? ""
            let call = rest.drop(while: isOfName).drop(while: \.isWhitespace)
            guard ["array", "asarray", "float32", "float64"].contains(function), call.first == "(" else { return nil }
            rest = call.dropFirst().drop(while: \.isWhitespace)
            calls += 1
        }
        let words: [Substring]
        if let open = rest.first, "([".contains(open) {
            var opened = 0
            while let open = rest.first, "([".contains(open) {
                rest = rest.dropFirst().drop(while: \.isWhitespace)
                opened += 1
            }
            guard let close = rest.firstIndex(where: { ")]".contains($0) }) else { return nil }
            words = rest[..<close].split { $0 == "," || $0.isWhitespace }
            rest = rest[close...].drop(while: \.isWhitespace)
            while opened > 0, let next = rest.first, ")]".contains(next) {
                rest = rest.dropFirst().drop(while: \.isWhitespace)
                opened -= 1
            }
            guard opened == 0 else { return nil }
        } else {
            words = [rest.prefix { !",)}]".contains($0) && !$0.isWhitespace }]
            rest = rest.dropFirst(words[0].count).drop(while: \.isWhitespace)
        }
        // After the numbers of a call, its other arguments, such as their type; then the next key, or the end.
        if calls > 0, let close = rest.firstIndex(of: ")"), rest.first == "," || rest.first == ")" {
            rest = rest[close...].drop { $0 == ")" || $0.isWhitespace }
        }
        guard rest.first.map({ ",}".contains($0) }) ?? true else { return nil }
        let values = words.compactMap { word in Float(word).map { (word, $0) } }.filter { $0.1.isFinite }
        return values.isEmpty || values.count != words.count ? nil : values
    }

    // MARK: Known networks

    /// What FCN's authors have in the programs that read their data sets, where `param_str` does not say it: blue, green, red.
    private static let means: [String: [Float]] = [
        "nyud_layers": [116.190, 97.203, 92.318], "pascalcontext_layers": [104.007, 116.669, 122.679],
        "siftflow_layers": [114.578, 115.294, 108.353],
    ]

    /// The program behind a Python layer, if it is one of FCN's authors.
    static func reader(_ parameter: Caffe_PythonParameter) -> Input.Reader? {
        guard let mean = means[parameter.module] else { return nil }
        // That for NYUD gives what it is asked for: colours, or depth encoded as three channels, which no picture holds.
        let isOfColors = parameter.module != "nyud_layers" || parameter.paramStr.contains("color")
        return Input.Reader(module: parameter.module, mean: isOfColors ? mean : nil)
    }

    /// Subtracts what the network's authors subtract, where the file does not say it and the network is known.
    private mutating func assumeMean(_ input: inout InputDescription, reader: Input.Reader?) {
        var found: (mean: [Float], reason: String)?
        if let reader {
            found = reader.mean.map {
                ($0, "its data layer is of FCN's authors (\(reader.module)), so their mean is assumed")
            }
        } else if let (architecture, title) = knownNetwork {
            found = (architecture.inferenceMean, "it looks like \(title), so its authors' mean is assumed")
        }
        if input.channels == .bgr, let found {
            input.mean = found.mean
            let numbers = zip(input.channels, input.mean).map { "\($0) \($1)" }.joined(separator: ", ")
            notes.append(
                "the file does not say what is subtracted from pictures; \(found.reason) (\(numbers)). Give another as the "
                    + "\(UserChoice.mean)."
            )
            return
        }
        // The released SegNets subtract nothing.
        if layers.contains(where: { if case .unpooling = $0.operation { true } else { false } }) { return }
        notes.append(
            "the file does not say what is subtracted from pictures, so 0 is; if the network was trained with another mean, give that "
                + "as the \(UserChoice.mean)."
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
                    "the \(UserChoice.mean) has \(mean.count) numbers, but the network reads \(channels.count) channels "
                    + "(\(channels.names()))",
                advice: "Give one number for all, or one for each in this order"
            )
        }
        self.mean = mean.count == 1 ? Array(repeating: mean[0], count: channels.count) : mean
    }
}
