import SegNetToolkit
import Testing

@testable import SegNet

@Suite("Segmenter: sampling")
struct SegmenterSamplingTests {
    private func bayesian() throws -> Model {
        let network = Architectures.segNetBasic(
            classes: 5,
            options: ArchitectureOptions(input: .bgr255(height: 48, width: 64), width: 0.25, dropout: .sampled)
        )
        return Model(network: network, weights: try Weights.initial(for: network, seed: 7))
    }

    @Test("gives uncertainty at the network's size and a picture at the photo's")
    func uncertainty() throws {
        let request = Segmenter.Request(.samples(4, seed: 2), keeps: [.confidence, .probabilities, .variance])
        let segmenter = try Segmenter(
            LoadedModel(try bayesian(), name: "bayesian"),
            options: Segmenter.Options().serving(only: request)
        )
        let image = try noise(width: 50, height: 30)
        let result = try segmenter.segment(image, request)
        #expect(result.uncertainty?.shape == [48, 64])
        #expect(result.variance?.shape == [5, 48, 64])
        #expect(result.probabilities?.shape == [5, 48, 64])
        let picture = try #require(try result.uncertaintyImage())
        #expect((picture.width, picture.height) == (50, 30))
        #expect(try segmenter.segment(image, request).probabilities == result.probabilities)
        #expect(try segmenter.segment(image).uncertainty == nil)
    }

    @Test("says what is missing")
    func errors() throws {
        let image = try noise(width: 8, height: 8)
        let plain = try Segmenter(LoadedModel(try bayesian(), name: "bayesian"))
        #expect(throws: SegmenterError.self) { try plain.segment(image, Segmenter.Request(.samples(2))) }
        let sampling = try Segmenter(LoadedModel(try bayesian(), name: "b"), options: Segmenter.Options(sampling: true))
        #expect(throws: SegmenterError.self) { try sampling.segment(image, Segmenter.Request(.samples(0))) }
        let message =
            "network 'segnet-basic': scores differ between samples and are not averaged; keep the probabilities instead."
        for request in [
            Segmenter.Request(.samples(2), keeps: [.scores]), .init(.samples(2), blobs: [sampling.scoresBlob]),
        ] {
            #expect { try sampling.segment(image, request) } throws: { "\($0)" == message }
        }
        #expect(throws: NetworkError.self) {
            try Segmenter(LoadedModel(try smallModel(), name: "m"), options: Segmenter.Options(sampling: true))
        }
    }
}
