import FoundationEssentials
import SegNetNetworks
import SegNetPlatform
import SegNetReference
import Testing

@testable import SegNetFormats

@Suite("Batch normalisation for Caffes that lack it")
struct CaffeNormalizationTests {
    /// A network with a layer that no Caffe with BN has.
    struct Case: Sendable, CustomStringConvertible {
        var description: String
        var layers: [Layer]
        /// The layers that become Scale.
        var scaled: [String]
        /// What is said of it.
        var note: String

        init(_ name: String, scaled: [String], note: String, _ layers: [Layer]) {
            (description, self.layers, self.scaled, self.note) = (name, layers, scaled, note)
        }

        var test: LayerCase { LayerCase(description, layers) }
    }

    private static let folded =
        "batch normalisation is folded into the convolutions: the Caffe version for the network's other layers lacks it."
    private static let scaled =
        "batch normalisation ('n') cannot be folded into a convolution and is written as Scale: the Caffe version for the network's "
        + "other layers lacks BN."
    private static let both =
        "batch normalisation is folded into the convolutions; where that cannot be done ('n'), it is written as Scale: the Caffe "
        + "version for the network's other layers lacks BN."

    private static func normalization(_ name: String, _ statistics: BatchNormalization.Statistics = .kept) -> Layer {
        Layer(name, outputs: [], .batchNormalization(BatchNormalization(statistics: statistics, epsilon: 1e-5)))
    }

    private static func cut(_ blob: String, at offset: Int = 0) -> Layer {
        Layer("cut", inputs: [blob, "data"], .crop(Crop(top: offset, left: offset)))
    }

    private static let pool = Layer("p", .maxPooling(MaxPooling(window: Window(3, padding: 1), givesIndices: false)))

    static let cases = [
        Case(
            "after a convolution",
            scaled: [],
            note: folded,
            [LayerCase.conv("a", 4), normalization("n"), cut("a")]
        ),
        Case(
            "after a transposed convolution with groups",
            scaled: ["n"],
            note: scaled,
            [
                LayerCase.conv("a", 4), LayerCase.deconv("d", 6, Window(4, stride: 2, padding: 1), groups: 2),
                normalization("n"), cut("d", at: 3),
            ]
        ),
        Case(
            "after a convolution and after a pooling",
            scaled: ["n"],
            note: both,
            [LayerCase.conv("a", 4), normalization("m"), pool, normalization("n", .folded), cut("p")]
        ),
        Case(
            "after an addition",
            scaled: ["n"],
            note: scaled,
            [
                LayerCase.conv("a", 4), LayerCase.conv("b", 4),
                Layer("sum", inputs: ["a", "b"], .addition(Addition())), normalization("n"), cut("sum"),
            ]
        ),
        Case(
            "after a convolution that another layer reads too",
            scaled: ["n"],
            note: scaled,
            [
                LayerCase.conv("a", 4), LayerCase.bn("n", .kept),
                Layer("sum", inputs: ["a", "n"], .addition(Addition())), cut("sum"),
            ]
        ),
        Case(
            "with dilation in place of a cut",
            scaled: ["n"],
            note: both,
            [
                LayerCase.conv("a", 4, Window(3, padding: 2, dilation: 2)), normalization("m"), pool,
                normalization("n"),
            ]
        ),
    ]

    @Test("is folded into convolutions, elsewhere written as Scale, and the note says which", arguments: cases)
    func written(test: Case) throws {
        let model = try EveryLayerTests.model(test.test)
        try withTemporaryFolder { folder in
            let (weights, network) = (
                folder.appendingPathComponent("a.caffemodel"), folder.appendingPathComponent("a.prototxt")
            )
            let notes = try Caffe.write(model, weights: weights, network: network)
            #expect(notes.contains(test.note), "\(notes)")
            let read = try Caffe.readModel(weights: weights, network: network).model
            let kinds = read.network.layers.map(\.operation.kindName)
            #expect(!kinds.contains("batchNormalization"))
            #expect(zip(read.network.layers, kinds).filter { $1 == "scale" }.map(\.0.name) == test.scaled)
            let (expected, found) = (EveryLayerTests.result(model), EveryLayerTests.result(read))
            #expect(!expected.isEmpty && found.count == expected.count)
            let largest = expected.map(abs).max() ?? 0
            #expect(zip(found, expected).allSatisfy { abs($0 - $1) <= 1e-5 * largest })
        }
    }

    @Test("without statistics it is refused, as nothing stands for it")
    func withoutStatistics() throws {
        let test = LayerCase(
            "learning",
            [LayerCase.conv("a", 4), Self.pool, Self.normalization("n", .batch), Self.cut("p")]
        )
        let model = try EveryLayerTests.model(test)
        try withTemporaryFolder { folder in
            let network = folder.appendingPathComponent("a.prototxt")
            let weights = folder.appendingPathComponent("a.caffemodel")
            let problem = message { try Caffe.write(model, weights: weights, network: network) }
            #expect(
                problem
                    == "\(network.relativePath): layer 'n' normalises by the statistics of each batch (bn_mode LEARN), which the Caffe "
                    + "version for the network's other layers cannot do. Convert the model with its training pictures as pictures for "
                    + "statistics."
            )
            #expect(!FileManager.default.fileExists(atPath: weights.path))
        }
    }
}
