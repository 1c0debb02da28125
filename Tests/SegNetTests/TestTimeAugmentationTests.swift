import SegNetToolkit
import Synchronization
import Testing

@testable import SegNet

@Suite("Test-time augmentation")
struct TestTimeAugmentationTests {
    static func segmenter(classes: Int = 5) throws -> Segmenter {
        try Segmenter(
            LoadedModel(try smallModel(classes: classes, height: 24, width: 32), name: "m"),
            options: Segmenter.Options(accuracy: .exact, threads: 1)
        )
    }

    static func request(
        _ views: TestTimeAugmentation = .none,
        _ keeps: Set<Segmenter.KeptOutput> = [.confidence, .probabilities]
    ) -> Segmenter.Request { Segmenter.Request(.views(views), size: .picture, keeps: keeps) }

    static func mirrored(_ image: Image) throws -> Image {
        var pixels = image.pixels
        for y in 0..<image.height {
            for x in 0..<image.width {
                for channel in 0..<3 {
                    pixels[(y * image.width + x) * 3 + channel] =
                        image[x: image.width - 1 - x, y: y, channel: channel]
                }
            }
        }
        return try Image(width: image.width, height: image.height, channels: 3, pixels: pixels)
    }

    static func mirrored(_ ids: LabelMap) -> [UInt16] {
        (0..<ids.height * ids.width).map { ids[x: ids.width - 1 - $0 % ids.width, y: $0 / ids.width] }
    }

    @Test("of nothing is the plain result")
    func nothing() throws {
        let segmenter = try Self.segmenter()
        let keeps: Set<Segmenter.KeptOutput> = [.confidence, .probabilities, .scores]
        let image = try noise(width: 20, height: 14)
        let (plain, augmented) = (
            try segmenter.segment(image, Segmenter.Request(size: .picture, keeps: keeps)),
            try segmenter.segment(image, Self.request(.none, keeps))
        )
        #expect(augmented.classes == plain.classes)
        #expect(augmented.probabilities == plain.probabilities)
        #expect(augmented.scores == plain.scores)
    }

    @Test("of a symmetric picture is symmetric to the bit")
    func symmetric() throws {
        let left = try noise(width: 20, height: 14)
        var pixels = left.pixels
        for y in 0..<14 {
            for x in 10..<20 {
                for channel in 0..<3 { pixels[(y * 20 + x) * 3 + channel] = left[x: 19 - x, y: y, channel: channel] }
            }
        }
        let image = try Image(width: 20, height: 14, channels: 3, pixels: pixels)
        let segmenter = try Self.segmenter()
        let result = try segmenter.segment(image, Self.request(TestTimeAugmentation(flip: true)))
        let confidence = try #require(result.confidence?.values)
        #expect(result.classes.ids == Self.mirrored(result.classes))
        for y in 0..<14 { for x in 0..<20 { #expect(confidence[y * 20 + x] == confidence[y * 20 + 19 - x]) } }
        // The network alone is not symmetric: the claim above is the augmentation's.
        let plain = try #require(try segmenter.segment(image, Self.request()).confidence?.values)
        #expect((0..<20).contains { plain[$0] != plain[19 - $0] })
    }

    @Test("of a mirrored picture is the mirrored result to the bit")
    func equivariant() throws {
        let segmenter = try Self.segmenter()
        let image = try noise(width: 21, height: 14)
        let views = TestTimeAugmentation(flip: true)
        let (there, back) = (
            try segmenter.segment(image, Self.request(views)),
            try segmenter.segment(try Self.mirrored(image), Self.request(views))
        )
        #expect(back.classes.ids == Self.mirrored(there.classes))
    }

    @Test("is the mean of the views' probabilities, resized to the picture")
    func mean() throws {
        let segmenter = try Self.segmenter()
        let image = try noise(width: 20, height: 14)
        let found = try segmenter.segment(image, Self.request(TestTimeAugmentation(scales: [1, 0.5])))
        #expect(found.probabilities?.shape == [5, 14, 20] && found.confidence?.shape == [14, 20])
        let whole = try #require(try segmenter.segment(image, Self.request()).probabilities)
        let small = try image.resized(width: 10, height: 7)
        let half = try #require(try segmenter.segment(small, Self.request()).probabilities)
        let mean = try #require(found.probabilities)
        let confidence = try #require(found.confidence)
        // By the definition of bilinear interpolation, in float64.
        func sample(_ id: Int, _ y: Int, _ x: Int) -> Double {
            let row = min(max((Double(y) + 0.5) / 2 - 0.5, 0), 6)
            let column = min(max((Double(x) + 0.5) / 2 - 0.5, 0), 9)
            let (top, left) = (Int(row), Int(column))
            var value = 0.0
            for (r, weight) in [(top, 1 - (row - Double(top))), (min(top + 1, 6), row - Double(top))] {
                for (c, share) in [(left, 1 - (column - Double(left))), (min(left + 1, 9), column - Double(left))] {
                    value += weight * share * Double(half.values[(id * 7 + r) * 10 + c])
                }
            }
            return value
        }
        for pixel in 0..<14 * 20 {
            var best = (id: 0, value: Float(0))
            for id in 0..<5 {
                let value = mean.values[id * 280 + pixel]
                let expected = (Double(whole.values[id * 280 + pixel]) + sample(id, pixel / 20, pixel % 20)) / 2
                #expect(abs(Double(value) - expected) < 1e-6)
                if value >= best.value { best = (id, value) }
            }
            #expect(Int(found.classes.ids[pixel]) == best.id && confidence.values[pixel] == best.value)
        }
    }

    @Test("keeps no workspace beyond the limit, whatever the scales")
    func bounded() throws {
        let segmenter = try Self.segmenter()
        let image = try noise(width: 20, height: 14)
        _ = try segmenter.segment(image, Self.request(try TestTimeAugmentation("flip,scales=0.5,0.75,1,1.5"), []))
        #expect(segmenter.workspaces.idleCount == 1)
    }

    @Test("takes its size from the request, and ends between two layers when it is no longer wanted")
    func requests() throws {
        let segmenter = try Self.segmenter()
        let image = try noise(width: 20, height: 14)
        let views = TestTimeAugmentation(flip: true, scales: [1, 0.5])
        let whole = try segmenter.segment(image, Segmenter.Request(.views(views), keeps: [.probabilities]))
        let fixed = Segmenter.Request(.views(views), size: .fixed(width: 32, height: 24), keeps: [.probabilities])
        #expect(try segmenter.segment(image, fixed).probabilities == whole.probabilities)
        #expect(try segmenter.segment(image, Self.request(views)).probabilities != whole.probabilities)
        func asked(endingAfter last: Int) throws -> Int {
            let asked = Mutex(0)
            let isCancelled = { @Sendable () -> Bool in
                asked.withLock {
                    $0 += 1
                    return $0 > last
                }
            }
            _ = try? segmenter.segment(image, Segmenter.Request(.views(views), isCancelled: isCancelled))
            return asked.withLock { $0 }
        }
        // In the first view, its mirror, and the second view.
        let all = try asked(endingAfter: .max)
        for last in [all / 8, 3 * all / 8, 3 * all / 4] { #expect(try asked(endingAfter: last) == last + 1) }
        #expect(throws: CancellationError.self) {
            try segmenter.segment(image, Segmenter.Request(.views(views), isCancelled: { true }))
        }
    }

    @Test("refuses what belongs to one view, and scales that are none")
    func refusals() throws {
        let image = try noise(width: 20, height: 14)
        let flip = TestTimeAugmentation(flip: true)
        let segmenter = try Self.segmenter()
        #expect(
            throws: SegmenterError(
                network: "segnet-basic",
                reason: "scores and inner blobs differ between views and are not averaged; keep the probabilities."
            )
        ) { try segmenter.segment(image, Self.request(flip, [.scores])) }
        #expect(
            throws: SegmenterError(
                network: "segnet-basic",
                reason: "the views have the scales [0.0]; give at least one, each in 0.1...4.0."
            )
        ) { try segmenter.segment(image, Self.request(TestTimeAugmentation(scales: [0]))) }
        #expect(throws: SegmenterError.self) {
            try segmenter.segment(image, Self.request(TestTimeAugmentation(scales: [])))
        }
    }

    @Test(
        "is read from words",
        arguments: [
            ("flip", TestTimeAugmentation(flip: true)),
            ("scales", TestTimeAugmentation(scales: [0.75, 1, 1.25])),
            ("flip,scales", TestTimeAugmentation(flip: true, scales: [0.75, 1, 1.25])),
            ("scales=0.5,2,flip", TestTimeAugmentation(flip: true, scales: [0.5, 2])),
            ("scales=1", .none), ("none", .none), ("", .none),
        ]
    )
    func words(text: String, expected: TestTimeAugmentation) throws {
        let read = try TestTimeAugmentation(text)
        #expect(read == expected)
        #expect(try TestTimeAugmentation("\(read)") == expected)
    }

    @Test(
        "names the word that is none",
        arguments: [
            ("flop", "test-time augmentation 'flop': 'flop' is not one of flip, scales and scales=NUMBER,NUMBER."),
            (
                "flip,1.5",
                "test-time augmentation 'flip,1.5': '1.5' is not one of flip, scales and scales=NUMBER,NUMBER."
            ),
            ("scales=0", "test-time augmentation 'scales=0': the scale '0' is not a number in 0.1...4.0."),
            ("scales=nan", "test-time augmentation 'scales=nan': the scale 'nan' is not a number in 0.1...4.0."),
            ("scales=x", "test-time augmentation 'scales=x': the scale 'x' is not a number in 0.1...4.0."),
        ]
    )
    func wrongWords(text: String, message: String) {
        let error = #expect(throws: Segmenter.WordsError.self) { try Self.read(text) }
        #expect(error?.description == message)
    }

    /// With any error: the compiler (6.3.1) stops at a closure in `#expect` that throws a type.
    private static func read(_ text: String) throws -> TestTimeAugmentation { try TestTimeAugmentation(text) }

    @Test("has a limit of scales")
    func many() {
        let text = "scales=" + Array(repeating: "1.5", count: 17).joined(separator: ",")
        let error = #expect(throws: Segmenter.WordsError.self) { try Self.read(text) }
        #expect(error?.problem == "has 17 scales; at most 16 are useful")
    }
}
