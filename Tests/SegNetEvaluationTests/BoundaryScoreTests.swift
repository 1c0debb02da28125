import SegNetPlatform
import Testing

@testable import SegNetEvaluation

@Suite("Boundary F1")
struct BoundaryScoreTests {
    /// A picture of two halves, the right one (class 1) beginning at a column.
    static func halves(_ column: Int, width: Int = 400, height: Int = 300) -> [UInt16] {
        (0..<width * height).map { $0 % width >= column ? 1 : 0 }
    }

    static func score(
        _ truth: [UInt16],
        _ prediction: [UInt16],
        rule: BoundaryScore.Rule = .oneToOne,
        classes: Int = 2,
        width: Int = 400,
        height: Int = 300
    ) -> Double? {
        var score = BoundaryScore(rule: rule, classCount: classes)
        score.add(truth: truth, prediction: prediction, width: width, height: height)
        return score.value
    }

    @Test("is 1 for the truth itself, by every rule", arguments: BoundaryScore.Rule.allCases)
    func same(rule: BoundaryScore.Rule) {
        #expect(Self.score(Self.halves(200), Self.halves(200), rule: rule) == 1)
    }

    @Test("forgives a shift within 0.75 % of the diagonal, and not one beyond", arguments: BoundaryScore.Rule.allCases)
    func shift(rule: BoundaryScore.Rule) {
        // 400x300: 3.75 pixels; the original's rule works at 480x360: 4.5 pixels, of which a shift of 3 is 3.6 and one of 5 is 6.
        #expect(Self.score(Self.halves(200), Self.halves(203), rule: rule) == 1)
        #expect(Self.score(Self.halves(200), Self.halves(205), rule: rule) == 0)
    }

    @Test("over some classes leaves the outlines of the others out", arguments: BoundaryScore.Rule.allCases)
    func someClasses(rule: BoundaryScore.Rule) throws {
        let (width, height) = (480, 360)
        let truth = Self.halves(200, width: width, height: height)
        // Inside the right half lies a square of a third class, which the labels do not know.
        var given = truth
        for y in 100..<200 { for x in 300..<400 { given[y * width + x] = 2 } }
        func score(_ classes: [Int]?) -> Double? {
            var score = BoundaryScore(rule: rule, classCount: 3, classes: classes)
            score.add(truth: truth, prediction: given, width: width, height: height)
            return score.value
        }
        let (all, some, left) = (try #require(score(nil)), try #require(score([0, 1])), try #require(score([0])))
        // The square is an error in the outline of the right half, and by the original's rule also one of its own.
        #expect(left == 1 && some < 1)
        #expect(abs(all - (rule == .original ? some * 2 / 3 : some)) < 1e-12)
        #expect(score([2]) == (rule == .original ? 0 : nil))
    }

    @Test("matches one to one: a doubled line does not count twice")
    func doubled() throws {
        // The truth has one line of class 1, the answer two near it.
        let width = 400
        let truth: [UInt16] = (0..<width * 300).map { $0 % width == 200 ? 1 : 0 }
        let given: [UInt16] = (0..<width * 300).map { $0 % width == 199 || $0 % width == 201 ? 1 : 0 }
        let strict = try #require(Self.score(truth, given))
        let lenient = try #require(Self.score(truth, given, rule: .distance))
        #expect(lenient == 1)
        // Two boundary columns in the truth, four (199 and 201 give 198...201) in the answer: F1 = 2 * 0.5 * 1 / 1.5.
        #expect(abs(strict - 2.0 / 3) < 1e-12)
    }

    @Test("leaves out what touches pixels without ground truth, but not by the original's rule")
    func void() throws {
        let width = 480
        var truth = Self.halves(200, width: width, height: 360)
        for y in 0..<360 { for x in 300..<width { truth[y * width + x] = 255 } }
        // Beside the void the truth ends; the answer has its own border inside it.
        let given: [UInt16] = (0..<width * 360).map { $0 % width >= 200 && $0 % width < 400 ? 1 : 0 }
        #expect(Self.score(truth, given, width: width, height: 360) == 1)
        let original = try #require(Self.score(truth, given, rule: .original, width: width, height: 360))
        #expect(original < 1)
    }

    @Test("counts a falsely predicted class by the original's rule only")
    func falseClass() throws {
        let truth = Self.halves(200)
        var given = truth
        for y in 100..<120 { for x in 20..<40 { given[y * 400 + x] = 2 } }
        let ours = try #require(Self.score(truth, given, classes: 3))
        let original = try #require(Self.score(truth, given, rule: .original, classes: 3))
        // Class 0 has a false border in both; class 1 is met; class 2 counts 0 of 3 by the original.
        #expect(ours > 0.9 && original < ours * 2 / 3 + 0.01)
    }

    @Test("of pictures without any border does not count; by the original's rule it adds 0")
    func nothing() {
        let plain = [UInt16](repeating: 0, count: 400 * 300)
        #expect(Self.score(plain, plain) == nil)
        #expect(Self.score(plain, plain, rule: .original) == 0)
    }

    @Test("matching finds the most pairs", arguments: 0..<20)
    func matching(seed: UInt64) {
        var random = RandomNumbers(seed: seed)
        let (width, height) = (9, 7)
        func some() -> [Int] { (0..<width * height).filter { _ in random.uniform() < 0.3 } }
        let (left, right) = (some(), some())
        let tolerance = 1.5 + random.uniform() * 2
        let found = BoundaryMatching(left, right, tolerance: tolerance, width: width, height: height).count
        // Plain augmenting paths, one at a time.
        func isNear(_ a: Int, _ b: Int) -> Bool {
            let (dy, dx) = (a / width - b / width, a % width - b % width)
            return Double(dy * dy + dx * dx) <= tolerance * tolerance
        }
        var partner = [Int?](repeating: nil, count: right.count)
        func augment(_ l: Int, _ seen: inout Set<Int>) -> Bool {
            for r in right.indices where isNear(left[l], right[r]) && seen.insert(r).inserted {
                guard let other = partner[r] else {
                    partner[r] = l
                    return true
                }
                if augment(other, &seen) {
                    partner[r] = l
                    return true
                }
            }
            return false
        }
        var expected = 0
        for l in left.indices {
            var seen: Set<Int> = []
            if augment(l, &seen) { expected += 1 }
        }
        #expect(found == expected)
    }

    /// A picture drawn with one character per pixel: digits are classes, `.` has no ground truth.
    static func drawn(_ rows: String...) -> [UInt16] {
        rows.joined().map { $0.wholeNumberValue.map(UInt16.init) ?? 255 }
    }

    @Test("boundary pixels lie to the upper left of a change, on both sides of it")
    func handDrawn() {
        let ids = Self.drawn("00000", "00110", "00110", "00000")
        let found = BoundaryScore.boundaries(ids, classCount: 3, 5, 4, void: nil)
        // By hand: each pixel whose block of itself, right, below and lower right is not all of one class.
        let changes = Self.drawn(
            "01110",
            "01010",
            "01110",
            "00000"
        ).enumerated().filter { $0.element == 1 }.map(\.offset)
        #expect(found[0] == changes && found[1] == changes && found[2].isEmpty)
    }

    @Test("leave out blocks that touch a pixel without ground truth, in the answer too")
    func handDrawnVoid() {
        let truth = Self.drawn("0011", "0.11", "0011", "0011")
        let void = truth.map { $0 == 255 }
        // Between the columns 1 and 2: rows 0 and 1 touch the void, rows 2 and 3 do not.
        let real = BoundaryScore.boundaries(truth, classCount: 2, 4, 4, void: void)
        #expect(real == [[9, 13], [9, 13]])
        // An answer that draws a border through the void and next to it: only what lies clear of it remains.
        let given = Self.drawn("0001", "0101", "0001", "0001")
        let answered = BoundaryScore.boundaries(given, classCount: 2, 4, 4, void: void)
        #expect(answered == [[2, 6, 10, 14], [2, 6, 10, 14]])
        // The original takes void for a region: each class has a border around it.
        let regions = BoundaryScore.boundaries(truth, classCount: 2, 4, 4, void: nil)
        #expect(regions == [[0, 1, 4, 5, 9, 13], [1, 5, 9, 13]])
    }

    @Test(
        "of a class that fills the picture: it has no boundary and does not count",
        arguments: BoundaryScore.Rule.allCases
    )
    func filled(rule: BoundaryScore.Rule) throws {
        let plain = [UInt16](repeating: 1, count: 400 * 300)
        // The answer has a line where the truth has none: one-to-one and distance count classes of the truth only, of which none has
        // a boundary; the original counts both classes, as 0.
        let score = Self.score(plain, Self.halves(200), rule: rule)
        #expect(rule == .original ? score == 0 : score == nil)
        // The reverse: both classes have a boundary in the truth that is missed.
        #expect(Self.score(Self.halves(200), plain, rule: rule) == 0)
    }

    @Test("is the mean of pictures that count, and tells each one's own")
    func pictures() throws {
        let plain = [UInt16](repeating: 0, count: 400 * 300)
        for rule in BoundaryScore.Rule.allCases {
            var score = BoundaryScore(rule: rule, classCount: 2)
            let own = [
                score.add(truth: Self.halves(200), prediction: Self.halves(200), width: 400, height: 300),
                score.add(truth: Self.halves(200), prediction: Self.halves(300), width: 400, height: 300),
                score.add(truth: plain, prediction: plain, width: 400, height: 300),
            ]
            #expect(own == [1, 0, nil])
            // A picture in which nothing counts: left out, or 0 by the original's rule.
            #expect(score.value == (rule == .original ? 1.0 / 3 : 0.5))
        }
    }

    @Test("with answers that are not a class: they have no boundary of their own, but end that of others")
    func strays() throws {
        let given: [UInt16] = Self.halves(200).map { $0 == 1 ? 65535 : 0 }
        let score = try #require(Self.score(Self.halves(200), given))
        // Class 0 is met exactly, class 1 not at all.
        #expect(score == 0.5)
    }

    @Test("of small pictures has a tolerance below one pixel: only the exact place is met")
    func small() {
        // 40x30: 0.375 pixels.
        #expect(
            Self.score(
                Self.halves(20, width: 40, height: 30),
                Self.halves(20, width: 40, height: 30),
                width: 40,
                height: 30
            ) == 1
        )
        #expect(
            Self.score(
                Self.halves(20, width: 40, height: 30),
                Self.halves(21, width: 40, height: 30),
                width: 40,
                height: 30
            ) == 0
        )
    }
}
