import SegNetToolkit
import Synchronization
import Testing

@testable import SegNet

@Suite("Segmenter: requests")
struct SegmenterRequestTests {
    private func bayesian() throws -> Model {
        let network = Architectures.segNetBasic(
            classes: 5,
            options: ArchitectureOptions(input: .bgr255(height: 48, width: 64), width: 0.25, dropout: .sampled)
        )
        return Model(network: network, weights: try Weights.initial(for: network, seed: 7))
    }

    private func segmenter(_ options: Segmenter.Options = Segmenter.Options(sampling: true)) throws -> Segmenter {
        try Segmenter(LoadedModel(try bayesian(), name: "bayesian"), options: options)
    }

    @Test("say size and what is kept, each for itself")
    func sizes() throws {
        let image = try noise(width: 40, height: 30)
        let shared = try segmenter()
        let request = Segmenter.Request(size: .fixed(width: 32, height: 24), keeps: [.confidence])
        let own = try segmenter(Segmenter.Options().serving(only: request))
        let result = try shared.segment(image, request)
        #expect(result.networkClasses == (try own.segment(image, request).networkClasses))
        #expect(result.confidence == (try own.segment(image, request).confidence))
        #expect(result.confidence?.shape == [24, 32])
        let sampled = try shared.segment(
            image,
            Segmenter.Request(.samples(3), size: request.size, keeps: [.confidence])
        )
        #expect(sampled.confidence?.shape == [24, 32])
        let usual = try shared.segment(image)
        #expect(usual.networkClasses.width == 64)
        #expect(usual.confidence == nil)
        #expect(shared.runSize(width: 40, height: 30, .picture) == (40, 30))
        #expect(shared.runSize(width: 40, height: 30, .network) == (64, 48))
    }

    @Test("ends between two layers when it is no longer wanted, and the next is right", arguments: [0, 3, 30])
    func cancellation(after layers: Int) throws {
        let image = try noise(width: 40, height: 30)
        let segmenter = try segmenter()
        let expected = try segmenter.segment(image, Segmenter.Request(.samples(4, seed: 1)))
        let count = Counter()
        let request = Segmenter.Request(.samples(4, seed: 1), isCancelled: { count.next() > layers })
        #expect(throws: CancellationError.self) { try segmenter.segment(image, request) }
        #expect(count.value == layers + 1)
        if layers < 10 {
            let plain = Counter()
            #expect(throws: CancellationError.self) {
                try segmenter.segment(image, Segmenter.Request(isCancelled: { plain.next() > layers }))
            }
        }
        let again = try segmenter.segment(image, Segmenter.Request(.samples(4, seed: 1)))
        #expect(again.classes == expected.classes)
        #expect(again.uncertainty == expected.uncertainty)
    }

    @Test("a segmenter for classes only gives the same classes, and refuses what needs scores")
    func classesOnly() throws {
        let image = try noise(width: 40, height: 30)
        let only = try segmenter(Segmenter.Options(classesOnly: true))
        let usual = try segmenter(Segmenter.Options())
        #expect(try only.segment(image).classes == usual.segment(image).classes)
        let message =
            "network 'segnet-basic': it was made to give classes only; make the segmenter without Options(classesOnly: true)."
        for body in [
            { _ = try only.segment(image, Segmenter.Request(keeps: [.confidence])) },
            { _ = try only.segment(image, Segmenter.Request(.views(try TestTimeAugmentation("flip")))) },
        ] as [() throws -> Void] {
            #expect { try body() } throws: { "\($0)" == message }
        }
        #expect {
            try segmenter(Segmenter.Options(sampling: true, classesOnly: true))
        } throws: {
            "\($0)"
                == "network 'segnet-basic': it is to give classes only, and more beside; leave out 'classesOnly', or the samples and "
                + "scores."
        }
    }

    @Test("name blobs that were made ready")
    func blobs() throws {
        let image = try noise(width: 40, height: 30)
        let ready = try segmenter(Segmenter.Options(blobs: ["pool2", "pool3"]))
        #expect(Set(try ready.segment(image, Segmenter.Request(blobs: ["pool3"])).blobs.keys) == ["pool3"])
        #expect(try ready.segment(image).blobs.isEmpty)
        #expect {
            try ready.segment(image, Segmenter.Request(blobs: ["pool1"]))
        } throws: {
            "\($0)"
                == "network 'segnet-basic': the blob 'pool1' was not made ready; make the segmenter with Options(blobs: [\"pool1\"])."
        }
    }

    private final class Counter: Sendable {
        private let count = Mutex(0)
        var value: Int { count.withLock { $0 } }
        func next() -> Int {
            count.withLock {
                $0 += 1
                return $0
            }
        }
    }
}
