import SegNetImages
import Testing

@testable import SegNetData

/// The facts that are known of the data sets beside the package.
@Suite("The shared data sets")
struct SharedDatasetTests {
    @Test("CamVid's training labels have the published counts and weights", .enabled(if: Shared.hasCamVid))
    func camVid() throws {
        let dataset = try Dataset.load(.camVid, directory: Shared.camVid)
        #expect(dataset.splits.mapValues(\.count) == ["train": 367, "val": 101, "test": 233])
        let counts = try dataset.frequencies(of: try dataset.samples(of: "train"))
        // docs/segnet.md, Class weights
        #expect(
            counts.pixels == [
                10_682_767, 14_750_079, 623_349, 20_076_880, 2_845_085, 6_166_762, 743_859, 714_595, 3_719_877, 405_385,
                184_967,
            ]
        )
        #expect(counts.ignoredPixels == 2_503_995)
        #expect(counts.pictures == [366, 365, 366, 367, 349, 319, 351, 173, 360, 317, 201])
        // The README's "computed", median over the 11 classes.
        let weights: [Float] = [0.2793, 0.2017, 4.7865, 0.1490, 1.0000, 0.4217, 3.8467, 1.9736, 0.7889, 6.3747, 8.8587]
        for (found, expected) in zip(counts.medianFrequencyWeights, weights) { #expect(abs(found - expected) < 6e-5) }
        let example = try dataset.example(try dataset.samples(of: "test")[0])
        #expect((example.width, example.height, example.channels) == (480, 360, 3))
    }

    @Test(
        "NYUv2: 795 and 654 pictures, 255 ignored, the share of wall as its README says",
        .enabled(if: Shared.hasNYUv2)
    )
    func nyuV2() throws {
        var options = DatasetOptions()
        options.validationShare = 0
        let dataset = try Dataset.load(.nyuV2, directory: Shared.nyuV2, options: options)
        #expect(dataset.splits.mapValues(\.count) == ["train": 795, "test": 654])
        let counts = try dataset.frequencies(of: try dataset.samples(of: "test"))
        let all = Double(654 * 480 * 360)
        #expect(abs(100 * Double(counts.pixels[0]) / all - 22.415) < 6e-4)
        #expect(abs(100 * Double(counts.ignoredPixels) / all - 21.189) < 6e-4)
        #expect(counts.pictures[29] == 16)
    }
}
