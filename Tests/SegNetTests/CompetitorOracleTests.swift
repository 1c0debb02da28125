import Foundation
import SegNetCPU
import SegNetFormats
import SegNetImages
import SegNetNetworks
import SegNetPlatform
import Testing

@Suite("The competitors' nets: the original programs' answers")
struct CompetitorOracleTests {
    /// Instruction sets with two threads, one of them also with one.
    static let ways: [(set: InstructionSet, threads: Int)] =
        InstructionSet.available.map { ($0, 2) } + [(.best, 1)]

    @Test("small copies of DeepLab", arguments: CompetitorOracle.small.cases, ways)
    func small(one: CompetitorOracle.Case, way: (set: InstructionSet, threads: Int)) throws {
        try check(one, of: .small, way)
    }

    @Test(
        "every net, V1 and new, at every size",
        .enabled(if: CompetitorOracle.isThere, "needs ../shared/oracle/competitors"),
        arguments: CompetitorOracle.whole.cases,
        ways
    )
    func whole(one: CompetitorOracle.Case, way: (set: InstructionSet, threads: Int)) throws {
        try check(one, of: .whole, way)
    }

    private func check(
        _ one: CompetitorOracle.Case,
        of oracle: CompetitorOracle,
        _ way: (set: InstructionSet, threads: Int)
    ) throws {
        let loaded = try Caffe.readModel(weights: oracle.weights(one), network: oracle.file(one, "test.prototxt"))
        #expect(loaded.report.unused.isEmpty && loaded.report.initial.isEmpty)
        #expect(loaded.model.network.input.mean == one.mean)
        // A data layer cannot say this.
        let model = loaded.model.resized(height: one.height, width: one.width)
        let inner = one.blobs.keys.filter { (try? oracle.golden(one, $0)) != nil }.sorted()
        let picture = oracle.file(one, "png")
        let run = try CompetitorRun(
            model,
            picture: picture,
            outputs: [one.output] + inner,
            set: way.set,
            threads: way.threads
        )
        let share = try run.share(of: oracle.file(one, "argmax.png"))
        #expect(share >= 0.999, "\(share) of the classes")
        let scores = try #require(try oracle.golden(one, one.output))
        let error = run.errors(one.output, scores)
        #expect(error.median <= 1e-5 * one.deviation, "\(error)")
        // One flipped index moves a value: DeconvNet's greatest difference is information only.
        if one.name != "deconvnet" { #expect(error.most <= 3e-4 * one.deviation, "\(error)") }
        for blob in inner {
            let golden = try #require(try oracle.golden(one, blob))
            guard !blob.hasSuffix("_mask") else {
                let ours = try #require(run.blobs[blob]).values
                let equal = zip(ours, golden.values).count { $0 == $1 }
                #expect(Double(equal) >= 0.999 * Double(golden.values.count), "\(blob)")
                continue
            }
            let error = run.errors(blob, golden)
            #expect(error.most <= 3e-4 * (one.blobs[blob] ?? 0), "\(blob): \(error)")
        }
        // The usual run, which keeps nothing and may use Winograd convolution.
        let fast = try CompetitorRun(
            model,
            picture: picture,
            outputs: [one.output],
            accuracy: .fast,
            set: way.set,
            threads: way.threads
        )
        let fastShare = try fast.share(of: oracle.file(one, "argmax.png"))
        // With random weights Winograd's rounding moves some of DeconvNet's pooling indices, and each moves a value by a pixel.
        let bar = one.name == "deconvnet" ? 0.97 : 0.995
        #expect(fastShare >= bar, "\(fastShare) of the classes with Winograd")
    }

    /// What a deploy file does not say is assumed, as the authors' programs have it; the model goes through both formats, whose files say
    /// it, and nothing changes.
    @Test(
        "deploy files, and what convert writes",
        .enabled(if: CompetitorOracle.isThere, "needs ../shared/oracle/competitors"),
        arguments: CompetitorOracle.whole.cases
    )
    func converted(one: CompetitorOracle.Case) throws {
        let oracle = CompetitorOracle.whole
        let deploy = oracle.file(one, "deploy.prototxt")
        let model = try Caffe.readModel(weights: oracle.weights(one), network: deploy).model
        #expect(model.network.input.mean == one.mean)
        let picture = oracle.file(one, "png")
        let run = try CompetitorRun(model, picture: picture, outputs: [one.output])
        #expect(try run.share(of: oracle.file(one, "argmax.png")) >= 0.999)
        let folder = FileManager.default.temporaryDirectory.appending(path: "segnet-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let tensors = folder.appending(path: "a.safetensors")
        try SafetensorsFile.write(model, to: tensors)
        let again = try CompetitorRun(SafetensorsFile.readModel(tensors), picture: picture, outputs: [one.output])
        #expect(again.blobs[one.output]?.values == run.blobs[one.output]?.values)
        let (weights, network) = (folder.appending(path: "a.caffemodel"), folder.appending(path: "a.prototxt"))
        try Caffe.write(model, weights: weights, network: network)
        let back = try Caffe.readModel(weights: weights, network: network).model
        let third = try CompetitorRun(back, picture: picture, outputs: [one.output])
        #expect(third.blobs[one.output]?.values == run.blobs[one.output]?.values)
        // A mean that nobody would assume comes back, too.
        var other = model
        other.network.input.mean = [1, 2, 3]
        try Caffe.write(other, weights: weights, network: network)
        let options = Caffe.ReadingOptions(mean: [4])
        #expect(try Caffe.readModel(weights: weights, network: network).model.network.input.mean == [1, 2, 3])
        #expect(
            try Caffe.readModel(weights: weights, network: network, options: options).model.network.input.mean == [
                4, 4, 4,
            ]
        )
    }

    /// DeepLab's authors pad pictures to 8k + 1; our network does it itself.
    @Test("DeepLab on padded pictures", .enabled(if: CompetitorOracle.isThere, "needs ../shared/oracle/competitors"))
    func padded() throws {
        let nets = CompetitorOracle.whole.folder.appending(path: "nets")
        var model = try Caffe.readModel(
            weights: nets.appending(path: "deeplab/weights.caffemodel"),
            network: nets.appending(path: "deeplab_padded/h105w137.deploy.prototxt"),
            options: Caffe.ReadingOptions(mean: [104.008, 116.669, 122.675])
        ).model
        model.network.layers[0].inputs = ["padded"]
        model.network.layers.insert(
            Layer("pad", inputs: ["data"], outputs: ["padded"], .padding(Padding(multiple: 8))),
            at: 0
        )
        model.network.layers.append(Layer("score", inputs: ["fc8_interp", "data"], .crop(Crop())))
        let run = try CompetitorRun(
            model,
            picture: nets.appending(path: "deeplab_any_size/h101w133.png"),
            outputs: ["score", "fc8_voc12"]
        )
        #expect(try run.share(of: nets.appending(path: "deeplab_padded/h101w133.argmax.png")) >= 0.999)
        let golden = try Oracle.floats(nets.appending(path: "deeplab_padded/h105w137.fc8_voc12.npy")).values
        let error = run.errors("fc8_voc12", (golden, 1))
        #expect(error.most < 1e-3, "\(error)")
        let scores = try Oracle.floats(nets.appending(path: "deeplab_padded/h101w133.fc8_interp.step4.npy")).values
        #expect(run.errors("score", (scores, 4)).most < 1e-3)
        // Written for Caffe the padding is the caller's business again.
        let folder = FileManager.default.temporaryDirectory.appending(path: "segnet-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        model.network = model.network.resized(height: 101, width: 133)
        let (weights, network) = (folder.appending(path: "a.caffemodel"), folder.appending(path: "a.prototxt"))
        let notes = try Caffe.write(model, weights: weights, network: network)
        #expect(notes.contains { $0.contains("to 137x105") })
        let back = try Caffe.readModel(weights: weights, network: network).model
        #expect(back.network.input.shape == [1, 3, 105, 137])
        #expect(back.network.layers.last?.operation == .resize(Resize(to: .factor(8))))
    }
}

@Suite("The competitors' single layers")
struct CompetitorLayerTests {
    static let names: [String] = {
        let folder = CompetitorOracle.small.folder.appending(path: "layers")
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return files.filter { $0.hasSuffix(".prototxt") }.map { String($0.dropLast(9)) }.sorted()
    }()

    @Test("give the original's numbers", arguments: names, InstructionSet.available)
    func layer(name: String, set: InstructionSet) throws {
        let folder = CompetitorOracle.small.folder.appending(path: "layers")
        let description = folder.appending(path: "\(name).prototxt")
        let file = folder.appending(path: "\(name).caffemodel")
        let network = try Caffe.readNetwork(description).network
        let hasWeights = try !network.parameters().isEmpty
        let weights = hasWeights ? try Caffe.readModel(weights: file, network: description).model.weights : Weights()
        let x = try Oracle.floats(folder.appending(path: "\(name).x.npy"))
        let (channels, plane) = (x.shape[0], x.shape[1] * x.shape[2])
        for threads in [1, 2] {
            let options = InferenceOptions(accuracy: .exact, instructionSet: set, outputs: ["y"])
            let prepared = try PreparedNetwork(network, weights: weights, options: options)
            let plan = try prepared.plan(height: x.shape[1], width: x.shape[2])
            let workspace = try Workspace(for: plan, threads: threads)
            for c in 0..<channels { for p in 0..<plane { workspace.input[p * channels + c] = x.values[c * plane + p] } }
            plan.run(in: workspace)
            let golden = try Oracle.floats(folder.appending(path: "\(name).y.npy"))
            let found = try #require(workspace.planar("y"))
            #expect(plan.shape(of: "y") == golden.shape)
            let largest = golden.values.map(abs).max() ?? 0
            let error = zip(found, golden.values).map { abs($0 - $1) }.max() ?? .infinity
            let isExact = name.hasPrefix("pool_max") || name.hasPrefix("unpool")
            #expect(
                found.count == golden.values.count && error <= (isExact ? 0 : 1e-6 * largest),
                "\(error) of \(largest)"
            )
        }
    }

    @Test("there are as many as the original ran")
    func count() { #expect(Self.names.count == 32) }
}

extension Model {
    /// The same model for pictures of another size.
    fileprivate func resized(height: Int, width: Int) -> Model {
        Model(network: network.resized(height: height, width: width), weights: weights, metadata: metadata)
    }
}
