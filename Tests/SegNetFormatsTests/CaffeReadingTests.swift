import SegNetNetworks
import SegNetPlatform
import Testing

@testable import SegNetFormats

@Suite("Caffe networks")
struct CaffeReadingTests {
    static func read(_ text: String) throws -> CaffeNetworkDescription {
        try CaffeNetworkReader.read(try CaffeNetwork(bytes: Array(text.utf8), file: "net.prototxt"))
    }

    /// A text with an input of 3x8x8 in front.
    static func readAfterInput(_ text: String) throws -> CaffeNetworkDescription {
        try read("input: \"data\" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8\n" + text)
    }

    @Test("the original's SegNet-Basic is our SegNet-Basic", .needsOracle)
    func segNetBasic() throws {
        let description = try Caffe.readNetwork(Oracle.file("segnet_basic.prototxt"))
        let ours = Architectures.segNetBasic(classes: 11)
        #expect(description.network.input == ours.input)
        #expect(description.network.classCount == 11)
        #expect(try description.network.summary().parameters == 1_416_587)
        // The file ends in a softmax, and states unpooled sizes in its own way.
        let layers = description.network.layers.filter { $0.name != "prob" }.map { layer in
            var layer = layer
            if case .unpooling = layer.operation { layer.operation = .unpooling(Unpooling()) }
            return layer
        }
        #expect(layers == ours.layers)
        #expect(description.notes == [])
    }

    @Test("a training file becomes what runs at test time, of the size its upsampling layers state", .needsOracle)
    func trainingFile() throws {
        let description = try Caffe.readNetwork(Oracle.file("training/segnet_two_stages/train.prototxt"))
        #expect(description.network.input == .bgr255(height: 40, width: 64))
        #expect(description.network.layers.last?.name == "conv1_1_D")
        #expect(
            description.notes == [
                "the batch of 2 is read as 1.",
                "layer 'data' (DenseImageData) is read as the network's input 'data'.",
                "layer 'loss' (SoftmaxWithLoss) is left out: it matters for training only.",
                "layer 'accuracy' (Accuracy) is left out: it matters for training only.",
            ]
        )
    }

    @Test(
        "a file that reads pictures from a list is read for the size that its upsampling layers come out at",
        arguments: [(45, 60, 360, 480, true), (23, 30, 184, 240, true), (90, 120, 720, 960, true)]
    )
    func sizeOfLists(statedHeight: Int, statedWidth: Int, height: Int, width: Int, isSaid: Bool) throws {
        let pool = { (name: String, bottom: String) in
            "layer { name: '\(name)' type: 'Pooling' bottom: '\(bottom)' top: '\(name)' top: '\(name)_mask' "
                + "pooling_param { pool: MAX kernel_size: 2 stride: 2 } }\n"
        }
        let upsample = { (name: String, bottom: String, parameters: String) in
            "layer { name: 'up_\(name)' type: 'Upsample' bottom: '\(bottom)' bottom: '\(name)_mask' top: 'up_\(name)' "
                + "upsample_param { \(parameters) } }\n"
        }
        let text =
            "layer { name: 'data' type: 'DenseImageData' top: 'data' top: 'label' }\n"
            + pool("p1", "data") + pool("p2", "p1") + pool("p3", "p2") + pool("p4", "p3")
            + upsample("p4", "p4", "upsample_h: \(statedHeight) upsample_w: \(statedWidth)")
            + upsample("p3", "up_p4", "scale: 2")
        let description = try Self.read(text)
        #expect(description.network.input.height == height)
        #expect(description.network.input.width == width)
        let size =
            "the file does not say how large pictures are; reading it for 480x360, any other size can be asked for."
        #expect(description.notes.contains(size) != isSaid)
    }

    @Test("the old encoding gives the same network as the new one", .needsOracle)
    func oldEncoding() throws {
        let old = try Caffe.readNetwork(Oracle.file("v1/vgg_v1.prototxt"))
        let new = try Caffe.readNetwork(Oracle.file("v1/vgg_new.prototxt"))
        #expect(old.network == new.network)
        #expect(
            new.notes == [
                "the batch of 2 is read as 1.", CaffeInputTests.zeroNote, "inner products are read but not run: 'fc6'.",
            ]
        )
        #expect(
            new.network.layers.map(\.operation.kindName).suffix(4) == ["innerProduct", "relu", "dropout", "softmax"]
        )
    }

    @Test("layers of the training phase are left out, whatever way a file says it")
    func phases() throws {
        let network = try Self.read(
            """
            layer { name: "data" type: "Data" top: "data" top: "label" include { phase: TRAIN }
              transform_param { crop_size: 8 mean_value: 104 mean_value: 117 mean_value: 123 scale: 0.5 } data_param { batch_size: 64 } }
            layer { name: "data" type: "Input" top: "data" include { phase: TEST }
              input_param { shape { dim: 1 dim: 3 dim: 10 dim: 12 } } transform_param { mean_value: 5 } }
            layer { name: "a" type: "ReLU" bottom: "data" top: "a" exclude { phase: TEST } }
            layer { name: "b" type: "ReLU" bottom: "data" top: "b" exclude { phase: TRAIN } }
            layer { name: "c" type: "ReLU" bottom: "b" top: "c" include { stage: "extra" } }
            layer { name: "d" type: "ReLU" bottom: "b" top: "d" include { phase: TEST not_stage: "extra" } }
            """
        ).network
        #expect(network.layers.map(\.name) == ["b", "d"])
        #expect(network.input.shape == [1, 3, 10, 12])
        #expect(network.input.mean == [5, 5, 5])
    }

    @Test("the level and the stages that a file states choose layers")
    func state() throws {
        let layers = """
            input: "data" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8
            layer { name: "a" type: "ReLU" bottom: "data" top: "a" include { stage: "deploy" } }
            layer { name: "b" type: "ReLU" bottom: "data" top: "b" include { stage: "deploy" stage: "large" } }
            layer { name: "c" type: "ReLU" bottom: "data" top: "c" exclude { not_stage: "deploy" } }
            layer { name: "d" type: "ReLU" bottom: "data" top: "d" include { min_level: 1 } }
            layer { name: "e" type: "ReLU" bottom: "data" top: "e" include { max_level: 1 } }
            """
        func names(_ state: String) throws -> [String] { try Self.read(state + layers).network.layers.map(\.name) }
        #expect(try names("") == ["e"])
        #expect(try names("state { phase: TRAIN stage: \"deploy\" }\n") == ["a", "c", "e"])
        #expect(try names("state { stage: \"large\" stage: \"deploy\" level: 2 }\n") == ["a", "b", "c", "d"])
    }

    @Test("where only training has a data layer, it is the input")
    func trainingDataOnly() throws {
        let network = try Self.read(
            """
            layer { name: "data" type: "Data" top: "data" top: "label" include { phase: TRAIN }
              transform_param { crop_size: 8 mean_value: 104 mean_value: 117 mean_value: 123 scale: 0.5 } }
            layer { name: "b" type: "ReLU" bottom: "data" top: "b" }
            """
        ).network
        #expect(network.input.shape == [1, 3, 8, 8])
        #expect(network.input.mean == [104, 117, 123])
        #expect(network.input.scale == [0.5, 0.5, 0.5])
    }

    @Test("every layer type of SegNet's relatives is read with its parameters")
    func layerTypes() throws {
        let network = try Self.readAfterInput(
            """
            layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
              convolution_param { num_output: 6 kernel_h: 3 kernel_w: 1 pad_h: 2 pad_w: 0 dilation: 2 group: 3 bias_term: false } }
            layer { name: "hole" type: "Convolution" bottom: "conv" top: "hole"
              convolution_param { num_output: 4 kernel_size: 3 pad: 2 hole: 2 } }
            layer { name: "split" type: "Split" bottom: "hole" top: "hole_0" top: "hole_1" }
            layer { name: "pool" type: "Pooling" bottom: "hole_0" top: "pool"
              pooling_param { pool: MAX kernel_size: 3 stride: 2 pad: 1 } }
            layer { name: "up" type: "Deconvolution" bottom: "pool" top: "up"
              convolution_param { num_output: 4 kernel_size: 4 stride: 2 pad: 1 bias_term: false } }
            layer { name: "crop" type: "Crop" bottom: "up" bottom: "hole_1" top: "crop" crop_param { axis: 2 offset: 1 } }
            layer { name: "sum" type: "Eltwise" bottom: "crop" bottom: "hole_1" top: "sum" eltwise_param { operation: SUM } }
            layer { name: "cat" type: "Concat" bottom: "sum" bottom: "hole" top: "cat" }
            layer { name: "norm" type: "LRN" bottom: "cat" top: "norm" lrn_param { local_size: 3 alpha: 0.0002 beta: 0.5 k: 2 } }
            layer { name: "drop" type: "Dropout" bottom: "norm" top: "norm" dropout_param { dropout_ratio: 0.3 sample_weights_test: true } }
            layer { name: "prob" type: "Softmax" bottom: "norm" top: "prob" }
            layer { name: "argmax" type: "ArgMax" bottom: "prob" top: "argmax" argmax_param { axis: 1 } }
            """
        )
        func operation(_ name: String) -> SegNetNetworks.Operation? {
            network.network.layers.first { $0.name == name }?.operation
        }
        #expect(
            operation("conv")
                == .convolution(
                    Convolution(
                        outputChannels: 6,
                        window: Window(height: 3, width: 1, paddingY: 2, dilationY: 2, dilationX: 2),
                        groups: 3,
                        hasBias: false
                    )
                )
        )
        #expect(
            operation("hole")
                == .convolution(Convolution(outputChannels: 4, window: Window(3, padding: 2, dilation: 2)))
        )
        #expect(
            operation("pool") == .maxPooling(MaxPooling(window: Window(3, stride: 2, padding: 1), givesIndices: false))
        )
        #expect(
            operation("up")
                == .transposedConvolution(
                    TransposedConvolution(outputChannels: 4, window: Window(4, stride: 2, padding: 1), hasBias: false)
                )
        )
        #expect(operation("crop") == .crop(Crop(top: 1, left: 1)))
        #expect(operation("norm") == .localResponseNormalization(.init(size: 3, alpha: 0.0002, beta: 0.5, k: 2)))
        #expect(operation("drop") == .dropout(Dropout(ratio: 0.3, samplesAtTest: true)))
        #expect(network.network.layers.first { $0.name == "sum" }?.inputs == ["crop", "hole"])
        #expect(
            network.notes == [
                CaffeInputTests.zeroNote, "dropout is idle here; the file asks for sampling at test time in 'drop'.",
            ]
        )
    }

    @Test("softmax and ArgMax in place leave the scores what they are, and that is said")
    func inPlace() throws {
        let softmax = "layer { name: \"s\" type: \"Softmax\" bottom: \"c\" top: \"c\" }\n"
        let argmax = "layer { name: \"m\" type: \"ArgMax\" bottom: \"c\" top: \"c\" argmax_param { axis: 1 } }\n"
        let scores =
            "layer { name: \"c\" type: \"Convolution\" bottom: \"data\" top: \"c\" convolution_param { num_output: 4 "
            + "kernel_size: 1 } }\n"
        func note(_ layer: String) -> String {
            "layer '\(layer)' writes over the scores 'c'; what it writes is called '\(layer)' here, so that both are kept."
        }
        for (text, layer, blobs) in [
            (softmax, "s", [["c"], ["s"]]), (argmax, "m", [["c"], ["m"]]),
            (softmax + argmax, "s", [["c"], ["s"], ["s"]]),
        ] {
            let description = try Self.readAfterInput(scores + text)
            #expect(description.network.layers.map(\.outputs) == blobs)
            #expect(description.network.layers.dropFirst(2).allSatisfy { $0.inputs == ["s"] })
            #expect(description.network.scoresBlob == "c")
            #expect(description.network.classCount == 4)
            #expect(description.notes == [CaffeInputTests.zeroNote, note(layer)])
        }
        // The size of pictures, which the file does not state, is found all the same.
        let ofList = try Self.read("layer { name: \"data\" type: \"Data\" top: \"data\" }\n" + scores + softmax)
        #expect(ofList.notes.contains(note("s")))
        // Where the numbers are not the scores, the file's names stay.
        let inner = try Self.readAfterInput(
            scores + softmax + scores.replacing("\"c\"", with: "\"d\"").replacing("\"data\"", with: "\"c\"")
        )
        #expect(inner.network.layers.map(\.outputs) == [["c"], ["c"], ["d"]])
        #expect(inner.notes == [CaffeInputTests.zeroNote])
    }

    @Test("the old CROP of a blob by itself cuts nothing off")
    func cropByItself() throws {
        let network = try Self.readAfterInput("layers { name: 'k' type: CROP bottom: 'data' bottom: 'data' top: 'k' }")
            .network
        #expect(network.layers[0].operation == .crop(Crop()))
    }

    static let unpooling = """
        layer { name: "pool" type: "Pooling" bottom: "data" top: "pool" top: "mask" pooling_param { pool: MAX kernel_size: 2 stride: 2 } }
        layer { name: "up" type: "Upsample" bottom: "pool" top: "up" bottom: "mask" upsample_param { PARAMETERS } }
        """

    @Test(
        "unpooled sizes are checked, never obeyed",
        arguments: [
            ("scale: 2", "5x8"), ("", "5x8"), ("scale: 2 pad_out_h: true", nil), ("upsample_h: 5 upsample_w: 7", "5x7"),
            ("upsample_h: 5 upsample_w: 8", nil), ("upsample_h: 6 upsample_w: 8", "6x8"),
        ]
    )
    func unpooledSizes(parameters: String, declared: String?) throws {
        let text = Self.unpooling.replacing("PARAMETERS", with: parameters)
        let description = try Self.read("input: \"data\" input_dim: 1 input_dim: 3 input_dim: 5 input_dim: 8\n" + text)
        #expect(try description.network.shapes().blobs["up"]?.shape == [1, 3, 5, 8])
        let isRight = declared == nil || declared == "5x8"
        let expected = declared == "5x8" ? "6x8" : declared ?? ""
        #expect(
            description.notes
                == (isRight && declared == nil
                    ? []
                    : ["layer 'up': the file declares \(expected), the encoder's map is 5x8; using the encoder's."])
        )
    }

    @Test("DeconvNet's old layers with private types are read")
    func deconvNet() throws {
        let network = try Self.readAfterInput(
            """
            layers { bottom: 'data' top: 'bn' name: 'bn' type: BN bn_param { bn_mode: INFERENCE scale_filler { type: 'constant' value: 1 } } }
            layers { bottom: 'bn' top: 'pool' top: 'mask' name: 'pool' type: POOLING pooling_param { pool: MAX kernel_size: 2 stride: 2 } }
            layers { bottom: 'pool' bottom: 'mask' top: 'up' name: 'up' type: UNPOOLING
              unpooling_param { unpool: MAX kernel_size: 2 stride: 2 unpool_size: 8 } }
            """
        ).network
        #expect(network.layers.map(\.operation.kindName) == ["batchNormalization", "maxPooling", "unpooling"])
    }

    @Test(
        "what cannot be read is refused with its line",
        arguments: [
            (
                "layer { name: \"x\" type: \"Sigmoid\" bottom: \"data\" top: \"x\" }",
                "layer 'x' is of type Sigmoid, which is not supported. Supported are Convolution, Deconvolution, BN, Scale, ReLU, "
                    + "ELU, Pooling, Upsample, Unpooling, LRN, Dropout, Eltwise, Concat, Crop, Interp, Softmax, ArgMax and InnerProduct."
            ),
            (
                "layer { name: \"x\" type: \"Pooling\" bottom: \"data\" top: \"x\" pooling_param { pool: STOCHASTIC kernel_size: 2 } }",
                "layer 'x' has a pool other than MAX and AVE, which is not supported."
            ),
            (
                "layer { name: \"x\" type: \"Pooling\" bottom: \"data\" top: \"x\" pooling_param { pool: MAX global_pooling: true } }",
                "layer 'x' pools the maximum of the whole map, which is not supported."
            ),
            (
                "layer { name: \"x\" type: \"Convolution\" bottom: \"data\" top: \"x\" }",
                "layer 'x' needs a num_output and a kernel_size of at least 1."
            ),
            (
                "layer { name: \"x\" type: \"ReLU\" bottom: \"date\" top: \"x\" }",
                "layer 'x': no layer before it writes its input 'date'; correct the name or the order of the layers."
            ),
            (
                "layer { name: \"x\" type: \"ArgMax\" bottom: \"data\" top: \"x\" argmax_param { out_max_val: true axis: 1 } }",
                "layer 'x' is an ArgMax other than 'axis: 1' with one class per pixel. "
                    + "Write argmax_param { axis: 1 }, or delete the layer: class ids are computed anyway."
            ),
            (
                "layer { name: \"x\" type: \"Upsample\" bottom: \"data\" bottom: \"data\" top: \"x\" upsample_param { scale: 4 } }",
                "layer 'x' has the scale 4x4; only 2 undoes a pooling."
            ),
            (
                "layer { name: \"x\" type: \"Eltwise\" bottom: \"data\" bottom: \"data\" top: \"x\" eltwise_param { operation: MAX } }",
                "layer 'x' is an Eltwise other than SUM, which is not supported."
            ),
            (
                "layer { name: \"x\" type: \"Convolution\" bottom: \"data\" top: \"x\" "
                    + "convolution_param { num_output: 4294967295 kernel_size: 4294967295 } }",
                "layer 'x': needs window, stride and dilation in 1...4096 and padding in 0...4096; found window "
                    + "4294967295x4294967295, stride 1x1, padding 0x0, dilation 1x1."
            ),
            (
                "layer { name: \"x\" type: \"Concat\" \(String(repeating: "bottom: \"data\" ", count: 65))top: \"x\" }",
                "layer 'x': its kind, concatenation, reads at most 64 blobs; found 65. "
                    + "Split it into several layers, of which each reads at most 64."
            ),
            (
                "layer { name: \"x\" type: \"ELU\" bottom: \"data\" top: \"x\" elu_param { alpha: nan } }",
                "layer 'x': its alpha is nan; a finite number is needed."
            ),
            (
                "layer { name: \"x\" type: \"LRN\" bottom: \"data\" top: \"x\" lrn_param { beta: -inf } }",
                "layer 'x': its beta is -inf; a finite number is needed."
            ),
            (
                "layer { name: \"x\" type: \"Eltwise\" bottom: \"data\" bottom: \"data\" top: \"x\" "
                    + "eltwise_param { coeff: [1, nan] } }",
                "layer 'x': its coefficient is nan; a finite number is needed."
            ),
        ]
    )
    func refused(text: String, problem: String) {
        #expect(message { try Self.readAfterInput(text) } == "net.prototxt:2: \(problem)")
    }

    @Test(
        "an input that cannot be is refused",
        arguments: [
            (
                "input: \"data\" input_dim: 1 input_dim: 3",
                "net.prototxt: input 'data' has the shape [1, 3], where batch, channels, height and width are needed. "
                    + "Write for example 1, 3, 360, 480."
            ),
            (
                "input: \"data\" input_shape { dim: 1 dim: 3 dim: 9000000000 dim: 1 }",
                "net.prototxt: input 'data' has the shape [1, 3, 9000000000, 1], where batch, channels, height and width "
                    + "are needed. Write for example 1, 3, 360, 480."
            ),
            (
                "",
                "net.prototxt: has no input. Add: input: \"data\" input_dim: 1 input_dim: 3 input_dim: 360 input_dim: 480."
            ),
        ]
    )
    func badInput(text: String, problem: String) {
        let layer = "\nlayer { name: \"x\" type: \"ReLU\" bottom: \"data\" top: \"x\" }"
        #expect(message { try Self.read(text + layer) } == problem)
    }

    @Test("a layer that reads labels is refused")
    func readsLabels() {
        let text = """
            layer { name: "data" type: "DenseImageData" top: "data" top: "label" }
            layer { name: "x" type: "ReLU" bottom: "label" top: "x" }
            """
        #expect(
            message { try Self.read(text) }
                == "net.prototxt:2: layer 'x' (ReLU) reads 'label', which exists in training only. "
                + "Give the description that is meant for inference."
        )
    }
}
