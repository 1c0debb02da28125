internal import CoreMetrics
internal import Synchronization

/// One line of numbers of a `PrometheusRegistry`: a counter, a gauge or a histogram.
final class Series: CounterHandler, FloatingPointCounterHandler, MeterHandler, RecorderHandler, TimerHandler {
    private struct State {
        var value = 0.0
        var counts: [Int]
        var count = 0
    }

    private let buckets: [Double]
    private let state: Mutex<State>

    /// - Parameter buckets: Upper ends, ascending; none for counters and gauges.
    init(buckets: [Double]) {
        self.buckets = buckets
        state = Mutex(State(counts: Array(repeating: 0, count: buckets.count)))
    }

    func increment(by amount: Int64) { add(Double(amount)) }
    func increment(by amount: Double) { add(amount) }
    func decrement(by amount: Double) { add(-amount) }
    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { state.withLock { $0.value = value } }
    func reset() { set(0.0) }
    func record(_ value: Int64) { observe(Double(value)) }
    func record(_ value: Double) { observe(value) }
    func recordNanoseconds(_ duration: Int64) { observe(Double(duration) * 1e-9) }

    private func add(_ amount: Double) { state.withLock { $0.value += amount } }

    private func observe(_ value: Double) {
        guard !buckets.isEmpty else { return set(value) }
        let bucket = buckets.firstIndex { value <= $0 }
        state.withLock { state in
            state.value += value
            state.count += 1
            if let bucket { state.counts[bucket] += 1 }
        }
    }

    /// The lines of the text format.
    func lines(name: String, labels: String) -> [String] {
        let state = state.withLock { $0 }
        let braced = labels.isEmpty ? "" : "{\(labels)}"
        guard !buckets.isEmpty else { return ["\(name)\(braced) \(Self.number(state.value))"] }
        let before = labels.isEmpty ? "" : labels + ","
        var lines: [String] = []
        var sum = 0
        for (end, count) in zip(buckets, state.counts) {
            sum += count
            lines.append("\(name)_bucket{\(before)le=\"\(Self.number(end))\"} \(sum)")
        }
        lines.append("\(name)_bucket{\(before)le=\"+Inf\"} \(state.count)")
        lines.append("\(name)_sum\(braced) \(Self.number(state.value))")
        lines.append("\(name)_count\(braced) \(state.count)")
        return lines
    }

    /// Whole numbers without a point.
    private static func number(_ value: Double) -> String {
        if let whole = Int(exactly: value) { return "\(whole)" }
        if value.isNaN { return "NaN" }
        return value.isInfinite ? (value > 0 ? "+Inf" : "-Inf") : "\(value)"
    }
}
