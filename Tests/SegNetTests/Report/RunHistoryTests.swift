import SegNetToolkit
import Testing

@testable import SegNet

@Suite("The course of a run, from its log")
struct RunHistoryTests {
    static let log = """
        {"epoch":0.5,"gradientNorm":1,"kind":"step","learningRate":0.1,"loss":2,"picturesPerSecond":1,"step":1}
        {"epoch":1,"gradientNorm":1,"kind":"step","learningRate":0.05,"loss":1,"picturesPerSecond":1,"runningMeanIoU":0.2,"step":2}
        {"classAverageAccuracy":0.5,"classIoU":{"a":null},"epoch":1,"globalAccuracy":0.75,"isBest":true,"kind":"validation","meanIoU":0.25,"neverPredicted":[],"step":2}
        {"epoch":2,"kind":"other"}
        not json
        {"epoch":2,"globalAccuracy":0.5,"isBest":false,"kind":"validation","meanIoU":0.125,"step":4}
        {"epoch":2.5,"kind":"step","learn
        """

    @Test("has steps and validations; what a kill cut short is passed over")
    func read() {
        let history = RunHistory(log: Self.log)
        #expect(history.steps.map(\.loss) == [2, 1] && history.steps.map(\.learningRate) == [0.1, 0.05])
        #expect(history.validations.map(\.meanIoU) == [0.25, 0.125])
        #expect(history.validations.map(\.classAverageAccuracy) == [0.5, nil])
    }

    @Test("becomes curves: loss, learning rate, validation with its best point")
    func curves() {
        let charts = RunHistory(log: Self.log).charts
        #expect(charts.map(\.title) == ["Training loss", "Learning rate", "Validation"])
        #expect(charts[0].series[0].points.map(\.x) == [0.5, 1] && charts[0].series[0].points.map(\.y) == [2, 1])
        #expect(charts[2].series.map(\.name) == ["mean IoU", "global accuracy", "class average"])
        #expect(charts[2].series[0].points.map(\.y) == [25, 12.5])
        #expect(charts.allSatisfy { $0.xRange == [0, 2] })
        #expect(charts[2].series[0].mark?.text == "best 25.0 %")
        #expect(charts[2].svg.contains(">best 25.0 %</text>"))
        #expect(charts[1].svg.contains(">0.1</text>") || charts[1].svg.contains(">0.10</text>"))
    }

    @Test("takes as long as its steps; a process that was stopped for an hour or two has not trained meanwhile")
    func pauses() {
        let step = { (speed: String) in
            #"{"epoch":1,"kind":"step","learningRate":0.1,"loss":2,"picturesPerSecond":\#(speed),"step":1}"#
        }
        let start = #"{"kind":"start","picturesPerStep":5,"totalSteps":9,"step":0}"#
        let validation = #"{"epoch":1,"isBest":true,"kind":"validation","meanIoU":0.25,"step":3}"#
        let lines = [start, step("5"), step("0.0005"), step("2.5"), validation, step("1"), step("2.5")]
        let history = RunHistory(log: lines.joined(separator: "\n"))
        #expect(history.steps.map(\.seconds) == [1, 3, 5, 10, 12])
        #expect(history.validations.map(\.seconds) == [5] && history.seconds == 12)
    }

    @Test("of an empty log has no curves")
    func empty() { #expect(RunHistory(log: "").charts.isEmpty) }
}
