import SegNetAnnotations
import SegNetImages
import Testing

@Suite("A canvas for labels")
struct LabelCanvasTests {
    private func rectangle(_ left: Double, _ top: Double, _ right: Double, _ bottom: Double) -> [PixelPoint] {
        [PixelPoint(left, top), PixelPoint(right, top), PixelPoint(right, bottom), PixelPoint(left, bottom)]
    }

    @Test("pixels whose centres lie inside are painted")
    func centres() throws {
        var canvas = try LabelCanvas(width: 4, height: 3, filledWith: 0)
        #expect(canvas.fill([rectangle(0.6, 0.4, 2.5, 1.6)], with: 1) == 2)
        #expect(canvas.ids == [0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0])
    }

    @Test("a centre on a border belongs once, to the polygon on its right or below")
    func borders() throws {
        var canvas = try LabelCanvas(width: 4, height: 4, filledWith: 0)
        #expect(canvas.fill([rectangle(0.5, 0.5, 2.5, 2.5)], with: 1) == 4)
        #expect(canvas.fill([rectangle(2.5, 0.5, 4, 2.5)], with: 2) == 4)
        #expect(canvas.ids == [1, 1, 2, 2, 1, 1, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0])
    }

    @Test("what is painted later is on top, and the rest stays")
    func order() throws {
        var canvas = try LabelCanvas(width: 3, height: 1, filledWith: 7)
        canvas.fill([rectangle(0, 0, 2, 1)], with: 1)
        canvas.fill([rectangle(1, 0, 2, 1)], with: 2)
        #expect(canvas.ids == [1, 2, 7])
    }

    @Test("a polygon that crosses itself is filled where it encloses a pixel an odd number of times")
    func crossing() throws {
        var canvas = try LabelCanvas(width: 4, height: 4, filledWith: 0)
        // A bow tie.
        canvas.fill([[PixelPoint(0, 0), PixelPoint(4, 4), PixelPoint(4, 0), PixelPoint(0, 4)]], with: 1)
        #expect(canvas.ids == [0, 0, 0, 1, 1, 0, 1, 1, 1, 0, 1, 1, 0, 0, 0, 1])
        var twice = try LabelCanvas(width: 3, height: 3, filledWith: 0)
        #expect(twice.fill([rectangle(0, 0, 3, 3), rectangle(1, 1, 2, 2)], with: 1) == 8)
        #expect(twice.ids[4] == 0)
    }

    @Test("parts beyond the canvas are cut off")
    func beyond() throws {
        var canvas = try LabelCanvas(width: 2, height: 2, filledWith: 0)
        #expect(canvas.fill([rectangle(-1e300, -1e300, 1e300, 1e300)], with: 1) == 4)
        #expect(canvas.fill([rectangle(5, 5, 9, 9)], with: 2) == 0)
        #expect(canvas.fill([rectangle(-9, -9, -5, -5)], with: 2) == 0)
    }

    @Test("points that are not finite are left out, and rings of two points enclose nothing")
    func noNumbers() throws {
        var canvas = try LabelCanvas(width: 2, height: 2, filledWith: 0)
        #expect(canvas.fill([[PixelPoint(.nan, 0), PixelPoint(2, 0), PixelPoint(.infinity, 2)]], with: 1) == 0)
        #expect(canvas.fill([[PixelPoint(0, 0), PixelPoint(2, 2)], []], with: 1) == 0)
        #expect(canvas.fill([rectangle(0, 0, 2, 2) + [PixelPoint(.nan, .nan)]], with: 1) == 4)
    }

    @Test("a mask is painted in its place, and cut off")
    func mask() throws {
        var canvas = try LabelCanvas(width: 3, height: 2, filledWith: 0)
        let mask = try BinaryMask(width: 2, height: 2, flags: [true, true, true, false])
        #expect(canvas.fill(mask, left: 2, top: 0, with: 1) == 2)
        #expect(canvas.ids == [0, 0, 1, 0, 0, 1])
        #expect(canvas.fill(mask, left: -1, top: 1, with: 2) == 1)
        #expect(canvas.ids == [0, 0, 1, 2, 0, 1])
        #expect(canvas.fill(mask, left: 10, top: -10, with: 3) == 0)
    }

    @Test("a canvas without pixels, or with too many, is refused")
    func impossible() {
        #expect(throws: AnnotationError.self) { try LabelCanvas(width: 0, height: 3, filledWith: 0) }
        #expect(throws: AnnotationError.self) { try LabelCanvas(width: 1 << 20, height: 1 << 20, filledWith: 0) }
        #expect(throws: AnnotationError.self) { try LabelCanvas(width: .max, height: 3, filledWith: 0) }
    }
}
