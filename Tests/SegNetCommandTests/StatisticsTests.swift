import Foundation
import SegNetToolkit
import Testing

@testable import SegNetCommand

@Suite("segnet convert --statistics-from")
struct StatisticsTests {
    /// A network that normalises the picture itself, so that the statistics can be computed by hand.
    static let network = """
        name: "tiny" input: "data" input_dim: 1 input_dim: 3 input_dim: 4 input_dim: 6
        layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param { num_output: 3 kernel_size: 1 } }
        layer { name: "conv_bn" type: "BN" bottom: "conv" top: "conv" }
        layer { name: "classifier" type: "Convolution" bottom: "conv" top: "classifier" convolution_param { num_output: 2 kernel_size: 1 } }
        """

    /// Weights of that network; its first layer copies the picture.
    static func weights(scale: Float = 1, shift: Float = 0) -> Weights {
        Weights([
            "conv.weight": WeightTensor(shape: [3, 3, 1, 1], values: [1, 0, 0, 0, 1, 0, 0, 0, 1]),
            "conv.bias": WeightTensor(shape: [3], values: [0, 0, 0]),
            "conv_bn.scale": WeightTensor(shape: [3], values: [scale, scale, scale]),
            "conv_bn.shift": WeightTensor(shape: [3], values: [shift, shift, shift]),
            "classifier.weight": WeightTensor(shape: [2, 3, 1, 1], values: [1, 2, 3, 3, 2, 1]),
            "classifier.bias": WeightTensor(shape: [2], values: [0, 1]),
        ])
    }

    /// A `.caffemodel` in the state in which the original's training saves it, its description, and three pictures.
    static func folder(_ weights: Weights = weights()) throws -> (ScratchFolder, [Image]) {
        let scratch = try ScratchFolder()
        try scratch.write(network, "train.prototxt")
        let description = try Caffe.readNetwork(URL(filePath: scratch("train.prototxt"))).network
        var folded = description
        for index in folded.layers.indices {
            if case .batchNormalization = folded.layers[index].operation {
                folded.layers[index].operation = .batchNormalization(BatchNormalization(statistics: .folded))
            }
        }
        // Both states hold the same blobs.
        try Caffe.write(
            Model(network: folded, weights: weights),
            weights: URL(filePath: scratch("trained.caffemodel")),
            network: URL(filePath: scratch("folded.prototxt"))
        )
        let images = try (1...3).map { try scratch.picture("pictures/\($0).png", width: 6, height: 4, seed: $0) }
        return (scratch, images)
    }

    /// Mean and variance of each channel, blue first, over some pictures.
    static func moments(_ images: [Image]) -> [(mean: Double, variance: Double)] {
        [2, 1, 0].map { channel in
            let values = images.flatMap { image in
                stride(from: channel, to: image.pixels.count, by: 3).map { Double(image.pixels[$0]) }
            }
            let mean = values.reduce(0, +) / Double(values.count)
            return (mean, values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count))
        }
    }

    static func convert(_ scratch: ScratchFolder, _ options: String...) -> CommandResult {
        segnet(
            [
                "convert", scratch("trained.caffemodel"), scratch("ready.safetensors"), "--network",
                scratch("train.prototxt"),
            ]
                + ["--statistics-from", scratch("pictures")] + options
        )
    }

    @Test(
        "takes mean and variance over all pixels of all pictures, however they are batched",
        arguments: ["1", "2", "3"]
    )
    func exact(batchSize: String) throws {
        let (scratch, images) = try Self.folder()
        let result = Self.convert(scratch, "--batch-size", batchSize)
        #expect(result.exitCode == 0, "\(result.errors)")
        #expect(result.errors.contains("note: statistics of batch normalisation over 3 pictures (exact)."))
        let model = try SafetensorsFile.readModel(URL(filePath: scratch("ready.safetensors")))
        let mean = try #require(model.weights["conv_bn.mean"]?.floats())
        let variance = try #require(model.weights["conv_bn.variance"]?.floats())
        for (channel, expected) in Self.moments(images).enumerated() {
            #expect(abs(Double(mean[channel]) - expected.mean) < 1e-3)
            #expect(abs(Double(variance[channel]) / expected.variance - 1) < 1e-4)
        }
    }

    @Test("the original's rule leaves out what the batches differ by")
    func original() throws {
        let (scratch, images) = try Self.folder()
        #expect(Self.convert(scratch, "--statistics", "original", "--batch-size", "1").exitCode == 0)
        let model = try SafetensorsFile.readModel(URL(filePath: scratch("ready.safetensors")))
        let variance = try #require(model.weights["conv_bn.variance"]?.floats())
        for channel in 0..<3 {
            let expected = images.map { Self.moments([$0])[channel].variance }.reduce(0, +) / 3
            #expect(abs(Double(variance[channel]) / expected - 1) < 1e-4)
        }
    }

    @Test("the converted model segments, from a list with labels too, and folds into float16 and Caffe")
    func isReady() throws {
        let (scratch, _) = try Self.folder()
        try scratch.write("pictures/1.png labels/1.png\npictures/2.png labels/2.png\n", "train.txt")
        for (name, options) in [
            ("full.safetensors", []), ("half.safetensors", ["--precision", "float16"]), ("new.caffemodel", []),
        ] {
            let result = segnet(
                ["convert", scratch("trained.caffemodel"), scratch(name), "--network", scratch("train.prototxt")]
                    + ["--statistics-from", scratch("train.txt")] + options
            )
            #expect(result.exitCode == 0, "\(result.errors)")
            let network = name.hasSuffix("caffemodel") ? ["--network", scratch("new.prototxt")] : []
            let prediction = segnet(
                ["predict", scratch("pictures/3.png"), "--output", scratch("out-\(name)"), "--model", scratch(name)]
                    + network
            )
            #expect(prediction.exitCode == 0, "\(prediction.errors)")
            #expect(scratch.files("out-\(name)").contains("3.mask.png"))
        }
    }

    @Test("without it the model is refused, and the option is named")
    func refused() throws {
        let (scratch, _) = try Self.folder()
        let result = segnet(
            "convert",
            scratch("trained.caffemodel"),
            scratch("ready.safetensors"),
            "--network",
            scratch("train.prototxt")
        )
        #expect(result.exitCode == 1)
        #expect(
            result.errors.contains(
                "convert the model with the training pictures as pictures for statistics (--statistics-from)."
            )
        )
    }

    @Test("weights that look folded already are taken, with a warning")
    func looksFolded() throws {
        let (scratch, _) = try Self.folder(Self.weights(scale: 0.004, shift: -3))
        let result = Self.convert(scratch)
        #expect(result.exitCode == 0)
        #expect(
            result.errors.contains(
                "note: the scales in \(scratch("trained.caffemodel")) look as if statistics were folded in already: a description "
                    + "that says bn_mode: INFERENCE belongs to such weights."
            )
        )
    }

    @Test("a network that needs no statistics is left alone, and a picture that cannot be read stops it")
    func nothingToDo() throws {
        let (scratch, _) = try Self.folder()
        let folded = segnet(
            "convert",
            scratch("trained.caffemodel"),
            scratch("ready.safetensors"),
            "--network",
            scratch("folded.prototxt"),
            "--statistics-from",
            scratch("pictures")
        )
        #expect(
            folded.errors.contains(
                "\(scratch("trained.caffemodel")): network 'tiny' has its statistics folded in (bn_mode: INFERENCE); "
                    + "taking them again would apply them twice. "
                    + "If the weights are from training, give the prototxt of the training, without bn_mode."
            )
        )
        try scratch.write("no picture", "pictures/4.png")
        let damaged = Self.convert(scratch)
        #expect(damaged.exitCode == 1)
        #expect(damaged.errors.contains("pictures/4.png"))
        #expect(!scratch.files().contains("ready.safetensors"))
    }

    @Test(
        "options that belong to it are refused without it",
        arguments: [
            (["--batch-size", "2"], "Please give '--batch-size' only with '--statistics-from'."),
            (["--statistics", "original"], "Please give '--statistics' only with '--statistics-from'."),
            (
                ["--statistics-from", "x", "--statistics", "running"],
                "A file holds no running average; choose exact or original."
            ),
            (
                ["--statistics-from", "x", "--batch-size", "0"],
                "Please give '--batch-size' a number from 1 to 4096; found 0."
            ),
            (["--statistics-from", "nowhere"], "nowhere: there is no such file or folder; check the path."),
        ]
    )
    func usage(options: [String], message: String) throws {
        let (scratch, _) = try Self.folder()
        let result = segnet(
            [
                "convert", scratch("trained.caffemodel"), scratch("ready.safetensors"), "--network",
                scratch("train.prototxt"),
            ]
                + options
        )
        #expect(result.exitCode != 0)
        #expect(result.errors.contains(message), "\(result.errors)")
    }

    @Test(
        "what cannot be written is refused before the pass over the pictures",
        arguments: [
            ("none/ready.safetensors", [], "cannot be written (No such file or directory)"),
            ("taken.safetensors", [], "cannot be put in place (Is a directory)"),
            ("taken.caffemodel", [], "taken.prototxt: cannot be put in place (Is a directory)"),
            (
                "ready.safetensors", ["--classes-from", "camvid11"],
                "'camvid11' names 11 classes, but the network has 2"
            ),
        ] as [(String, [String], String)]
    )
    func refusedAtOnce(output: String, options: [String], message: String) throws {
        let (scratch, _) = try Self.folder()
        for name in ["taken.safetensors", "taken.prototxt"] {
            try FileManager.default.createDirectory(atPath: scratch(name), withIntermediateDirectories: true)
        }
        try scratch.write("an older model", "taken.caffemodel")
        let result = segnet(
            [
                "convert", scratch("trained.caffemodel"), scratch(output), "--network", scratch("train.prototxt"),
                "--statistics-from", scratch("pictures"),
            ]
                + options
        )
        #expect(result.exitCode == 1)
        #expect(result.errors.contains(message) && !result.errors.contains("3 pictures"), "\(result.errors)")
    }

    @Test("an architecture stands in for the description of the training, as the note about raw weights says")
    func architecture() throws {
        let scratch = try ScratchFolder()
        let network = Architectures.segNetBasic(classes: 2)
        try Caffe.write(
            Model(network: network, weights: try Weights.initial(for: network, seed: 2)),
            weights: URL(filePath: scratch("raw.caffemodel")),
            network: URL(filePath: scratch("raw.prototxt"))
        )
        try scratch.picture("a.png", width: 48, height: 36)
        let words = [
            "convert", scratch("raw.caffemodel"), scratch("m.safetensors"), "--architecture", "segnet-basic",
            "--classes",
            "2",
        ]
        #expect(segnet(words).errors.contains("convert the model with pictures for statistics (--statistics-from)"))
        let result = segnet(words + ["--statistics-from", scratch("a.png")])
        #expect(result.exitCode == 0, "\(result.errors)")
        let model = try SafetensorsFile.readModel(URL(filePath: scratch("m.safetensors")))
        #expect(model.weights["conv1_bn.mean"]?.shape == [64])
    }
}
