import Foundation
import SegNetFormats
import SegNetPlatform
import SegNetReference
import Testing

@testable import SegNetCPU
@testable import SegNetNetworks

/// Single layers as the original programs of FCN, DeepLab and DeconvNet compute them.
@Suite("Single layers of the competitors")
struct CompetitorLayerTests {
    static let folder = ONNXRuntime.root.deletingLastPathComponent().appending(path: "shared/oracle/competitors/layers")

    /// V1's crop finds its own offset, and masks of windows other than 2x2 are nobody's here.
    static let names =
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false))) ?? [])
        .filter { $0.hasSuffix(".prototxt") && !$0.hasPrefix("crop_v1") && !$0.hasPrefix("pool_max") }.map {
            String($0.dropLast(9))
        }.sorted()

    @Test("are computed as by Caffe", .enabled(if: !names.isEmpty, "../shared/oracle is not here"), arguments: names)
    func forward(name: String) throws {
        func file(_ ending: String) -> URL { Self.folder.appending(path: "\(name).\(ending)") }
        let description = try Caffe.readNetwork(file("prototxt"))
        var model = Model(network: description.network, weights: Weights())
        if FileManager.default.fileExists(atPath: file("caffemodel").path(percentEncoded: false)) {
            model = try Caffe.readModel(weights: file("caffemodel"), network: file("prototxt")).model
        }
        let (x, y) = (try NPYFile(file("x.npy")), try NPYFile(file("y.npy")))
        let shape = model.network.input.shape
        let pictures = x.shape.count / shape.count
        let blob = try #require(model.network.layers.last?.outputs.first)
        for accuracy in InferenceOptions.Accuracy.allCases {
            var found: [Float] = []
            for picture in 0..<pictures {
                var input = ReferenceMap(shape.channels, shape.height, shape.width)
                input.values = x.floats()[picture * shape.count..<(picture + 1) * shape.count].map(Double.init)
                let options = InferenceOptions(accuracy: accuracy, outputs: [blob])
                found += try #require(try runPlan(model.network, model.weights, input, options: options)[blob])
            }
            let expected = y.floats()
            #expect(found.count == expected.count)
            let largest = expected.map(abs).max() ?? 0
            let worst = zip(found, expected).map { abs($0 - $1) }.max() ?? 0
            #expect(worst <= (accuracy == .exact ? 1e-5 : 1e-4) * largest, "\(accuracy): \(worst) of \(largest)")
        }
    }
}
