import CSegNetKernels

/// The user's wish to stop: Ctrl-C or SIGTERM. The first asks the trainer to finish its step, save and exit; the second ends the program
/// at once, by which no checkpoint is harmed.
public enum StopRequest {
    /// Begins to listen to both signals.
    public static func listen() { sn_listen_for_stop() }

    /// Whether a signal has come.
    public static var isAsked: Bool { sn_stop_is_asked() != 0 }
}
