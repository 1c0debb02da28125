import Foundation
import SegNetToolkit
import Testing

@testable import SegNetCommand

@Suite("segnet convert, what it keeps")
struct ConvertKeepingTests {
    /// Tensors of a SegNet-Basic with statistics, as another program may store them: without a network.
    static func plain(_ scratch: ScratchFolder, _ texts: [String: String] = [:], without: String? = nil) throws
        -> [Float]
    {
        let network = Architectures.segNetBasic(classes: 3, options: ArchitectureOptions(statistics: .kept))
        var weights = try Weights.initial(for: network, seed: 3)
        let means = (0..<64).map { Float($0) / 8 }
        weights["conv1_bn.mean"] = WeightTensor(shape: [64], values: means)
        weights["extra.weight"] = WeightTensor(shape: [1], values: [1])
        if let without { weights[without] = nil }
        try SafetensorsFile.write(weights, metadata: texts, to: URL(filePath: scratch("plain.safetensors")))
        return means
    }

    static func convert(_ scratch: ScratchFolder) -> CommandResult {
        segnet(
            "convert",
            scratch("plain.safetensors"),
            scratch("m.safetensors"),
            "--architecture",
            "segnet-basic",
            "--classes",
            "3"
        )
    }

    static func normalizations(_ network: Network) -> [BatchNormalization] {
        network.layers.compactMap { if case .batchNormalization(let kind) = $0.operation { kind } else { nil } }
    }

    @Test("the statistics of a file that an architecture describes, and names what is left out")
    func statistics() throws {
        let scratch = try ScratchFolder()
        let means = try Self.plain(scratch)
        let result = Self.convert(scratch)
        #expect(result.exitCode == 0, "\(result.errors)")
        #expect(
            result.errors
                == "note: batch normalisation takes mean and variance from the file and adds 1e-09 to the variance, as no 'epsilon' in its "
                + "metadata says otherwise.\n"
                + "note: \(scratch("plain.safetensors")): left out, as architecture 'segnet-basic' has no place for them: extra.weight.\n"
        )
        let model = try SafetensorsFile.readModel(URL(filePath: scratch("m.safetensors")))
        #expect(Self.normalizations(model.network).allSatisfy { $0 == BatchNormalization(statistics: .kept) })
        #expect(model.weights["conv1_bn.mean"]?.floats() == means)
    }

    @Test("the epsilon that such a file states")
    func epsilon() throws {
        let scratch = try ScratchFolder()
        _ = try Self.plain(scratch, ["epsilon": "0.001"])
        let result = Self.convert(scratch)
        #expect(result.errors.contains("and adds 0.001 to the variance, as its metadata say."), "\(result.errors)")
        let network = try SafetensorsFile.readModel(URL(filePath: scratch("m.safetensors"))).network
        #expect(Self.normalizations(network).allSatisfy { $0.epsilon == 0.001 })
    }

    @Test("no half of the statistics")
    func missingStatistics() throws {
        let scratch = try ScratchFolder()
        _ = try Self.plain(scratch, without: "conv2_bn.variance")
        let result = Self.convert(scratch)
        #expect(result.exitCode == 1 && !scratch.files().contains("m.safetensors"))
        #expect(result.errors.contains("tensor 'conv2_bn.variance' is missing"), "\(result.errors)")
    }

    @Test("the network of a model, in whose place no architecture is taken")
    func ownNetwork() throws {
        let scratch = try ScratchFolder()
        let network = Architectures.segNetBasic(classes: 3)
        let model = Model(network: network, weights: try Weights.initial(for: network, seed: 1))
        try SafetensorsFile.write(model, to: URL(filePath: scratch("plain.safetensors")))
        let result = Self.convert(scratch)
        #expect(result.exitCode == 1 && scratch.files() == ["plain.safetensors"])
        #expect(
            result.errors
                == "\(scratch("plain.safetensors")): a .safetensors model contains its network. Leave the architecture out.\n"
        )
    }

    @Test("notes whose text has an equals sign; one without a text is removed")
    func notes() throws {
        let scratch = try ScratchFolder()
        var model = try scratch.model("m.safetensors")
        model.metadata.notes = ["recipe": "old", "source": "somewhere"]
        try SafetensorsFile.write(model, to: URL(filePath: scratch("m.safetensors")))
        let result = segnet(
            [
                "convert", scratch("m.safetensors"), scratch("n.safetensors"), "--note", "licence=a=b", "--note",
                "recipe=",
            ]
        )
        #expect(result.exitCode == 0, "\(result.errors)")
        let notes = try SafetensorsFile.readModel(URL(filePath: scratch("n.safetensors"))).metadata.notes
        #expect(notes == ["licence": "a=b", "source": "somewhere"])
    }

    @Test("names in ONNX files, and says that notes and sampling are lost")
    func lost() throws {
        let scratch = try ScratchFolder()
        var options = ArchitectureOptions(input: .bgr255(height: 24, width: 32), width: 0.25)
        options.dropout = .sampled
        let network = Architectures.segNetBasic(classes: 11, options: options)
        var model = Model(network: network, weights: try Weights.initial(for: network, seed: 1))
        model.metadata.notes = ["licence": "non-commercial", "data": "CamVid"]
        try SafetensorsFile.write(model, to: URL(filePath: scratch("m.safetensors")))
        let onnx = segnet("convert", scratch("m.safetensors"), scratch("m.onnx"), "--classes-from", "camvid11")
        #expect(
            onnx.errors
                == "note: \(scratch("m.onnx")): ONNX files do not hold the dropout that '--samples' needs or the model's notes (data, licence); "
                + "keep \(scratch("m.safetensors")) too.\n"
        )
        let bytes = try Data(contentsOf: URL(filePath: scratch("m.onnx")))
        #expect(bytes.range(of: Data(#"["Sky","Building","Pole","Road","#.utf8)) != nil)
        let caffe = segnet("convert", scratch("m.safetensors"), scratch("m.caffemodel"))
        #expect(
            caffe.errors.contains(
                "note: \(scratch("m.caffemodel")): Caffe's files do not hold the model's notes (data, licence); keep \(scratch("m.safetensors")) "
                    + "too.\n"
            ),
            "\(caffe.errors)"
        )
    }
}
