import SegNetToolkit

/// Counts pictures, measures their rate, and keeps the status line of a terminal up to date. Used by one thread at a time.
final class Progress {
    private let total: Int
    private let console: Console
    private let start = ContinuousClock.now
    /// How many are done.
    private(set) var done = 0

    init(total: Int, console: Console) {
        self.total = total
        self.console = console
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
        var line = "\(done)/\(total)"
        if done > 0, seconds > 0 {
            let rate = Double(done) / seconds
            line += ", \(Numbers.fixed(rate, 1)) a second, \(Numbers.clock(seconds: Double(total - done) / rate)) left"
        }
        console.status("\(line): \(name)")
    }

    /// One more is done.
    func finish() { done += 1 }
}
