import Testing

@testable import SegNetTraining

@Suite("How long a step takes")
struct StepTimesTests {
    @Test("is the median of the last ones: a pause of hours and a slow beginning do not last")
    func median() {
        var times = StepTimes()
        #expect(times.median == 0)
        for seconds in [3, 1, 1, 7200, 1.5] { times.append(seconds) }
        #expect(times.median == 1.5)
        // More than are kept.
        for _ in 0..<200 { times.append(0.25) }
        #expect(times.median == 0.25)
    }
}
