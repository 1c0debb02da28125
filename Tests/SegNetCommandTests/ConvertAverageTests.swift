import Foundation
import SegNetToolkit
import Testing

@testable import SegNetCommand

@Suite("segnet convert --average-with")
struct ConvertAverageTests {
    /// Another model of `scratch.model`'s network, with other weights.
    private func other(_ scratch: ScratchFolder, _ name: String, seed: UInt64, of first: Model) throws -> Model {
        let weights = try Weights.initial(for: first.network, seed: seed)
        let model = Model(network: first.network, weights: weights, metadata: first.metadata)
        try SafetensorsFile.write(model, to: URL(filePath: scratch(name)))
        return model
    }

    @Test("stores the mean of all the models, number by number, under the first one's name")
    func mean() throws {
        let scratch = try ScratchFolder()
        var a = try scratch.model("a.safetensors")
        let b = try other(scratch, "b.safetensors", seed: 77, of: a)
        let c = try other(scratch, "c.safetensors", seed: 78, of: a)
        a.metadata.name = "first"
        a.metadata.denseCRF = "4,49,5,3,3,10"
        try SafetensorsFile.write(a, to: URL(filePath: scratch("a.safetensors")))
        let result = segnet(
            ["convert", scratch("a.safetensors"), scratch("m.safetensors")]
                + ["b", "c"].flatMap { ["--average-with", scratch("\($0).safetensors")] }
        )
        #expect(result.exitCode == 0)
        #expect(
            result.errors == """
                note: the mean of the weights of 3 models.
                note: the dense CRF that 'segnet tune crf' found for \(scratch("a.safetensors")) is left out; it may not be the best for \
                the mean.

                """
        )
        let mean = try LoadedModel(URL(filePath: scratch("m.safetensors"))).model
        let folded = try [a, b, c].map { try $0.foldingBatchNormalization() }
        #expect(mean.network == folded[0].network && mean.metadata.name == "first" && mean.metadata.denseCRF == nil)
        #expect(Set(mean.weights.tensors.keys) == Set(folded[0].weights.tensors.keys))
        for (name, tensor) in mean.weights.tensors {
            let values = try folded.map { try #require($0.weights[name]).floats() }
            let expected = values[0].indices.map { i in Float(values.reduce(0) { $0 + Double($1[i]) } / 3) }
            #expect(tensor.floats() == expected, "\(name)")
        }
    }

    @Test("batch normalisation that one file has and the other has folded makes no difference")
    func folded() throws {
        let scratch = try ScratchFolder()
        let a = try scratch.model("a.safetensors")
        try SafetensorsFile.write(try a.foldingBatchNormalization(), to: URL(filePath: scratch("f.safetensors")))
        let result = segnet(
            "convert",
            scratch("f.safetensors"),
            scratch("m.safetensors"),
            "--average-with",
            scratch("a.safetensors")
        )
        #expect(result.exitCode == 0, "\(result.errors)")
        let mean = try LoadedModel(URL(filePath: scratch("m.safetensors"))).model
        #expect(mean.weights.isIdentical(to: try a.foldingBatchNormalization().weights))
    }

    @Test("a model of another network is refused with its file, the layer and both shapes, and nothing is written")
    func otherNetworks() throws {
        let scratch = try ScratchFolder()
        var a = try scratch.model("a.safetensors")
        a.metadata.classNames = (0..<11).map { "c\($0)" }
        try SafetensorsFile.write(a, to: URL(filePath: scratch("a.safetensors")))
        func refusal(_ change: (inout Model) throws -> Void) throws -> String {
            var model = a
            try change(&model)
            try SafetensorsFile.write(model, to: URL(filePath: scratch("b.safetensors")))
            let result = segnet(
                "convert",
                scratch("a.safetensors"),
                scratch("m.safetensors"),
                "--average-with",
                scratch("b.safetensors")
            )
            #expect(result.exitCode == 1)
            #expect(scratch.files() == ["a.safetensors", "b.safetensors"])
            return result.errors
        }
        let end =
            ". The first model is \(scratch("a.safetensors")). Only models of the same network, trained from one another or from one "
            + "model, can be averaged.\n"
        let classes = try refusal { model in
            let options = ArchitectureOptions(input: model.network.input, width: 0.25)
            model.network = Architectures.segNetBasic(classes: 4, options: options)
            model.weights = try Weights.initial(for: model.network, seed: 1)
            model.metadata = ModelMetadata()
        }
        #expect(
            classes
                == "\(scratch("b.safetensors")): tensor 'conv_classifier.weight' has shape [4, 16, 1, 1], the network needs [11, 16, 1, 1]\(end)"
        )
        let network = try refusal { model in
            let options = ArchitectureOptions(input: model.network.input, width: 0.1)
            model.network = Architectures.segNet(classes: 11, options: options)
            model.weights = try Weights.initial(for: model.network, seed: 1)
        }
        #expect(
            network.contains(
                "its network is segnet, with the layer 'conv1_1' where the first model, segnet-basic, has '"
            )
                && network.hasSuffix(end),
            "\(network)"
        )
        let mean = try refusal { $0.network.input.mean = [1, 2, 3] }
        #expect(
            mean.contains(
                "it subtracts 1.0, 2.0, 3.0 from its input and multiplies by 1.0, 1.0, 1.0, whereas the first model subtracts 0.0, "
            ),
            "\(mean)"
        )
        let channels = try refusal { $0.network.input.channels = .rgb }
        #expect(channels.contains("it takes the channels red, green, blue, the first model takes blue, green, red"))
        // The same number of classes, in another order.
        let order = try refusal { $0.metadata.classNames = (0..<11).map { "c\(10 - $0)" } }
        #expect(order.contains("its classes are c10, c9, c8, "))
        #expect(order.hasSuffix("the first model's are c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10\(end)"))
    }

    @Test("a model with NaN is refused by name; the file that is read is not replaced")
    func inputs() throws {
        let scratch = try ScratchFolder()
        let a = try scratch.model("a.safetensors")
        var broken = a
        let bias = try #require(a.weights["conv2.bias"])
        broken.weights["conv2.bias"] = WeightTensor(shape: bias.shape, values: bias.floats().map { _ in .nan })
        try SafetensorsFile.write(broken, to: URL(filePath: scratch("b.safetensors")))
        let arguments = ["convert", scratch("a.safetensors")]
        let average = ["--average-with", scratch("b.safetensors")]
        let nan = segnet(arguments + [scratch("m.safetensors")] + average)
        #expect(nan.exitCode == 1 && nan.errors.hasPrefix("\(scratch("b.safetensors")): tensor 'conv2.bias' holds nan"))
        let over = segnet(arguments + [scratch("b.safetensors")] + average)
        #expect(over.exitCode == 1 && over.errors.contains("it is being read, so choose another name to write to"))
        let caffe = segnet(arguments + [scratch("m.safetensors"), "--average-with", "b.caffemodel"])
        #expect(caffe.exitCode == 64 && caffe.errors.contains("'--average-with' a .safetensors file"))
        let statistics = segnet(arguments + [scratch("m.safetensors"), "--statistics-from", "x.txt"] + average)
        #expect(statistics.exitCode == 64 && statistics.errors.contains("not both: models in training"))
        #expect(scratch.files() == ["a.safetensors", "b.safetensors"])
    }
}
