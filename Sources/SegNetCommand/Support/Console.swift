import SegNetToolkit
import Synchronization

/// Where a command writes: results on standard output, everything else on standard error. Tests read what was written instead.
final class Console: Sendable {
    /// Whether standard error is a terminal, on which a line can be rewritten.
    let isTerminal: Bool
    /// Columns of that terminal.
    let width: Int

    private enum Sink {
        case standard
        case recording
    }

    private struct State {
        var output = ""
        var errors = ""
        /// A status line stands on the terminal and must be wiped before the next line.
        var hasStatus = false
    }

    private let sink: Sink
    private let state = Mutex(State())

    private init(_ sink: Sink, isTerminal: Bool, width: Int) {
        self.sink = sink
        self.isTerminal = isTerminal
        self.width = width
    }

    /// The process's own standard output and standard error.
    static let standard: Console = {
        var size = winsize()
        let isTerminal = isatty(2) == 1
        let hasSize = isTerminal && ioctl(2, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        return Console(.standard, isTerminal: isTerminal, width: hasSize ? Int(size.ws_col) : 80)
    }()

    /// Keeps what is written in memory.
    static func recording(isTerminal: Bool = false) -> Console {
        Console(.recording, isTerminal: isTerminal, width: 80)
    }

    /// What was written to standard output, if this console records.
    var recordedOutput: String { state.withLock { $0.output } }
    /// What was written to standard error, if this console records.
    var recordedErrors: String { state.withLock { $0.errors } }

    /// Writes a line to standard output.
    func print(_ line: String) {
        state.withLock {
            wipe(&$0)
            write(line + "\n", to: 1, &$0)
        }
    }

    /// Writes a line to standard error: an error, a warning, a note. Settings that it names get their options.
    func note(_ line: String) {
        let line = UserChoice.withOptions(line)
        state.withLock {
            wipe(&$0)
            write(line + "\n", to: 2, &$0)
        }
    }

    /// Rewrites the status line of a terminal; does nothing where there is none.
    func status(_ line: String) {
        guard isTerminal else { return }
        state.withLock {
            write("\r\u{1B}[K" + line.prefix(max(width - 1, 0)), to: 2, &$0)
            $0.hasStatus = true
        }
    }

    /// Removes the status line.
    func clearStatus() { state.withLock { wipe(&$0) } }

    private func wipe(_ state: inout State) {
        guard state.hasStatus else { return }
        state.hasStatus = false
        write("\r\u{1B}[K", to: 2, &state)
    }

    private func write(_ text: String, to descriptor: Int32, _ state: inout State) {
        switch (sink, descriptor) {
        case (.recording, 1): state.output += text
        case (.recording, _): state.errors += text
        case (.standard, _): StandardStream.write(text, to: descriptor)
        }
    }
}
