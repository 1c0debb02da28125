internal import SegNetPlatform
internal import Synchronization

/// The user's wish to stop: Ctrl-C, SIGTERM, or the end of the terminal (SIGHUP). Any of them asks the trainer to finish its step, save and
/// exit; a second Ctrl-C or SIGTERM ends the program at once, by which no checkpoint is harmed.
public enum StopRequest {
    // A signal handler may use little more than this: it must not lock or allocate.
    private static let number = Atomic<CInt>(0)

    /// The number of the first signal that has come; nil if none has.
    public static var signalNumber: Int? {
        let number = Int(number.load(ordering: .relaxed))
        return number == 0 ? nil : number
    }

    /// Whether a signal has come.
    public static var isAsked: Bool { number.load(ordering: .relaxed) != 0 }

    /// Lets the program go on when the reader of its output is gone (`| head`): its results in files are still wanted. Ctrl-C and a
    /// terminal that ends also end the `tee` behind a training, whose next line would then end the program before it has saved.
    public static func outliveReaders() {
        // An empty handler in place of SIG_IGN: the programs that this one starts would inherit that.
        signal(SIGPIPE) { _ in }
    }

    /// Begins to listen to these signals; not to SIGHUP where the process was started with it ignored, as `nohup` does.
    /// - Parameter other: One more signal that asks to stop, such as SIGUSR1, which batch systems send before a job's end. Like SIGHUP it
    ///   only ever asks: those who send it may not know that somebody else has asked already.
    public static func listen(also other: CInt? = nil) {
        // The first read makes the variable, which the handler must not.
        _ = isAsked
        let hangUp = ProcessSignal.isIgnored(SIGHUP) ? [] : [SIGHUP]
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGINT, SIGTERM] + hangUp + (other.map { [$0] } ?? []) {
            signal(number) { number in
                _ = StopRequest.number.compareExchange(expected: 0, desired: number, ordering: .relaxed)
                guard number == SIGINT || number == SIGTERM else { return }
                // The next one of these, whichever it is, ends the process, as if nobody listened.
                signal(SIGINT, SIG_DFL)
                signal(SIGTERM, SIG_DFL)
            }
            sigaddset(&signals, number)
        }
        // Some parents leave signals blocked in their children.
        sigprocmask(SIG_UNBLOCK, &signals, nil)
    }
}
