import SegNetImages
import SegNetPlatform
import Testing

@Suite("Drawing")
struct DrawingTests {
    let photo: Image
    let labels: LabelMap

    init() throws {
        photo = try Image(width: 3, height: 1, channels: 3, pixels: [10, 20, 30, 100, 110, 120, 200, 210, 220])
        labels = try LabelMap(width: 3, height: 1, ids: [1, 11, 3])
    }

    @Test("a coloured map has each class's colour")
    func colored() {
        #expect(labels.colored(with: .camVid11).pixels == [128, 0, 0, 0, 0, 0, 128, 64, 128])
    }

    @Test("an overlay blends by opacity and leaves void alone")
    func overlay() throws {
        #expect(try photo.overlay(labels, table: .camVid11).pixels == [69, 10, 15, 100, 110, 120, 164, 137, 174])
        #expect(try photo.overlay(labels, table: .camVid11, opacity: 0) == photo)
        let full = try photo.overlay(labels, table: .camVid11, opacity: 1)
        #expect(full.pixels == [128, 0, 0, 100, 110, 120, 128, 64, 128])
        #expect(try photo.overlay(labels, table: .camVid11, opacity: 7) == full)
        #expect(try photo.overlay(labels, table: .camVid11, opacity: .nan) == photo)
    }

    @Test(
        "overlays of long and short runs are blended pixel by pixel, and counted so",
        arguments: 0..<6 as Range<UInt64>
    )
    func runs(seed: UInt64) throws {
        var random = RandomNumbers(seed: seed)
        let (width, height) = (61, 17)
        var ids: [UInt16] = []
        // Some runs are shorter than what is blended at once, some longer, some end with it.
        while ids.count < width * height {
            let length = [1, 2, 15, 16, 17, 32, 33, 50][Int(random.next() >> 61)]
            ids += Array(repeating: UInt16(random.next() >> 60), count: length)
        }
        ids = Array(ids.prefix(width * height))
        let pixels = (0..<3 * width * height).map { _ in UInt8(truncatingIfNeeded: random.next() >> 32) }
        let photo = try Image(width: width, height: height, channels: 3, pixels: pixels)
        let labels = try LabelMap(width: width, height: height, ids: ids)
        let table = ClassTable.camVid11
        for opacity in [0.0, 0.3, 0.5, 1] {
            let drawn = try photo.overlay(labels, table: table, opacity: opacity)
            for (index, id) in ids.enumerated() {
                let color = table.color(of: Int(id))
                let weight = table.isIgnored(Int(id)) ? 0 : Int(opacity * 256)
                for (channel, value) in [color.red, color.green, color.blue].enumerated() {
                    let shown = Int(pixels[3 * index + channel])
                    let blended = (shown * (256 - weight) + Int(value) * weight + 128) >> 8
                    #expect(Int(drawn.pixels[3 * index + channel]) == blended)
                }
            }
        }
        let counts = labels.pixelCounts(classCount: 20)
        #expect(counts.count == 20)
        for (id, count) in counts.enumerated() { #expect(count == ids.count { Int($0) == id }) }
    }

    @Test("an overlay leaves Pascal VOC's background alone")
    func background() throws {
        let labels = try LabelMap(width: 3, height: 1, ids: [0, 255, 1])
        let drawn = try photo.overlay(labels, table: .pascalVOC21, opacity: 1)
        #expect(drawn.pixels == [10, 20, 30, 100, 110, 120, 128, 0, 0])
    }

    @Test("gray photos and photos with alpha become RGB overlays")
    func channels() throws {
        let gray = try Image(width: 3, height: 1, channels: 1, pixels: [9, 8, 7])
        #expect(try gray.overlay(labels, table: .camVid11, opacity: 0).pixels == [9, 9, 9, 8, 8, 8, 7, 7, 7])
        let clear = try Image(width: 1, height: 1, channels: 4, pixels: [1, 2, 3, 0])
        #expect(clear.rgb().pixels == [1, 2, 3])
        #expect(clear.gray().pixels == [2])
        #expect(try Image(width: 1, height: 1, channels: 3, filledWith: 255).gray().pixels == [255])
    }

    @Test("an overlay of another size is refused with both sizes")
    func otherSize() throws {
        let small = try LabelMap(width: 2, height: 1, ids: [0, 0])
        #expect(
            text { try photo.overlay(small, table: .camVid11) }
                == "picture: is 2x1, but the picture it belongs to is 3x1; resize one to the other."
        )
    }

    @Test("numbers become gray; what lies outside the range is its nearer end")
    func grayscale() throws {
        let values: [Float] = [0, 1, 0.5, -3, 7, .nan, .infinity, -.infinity]
        #expect(try Image(grayscale: values, width: 4, height: 2).pixels == [0, 255, 128, 0, 255, 0, 255, 0])
        #expect(try Image(grayscale: [2, 3, 4], width: 3, height: 1, range: 2...4).pixels == [0, 128, 255])
        #expect(try Image(grayscale: [2, 3], width: 2, height: 1, range: 2...2).pixels == [0, 0])
        #expect(text { try Image(grayscale: [1], width: 2, height: 1) }.hasPrefix("picture: cannot be 2x1 "))
    }
}
