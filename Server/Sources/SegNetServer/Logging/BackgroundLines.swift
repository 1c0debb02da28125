import Dispatch
import SegNetToolkit
import Synchronization

/// Lines on their way to a file descriptor that somebody else reads, written by a thread of their own: a reader that hangs holds up
/// nothing else. Beyond a bound lines are dropped, and counted in the next line that is written.
public final class BackgroundLines: Sendable {
    private struct State {
        var lines: [String] = []
        var bytes = 0
        var dropped = 0
        var isWriting = false
    }

    /// Some ten thousand requests.
    private static let mostBytes = 4 << 20

    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "segnet-server.log")
    private let mostBytes: Int
    private let sink: @Sendable (String) -> Void

    /// - Parameter descriptor: 2 standard error.
    public convenience init(to descriptor: Int32) {
        self.init { StandardStream.write($0 + "\n", to: descriptor) }
    }

    /// - Parameter sink: Writes a line; it may block.
    init(mostBytes: Int = BackgroundLines.mostBytes, sink: @escaping @Sendable (String) -> Void) {
        self.mostBytes = mostBytes
        self.sink = sink
    }

    /// Lines that were dropped and are not told yet.
    var dropped: Int { state.withLock { $0.dropped } }

    /// Returns at once.
    public func write(_ line: String) {
        let begins = state.withLock { state in
            guard state.bytes + line.utf8.count <= mostBytes else {
                state.dropped += 1
                return false
            }
            state.lines.append(line)
            state.bytes += line.utf8.count
            defer { state.isWriting = true }
            return !state.isWriting
        }
        if begins { queue.async { self.drain() } }
    }

    /// Waits until all is written, at most so long: a program that ends does not wait for a reader that hangs.
    public func flush(within time: Duration) async {
        let end = ContinuousClock.now + time
        while state.withLock({ $0.isWriting }), ContinuousClock.now < end {
            try? await Task.sleep(for: .milliseconds(5))
        }
    }

    private func drain() {
        while true {
            let (lines, dropped) = state.withLock { state in
                defer { state.lines = [] }
                if state.lines.isEmpty, state.dropped == 0 { state.isWriting = false }
                defer { state.dropped = 0 }
                return (state.lines, state.dropped)
            }
            guard !lines.isEmpty || dropped > 0 else { return }
            for line in lines {
                sink(line)
                state.withLock { $0.bytes -= line.utf8.count }
            }
            if dropped > 0 { sink("\(dropped) lines of the log were dropped: its reader was too slow.") }
        }
    }
}

extension BackgroundLines {
    /// For log handlers that write to streams.
    public struct Stream: TextOutputStream, Sendable {
        private let lines: BackgroundLines

        public init(_ lines: BackgroundLines) { self.lines = lines }

        public mutating func write(_ text: String) {
            lines.write(text.hasSuffix("\n") ? String(text.dropLast()) : text)
        }
    }
}
