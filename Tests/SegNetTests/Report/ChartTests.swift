import SegNetToolkit
import Testing

@testable import SegNet

@Suite("Charts")
struct ChartTests {
    @Test(
        "have round ticks around their values",
        arguments: [
            ([0.0, 100], 5, [0.0, 20, 40, 60, 80, 100], 0), ([0.31, 0.47], 5, [0.3, 0.35, 0.4, 0.45, 0.5], 2),
            ([-3.0, 4], 4, [-4.0, -2, 0, 2, 4], 0), ([1e-4, 9e-4], 4, [0.0, 2e-4, 4e-4, 6e-4, 8e-4, 1e-3], 4),
            ([5.0], 2, [0.0, 5, 10], 0),
        ] as [([Double], Int, [Double], Int)]
    )
    func ticks(values: [Double], count: Int, expected: [Double], digits: Int) {
        let axis = ChartAxis(values, count: count)
        #expect(axis.ticks.count == expected.count)
        #expect(zip(axis.ticks, expected).allSatisfy { abs($0 - $1) < 1e-12 }, "\(axis.ticks)")
        #expect(axis.digits == digits)
        for value in values { #expect((0...1).contains(axis.place(value))) }
    }

    @Test(
        "have an axis for values of any kind",
        arguments: [[], [0], [-1], [.nan], [.infinity, 1], [1e300, -1e300], [1e-300]] as [[Double]]
    )
    func hostileValues(values: [Double]) {
        for includingZero in [false, true] {
            let axis = ChartAxis(values, includingZero: includingZero)
            #expect(axis.lowest.isFinite && axis.highest.isFinite && axis.lowest < axis.highest)
            #expect((2...20).contains(axis.ticks.count))
        }
        let chart = LineChart("t", xTitle: "x", series: [.init("s", values.map { (x: $0, y: $0) })])
        #expect(!chart.svg.contains("nan") && !chart.svg.contains("inf"))
    }

    @Test("end an axis where its values end, if it is to be tight")
    func tight() {
        let axis = ChartAxis([0, 20.01], count: 6, isTight: true)
        #expect(axis.lowest == 0 && axis.highest == 20.01 && axis.ticks == [0, 5, 10, 15, 20])
        #expect(ChartAxis([0.3, 0.9], count: 6, isTight: true).ticks.count == 7)
    }

    @Test("thin many points to their means")
    func thinned() {
        let points = (0..<1000).map { (x: Double($0), y: Double($0 % 2)) }
        let few = LineChart.thinned(points, to: 100)
        #expect(few.count == 100)
        #expect(few.allSatisfy { $0.y == 0.5 })
        #expect(few[0].x == 4.5 && few[99].x == 994.5)
        #expect(LineChart.thinned(points, to: 1000).count == 1000)
    }

    @Test("draw a line from corner to corner, and a dot for a single point")
    func line() {
        let chart = LineChart("t", xTitle: "x", series: [.init("a", [(0, 0), (10, 100)])])
        // The plot lies between 52 and 446, 14 and 220 of 460x260.
        #expect(chart.svg.contains("d=\"M52 220L446 14\""))
        #expect(LineChart("t", xTitle: "x", series: [.init("a", [(1, 1)])]).svg.contains("<circle class=\"dot0\""))
    }

    @Test("count shares by tenths; 1 belongs to the last")
    func bars() {
        let bars = BarChart("t", xTitle: "x", shares: [0, 0.05, 0.1, 0.95, 1, .nan]).bars
        #expect(bars.map(\.count) == [2, 1, 0, 0, 0, 0, 0, 0, 0, 2])
        #expect(bars[9].name == "90-100 %")
    }

    @Test("of many classes leave the numbers to the pointer", arguments: [3, 37])
    func matrix(classes: Int) {
        var matrix = ConfusionMatrix(classCount: classes)
        matrix.add(truth: [0, 0, 1, 1], prediction: [0, 1, 1, 1])
        let svg = ConfusionChart(matrix, names: (0..<classes).map { "class \($0)" }).svg
        #expect(svg.matches(of: /<title>/).count == classes * classes)
        #expect(svg.contains(">50</text>") == (classes == 3))
        #expect(svg.contains("class 0 predicted as class 1: 50.00 % of class 0, 1 pixels"))
    }
}
