import SegNetToolkit

/// Counts pictures, measures their rate, and keeps the status line of a terminal up to date. Used by one thread at a time.
final class Progress {
    private let total: Int
    private let console: Console
    private let unit: String
    private let start = ContinuousClock.now
    /// How many are done.
    private(set) var done = 0
    /// Whether `next` has begun one.
    private var isWorking = false

    /// - Parameter unit: What is counted, where it is not pictures.
    init(total: Int, console: Console, unit: String = "") {
        self.total = total
        self.console = console
        self.unit = unit.isEmpty ? "" : " \(unit)s"
    }

    /// Seconds since the beginning.
    var seconds: Double { (ContinuousClock.now - start).inSeconds }

    /// `[ 3/12]`
    var place: String {
        let count = String(done)
        return "[" + String(repeating: " ", count: max(0, String(total).count - count.count)) + "\(count)/\(total)]"
    }

    /// Says what is being worked on; nothing for nil.
    func begin(_ name: String?) {
        guard let name, console.isTerminal else { return }
        var line = "\(done)/\(total)\(unit)"
        if done > 0, seconds > 0 {
            let rate = Double(done) / seconds
            let left = Numbers.clock(seconds: Double(total - done) / rate)
            line += ", \(Numbers.fixed(rate, 1)) per second, \(left) left"
        }
        console.status("\(line): \(name)")
    }

    /// One more is done.
    func finish() { done += 1 }

    /// The one before, if there was one, is done, and the next is worked on.
    func next(_ name: String) {
        if isWorking { finish() }
        isWorking = true
        begin(name)
    }
}
