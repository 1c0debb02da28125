import SegNetImages
import Testing

@Suite("Resizing")
struct ResizingTests {
    static let sizes = [(30, 20), (9, 6), (17, 22), (34, 11), (5, 3), (1, 1), (23, 4)]
    static let areaSizes = [(9, 6), (5, 3), (1, 1), (16, 10), (17, 4)]

    @Test("bilinear is within 1 of OpenCV's", arguments: sizes)
    func bilinearOpenCV(size: (width: Int, height: Int)) throws {
        let (width, height) = size
        let resized = try Goldens.picture("resize-source").resized(width: width, height: height)
        let expected = try Goldens.picture("resize-bilinear-\(width)x\(height)")
        #expect(resized.width == width && resized.height == height)
        #expect(zip(resized.pixels, expected.pixels).allSatisfy { abs(Int($0) - Int($1)) <= 1 })
    }

    @Test("area is within 1 of OpenCV's", arguments: areaSizes)
    func areaOpenCV(size: (width: Int, height: Int)) throws {
        let (width, height) = size
        let resized = try Goldens.picture("resize-source").resized(width: width, height: height, filter: .area)
        let expected = try Goldens.picture("resize-area-\(width)x\(height)")
        #expect(zip(resized.pixels, expected.pixels).allSatisfy { abs(Int($0) - Int($1)) <= 1 })
    }

    @Test("nearest equals OpenCV's", arguments: sizes)
    func nearestOpenCV(size: (width: Int, height: Int)) throws {
        let (width, height) = size
        let source = try Goldens.picture("resize-source")
        let ids = stride(from: 0, to: source.pixels.count, by: 3).map { UInt16(source.pixels[$0]) }
        let labels = try LabelMap(width: source.width, height: source.height, ids: ids)
        let resized = try labels.resized(width: width, height: height)
        #expect(resized.ids == (try Goldens.picture("resize-nearest-\(width)x\(height)")).pixels.map { UInt16($0) })
    }

    @Test(
        "bilinear is within 0.7 of the definition in float64",
        arguments: [1, 3, 4],
        [(1, 1), (2, 3), (7, 5), (16, 9), (40, 3)]
    )
    func bilinearDefinition(channels: Int, size: (width: Int, height: Int)) throws {
        var random = SplitMix64(state: 8)
        let pixels = (0..<7 * 6 * channels).map { _ in UInt8.random(in: 0...255, using: &random) }
        let image = try Image(width: 7, height: 6, channels: channels, pixels: pixels)
        let resized = try image.resized(width: size.width, height: size.height)
        for y in 0..<size.height {
            for x in 0..<size.width {
                let sourceX = min(max((Double(x) + 0.5) * 7 / Double(size.width) - 0.5, 0), 6)
                let sourceY = min(max((Double(y) + 0.5) * 6 / Double(size.height) - 0.5, 0), 5)
                for channel in 0..<channels {
                    var sum = 0.0
                    for oldY in 0..<6 {
                        for oldX in 0..<7 {
                            let weight =
                                max(0, 1 - abs(sourceX - Double(oldX))) * max(0, 1 - abs(sourceY - Double(oldY)))
                            sum += weight * Double(image[x: oldX, y: oldY, channel: channel])
                        }
                    }
                    #expect(abs(Double(resized[x: x, y: y, channel: channel]) - sum) <= 0.7)
                }
            }
        }
    }

    @Test("area is the exact mean for whole factors, halves rounded up", arguments: 1...6, 1...6)
    func areaWholeFactors(across: Int, down: Int) throws {
        var random = SplitMix64(state: UInt64(across * 10 + down))
        let pixels = (0..<4 * across * 3 * down * 3).map { _ in UInt8.random(in: 0...255, using: &random) }
        let image = try Image(width: 4 * across, height: 3 * down, channels: 3, pixels: pixels)
        let resized = try image.resized(width: 4, height: 3, filter: .area)
        for y in 0..<3 {
            for x in 0..<4 {
                for channel in 0..<3 {
                    var sum = 0
                    for oldY in y * down..<(y + 1) * down {
                        for oldX in x * across..<(x + 1) * across {
                            sum += Int(image[x: oldX, y: oldY, channel: channel])
                        }
                    }
                    let mean = (2 * sum + across * down) / (2 * across * down)
                    #expect(Int(resized[x: x, y: y, channel: channel]) == mean)
                }
            }
        }
    }

    @Test("a flat picture stays flat", arguments: Image.Filter.allCases, [(3, 3), (100, 4), (4, 100), (57, 31)])
    func flat(filter: Image.Filter, size: (width: Int, height: Int)) throws {
        for value in [0, 1, 128, 255] as [UInt8] {
            let image = try Image(width: 31, height: 17, channels: 3, filledWith: value)
            let resized = try image.resized(width: size.width, height: size.height, filter: filter)
            #expect(resized.pixels.allSatisfy { $0 == value })
        }
    }

    @Test("labels doubled in size: the corner rule repeats, the centre rule too; shrunk, they differ")
    func nearestRules() throws {
        let labels = try LabelMap(width: 4, height: 1, ids: [10, 11, 12, 13])
        #expect(try labels.resized(width: 8, height: 1).ids == [10, 10, 11, 11, 12, 12, 13, 13])
        #expect(try labels.resized(width: 8, height: 1, nearest: .center).ids == [10, 10, 11, 11, 12, 12, 13, 13])
        #expect(try labels.resized(width: 2, height: 2).ids == [10, 12, 10, 12])
        #expect(try labels.resized(width: 2, height: 1, nearest: .center).ids == [11, 13])
    }

    @Test("impossible sizes are refused", arguments: [(0, 5), (5, -1), (Int.max, 2), (1 << 31, 1 << 31)])
    func impossible(size: (width: Int, height: Int)) throws {
        let image = try Image(width: 2, height: 2, channels: 1)
        let labels = try LabelMap(width: 2, height: 2, ids: [0, 0, 0, 0])
        let said = text { try image.resized(width: size.width, height: size.height) }
        #expect(said.hasPrefix("picture: cannot be \(size.width)x\(size.height) "))
        #expect(text { try labels.resized(width: size.width, height: size.height) } == said)
    }
}
