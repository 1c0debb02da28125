import SegNetImages
import Testing

@testable import SegNetAnnotations

@Suite("COCO's run lengths")
struct RunLengthsTests {
    /// Written by pycocotools 2.0.11 (`mask.encode`): width, height, text, counts.
    private static let written: [(Int, Int, String, [Int])] = [
        (1, 1, "01", [0, 1]),
        (1, 1, "1", [1]),
        (5, 3, "0331NM10", [0, 3, 3, 4, 1, 1, 2, 1]),
        (4, 7, "a011020N01", [17, 1, 1, 1, 3, 1, 1, 1, 2]),
        (
            30, 40, "_11k10[O0VO0e1080dN0i0050l30dJ0l10QN040N080P40SL0e7",
            [
                47, 1, 59, 1, 38, 1, 12, 1, 65, 1, 73, 1, 29, 1, 54, 1, 59, 1, 183, 1, 11, 1, 71, 1, 8, 1, 12, 1, 10, 1,
                18, 1, 146, 1, 21, 1, 266,
            ]
        ),
        (20, 300, "T31_R10hXO0T10Ug10cfN0m40aRO", [100, 1, 1103, 1, 359, 1, 395, 1, 2160, 1, 835, 1, 992, 1, 49]),
        (1, 5, "0120O", [0, 1, 2, 1, 1]),
    ]

    @Test("are read and written as by pycocotools", arguments: 0..<7)
    func asWritten(_ index: Int) throws {
        let (width, height, text, counts) = Self.written[index]
        let runs = try RunLengths(width: width, height: height, compressed: text)
        #expect(runs.counts == counts)
        #expect(runs.compressed == text)
        #expect(try RunLengths(width: width, height: height, counts: counts).compressed == text)
        #expect(runs.area == runs.mask.pixelCount)
        #expect(RunLengths(runs.mask).mask == runs.mask)
    }

    @Test("of a part of a picture are those of the whole picture", arguments: 0..<30 as Range<UInt64>)
    func part(seed: UInt64) throws {
        let part = BinaryMask(try noise(width: 4, height: 5, classes: 2, seed: seed)) { $0 == 1 }
        for (left, top, width, height) in [(0, 0, 4, 5), (2, 3, 9, 11), (0, 4, 4, 9), (5, 0, 9, 5)] {
            var flags = [Bool](repeating: false, count: width * height)
            for y in 0..<5 { for x in 0..<4 { flags[(y + top) * width + x + left] = part.flags[4 * y + x] } }
            let whole = RunLengths(BinaryMask(width: width, height: height, checked: flags))
            #expect(RunLengths(part, left: left, top: top, width: width, height: height) == whole)
        }
    }

    @Test("go column after column and begin with pixels outside")
    func order() throws {
        let mask = try BinaryMask(width: 3, height: 2, flags: [true, false, true, true, false, false])
        #expect(RunLengths(mask).counts == [0, 2, 2, 1, 1])
        #expect(RunLengths(mask).mask == mask)
    }

    @Test("give the mask from which they were made", arguments: 0..<20 as Range<UInt64>)
    func roundTrip(seed: UInt64) throws {
        let map = try ellipses(width: 130, height: 70, classes: 3, count: 9, seed: seed)
        let runs = RunLengths(BinaryMask(map) { $0 == 1 })
        #expect(runs.mask == BinaryMask(map) { $0 == 1 })
        #expect(try RunLengths(width: 130, height: 70, compressed: runs.compressed) == runs)
    }

    @Test(
        "bad ones are refused",
        arguments: [
            ([1, 2], "has run lengths of 3 pixels, but 3x2 has 6; the two have to be equal. Export it again."),
            (
                [1, 20],
                "has run lengths of more than the 6 pixels of 3x2; they reach beyond the picture. Export it again."
            ),
            (
                [7, -1],
                "has run lengths of more than the 6 pixels of 3x2; they reach beyond the picture. Export it again."
            ),
            ([3, -1, 4], "has the run length -1; run lengths are 0 or more. Export it again."),
            (
                [.max, .max],
                "has run lengths of more than the 6 pixels of 3x2; they reach beyond the picture. Export it again."
            ),
        ]
    )
    func bad(counts: [Int], message: String) {
        #expect(throws: AnnotationError(message)) { try RunLengths(width: 3, height: 2, counts: counts) }
    }

    @Test("bad letters are refused", arguments: ["", "0", "`", "00 ", "oooooooooooooooooooo", "\u{1F600}", "~"])
    func badText(text: String) {
        #expect(throws: AnnotationError.self) { try RunLengths(width: 3, height: 2, compressed: text) }
    }

    @Test("for an impossible picture size are refused")
    func impossible() {
        #expect(throws: AnnotationError.self) { try RunLengths(width: -1, height: 2, counts: []) }
        #expect(throws: AnnotationError.self) { try RunLengths(width: .max, height: 2, counts: []) }
        #expect(throws: AnnotationError.self) { try RunLengths(width: 1 << 20, height: 1 << 20, counts: [1 << 40]) }
    }
}
