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
        /// Bytes that are not text, such as pictures.
        var bytes: [UInt8] = []
        /// Why standard output does not take what is written, once it has not.
        var failure: Int32?
        /// Progress and notes are left out.
        var isQuiet = false
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
    /// The bytes that were written to standard output in addition to text, if this console records.
    var recordedBytes: [UInt8] { state.withLock { $0.bytes } }
    /// What was written to standard error, if this console records.
    var recordedErrors: String { state.withLock { $0.errors } }

    /// - Throws: `StandardOutputError` if something that was printed has got lost: a result that nobody has is not done.
    func requireOutput() throws(StandardOutputError) {
        guard let number = state.withLock({ $0.failure }) else { return }
        throw StandardOutputError(words: strerror(number).map { String(cString: $0) } ?? "error \(number)")
    }

    /// Sees that no file that is opened later becomes standard input, output or error where these were closed (`>&-`): what is printed
    /// would be written into it. Called first.
    static func reserveDescriptors() {
        for descriptor in 0...2 as ClosedRange<Int32> where fcntl(descriptor, F_GETFD) == -1 {
            // For reading alone, so that writing still fails and is told; it takes the lowest number that is free.
            _ = open("/dev/null", O_RDONLY)
        }
    }

    /// Writes a line to standard output.
    func print(_ line: String) {
        state.withLock {
            wipe(&$0)
            write(line + "\n", to: 1, &$0)
        }
    }

    /// Writes a file's bytes to standard output.
    func write(_ bytes: [UInt8]) {
        state.withLock {
            wipe(&$0)
            switch sink {
            case .recording: $0.bytes += bytes
            case .standard:
                let failure = StandardStream.write(bytes, to: 1)
                if failure != 0, failure != EPIPE, $0.failure == nil { $0.failure = failure }
            }
        }
    }

    /// From now on writes results, errors and warnings alone (`--quiet`).
    func beQuiet() { state.withLock { $0.isQuiet = true } }

    /// Whether progress and notes are left out.
    var isQuiet: Bool { state.withLock { $0.isQuiet } }

    /// Writes a note to standard error; `--quiet` leaves it out. Settings that it names get their options, as those of warnings and errors.
    func note(_ line: String) {
        if !isQuiet { tell(line) }
    }

    /// Writes a warning to standard error; it stays with `--quiet`.
    func warning(_ text: String) { tell("warning: \(text)") }

    /// Writes an error to standard error; it stays with `--quiet`.
    func error(_ text: String) { tell("error: \(text)") }

    private func tell(_ line: String) {
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
            if $0.isQuiet { return }
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
        case (.standard, _):
            let failure = StandardStream.write(text, to: descriptor)
            // Nobody reads any more (`segnet ... | head`): there is no one left to tell.
            if descriptor == 1, failure != 0, failure != EPIPE, state.failure == nil { state.failure = failure }
        }
    }
}

/// Standard output did not take the results.
struct StandardOutputError: Error, CustomStringConvertible {
    /// The system's.
    var words: String
    var description: String {
        "standard output: cannot be written (\(words)); check where it leads, or the space there."
    }
}
