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
        #expect(shared.runSize(width: 40, height: 30, .picture) == PictureSize(width: 40, height: 30))
        #expect(shared.runSize(width: 40, height: 30, .network) == PictureSize(width: 64, height: 48))
    }

    @Test("do not run at sizes that no picture has")
    func impossibleSizes() throws {
        let image = try noise(width: 40, height: 30)
        let segmenter = try segmenter(Segmenter.Options())
        let sizes: [(Int, Int)] = [(0, 0), (-5, 24), (32, 0), (40_000, 40_000), (.max, 1), (.max, 2)]
        for (width, height) in sizes {
            let size = Segmenter.RunSize.fixed(width: width, height: height)
            let message =
                "network 'segnet-basic': it cannot run at \(width)x\(height) pixels; use another picture size, of at least 1x1 and at "
                + "most 536870911 pixels in all."
            for request in [
                Segmenter.Request(size: size),
                .init(.views(TestTimeAugmentation(flip: true)), size: size),
                .init(size: size, refinement: .denseCRF(nil)),
            ] {
                #expect { try segmenter.segment(image, request) } throws: { "\($0)" == message }
            }
        }
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
                == "network 'segnet-basic': 'classesOnly' excludes samples and scores; leave out one or the other."
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

@Suite("Segmenter: edges")
struct SegmenterEdgeTests {
    @Test("smooth ones lie where the interpolated probabilities are equal")
    func border() {
        // Two columns: class 0 at the left, class 1 at the right, equally sure. The border is in the middle.
        let even = SmoothClasses(classCount: 2, width: 2, height: 1)
        #expect(even.ids([0.9, 0.1, 0.1, 0.9], width: 8, height: 1) == [0, 0, 0, 0, 1, 1, 1, 1])
        // Surer of class 0: it gets more. Centres lie at -0.25, 0, ... of the two columns; equal at 0.833.
        let uneven = even.ids([1, 0.4, 0, 0.6], width: 12, height: 1)
        #expect(uneven == [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1])
        #expect(even.ids([0.5, 0.5, 0.5, 0.5], width: 2, height: 1) == [1, 1], "of equal ones the highest id")
    }

    @Test("equal a plain reference at every size", arguments: [1, 2, 3, 7], [1, 4, 5, 9])
    func reference(from: Int, to: Int) {
        var random = RandomNumbers(seed: UInt64(from * 100 + to))
        let (classes, height, newHeight) = (3, from + 1, to + 2)
        let values = (0..<classes * height * from).map { _ in Float(random.next() % 1000) / 1000 }
        func place(_ new: Int, _ old: Int, _ count: Int) -> (Int, Int, Float) {
            let position = min(max((Double(new) + 0.5) * Double(old) / Double(count) - 0.5, 0), Double(old - 1))
            return (Int(position), min(Int(position) + 1, old - 1), Float(position - Double(Int(position))))
        }
        var expected: [UInt16] = []
        for y in 0..<newHeight {
            for x in 0..<to {
                let (top, bottom, down) = place(y, height, newHeight)
                let (left, right, across) = place(x, from, to)
                func mean(_ id: Int) -> Float {
                    func column(_ x: Int) -> Float {
                        let above = values[(id * height + top) * from + x]
                        return above + (values[(id * height + bottom) * from + x] - above) * down
                    }
                    return column(left) + (column(right) - column(left)) * across
                }
                expected.append(UInt16((0..<classes).max { (mean($0), $0) < (mean($1), $1) } ?? 0))
            }
        }
        let found = SmoothClasses(classCount: classes, width: from, height: height).ids(
            values,
            width: to,
            height: newHeight
        )
        #expect(found == expected)
    }

    @Test("smooth ones change the picture's classes alone, for one run and for samples")
    func requests() throws {
        let network = Architectures.segNetBasic(
            classes: 5,
            options: ArchitectureOptions(input: .bgr255(height: 48, width: 64), width: 0.25, dropout: .sampled)
        )
        let model = Model(network: network, weights: try Weights.initial(for: network, seed: 7))
        let segmenter = try Segmenter(LoadedModel(model, name: "random"), options: Segmenter.Options(sampling: true))
        let large = try noise(width: 200, height: 130)
        for runs in [Segmenter.Runs.once, .samples(3, seed: 1)] {
            let sharp = try segmenter.segment(large, Segmenter.Request(runs))
            let smooth = try segmenter.segment(large, Segmenter.Request(runs, edges: .smooth, keeps: [.probabilities]))
            #expect(sharp.networkClasses == smooth.networkClasses)
            #expect(sharp.classes != smooth.classes)
            let probabilities = try #require(smooth.probabilities)
            let expected = SmoothClasses(classCount: 5, width: 64, height: 48).ids(
                probabilities.values,
                width: 200,
                height: 130
            )
            #expect(smooth.classes.ids == expected)
            #expect(try segmenter.segment(large, Segmenter.Request(runs, edges: .smooth)).classes == smooth.classes)
        }
        // At the network's own size there is nothing to interpolate.
        let same = try noise(width: 64, height: 48)
        #expect(
            try segmenter.segment(same, Segmenter.Request(edges: .smooth)).classes == segmenter.segment(same).classes
        )
        let only = try Segmenter(LoadedModel(model, name: "random"), options: Segmenter.Options(classesOnly: true))
        #expect(throws: SegmenterError.self) { try only.segment(large, Segmenter.Request(edges: .smooth)) }
    }
}
