import SegNetNetworks
import SegNetPlatform
import Testing

@testable import SegNetFormats

@Suite("What Caffe files say about the pictures")
struct CaffeInputTests {
    static let zeroNote =
        "the file does not say what is subtracted from pictures, so 0 is; if the network was trained with another mean, give that as the "
        + "mean of the pictures."

    private static func read(_ text: String, mean: [Float]? = nil) throws -> CaffeNetworkDescription {
        try CaffeNetworkReader.read(try CaffeNetwork(bytes: Array(text.utf8), file: "net.prototxt"), mean: mean)
    }

    private static let input = "input: \"data\" input_dim: 1 input_dim: 3 input_dim: 40 input_dim: 48\n"

    private static func conv(_ name: String, _ bottom: String, _ words: String) -> String {
        "layers { name: '\(name)' type: CONVOLUTION bottom: '\(bottom)' top: '\(name)' convolution_param { \(words) } }\n"
    }

    private static let fcn = conv("conv1_1", "data", "num_output: 2 kernel_size: 3 pad: 100")
    private static let fcnMean: [Float] = [104.00699, 116.66877, 122.67892]

    /// A data layer of FCN's authors.
    private static func python(_ module: String, tops: [String] = ["data", "label"], _ words: String) -> String {
        "layer { name: 'data' type: 'Python' \(tops.map { "top: '\($0)'" }.joined(separator: " ")) python_param { module: '\(module)' "
            + "layer: 'X' param_str: \"\(words)\" } }\n"
    }

    // MARK: Data layers

    @Test("FCN's Python data layer and DeconvNet's windows state the mean")
    func statedMeans() throws {
        func input(_ layer: String) throws -> InputDescription {
            try Self.read(layer + "layer { name: 'r' type: 'ReLU' bottom: 'data' top: 'r' }").network.input
        }
        let python = try input(
            "layer { name: 'data' type: 'Python' top: 'data' top: 'label' python_param { module: 'voc_layers' layer: "
                + "'SBDDSegDataLayer' param_str: \"{'seed': 1337, 'mean': (104.00699, 116.66877, 122.67892), 'split': 'train'}\" } }\n"
        )
        #expect(python.mean == Self.fcnMean)
        let windows = try input(
            "layers { name: 'data' type: WINDOW_SEG_DATA top: 'data' top: 'label' window_data_param { batch_size: 1 crop_size: 224 } "
                + "transform_param { mean_value: 104.008 mean_value: 116.669 mean_value: 122.675 } }\n"
        )
        #expect(windows.mean == [104.008, 116.669, 122.675])
        #expect(windows.height == 224 && windows.width == 224)
    }

    @Test(
        "a mean is read as Python understands it",
        arguments: [
            ("{'mean': (104.0, 116.5, 122)}", [104, 116.5, 122]),
            ("{'mean' : [104.0,116.5,122.0,], 'x': 1}", [104, 116.5, 122]),
            ("{'mean': np.array((104.0, 116.5, 122)), 'split': 'x'}", [104, 116.5, 122]),
            ("{'mean': numpy.asarray([1.04e2, 116.5, 122], dtype=np.float32)}", [104, 116.5, 122]),
            // Not what stands in the next bracket.
            ("{'mean': 104.5, 'split': (1, 2, 3)}", [104.5, 104.5, 104.5]), ("{'split': 'x', 'mean': 7}", [7, 7, 7]),
            ("{'mean': np.float32(9.5), 'split': [1, 2]}", [9.5, 9.5, 9.5]), ("{'mean': (0, 0, 0)}", [0, 0, 0]),
            ("{'mean': [1, 2, 3]}", [1, 2, 3]), ("((1, 2, 3)) is no dictionary, {'mean': ((1, 2, 3))}", [1, 2, 3]),
            // The word is a value first.
            ("{'keys': ['mean', 'seed'], 'mean': (1, 2, 3)}", [1, 2, 3]),
        ] as [(String, [Float])]
    )
    func pythonMeans(words: String, mean: [Float]) throws {
        let description = try Self.read(Self.python("voc_layers", words) + Self.fcn)
        #expect(description.network.input.mean == mean)
        #expect(!description.notes.contains { $0.contains("does not say what is subtracted") })
    }

    @Test("a mean of two numbers is refused; one that is none of numbers is ignored, and that is said")
    func wrongMeans() throws {
        #expect(
            message { try Self.read(Self.python("voc_layers", "{'mean': (1, 2)}") + Self.fcn) }
                == "net.prototxt:1: layer 'data' has the mean (1, 2), where 3 numbers are needed. "
                + "Give one per channel in the order blue, green, red, or one for all."
        )
        for words in [
            "None", "means['voc']", "(a, b, c)", "(1, 2, nan)", "()", "", "np.zeros(3)", "(1, 2, 3)[::-1]", "104.5 * 2",
            "np.array([.4, .45, .48]) * 255", "((1, 2, 3)",
        ] {
            let description = try Self.read(Self.python("voc_layers", "{'mean': \(words)}") + Self.fcn)
            #expect(
                description.notes.contains { $0.hasPrefix("layer 'data' (Python) states its mean as '\(words)") },
                "\(words)"
            )
            #expect(description.network.input.mean == Self.fcnMean)
        }
    }

    @Test(
        "where FCN's Python layer states no mean, that of the program or of FCN is assumed",
        arguments: [
            ("voc_layers", "{'split': 'val'}", fcnMean, "it looks like FCN, so its authors' mean is assumed"),
            (
                "siftflow_layers", "{'split': 'test'}", [114.578, 115.294, 108.353],
                "its data layer is of FCN's authors (siftflow_layers), so their mean is assumed"
            ),
            (
                "nyud_layers", "{'tops': ['color', 'label']}", [116.190, 97.203, 92.318],
                "its data layer is of FCN's authors (nyud_layers), so their mean is assumed"
            ),
        ] as [(String, String, [Float], String)]
    )
    func pythonWithoutMean(module: String, words: String, mean: [Float], reason: String) throws {
        let text = Self.python(module, words) + Self.fcn
        let description = try Self.read(text)
        #expect(description.network.input.mean == mean)
        #expect(
            description.notes.contains(
                "the file does not say what is subtracted from pictures; \(reason) (blue \(mean[0]), green \(mean[1]), red \(mean[2])). "
                    + "Give another as the mean of the pictures."
            ),
            "\(description.notes)"
        )
        #expect(try Self.read(text, mean: [1]).network.input.mean == [1, 1, 1])
        // Depth encoded as three channels is not FCN's colours.
        let depth = try Self.read(Self.python("nyud_layers", "{'tops': ['hha', 'label']}") + Self.fcn)
        #expect(depth.network.input.mean == [0, 0, 0] && depth.notes.contains(Self.zeroNote))
    }

    @Test(
        "deploy files of known nets get the mean that their authors' inference has, unless another is given; others get none"
    )
    func assumedMeans() throws {
        let deepLab = Self.input + Self.conv("fc6", "data", "num_output: 2 kernel_size: 3 pad: 12 hole: 12")
        let deconvNet =
            Self.input
            + "layers { name: 'fc6-deconv' type: DECONVOLUTION bottom: 'data' top: 'x' convolution_param { num_output: 2 "
            + "kernel_size: 7 } }"
        for (text, title, mean) in [
            (Self.input + Self.fcn, "FCN", Self.fcnMean),
            (deepLab, "DeepLab", [104.008, 116.669, 122.675]),
            // Not that of its training, 104.008 and so on.
            (deconvNet, "DeconvNet", [104.00698793, 116.66876762, 122.67891434]),
        ] {
            let description = try Self.read(text)
            #expect(description.network.input.mean == mean)
            #expect(
                description.notes == [
                    "the file does not say what is subtracted from pictures; it looks like \(title), so its authors' mean is assumed "
                        + "(blue \(mean[0]), green \(mean[1]), red \(mean[2])). Give another as the mean of the pictures."
                ]
            )
        }
        let given = try Self.read(Self.input + Self.fcn, mean: [7])
        #expect(given.network.input.mean == [7, 7, 7])
        #expect(given.notes.isEmpty)
        #expect(
            message { try Self.read(Self.input + Self.fcn, mean: [1, 2]) }
                == "net.prototxt: the mean of the pictures has 2 numbers, but the network reads 3 channels (blue, green, red). "
                + "Give one number for all, or one for each in this order."
        )
        let plain = try Self.read(Self.input + Self.conv("conv1_1", "data", "num_output: 2 kernel_size: 3 pad: 1"))
        #expect(plain.network.input.mean == [0, 0, 0])
        #expect(plain.notes == [Self.zeroNote])
        // What the layer of an input states counts.
        let stated = try Self.read(
            "layer { name: 'data' type: 'Input' top: 'data' input_param { shape { dim: 1 dim: 3 dim: 40 dim: 48 } } "
                + "transform_param { mean_value: 5 } }\n" + Self.fcn
        )
        #expect(stated.network.input.mean == [5, 5, 5] && stated.notes.count == 1)
    }

    // MARK: Our own comment

    /// The description that is written for a network, and what is read from it.
    private static func written(_ network: Network) throws -> (notes: [String], text: String) {
        let model = Model(network: network, weights: try Weights.initial(for: network, seed: 1))
        return try withTemporaryFolder { folder in
            let description = folder.appendingPathComponent("a.prototxt")
            let notes = try Caffe.write(
                model,
                weights: folder.appendingPathComponent("a.caffemodel"),
                network: description
            )
            return (notes, String(decoding: try Data(contentsOf: description), as: UTF8.self))
        }
    }

    private static func network(_ input: InputDescription) -> Network {
        Network(
            name: "n",
            input: input,
            layers: [
                Layer(
                    "conv1_1",
                    inputs: [input.name],
                    outputs: ["y"],
                    .convolution(Convolution(outputChannels: 2, window: Window(3, padding: 100)))
                )
            ]
        )
    }

    @Test(
        "what is subtracted and how channels are called comes back from a description that we wrote",
        arguments: [
            InputDescription(channels: .bgr, height: 9, width: 8, mean: [1, 2, 3]),
            InputDescription(channels: .bgr, height: 9, width: 8),
            InputDescription(
                channels: .rgb,
                height: 9,
                width: 8,
                mean: [104.00699, 1e-7, -3],
                scale: [0.017, 1, 2.5e-9]
            ),
            InputDescription(
                channels: [.blue, "depth", "mean", "scale"],
                height: 9,
                width: 8,
                mean: [1, 0, 3, 0.1],
                scale: [1, 1, 1, 1 / 3]
            ),
        ]
    )
    func comment(input: InputDescription) throws {
        let (notes, text) = try Self.written(Self.network(input))
        let isRaw = input == InputDescription(channels: .bgr, height: 9, width: 8)
        #expect(notes.count == (isRaw ? 0 : 1))
        // FCN's mean would be assumed otherwise, and even for a mean of 0.
        let back = try Self.read(text)
        #expect(back.network.input == input)
        #expect(back.notes == (isRaw ? [] : ["mean and scale of the input are those of the comment in line 1."]))
        // Wherever the line stands and whatever surrounds it.
        let moved = "# Mine.\r\n\r\n\t##  " + text.dropFirst(2).replacing("\n", with: " \r\n")
        #expect(try Self.read(moved).network.input == input)
        let given = try Self.read(text, mean: [6]).network.input
        #expect(given.mean.allSatisfy { $0 == 6 } && given.scale == input.scale && given.channels == input.channels)
    }

    @Test("the comment of earlier versions is read, a damaged one is ignored, and a data layer counts for more")
    func otherComments() throws {
        let old =
            "# the input is expected as (value - mean) * scale; mean 1.0, 2.0, 3.5, scale 1.0, 1.0, 0.5: subtract and scale before.\n"
        let read = try Self.read(old + Self.input + Self.fcn).network.input
        #expect(read.mean == [1, 2, 3.5] && read.scale == [1, 1, 0.5] && read.channels == .bgr)
        let new = old.replacing(" before.", with: " before you pass it in.")
        #expect(try Self.read(new + Self.input + Self.fcn).network.input == read)
        let damaged = [
            old.replacing(", 3.5", with: ""), old.replacing("3.5", with: "x"), old.replacing("3.5", with: "inf"),
            old.replacing(", scale 1.0, 1.0, 0.5", with: ""), old.replacing(": subtract and scale before.", with: ""),
            old.replacing("mean 1.0", with: "channels blue, red, mean 1.0"),
            old.replacing("mean 1.0", with: "channels red, red, red, mean 1.0"),
            old.replacing("mean 1.0", with: "colours blue, green, red, mean 1.0"),
        ]
        for text in damaged {
            let description = try Self.read(text + Self.input + Self.fcn)
            #expect(description.network.input.mean == Self.fcnMean, "\(text)")
            #expect(
                description.notes.first
                    == "the comment in line 1 about the input is ignored: it does not have one mean and one scale for each of "
                    + "the network's 3 channels."
            )
        }
        let data =
            "layers { name: 'data' type: IMAGE_DATA top: 'data' transform_param { mean_value: 9 crop_size: 8 } }\n"
        #expect(try Self.read(old + data + Self.fcn).network.input.mean == [9, 9, 9])
        // A text is no comment.
        let name = "name: '" + old.dropLast() + "'\n"
        #expect(try Self.read(name + Self.input + Self.fcn).network.input.mean == Self.fcnMean)
    }

    // MARK: Several inputs, several ends

    @Test("a second picture is refused as such, and not called a label")
    func secondPictures() throws {
        let concat = "layer { name: 'both' type: 'Concat' bottom: 'color' bottom: 'depth' top: 'data' }\n"
        let loss = "layer { name: 'loss' type: 'SoftmaxWithLoss' bottom: 'conv1_1' bottom: 'label' top: 'loss' }\n"
        let layer = Self.python(
            "nyud_layers",
            tops: ["color", "depth", "label"],
            "{'tops': ['color', 'depth', 'label']}"
        )
        #expect(
            message { try Self.read(layer + concat + Self.fcn + loss) }
                == "net.prototxt:2: layer 'both' (Concat) reads 'depth', a second input beside 'color'; only networks with one input are "
                + "supported. Write one input with the channels of all in place of the data layer and this one, for colours and depth: "
                + "input: \"data\" input_dim: 1 input_dim: 4 input_dim: 360 input_dim: 480."
        )
        // What the advice says is read.
        let joined =
            "input: \"data\" input_dim: 1 input_dim: 4 input_dim: 36 input_dim: 48\n" + Self.fcn
            + loss.replacing("'label'", with: "'data'")
        #expect(try Self.read(joined).network.input.channels.count == 4)
        let streams =
            Self.conv("conv1_1color", "color", "num_output: 2 kernel_size: 3")
            + Self.conv("conv1_1hha", "hha", "num_output: 2 kernel_size: 3")
        let hha = Self.python("nyud_layers", tops: ["color", "hha", "label"], "{'tops': ['color', 'hha', 'label']}")
        let advice = "supported. Give a description that joins its pictures into one before its first layer."
        #expect(
            message { try Self.read(hha + streams) }
                == "net.prototxt:3: layer 'conv1_1hha' (Convolution) reads 'hha', a second input beside 'color'; only networks with one "
                + "input are " + advice
        )
        #expect(
            message {
                try Self.read(
                    "input: 'a' input: 'b' input_dim: 1 input_dim: 3 input_dim: 4 input_dim: 4\n"
                        + Self.conv("c", "b", "")
                )
            }
                == "net.prototxt:2: layer 'c' (Convolution) reads 'b', a second input beside 'a'; only networks with one input are "
                + advice
        )
        // Labels that nothing but the loss reads are labels.
        let plain = try Self.read(Self.python("voc_layers", "{'mean': 1}") + Self.fcn + loss)
        #expect(plain.network.layers.map(\.name) == ["conv1_1"])
    }

    @Test("of several ends the last gives the classes, and a note names all of them")
    func heads() throws {
        let relu = "layers { name: 'r' type: RELU bottom: 'conv1_1' top: 'conv1_1' }\n"
        let both =
            Self.conv("score_sem", "conv1_1", "num_output: 33 kernel_size: 1")
            + Self.conv("score_geo", "conv1_1", "num_output: 1 kernel_size: 1")
        let description = try Self.read(Self.input + Self.fcn + relu + both, mean: [0])
        #expect(
            description.notes == [
                "the network ends in 'score_sem' (33 channels) and 'score_geo' (1 channel); classes come from the last of them, "
                    + "'score_geo'. For those of another one, move its layer to the end of the file."
            ]
        )
        #expect(description.network.scoresBlob == "score_geo")
        // In-place layers and blobs that are read again end nothing.
        let one = try Self.read(
            Self.input + Self.fcn + relu + Self.conv("score", "conv1_1", "num_output: 2 kernel_size: 1")
                + "layers { name: 'p' type: SOFTMAX bottom: 'score' top: 'p' }",
            mean: [0]
        )
        #expect(one.notes.isEmpty)
    }

    @Test("pictures of a list that are read in gray give one channel")
    func grayPictures() throws {
        for (words, count) in [("is_color: false", 1), ("is_color: true", 3), ("", 3)] {
            let network = try Self.read(
                "layer { name: 'data' type: 'ImageData' top: 'data' top: 'label' image_data_param { source: 'l' new_height: 9 "
                    + "new_width: 13 \(words) } transform_param { mean_value: 10 } }\n"
                    + "layer { name: 'r' type: 'ReLU' bottom: 'data' top: 'r' }"
            ).network
            #expect(network.input.shape == [1, count, 9, 13])
            #expect(network.input.mean == Array(repeating: 10, count: count))
        }
    }

    @Test("too many channels, and numbers that are none, are refused as what they are")
    func limits() {
        let relu = "layer { name: 'r' type: 'ReLU' bottom: 'data' top: 'r' }"
        #expect(
            message {
                try Self.read("input: 'data' input_dim: 1 input_dim: 4097 input_dim: 9 input_dim: 13\n" + relu)
            }
                == "net.prototxt: input 'data' has 4097 channels; at most 4096 can be read. "
                + "Give a description whose input has fewer, for example 3 for pictures in colour."
        )
        #expect(
            message {
                try Self.read(
                    "layer { name: 'data' type: 'Data' top: 'data' transform_param { crop_size: 8 mean_value: nan } }\n"
                        + relu
                )
            } == "net.prototxt:1: transform_param has the number nan; mean_value and scale must be finite numbers."
        )
    }
}
