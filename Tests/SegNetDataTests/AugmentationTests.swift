import Foundation
import SegNetTensors
import Testing

@testable import SegNetData

@Suite("Augmentation")
struct AugmentationTests {
    /// Each pixel's label says where it was; its red sample says the same.
    private static func marked(_ width: Int, _ height: Int, channels: Int = 3) -> Example {
        let count = width * height
        return Example(
            pixels: (0..<count * channels).map { UInt8(truncatingIfNeeded: $0 / channels) },
            width: width,
            height: height,
            channels: channels,
            labels: (0..<count).map { UInt16($0) }
        )
    }

    private static func changed(_ example: Example, seed: UInt64, _ change: (inout Augmentation) -> Void) -> Example {
        var augmentation = Augmentation()
        change(&augmentation)
        var random = RandomNumbers(seed: seed)
        return augmentation.apply(example, random: &random)
    }

    @Test("none leaves the example as it is")
    func identity() {
        let example = Self.marked(5, 4)
        #expect(Self.changed(example, seed: 1) { _ in } == example)
        #expect(Augmentation().isIdentity)
    }

    @Test("flip mirrors picture and labels together, about half of the time")
    func flip() {
        let example = Self.marked(5, 4)
        var flipped = 0
        for seed in 0..<200 as Range<UInt64> {
            let result = Self.changed(example, seed: seed) { $0.flip = true }
            guard result != example else { continue }
            flipped += 1
            let mirrored: [UInt16] = (0..<20).map { (index: Int) in UInt16(index / 5 * 5 + 4 - index % 5) }
            #expect(result.labels == mirrored)
            #expect((0..<20).allSatisfy { UInt16(result.pixels[3 * $0]) == result.labels[$0] })
        }
        #expect((70...130).contains(flipped))
    }

    @Test("a crop moves picture and labels together; beyond the picture it is black and ignored", arguments: 1...20)
    func crop(seed: Int) {
        let inside = Self.changed(Self.marked(9, 8), seed: UInt64(seed)) { $0.crop = [4, 3] }
        #expect((inside.width, inside.height) == (4, 3))
        #expect((0..<12).allSatisfy { UInt16(inside.pixels[3 * $0]) == inside.labels[$0] })
        #expect(inside.labels[1] == inside.labels[0] + 1 && inside.labels[4] == inside.labels[0] + 9)

        let beyond = Self.changed(Self.marked(3, 2), seed: UInt64(seed)) { $0.crop = [6, 5] }
        let kept = beyond.labels.enumerated().filter { $0.element != Example.ignored }
        #expect(kept.map(\.element) == [0, 1, 2, 3, 4, 5])
        #expect(
            beyond.labels.indices.allSatisfy { beyond.labels[$0] != Example.ignored || beyond.pixels[3 * $0] == 0 }
        )
    }

    @Test("scaling invents no label", arguments: 1...10)
    func scale(seed: Int) {
        var example = Self.marked(16, 12)
        example.labels = example.labels.map { $0 % 2 == 0 ? 3 : 9 }
        let result = Self.changed(example, seed: UInt64(seed)) { $0.scale = [0.5, 2] }
        #expect((result.width, result.height) == (16, 12))
        #expect(Set(result.labels).isSubset(of: [3, 9, Example.ignored]))
    }

    @Test("colour, blur and noise leave labels and size alone, and change something", arguments: [3, 4])
    func color(channels: Int) {
        var example = Self.marked(12, 10, channels: channels)
        // A ramp is its own blur.
        example.pixels = example.pixels.map { $0 &* 37 }
        let changes: [(inout Augmentation) -> Void] = [
            { $0.brightness = 0.5 }, { $0.contrast = 0.5 }, { $0.noise = 8 }, { $0.blur = 1 },
        ]
        for change in changes {
            let result = Self.changed(example, seed: 5, change)
            #expect(result.labels == example.labels && result.pixels.count == example.pixels.count)
            #expect(result.pixels != example.pixels)
        }
    }

    @Test("saturation and hue leave greys, a turn by 120 degrees makes red green")
    func hue() {
        let gray = Example(
            pixels: [0, 0, 0, 90, 90, 90, 255, 255, 255],
            width: 3,
            height: 1,
            channels: 3,
            labels: [0, 0, 0]
        )
        #expect(Self.changed(gray, seed: 3) { $0.hue = 180 } == gray)
        var red = Example(pixels: [160, 40, 40], width: 1, height: 1, channels: 3, labels: [0])
        red.turnHue(degrees: -120)
        let (r, g, b) = (red.pixels[0], red.pixels[1], red.pixels[2])
        #expect(max(r, g, b) == g || max(r, g, b) == b)
        #expect(r < 100)
    }

    @Test("noise has the deviation asked for and no mean")
    func noise() {
        let flat = Example(
            pixels: Array(repeating: 128, count: 30_000),
            width: 100,
            height: 100,
            channels: 3,
            labels: Array(repeating: 0, count: 10_000)
        )
        let noisy = Self.changed(flat, seed: 9) { $0.noise = 6 }
        let differences = noisy.pixels.map { Double($0) - 128 }
        let mean = differences.reduce(0, +) / 30_000
        let deviation = (differences.reduce(0) { $0 + $1 * $1 } / 30_000).squareRoot()
        #expect(abs(mean) < 0.2 && abs(deviation - 6) < 0.2, "mean \(mean), deviation \(deviation)")
    }

    @Test("the same random numbers give the same example, and as many are drawn whatever comes out")
    func seeded() {
        let example = Self.marked(20, 14)
        var everything = Augmentation()
        (everything.flip, everything.scale, everything.crop) = (true, [0.5, 2], [12, 8])
        (everything.brightness, everything.contrast, everything.saturation, everything.hue) = (0.2, 0.2, 0.2, 15)
        (everything.blur, everything.noise) = (0.5, 3)
        var (first, second, idle) = (RandomNumbers(seed: 4), RandomNumbers(seed: 4), RandomNumbers(seed: 4))
        #expect(everything.apply(example, random: &first) == everything.apply(example, random: &second))
        _ = Augmentation().apply(example, random: &idle)
        #expect(first == second && first == idle)
    }

    @Test("is read back from JSON as written; ranges that make no sense are refused")
    func codable() throws {
        var augmentation = Augmentation()
        (augmentation.flip, augmentation.scale, augmentation.hue) = (true, [0.5, 2], 10)
        let data = try JSONEncoder().encode(augmentation)
        #expect(try JSONDecoder().decode(Augmentation.self, from: data) == augmentation)
        for text in [#"{"scale": [2, 1]}"#, #"{"scale": [0, 1]}"#, #"{"crop": [0, 5]}"#, #"{"crop": [5]}"#] {
            #expect(throws: DecodingError.self) {
                try JSONDecoder().decode(Augmentation.self, from: Data(text.utf8))
            }
        }
    }
}
