internal import SegNetPlatform
internal import Synchronization

/// The user's wish to stop: Ctrl-C or SIGTERM. The first asks the trainer to finish its step, save and exit; the second ends the program
/// at once, by which no checkpoint is harmed.
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

    /// Begins to listen to both signals.
    /// - Parameter other: One more signal that asks to stop, such as SIGUSR1, which batch systems send before a job's end.
    public static func listen(also other: CInt? = nil) {
        // The first read makes the variable, which the handler must not.
        _ = isAsked
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGINT, SIGTERM] + (other.map { [$0] } ?? []) {
            signal(number) { number in
                StopRequest.number.store(number, ordering: .relaxed)
                // The next one, whichever it is, ends the process, as if nobody listened.
                signal(SIGINT, SIG_DFL)
                signal(SIGTERM, SIG_DFL)
            }
            sigaddset(&signals, number)
        }
        // Some parents leave signals blocked in their children.
        sigprocmask(SIG_UNBLOCK, &signals, nil)
    }
}
