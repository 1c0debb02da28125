import Foundation
import SegNetPlatform
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

    @Test("lists of the wrong length or order and empty crops are refused by name, in batches too")
    func lists() throws {
        func refused(_ change: (inout Augmentation) -> Void) -> String? {
            var augmentation = Augmentation()
            change(&augmentation)
            do { try augmentation.check() } catch { return error.description }
            return nil
        }
        #expect(
            refused { ($0.crop, $0.scale, $0.jpegQuality) = (PictureSize(width: 4, height: 3), [0.5, 2], [100, 100]) }
                == nil
        )
        for (width, height) in [(0, 3), (4, -3)] {
            #expect(
                refused { $0.crop = PictureSize(width: width, height: height) }?
                    .contains("crop should be [width, height], each at least 1, but is [\(width), \(height)]") == true
            )
        }
        for scale in [[], [1], [2, 1], [0, 1], [1, 17], [1, .infinity], [.nan, 1]] {
            #expect(refused { $0.scale = scale }?.contains("scale should be [least, greatest]") == true, "\(scale)")
        }
        for quality in [[], [50], [80, 20], [0, 50], [50, 101]] {
            #expect(refused { $0.jpegQuality = quality }?.contains("jpegQuality") == true, "\(quality)")
        }

        let dataset = try Dataset.load(.synthetic)
        var augmentation = Augmentation()
        augmentation.crop = PictureSize(width: 240, height: 0)
        let queue = BatchQueue(
            DatasetPool(dataset, samples: try dataset.samples(of: "train")),
            augmentation: augmentation,
            batchSize: 1,
            seed: 1
        )
        defer { queue.stop() }
        #expect(throws: DatasetError.self) { try queue.next() }
    }

    @Test("brightness and contrast change a gray picture as they change a gray one in colours")
    func grayPictures() {
        for seed in 0..<20 as Range<UInt64> {
            func changed(_ channels: Int, saturation: Double = 0) -> Example {
                Self.changed(Self.marked(16, 16, channels: channels), seed: seed) {
                    ($0.brightness, $0.contrast, $0.saturation) = (0.5, 0.5, saturation)
                }
            }
            let gray = changed(1)
            #expect(gray != Self.marked(16, 16, channels: 1))
            let color = changed(3, saturation: 0.5)
            for channel in 0..<3 {
                let own = stride(from: channel, to: color.pixels.count, by: 3).map { color.pixels[$0] }
                #expect(own == gray.pixels, "\(seed)")
            }
        }
        let saturated = Self.changed(Self.marked(16, 16, channels: 1), seed: 1) { $0.saturation = 0.5 }
        #expect(saturated == Self.marked(16, 16, channels: 1))
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
        let inside = Self.changed(Self.marked(9, 8), seed: UInt64(seed)) { $0.crop = PictureSize(width: 4, height: 3) }
        #expect((inside.width, inside.height) == (4, 3))
        #expect((0..<12).allSatisfy { UInt16(inside.pixels[3 * $0]) == inside.labels[$0] })
        #expect(inside.labels[1] == inside.labels[0] + 1 && inside.labels[4] == inside.labels[0] + 9)

        let beyond = Self.changed(Self.marked(3, 2), seed: UInt64(seed)) { $0.crop = PictureSize(width: 6, height: 5) }
        let kept = beyond.labels.enumerated().filter { $0.element != Example.ignored }
        #expect(kept.map(\.element) == [0, 1, 2, 3, 4, 5])
        #expect(beyond.labels.indices.allSatisfy { beyond.labels[$0] != Example.ignored || beyond.pixels[3 * $0] == 0 })
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

    /// A picture with edges and colours.
    private static func scene(_ width: Int = 40, _ height: Int = 30, channels: Int = 3) -> Example {
        var random = RandomNumbers(seed: 8)
        var example = marked(width, height, channels: channels)
        for at in example.pixels.indices {
            let (x, y) = (at / channels % width, at / channels / width)
            let base = (x / 7 + y / 5) % 2 == 0 ? 60 : 150
            example.pixels[at] = UInt8(base + at % channels * 20 + Int(random.next() % 16))
        }
        return example
    }

    @Test("settings that are off draw nothing that older recipes would notice: their streams stay to the bit")
    func streams() {
        // The result of the version before these settings for this example.
        var everything = Augmentation()
        (everything.flip, everything.scale, everything.crop) = (true, [0.5, 2], PictureSize(width: 12, height: 8))
        (everything.brightness, everything.contrast, everything.saturation, everything.hue) = (0.2, 0.2, 0.2, 15)
        (everything.blur, everything.noise) = (0.5, 3)
        var hash: UInt64 = 14_695_981_039_346_656_037
        for seed in 0..<50 as Range<UInt64> {
            var random = RandomNumbers(seed: seed)
            let result = everything.apply(Self.scene(), random: &random)
            for byte in result.pixels { hash = (hash ^ UInt64(byte)) &* 1_099_511_628_211 }
            for label in result.labels { hash = (hash ^ UInt64(label)) &* 1_099_511_628_211 }
        }
        #expect(hash == 10_659_737_105_958_357_920)
    }

    @Test(
        "gamma, temperature and gray change colours as they say, and leave labels, alpha and size",
        arguments: [1, 3, 4]
    )
    func light(channels: Int) {
        let example = Self.scene(channels: channels)
        let changes: [(inout Augmentation) -> Void] = [
            { $0.gamma = 1 }, { $0.temperature = 0.4 }, { $0.gray = 1 }, { $0.jpeg = 1 },
            { ($0.blur, $0.blurRadius) = (1, 3) },
        ]
        for (number, change) in changes.enumerated() {
            let result = Self.changed(example, seed: 5, change)
            #expect(result.labels == example.labels && result.pixels.count == example.pixels.count)
            // Gray pictures have no colours to change.
            let changes = channels > 1 || number == 0 || number > 2
            #expect((result.pixels != example.pixels) == changes, "\(number)")
            guard channels == 4, number < 4 else { continue }
            for at in stride(from: 3, to: 4800, by: 4) { #expect(result.pixels[at] == example.pixels[at], "\(number)") }
        }
        var dark = Example(pixels: [0, 128, 255], width: 1, height: 1, channels: 3, labels: [0])
        dark.bend(2)
        #expect(dark.pixels == [0, 64, 255])
        var evening = Example(pixels: [100, 100, 100], width: 1, height: 1, channels: 3, labels: [0])
        evening.warm(1.25)
        #expect(evening.pixels == [125, 100, 80])
        var gray = Example(pixels: [200, 100, 50], width: 1, height: 1, channels: 3, labels: [0])
        gray.turnGray()
        #expect(gray.pixels == [124, 124, 124])
    }

    @Test("blur with a radius keeps the mean, flat pictures and their borders, and spreads a point as a Gaussian does")
    func blurRadius() {
        var flat = Example(
            pixels: Array(repeating: 77, count: 9 * 7 * 3),
            width: 9,
            height: 7,
            channels: 3,
            labels: Array(repeating: 0, count: 63)
        )
        let before = flat
        flat.soften(deviation: 4)
        #expect(flat == before)
        var point = Example(
            pixels: Array(repeating: 0, count: 41 * 41),
            width: 41,
            height: 41,
            channels: 1,
            labels: Array(repeating: 0, count: 41 * 41)
        )
        for y in 16..<25 { for x in 16..<25 { point.pixels[y * 41 + x] = 255 } }
        let sum = point.pixels.reduce(0.0) { $0 + Double($1) }
        point.soften(deviation: 2)
        #expect(abs(point.pixels.reduce(0.0) { $0 + Double($1) } / sum - 1) < 0.02)
        #expect(point.pixels[20 * 41 + 20] > 230 && point.pixels[20 * 41 + 12] > 0 && point.pixels[20 * 41 + 4] == 0)
        for (a, b) in zip(point.pixels, point.pixels.reversed()) { #expect(abs(Int(a) - Int(b)) <= 1) }
    }

    @Test("JPEG leaves traces that grow as the quality falls")
    func jpeg() {
        let example = Self.scene(64, 48)
        func error(_ quality: Int) -> Double {
            var result = example
            result.compress(quality: quality)
            var sum = 0
            for (a, b) in zip(result.pixels, example.pixels) { sum += abs(Int(a) - Int(b)) }
            return Double(sum)
        }
        #expect(error(10) > 1.3 * error(50) && error(50) > 1.3 * error(95) && error(95) > 0)
    }

    @Test("erasing takes a few rectangles with their labels and leaves the rest", arguments: 1...30)
    func erase(seed: Int) {
        let example = Self.scene(channels: 4)
        let result = Self.changed(example, seed: UInt64(seed)) { $0.erase = 1 }
        let gone = result.labels.indices.filter { result.labels[$0] == Example.ignored }
        #expect((10...540).contains(gone.count), "\(gone.count) of 1200")
        for at in result.labels.indices where result.labels[at] != Example.ignored {
            #expect(result.labels[at] == example.labels[at])
            #expect(result.pixels[4 * at..<4 * at + 4] == example.pixels[4 * at..<4 * at + 4])
        }
        var changed = 0
        for at in gone {
            #expect(result.pixels[4 * at + 3] == example.pixels[4 * at + 3])
            if result.pixels[4 * at] != example.pixels[4 * at] { changed += 1 }
        }
        #expect(changed > 0)
        // The smallest picture has a rectangle too.
        _ = Self.changed(Self.marked(1, 1), seed: UInt64(seed)) { $0.erase = 1 }
    }

    @Test("a turn by nothing samples as scale, flip and crop do", arguments: [false, true], [1.0, 0.7, 1.9])
    func unturned(isFlipped: Bool, factor: Double) {
        let example = Self.scene()
        let turned = example.sampled(
            width: 21,
            height: 17,
            SamplingTurn(degrees: 0, scale: 1 / factor, left: 3, top: -2, isFlipped: isFlipped)
        )
        let plain = example.sampled(
            columns: SamplingAxis(count: 21, from: 40, scale: 1 / factor, offset: 3, isFlipped: isFlipped),
            rows: SamplingAxis(count: 17, from: 30, scale: 1 / factor, offset: -2, isFlipped: false)
        )
        var same = 0
        for (a, b) in zip(turned.labels, plain.labels) where a == b { same += 1 }
        #expect(same >= 350)
        for (a, b) in zip(turned.pixels, plain.pixels) { #expect(abs(Int(a) - Int(b)) <= 2) }
    }

    @Test("a quarter turn moves picture, labels and planes together, anticlockwise")
    func quarter() {
        var example = Self.marked(7, 7)
        example.planes = [(0..<49).map { UInt16($0 * 100) }]
        let turned = example.sampled(
            width: 7,
            height: 7,
            SamplingTurn(degrees: 90, scale: 1, left: 0, top: 0, isFlipped: false)
        )
        for y in 0..<7 {
            for x in 0..<7 {
                let old = x * 7 + 6 - y
                #expect(Int(turned.labels[y * 7 + x]) == old)
                #expect(abs(Int(turned.pixels[3 * (y * 7 + x)]) - old) <= 1)
                #expect(abs(Int(turned.planes[0][y * 7 + x]) - old * 100) <= 20)
            }
        }
    }

    @Test("rotation turns by few degrees; what comes from beyond is black and ignored", arguments: 1...10)
    func rotation(seed: Int) {
        let example = Self.scene()
        let result = Self.changed(example, seed: UInt64(seed)) { $0.rotation = 10 }
        #expect((result.width, result.height) == (40, 30))
        let ignored = result.labels.indices.filter { result.labels[$0] == Example.ignored }
        #expect(ignored.count < 300)
        #expect(ignored.allSatisfy { result.pixels[3 * $0] == 0 })
        // The middle stays where it was, to a pixel.
        let label = Int(result.labels[15 * 40 + 20])
        #expect(abs(label % 40 - 20) <= 1 && abs(label / 40 - 15) <= 1)
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
        (everything.flip, everything.scale, everything.crop) = (true, [0.5, 2], PictureSize(width: 12, height: 8))
        (everything.brightness, everything.contrast, everything.saturation, everything.hue) = (0.2, 0.2, 0.2, 15)
        (everything.blur, everything.noise) = (0.5, 3)
        (everything.rotation, everything.gamma, everything.temperature, everything.gray) = (5, 0.4, 0.2, 0.3)
        (everything.erase, everything.blurRadius, everything.jpeg) = (0.5, 2, 0.5)
        var (first, second, idle) = (RandomNumbers(seed: 4), RandomNumbers(seed: 4), RandomNumbers(seed: 4))
        #expect(everything.apply(example, random: &first) == everything.apply(example, random: &second))
        _ = Augmentation().apply(example, random: &idle)
        #expect(first == second && first == idle)
    }
}
