public import CoreMetrics
internal import Synchronization

/// A backend of swift-metrics that keeps numbers in memory and writes them as Prometheus' text format 0.0.4.
///
/// Counters and meters map directly; recorders and timers become histograms with fixed buckets, timers in seconds.
/// Source: prometheus.io/docs/instrumenting/exposition_formats.
public final class PrometheusRegistry: MetricsFactory {
    /// Upper ends of the buckets of timers, in seconds: from a small mask's encoding to a deadline.
    static let timerBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

    enum Kind: String {
        case counter
        case gauge
        case histogram
    }

    /// One name with its label sets.
    private struct Family {
        var kind: Kind
        var help: String?
        /// By the text of the labels.
        var series: [String: Series] = [:]
    }

    private let families = Mutex<[String: Family]>([:])
    private let help: [String: String]

    /// - Parameter help: A sentence for each name.
    public init(help: [String: String] = [:]) { self.help = help }

    /// All numbers as text, ordered by name.
    public func text() -> String {
        families.withLock { families in
            var lines: [String] = []
            for (name, family) in families.sorted(by: { $0.key < $1.key }) {
                if let help = family.help { lines.append("# HELP \(name) \(help)") }
                lines.append("# TYPE \(name) \(family.kind.rawValue)")
                for (labels, series) in family.series.sorted(by: { $0.key < $1.key }) {
                    lines += series.lines(name: name, labels: labels)
                }
            }
            return lines.map { $0 + "\n" }.joined()
        }
    }

    /// The series of a name and labels, made if it is new.
    func series(_ kind: Kind, _ label: String, _ dimensions: [(String, String)], buckets: [Double] = []) -> Series {
        let name = Self.name(label)
        let labels = dimensions.map { "\(Self.name($0.0))=\"\(Self.escaped($0.1))\"" }.joined(separator: ",")
        return families.withLock { families in
            if let known = families[name]?.series[labels] { return known }
            let made = Series(buckets: buckets)
            families[name, default: Family(kind: kind, help: help[name])].series[labels] = made
            return made
        }
    }

    /// Names have letters, digits and underscores only.
    private static func name(_ label: String) -> String {
        let letters = label.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" }
        return letters.first?.isNumber ?? true ? "_" + String(letters) : String(letters)
    }

    private static func escaped(_ value: String) -> String {
        var text = ""
        for letter in value {
            switch letter {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n", "\r", "\r\n": text += "\\n"
            default: text.append(letter)
            }
        }
        return text
    }

    // MARK: swift-metrics

    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(.counter, label, dimensions)
    }

    public func makeFloatingPointCounter(
        label: String,
        dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        series(.counter, label, dimensions)
    }

    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(.gauge, label, dimensions)
    }

    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        aggregate
            ? series(.histogram, label, dimensions, buckets: Self.timerBuckets) : series(.gauge, label, dimensions)
    }

    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        series(.histogram, label, dimensions, buckets: Self.timerBuckets)
    }

    // A series that goes away and comes back would look like a counter that was reset: they stay.
    public func destroyCounter(_ handler: any CounterHandler) {}
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    public func destroyMeter(_ handler: any MeterHandler) {}
    public func destroyRecorder(_ handler: any RecorderHandler) {}
    public func destroyTimer(_ handler: any TimerHandler) {}
}
